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
	column := strings.IndexByte(geodesy.MGRSColumns[zone%3], group(3)[0])
	if zone < 1 || zone > 60 || column < 0 {
		return c, true, fmt.Errorf("%q is no square of the MGRS grid", c.Text)
	}
	row := strings.IndexByte(geodesy.MGRSRows, group(4)[0])
	if zone%2 == 0 { // the rows of even zones begin with F
		row = (row + 15) % 20
	}
	step := math.Pow10(5 - len(east))
	e, _ := strconv.ParseFloat(east, 64)
	n, _ := strconv.ParseFloat(north, 64)
	easting := float64(column+1)*1e5 + (e+0.5)*step
	northing := float64(row)*1e5 + (n+0.5)*step
	band := strings.IndexByte(geodesy.MGRSBands, group(2)[0])
	south := float64(band)*8 - 80
	top := south + 8
	if band == len(geodesy.MGRSBands)-1 {
		top = 84
	}
	for k := range 5 { // the row letters come again every 2,000 km, a band is 900 km high
		p := geodesy.UTM{Zone: zone, South: band < 10, EastingM: easting, NorthingM: northing + float64(k)*2e6}.LatLon()
		// A square is cut by the border of its band; a degree is more than a square and less than what lies between bands.
		if p.Lat > south-1 && p.Lat < top+1 {
			c.Lat, c.Lon, c.ResolutionM = p.Lat, p.Lon, step
			return c, true, nil
		}
	}
	return c, true, fmt.Errorf("%q is no square of the MGRS grid", c.Text)
}
