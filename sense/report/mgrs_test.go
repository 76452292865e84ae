package report

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// snyder projects a position to UTM by another way than fromUTM turns it back: J. P. Snyder, Map Projections: A Working
// Manual (USGS Professional Paper 1395, 1987), equations 8-9, 8-10 and 8-12 to 8-15 and 3-21. Within 3 degrees of the
// meridian his series is good to a few millimetres.
func snyder(p geodesy.LatLon, zone int) (easting, northing float64) {
	const a, e2, k0 = geodesy.SemiMajorM, geodesy.Flattening * (2 - geodesy.Flattening), 0.9996
	const ep2 = e2 / (1 - e2)
	phi := p.Lat * geodesy.RadPerDegree
	s, c := math.Sincos(phi)
	n := a / math.Sqrt(1-e2*s*s)
	t, cc := math.Pow(s/c, 2), ep2*c*c
	b := geodesy.Wrap180(p.Lon-float64(zone)*6+183) * geodesy.RadPerDegree * c
	m := a * ((1-e2/4-3*e2*e2/64-5*e2*e2*e2/256)*phi - (3*e2/8+3*e2*e2/32+45*e2*e2*e2/1024)*math.Sin(2*phi) +
		(15*e2*e2/256+45*e2*e2*e2/1024)*math.Sin(4*phi) - 35*e2*e2*e2/3072*math.Sin(6*phi))
	easting = 500000 + k0*n*(b+(1-t+cc)*math.Pow(b, 3)/6+(5-18*t+t*t+72*cc-58*ep2)*math.Pow(b, 5)/120)
	northing = k0 * (m + n*s/c*(b*b/2+(5-t+9*cc+4*cc*cc)*math.Pow(b, 4)/24+(61-58*t+t*t+600*cc-330*ep2)*math.Pow(b, 6)/720))
	return easting, northing
}

func TestFromUTMUndoesAnotherProjection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.IntRange(1, 60).Draw(t, "zone")
		p := geodesy.LatLon{Lat: rapid.Float64Range(-80, 84).Draw(t, "lat")}
		p.Lon = geodesy.Wrap180(float64(zone)*6 - 183 + rapid.Float64Range(-3, 3).Draw(t, "dlon"))
		e, n := snyder(p, zone)
		got := fromUTM(zone, e, n)
		// The first term that Snyder leaves out is of order (3 degrees)^7 times the radius: some centimetres at the equator.
		if d := geodesy.Distance(p, got); d > 0.05 {
			t.Fatalf("%v comes back as %v, %v m away", p, got, d)
		}
	})
}

func TestMGRS(t *testing.T) {
	for _, c := range []struct {
		in       string
		lat, lon float64
		metres   float64 // what the place is known to
	}{
		// The Washington Monument, an example of the US National Grid standard (FGDC-STD-011-2001): 38 deg 53' 22" N, 77 deg 2' 7" W.
		{"18SUJ2348006470", 38.88944, -77.03528, 40},
		{"18S UJ 23480 06470", 38.88944, -77.03528, 40},
		{"18SUJ23480647", 38.88944, -77.03528, 50},
		// The example of the usual descriptions of the grid, near Honolulu.
		{"4QFJ1234567890", 21.409796, -157.916082, 2},
	} {
		r, err := Read(strings.NewReader("en "+c.in+", norte"), "r.txt")
		if err != nil || len(r.Coordinates) != 1 {
			t.Errorf("%s: %v %+v %+v", c.in, err, r.Coordinates, r.Problems)
			continue
		}
		g := r.Coordinates[0]
		if d := geodesy.Distance(geodesy.LatLon{Lat: g.Lat, Lon: g.Lon}, geodesy.LatLon{Lat: c.lat, Lon: c.lon}); d > c.metres || g.Text != c.in || g.Form != "mgrs" {
			t.Errorf("%s: %+v, %.1f m from %v, %v", c.in, g, d, c.lat, c.lon)
		}
	}
	for _, in := range []string{"placas 18SUJ234", "folio 4QFJ12345678901", "18suj2348006470", "12 S AB 12 34"} {
		if r, _ := Read(strings.NewReader(in), "r.txt"); len(r.Coordinates) != 0 {
			t.Errorf("%s: found %+v", in, r.Coordinates)
		}
	}
	if r, _ := Read(strings.NewReader("en 18SAA2348006470"), "r.txt"); len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "no square of the MGRS grid") {
		t.Errorf("%+v", r)
	}
}

// A reference made from a position reads back to within its square, in every zone and hemisphere.
func TestMGRSOfEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.IntRange(1, 60).Draw(t, "zone")
		p := geodesy.LatLon{Lat: rapid.Float64Range(-79.9, 83.9).Draw(t, "lat")}
		p.Lon = geodesy.Wrap180(float64(zone)*6 - 183 + rapid.Float64Range(-2.9, 2.9).Draw(t, "dlon"))
		if math.Abs(p.Lat) < 1e-6 { // on the equator itself the bands N and M are both right
			p.Lat = 1e-6
		}
		e, n := snyder(p, zone)
		band := min(int((p.Lat+80)/8), 19)
		row := (int(math.Floor(n/1e5)) + 2000) % 20
		if zone%2 == 0 {
			row = (row + 5) % 20
		}
		ref := strings.Join([]string{itoa(zone, 0), mgrsBands[band : band+1], string(mgrsColumns[zone%3][int(e/1e5)-1]), mgrsRows[row : row+1],
			itoa(int(math.Mod(e, 1e5)), 5), itoa(int(math.Mod(math.Mod(n, 1e5)+1e5, 1e5)), 5)}, "")
		r, err := Read(strings.NewReader(ref), "r.txt")
		if err != nil || len(r.Coordinates) != 1 {
			t.Fatalf("%s of %v: %+v", ref, p, r)
		}
		// Half a metre in each direction to the middle of the square, and what the projections differ by.
		if d := geodesy.Distance(p, geodesy.LatLon{Lat: r.Coordinates[0].Lat, Lon: r.Coordinates[0].Lon}); d > 0.8 {
			t.Fatalf("%s of %v reads as %+v, %v m away", ref, p, r.Coordinates[0], d)
		}
	})
}

func itoa(n, width int) string {
	s := ""
	for n > 0 || s == "" {
		s = string(rune('0'+n%10)) + s
		n /= 10
	}
	for len(s) < width {
		s = "0" + s
	}
	return s
}
