package geodesy

import (
	"fmt"
	"math"
	"strings"
)

// Series of the transverse Mercator projection in the third flattening n, to its fourth power: C. F. F. Karney, "Transverse
// Mercator with an accuracy of a few nanometers", J. Geodesy 85 (2011), doi:10.1007/s00190-011-0445-3, equations 14, 35 and 36;
// the terms left out are below a micrometre within a zone.
const (
	third        = Flattening / (2 - Flattening)
	rectifyingM  = SemiMajorM / (1 + third) * (1 + third*third/4 + third*third*third*third/64)
	utmScale     = 0.9996
	falseEastM   = 500000.0
	falseNorthM  = 10000000.0 // south of the equator
	gridSouthDeg = -80.0      // UTM and MGRS end here; the polar grids (UPS) begin
	gridNorthDeg = 84.0
)

// toEllipsoid and toPlane are Karney's β and α.
var (
	toEllipsoid = [4]float64{
		third/2 - 2*third*third/3 + 37*third*third*third/96 - third*third*third*third/360,
		third*third/48 + third*third*third/15 - 437*third*third*third*third/1440,
		17*third*third*third/480 - 37*third*third*third*third/840,
		4397 * third * third * third * third / 161280,
	}
	toPlane = [4]float64{
		third/2 - 2*third*third/3 + 5*third*third*third/16 + 41*third*third*third*third/180,
		13*third*third/48 - 3*third*third*third/5 + 557*third*third*third*third/1440,
		61*third*third*third/240 - 103*third*third*third*third/140,
		49561 * third * third * third * third / 161280,
	}
)

// UTM is a position on the Universal Transverse Mercator grid of WGS 84 (NGA.SIG.0012, 2014).
type UTM struct {
	Zone                int  // 1 to 60
	South               bool // the northing counts from 10,000 km south of the equator
	EastingM, NorthingM float64
}

// ToUTM gives a position on the grid; false outside of it, beyond 80° south or 84° north.
func ToUTM(p LatLon) (u UTM, ok bool) {
	if !p.Valid() || p.Lat < gridSouthDeg || p.Lat > gridNorthDeg {
		return u, false
	}
	return toZone(p, ZoneOf(p)), true
}

// InZone gives a position on the grid of a zone and hemisphere that is given, which it may lie outside of: maps run on beyond
// their zone. Up to 10 degrees from the zone's meridian it is as good as within.
func InZone(p LatLon, zone int, south bool) UTM {
	u := toZone(p, zone)
	if u.South != south {
		if u.South = south; south {
			u.NorthingM += falseNorthM
		} else {
			u.NorthingM -= falseNorthM
		}
	}
	return u
}

// ZoneOf is the zone of a position, with the exceptions of south-west Norway and of Svalbard.
func ZoneOf(p LatLon) int {
	lon := Wrap180(p.Lon)
	zone := min(60, int(math.Floor((lon+180)/6))+1)
	switch {
	case p.Lat >= 56 && p.Lat < 64 && lon >= 3 && lon < 12:
		return 32
	case p.Lat >= 72 && lon >= 0 && lon < 42:
		return 31 + 2*int(math.Floor((lon+3)/12))
	}
	return zone
}

// toZone projects by the zone that is given (Karney 2011, equations 7 to 9 and 11).
func toZone(p LatLon, zone int) UTM {
	s, c := math.Sincos(Wrap180(p.Lon-meridian(zone)) * RadPerDegree)
	e := math.Sqrt(ecc2)
	tau := math.Tan(p.Lat * RadPerDegree)
	sigma := math.Sinh(e * math.Atanh(e*tau/math.Hypot(1, tau)))
	conformal := tau*math.Hypot(1, sigma) - sigma*math.Hypot(1, tau)
	x, y := math.Atan2(conformal, c), math.Asinh(s/math.Hypot(conformal, c))
	xi, eta := x, y
	for j, a := range toPlane {
		k := 2 * float64(j+1)
		xi += a * math.Sin(k*x) * math.Cosh(k*y)
		eta += a * math.Cos(k*x) * math.Sinh(k*y)
	}
	u := UTM{Zone: zone, South: p.Lat < 0, EastingM: falseEastM + utmScale*rectifyingM*eta, NorthingM: utmScale * rectifyingM * xi}
	if u.South {
		u.NorthingM += falseNorthM
	}
	return u
}

func meridian(zone int) float64 { return float64(zone)*6 - 183 }

