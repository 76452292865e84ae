package cot

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The elements of what is drawn, and of who gets it.
var (
	figure = shape{one: map[string]shape{"ellipse": {numbers: []string{"major", "minor", "angle"}}}}
	marti  = shape{flags: []string{"archive"}, many: map[string]shape{"dest": {}}}
)

// A corner is a position as GeoJSON has it: longitude, latitude, and a height if there is one.
type corner []Number

// position reads a position of GeoJSON.
func position(v any) (corner, bool) {
	list, _ := v.([]any)
	if len(list) < 2 || len(list) > 3 {
		return nil, false
	}
	var c corner
	for _, x := range list {
		n, is := x.(json.Number)
		number, ok := parsed(n, is)
		if !ok {
			return nil, false
		}
		c = append(c, number)
	}
	return c, c.onEarth()
}

func (c corner) onEarth() bool { return math.Abs(c[0].Value) <= 180 && math.Abs(c[1].Value) <= 90 }

func positions(v any) (out []corner, ok bool) {
	list, _ := v.([]any)
	for _, x := range list {
		c, ok := position(x)
		if !ok {
			return nil, false
		}
		out = append(out, c)
	}
	return out, len(out) > 1
}

// corners are the points of the links in a detail that have one: latitude, longitude and perhaps a height, separated by commas; none where one of
// them is no position.
func (el *Element) corners() (out []corner) {
	for _, l := range el.All("link") {
		text, has := l.Attr("point")
		if !has {
			continue
		}
		fields := strings.Split(text, ",")
		if len(fields) < 2 || len(fields) > 3 {
			return nil
		}
		fields[0], fields[1] = fields[1], fields[0]
		var c corner
		for _, f := range fields {
			n, ok := parseNumber(strings.Trim(f, blanks))
			if !ok || !n.finite() {
				return nil
			}
			c = append(c, n)
		}
		if !c.onEarth() {
			return nil
		}
		out = append(out, c)
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// bareCorners reports whether the links with points say nothing but corners of what is drawn, written as they are written here, so that the
// geometry says all of them.
func (el *Element) bareCorners() bool {
	corners := el.corners()
	drawing := false // corners stand behind all other links
	for _, l := range el.All("link") {
		text, has := l.Attr("point")
		if !has {
			if drawing {
				return false
			}
			continue
		}
		drawing = true
		if len(l.Attrs) != 1 || len(l.Nodes) > 0 || strings.ContainsAny(text, blanks) {
			return false
		}
	}
	return len(corners) > 1
}

// drawn is the geometry of what an event draws, nil for a bare point. Links with points are a line, closed a polygon; a rectangle (u-d-r) lists four
// corners and is closed all the same. An ellipse has its major and minor semi-axis in metres, the major one at an angle clockwise from north.
func (e *Event) drawn(center []any) any {
	corners := e.Detail.corners()
	if corners == nil {
		return e.ellipse(center)
	}
	list := make([]any, 0, len(corners)+1)
	for _, c := range corners {
		position := make([]any, len(c))
		for i, n := range c {
			position[i] = numeral(n)
		}
		list = append(list, position)
	}
	first, last := corners[0], corners[len(corners)-1]
	closed := len(list) > 3 && first[0].Value == last[0].Value && first[1].Value == last[1].Value
	if !closed && e.Type == "u-d-r" && len(list) == 4 {
		list, closed = append(list, list[0]), true
	}
	if closed {
		return geometry("Polygon", []any{list})
	}
	return geometry("LineString", list)
}

// earthM is the mean radius of the Earth in metres (IUGG: 6371008.8), on whose sphere ellipses are drawn.
const earthM = 6371008.8

// vertices of a drawn ellipse; its ring repeats the first, and goes clockwise from the end of the major axis.
const vertices = 64

func (e *Event) ellipse(center []any) any {
	shapes := e.Detail.All("shape")
	if len(shapes) != 1 || len(shapes[0].All("ellipse")) != 1 {
		return nil
	}
	var of [3]float64
	for i, key := range [...]string{"major", "minor", "angle"} {
		text, _ := shapes[0].All("ellipse")[0].Attr(key)
		n, ok := parseNumber(text)
		if !ok || !n.finite() || i < 2 && !(n.Value > 0 && n.Value < 1e7) {
			return nil
		}
		of[i] = n.Value
	}
	ring := make([]any, 0, vertices+1)
	for k := range vertices {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / vertices)
		lat, lon := destination(e.Point.Lat.Value, e.Point.Lon.Value, math.Hypot(of[0]*cos, of[1]*sin), of[2]+math.Atan2(of[1]*sin, of[0]*cos)*180/math.Pi)
		ring = append(ring, append([]any{micro(lon), micro(lat)}, center[2:]...))
	}
	return geometry("Polygon", []any{append(ring, ring[0])})
}

// destination is where a great circle leads from a position, on a sphere: distance in metres, bearing in degrees clockwise from north.
func destination(lat, lon, metres, bearing float64) (lat2, lon2 float64) {
	const rad = math.Pi / 180
	sinB, cosB := math.Sincos(bearing * rad)
	sinD, cosD := math.Sincos(metres / earthM)
	sinL, cosL := math.Sincos(lat * rad)
	sin2 := sinL*cosD + cosL*sinD*cosB
	lat2 = math.Asin(max(-1, min(1, sin2))) / rad
	lon2 = lon + math.Atan2(sinB*sinD*cosL, cosD-sinL*sin2)/rad
	if math.Abs(lon2) > 180 {
		lon2 = math.Remainder(lon2, 360)
	}
	return lat2, lon2
}

// micro rounds degrees to six decimals, a tenth of a metre.
func micro(deg float64) float64 { return math.Round(deg*1e6)/1e6 + 0 }

// tint is a colour and its opacity of ARGB.
func tint(v uint32) (colour string, opacity float64) {
	return fmt.Sprintf("#%06X", v&0xffffff), float64(v>>24) / 255
}

// fromARGB reads a colour as CoT writes it: ARGB as a signed integer of 32 bits.
func fromARGB(s string) (colour string, opacity float64, ok bool) {
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil || strconv.FormatInt(v, 10) != s {
		return "", 0, false
	}
	colour, opacity = tint(uint32(v))
	return colour, opacity, true
}

// toARGB writes a colour as CoT has it; without an opacity it is opaque.
func toARGB(colour, opacity any) (string, bool) {
	text, _ := colour.(string)
	if len(text) != 7 || text[0] != '#' {
		return "", false
	}
	v, err := strconv.ParseUint(text[1:], 16, 32)
	if err != nil {
		return "", false
	}
	alpha := 1.0
	if opacity != nil {
		n, is := opacity.(json.Number)
		number, ok := parsed(n, is)
		if !ok || !(number.Value >= 0 && number.Value <= 1) {
			return "", false
		}
		alpha = number.Value
	}
	return strconv.FormatInt(int64(int32(uint32(math.Round(alpha*255))<<24|uint32(v))), 10), true
}
