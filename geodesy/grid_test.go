package geodesy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// snyder projects a position to UTM by another way than this package does: J. P. Snyder, Map Projections: A Working
// Manual (USGS Professional Paper 1395, 1987), equations 8-9, 8-10 and 8-12 to 8-15 and 3-21. Within 3 degrees of the
// meridian his series is good to a few millimetres.
func snyder(p LatLon, zone int) (easting, northing float64) {
	const a, e2, k0 = SemiMajorM, Flattening * (2 - Flattening), 0.9996
	const ep2 = e2 / (1 - e2)
	phi := p.Lat * RadPerDegree
	s, c := math.Sincos(phi)
	n := a / math.Sqrt(1-e2*s*s)
	t, cc := math.Pow(s/c, 2), ep2*c*c
	b := Wrap180(p.Lon-float64(zone)*6+183) * RadPerDegree * c
	m := a * ((1-e2/4-3*e2*e2/64-5*e2*e2*e2/256)*phi - (3*e2/8+3*e2*e2/32+45*e2*e2*e2/1024)*math.Sin(2*phi) +
		(15*e2*e2/256+45*e2*e2*e2/1024)*math.Sin(4*phi) - 35*e2*e2*e2/3072*math.Sin(6*phi))
	easting = 500000 + k0*n*(b+(1-t+cc)*math.Pow(b, 3)/6+(5-18*t+t*t+72*cc-58*ep2)*math.Pow(b, 5)/120)
	northing = k0 * (m + n*s/c*(b*b/2+(5-t+9*cc+4*cc*cc)*math.Pow(b, 4)/24+(61-58*t+t*t+600*cc-330*ep2)*math.Pow(b, 6)/720))
	return easting, northing
}

func TestUTMAgreesWithAnotherProjection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.IntRange(1, 60).Draw(t, "zone")
		p := LatLon{Lat: rapid.Float64Range(-80, 84).Draw(t, "lat")}
		p.Lon = Wrap180(float64(zone)*6 - 183 + rapid.Float64Range(-3, 3).Draw(t, "dlon"))
		e, n := snyder(p, zone)
		north := n
		if p.Lat < 0 {
			north += falseNorthM
		}
		got := UTM{zone, p.Lat < 0, e, north}.LatLon()
		// The first term that Snyder leaves out is of order (3 degrees)^7 times the radius: some centimetres at the equator.
		if d := Distance(p, got); d > 0.05 {
			t.Fatalf("%v comes back as %v, %v m away", p, got, d)
		}
		u := toZone(p, zone)
		if d := math.Hypot(u.EastingM-e, u.NorthingM-north); d > 0.05 {
			t.Fatalf("%v lies at %+v, by Snyder at %v, %v", p, u, e, north)
		}
		// There and back: Karney's series to the fourth power of n are good to some nanometres, far below a micrometre.
		if d := Distance(p, u.LatLon()); d > 1e-6 {
			t.Fatalf("%v comes back %v m away", p, d)
		}
	})
}

// Published examples of grid references.
func TestMGRS(t *testing.T) {
	for _, row := range []struct {
		claim string
		p     LatLon
		step  float64
		want  string
	}{
		// The Washington Monument, an example of the US National Grid standard (FGDC-STD-011-2001): 18S UJ 23480 06470.
		{"the Washington Monument to 10 m", LatLon{38.889467, -77.035239}, 10, "18S UJ 2348 0647"},
		{"to 100 m", LatLon{38.889467, -77.035239}, 100, "18S UJ 234 064"},
		{"to 1 km, and a step between powers of ten goes up", LatLon{38.889467, -77.035239}, 300, "18S UJ 23 06"},
		{"to 100 km", LatLon{38.889467, -77.035239}, 1e5, "18S UJ"},
		// The example of the usual descriptions of the grid, near Honolulu: 4Q FJ 12345 67890.
		{"Honolulu to 1 m", LatLon{21.4098002, -157.9160774}, 1, "4Q FJ 12345 67890"},
		{"Norway's wide zone", LatLon{60.3913, 5.3221}, 1000, "32V KN 97 00"},
		{"Svalbard", LatLon{78.2232, 15.6267}, 1e5, "33X WG"},
		{"the south pole has no such grid", LatLon{-85, 10}, 1, ""},
		{"no place at all", LatLon{math.NaN(), 10}, 1, ""},
	} {
		if got := MGRS(row.p, row.step); got != row.want {
			t.Errorf("%s: %q, want %q", row.claim, got, row.want)
		}
	}
}

func TestUTMText(t *testing.T) {
	// The CN Tower, the example of the usual description of UTM: zone 17, 630084 m east, 4833438 m north, at 43°38′33.24″ N 79°23′13.7″ W.
	u, ok := ToUTM(LatLon{43 + 38/60. + 33.24/3600, -(79 + 23/60. + 13.7/3600)})
	// A hundredth of a second of arc is 0.3 m, a tenth 2.2 m of longitude there.
	if !ok || u.Zone != 17 || math.Abs(u.EastingM-630084) > 2.5 || math.Abs(u.NorthingM-4833438) > 0.8 {
		t.Errorf("%+v, %v", u, ok)
	}
	for step, want := range map[float64]string{1: "17S 630084 9833438", 30: "17S 630100 9833400", 2000: "17S 630000 9830000"} {
		if got := (UTM{17, true, 630084.2, 9833438.4}).Text(step); got != want {
			t.Errorf("step %g: %q, want %q", step, got, want)
		}
	}
	if _, ok := ToUTM(LatLon{84.1, 0}); ok {
		t.Error("north of 84° there is no UTM")
	}
}

func TestDMS(t *testing.T) {
	for _, row := range []struct {
		claim string
		p     LatLon
		step  float64
		want  string
	}{
		{"seconds with a decimal", LatLon{24.80433, -107.392}, 3, "24°48′15.6″ N 107°23′31.2″ W"},
		{"whole seconds", LatLon{24.80433, -107.392}, 30, "24°48′16″ N 107°23′31″ W"},
		{"minutes", LatLon{24.80433, -107.392}, 2000, "24°48′ N 107°24′ W"},
		{"degrees", LatLon{24.80433, -107.392}, 2e5, "25° N 107° W"},
		{"no sixty stands", LatLon{-0.99999999, 179.99999999}, 3, "01°00′00.0″ S 180°00′00.0″ E"},
		{"never more than three decimals", LatLon{0.5, 0.25}, 1e-9, "00°30′00.000″ N 000°15′00.000″ E"},
	} {
		if got := DMS(row.p, row.step); got != row.want {
			t.Errorf("%s: %q, want %q", row.claim, got, row.want)
		}
	}
}
