package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// mgrsForm is a grid reference in capitals: zone and band, square, and 4 to 10 digits in one or two equal groups. Fewer
// digits name a square of ten kilometres or more and are too easily something else.
var mgrsForm = regexp.MustCompile(`(\d{1,2})([C-HJ-NP-X])[ ]?([A-HJ-NP-Z])([A-HJ-NP-V])[ ]?(\d{2,10})(?:[ ](\d{2,5}))?`)

const (
	mgrsBands = "CDEFGHJKLMNPQRSTUVWX" // 8 degrees of latitude each from -80 on, the last 12
	mgrsRows  = "ABCDEFGHJKLMNPQRSTUV" // 100 km of northing each, again and again
)

// mgrsColumns are the columns of 100 km by zone modulo 3, from 100 km of easting on (DMA TM 8358.1, chapter 3).
var mgrsColumns = [3]string{"STUVWXYZ", "ABCDEFGH", "JKLMNPQR"}

// readMGRS reads one match of mgrsForm: the middle of the square that the digits name; false when it is none after all.
func readMGRS(s string, m []int) (c Coordinate, is bool, err error) {
	c = Coordinate{Span: Span{m[0], m[1]}, Text: s[m[0]:m[1]], Form: "mgrs"}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return s[m[2*i]:m[2*i+1]]
	}
	east, north := group(5), group(6)
	if north == "" {
		if len(east)%2 != 0 || len(east) < 4 {
			return c, false, nil
		}
		east, north = east[:len(east)/2], east[len(east)/2:]
	}
	if len(east) != len(north) || len(east) < 2 || len(east) > 5 {
		return c, false, nil
	}
	zone, _ := strconv.Atoi(group(1))
	column := strings.IndexByte(mgrsColumns[zone%3], group(3)[0])
	if zone < 1 || zone > 60 || column < 0 {
		return c, true, fmt.Errorf("%q is no square of the MGRS grid", c.Text)
	}
	row := strings.IndexByte(mgrsRows, group(4)[0])
	if zone%2 == 0 { // the rows of even zones begin with F
		row = (row + 15) % 20
	}
	step := math.Pow10(5 - len(east))
	e, _ := strconv.ParseFloat(east, 64)
	n, _ := strconv.ParseFloat(north, 64)
	easting := float64(column+1)*1e5 + (e+0.5)*step
	northing := float64(row)*1e5 + (n+0.5)*step
	band := strings.IndexByte(mgrsBands, group(2)[0])
	south := float64(band)*8 - 80
	top := south + 8
	if band == len(mgrsBands)-1 {
		top = 84
	}
	falseNorthing := 0.0
	if band < 10 {
		falseNorthing = 1e7
	}
	for k := range 5 { // the row letters come again every 2,000 km, a band is 900 km high
		p := fromUTM(zone, easting, northing+float64(k)*2e6-falseNorthing)
		// A square is cut by the border of its band; a degree is more than a square and less than what lies between bands.
		if p.Lat > south-1 && p.Lat < top+1 {
			c.Lat, c.Lon, c.ResolutionM = p.Lat, p.Lon, step
			return c, true, nil
		}
	}
	return c, true, fmt.Errorf("%q is no square of the MGRS grid", c.Text)
}

// Series of the transverse Mercator projection in the third flattening n, to its fourth power: C. F. F. Karney, "Transverse
// Mercator with an accuracy of a few nanometers", J. Geodesy 85 (2011), doi:10.1007/s00190-011-0445-3, equations 14 and 36;
// the terms left out are below a micrometre within a zone.
const (
	third        = geodesy.Flattening / (2 - geodesy.Flattening)
	rectifying   = geodesy.SemiMajorM / (1 + third) * (1 + third*third/4 + third*third*third*third/64)
	utmScale     = 0.9996
	eccentric2   = geodesy.Flattening * (2 - geodesy.Flattening)
	falseEasting = 500000.0
)

var krueger = [4]float64{
	third/2 - 2*third*third/3 + 37*third*third*third/96 - third*third*third*third/360,
	third*third/48 + third*third*third/15 - 437*third*third*third*third/1440,
	17*third*third*third/480 - 37*third*third*third*third/840,
	4397 * third * third * third * third / 161280,
}

// fromUTM gives the position of an easting and a northing (without false northing), metres, of a UTM zone.
func fromUTM(zone int, easting, northing float64) geodesy.LatLon {
	xi, eta := northing/(utmScale*rectifying), (easting-falseEasting)/(utmScale*rectifying)
	x, y := xi, eta
	for j, b := range krueger {
		k := 2 * float64(j+1)
		x -= b * math.Sin(k*xi) * math.Cosh(k*eta)
		y -= b * math.Cos(k*xi) * math.Sinh(k*eta)
	}
	conformal := math.Sin(x) / math.Hypot(math.Sinh(y), math.Cos(x))
	lon := math.Atan2(math.Sinh(y), math.Cos(x)) / geodesy.RadPerDegree
	// Newton for the tangent of latitude (Karney 2011, equations 19 to 21); two steps reach the last bits.
	e := math.Sqrt(eccentric2)
	tau := conformal / (1 - eccentric2)
	for range 3 {
		sigma := math.Sinh(e * math.Atanh(e*tau/math.Hypot(1, tau)))
		t := tau*math.Hypot(1, sigma) - sigma*math.Hypot(1, tau)
		tau += (conformal - t) / math.Hypot(1, t) * (1 + (1-eccentric2)*tau*tau) / ((1 - eccentric2) * math.Hypot(1, tau))
	}
	return geodesy.LatLon{Lat: math.Atan(tau) / geodesy.RadPerDegree, Lon: geodesy.Wrap180(float64(zone)*6 - 183 + lon)}
}