// LatLon gives the position of a point of the grid.
func (u UTM) LatLon() LatLon {
	northing := u.NorthingM
	if u.South {
		northing -= falseNorthM
	}
	xi, eta := northing/(utmScale*rectifyingM), (u.EastingM-falseEastM)/(utmScale*rectifyingM)
	x, y := xi, eta
	for j, b := range toEllipsoid {
		k := 2 * float64(j+1)
		x -= b * math.Sin(k*xi) * math.Cosh(k*eta)
		y -= b * math.Cos(k*xi) * math.Sinh(k*eta)
	}
	conformal := math.Sin(x) / math.Hypot(math.Sinh(y), math.Cos(x))
	lon := math.Atan2(math.Sinh(y), math.Cos(x)) / RadPerDegree
	// Newton for the tangent of latitude (Karney 2011, equations 19 to 21); two steps reach the last bits.
	e := math.Sqrt(ecc2)
	tau := conformal / (1 - ecc2)
	for range 3 {
		sigma := math.Sinh(e * math.Atanh(e*tau/math.Hypot(1, tau)))
		t := tau*math.Hypot(1, sigma) - sigma*math.Hypot(1, tau)
		tau += (conformal - t) / math.Hypot(1, t) * (1 + (1-ecc2)*tau*tau) / ((1 - ecc2) * math.Hypot(1, tau))
	}
	return LatLon{Lat: math.Atan(tau) / RadPerDegree, Lon: Wrap180(meridian(u.Zone) + lon)}
}

// The letters of the Military Grid Reference System (DMA TM 8358.1, chapter 3).
const (
	MGRSBands = "CDEFGHJKLMNPQRSTUVWX" // 8 degrees of latitude each from -80 on, the last 12
	MGRSRows  = "ABCDEFGHJKLMNPQRSTUV" // 100 km of northing each, again and again; in even zones they begin with F
)

// MGRSColumns are the columns of 100 km by zone modulo 3, from 100 km of easting on.
var MGRSColumns = [3]string{"STUVWXYZ", "ABCDEFGH", "JKLMNPQR"}

// MGRS writes a grid reference, as "13R BJ 57961 45021": the square that holds the position, with sides of 1 m to 100 km, none
// smaller than stepM: a place is written no finer than it is known. "" outside of the grid.
func MGRS(p LatLon, stepM float64) string {
	u, ok := ToUTM(p)
	if !ok {
		return ""
	}
	band := min(int((p.Lat-gridSouthDeg)/8), len(MGRSBands)-1)
	column := MGRSColumns[u.Zone%3][int(u.EastingM/1e5)-1]
	row := int(u.NorthingM/1e5) % 20
	if u.Zone%2 == 0 {
		row = (row + 5) % 20
	}
	ref := fmt.Sprintf("%d%c %c%c", u.Zone, MGRSBands[band], column, MGRSRows[row])
	digits := 5
	for side := 1.0; side < stepM && digits > 0; side *= 10 {
		digits--
	}
	if digits == 0 {
		return ref
	}
	side := math.Pow10(5 - digits) // a reference names a square by its south-west corner: it is cut off, not rounded
	return fmt.Sprintf("%s %0*d %0*d", ref, digits, int(math.Mod(u.EastingM, 1e5)/side), digits, int(math.Mod(u.NorthingM, 1e5)/side))
}

// String writes a UTM position to the metre, as "13R 257961 2745021"; see Text.
func (u UTM) String() string { return u.Text(1) }

// Text writes zone, hemisphere, easting and northing, rounded to a power of ten of metres that is no smaller than stepM.
func (u UTM) Text(stepM float64) string {
	side := 1.0
	for side < stepM && side < 1e5 {
		side *= 10
	}
	hemisphere := "N"
	if u.South {
		hemisphere = "S"
	}
	return fmt.Sprintf("%d%s %.0f %.0f", u.Zone, hemisphere, math.Round(u.EastingM/side)*side, math.Round(u.NorthingM/side)*side)
}

// DMS writes degrees, minutes and seconds with their hemisphere, as `24°48′15.6″ N 107°23′31.2″ W`: seconds to as many decimals, at
// most three, or minutes or degrees alone, as stepM allows.
func DMS(p LatLon, stepM float64) string {
	return sexagesimal(p.Lat, 2, "N", "S", stepM) + " " + sexagesimal(p.Lon, 3, "E", "W", stepM)
}

func sexagesimal(value float64, width int, positive, negative string, stepM float64) string {
	const secondM = MeanRadiusM * RadPerDegree / 3600 // of latitude; one of longitude is shorter, and so never finer than it says
	hemisphere := positive
	if value < 0 {
		hemisphere = negative
	}
	var units []string
	decimals, smallest := 0, 3600.0 // seconds of arc of the last figure
	switch {
	case stepM >= 3600*secondM:
		units = []string{"°"}
	case stepM >= 60*secondM:
		units, smallest = []string{"°", "′"}, 60
	default:
		units, smallest = []string{"°", "′", "″"}, 1
		for smallest*secondM/10 >= stepM && decimals < 3 {
			smallest, decimals = smallest/10, decimals+1
		}
	}
	total := math.Round(math.Abs(value)*3600/smallest) * smallest // rounded first, so that no 60 stands
	d := math.Floor(total/3600 + 1e-9)
	rest := math.Max(0, total-3600*d)
	var b strings.Builder
	fmt.Fprintf(&b, "%0*.0f°", width, d)
	if len(units) > 1 {
		m := math.Floor(rest/60 + 1e-9)
		fmt.Fprintf(&b, "%02.0f′", m)
		if len(units) > 2 {
			wide := 2
			if decimals > 0 {
				wide = 3 + decimals
			}
			fmt.Fprintf(&b, "%0*.*f″", wide, decimals, math.Max(0, rest-60*m))
		}
	}
	return b.String() + " " + hemisphere
}
