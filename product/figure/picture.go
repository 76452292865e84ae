// Package figure draws a gas survey: the flight line coloured by its excess, the wind, the posterior regions, the ground that was
// not looked at, the time series. Of makes the picture as data, once, when a survey is solved; the record keeps that, the
// workbench draws it, and SVG and PNG draw the same for a report, so that screen, table and print cannot disagree.
//
// A figure is working material under its marking. It is not a package: nothing here releases anything (package product does).
//
// Positions are metres east and north in the survey's local frame, y upwards; pixels on a sheet run downwards.
package figure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// Schema names the JSON form of a Picture.
const Schema = "atalaya.gas-picture/1"

// A Picture is all that is drawn of one group of a gas survey, beside the figures of its source.Group.
type Picture struct {
	Schema string `json:"schema"`
	// Start is what the times of the samples count from; null where the file gives no date.
	Start  *time.Time `json:"start"`
	Origin *Origin    `json:"origin"` // of the local metres; null for a survey that has no place on the Earth
	// Bounds are west, south, east, north of what is worth looking at: the samples, the regions, the limits.
	Bounds    [4]float64 `json:"bounds_m"`
	Samples   Samples    `json:"samples"`
	Sensors   []string   `json:"sensors"`
	Compounds []Channel  `json:"compounds"`
	Main      int        `json:"main"` // which of Compounds the geometry was solved on
	Barbs     []Barb     `json:"barbs"`
	Sources   []Spot     `json:"sources"` // in the order of the group's
	Heat      []Lattice  `json:"heat"`    // posterior density, as a share of its peak
	Looked    *Mask      `json:"looked"`  // ground about which the survey says something; null where nobody asked
	Limit     *Limit     `json:"limit"`   // null where a source was found
	Legs      []Leg      `json:"legs"`    // proposed to be flown next, the best first: advice
}

// Origin is a place on the WGS 84 ellipsoid, degrees.
type Origin struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// A Column has one entry a sample; NaN, null in JSON, is what was not measured.
type Column []float64

// MarshalJSON writes the shortest decimals that read back as the same numbers.
func (c Column) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range c {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads null as NaN.
func (c *Column) UnmarshalJSON(b []byte) error {
	var v []*float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*c = make(Column, len(v))
	for i, p := range v {
		if (*c)[i] = math.NaN(); p != nil {
			(*c)[i] = *p
		}
	}
	return nil
}

// Samples are the samples of a picture, thinned, by columns, in order of time within each sensor.
type Samples struct {
	All    int    `json:"all"` // that the group has; the columns have at most maxSamples
	T      Column `json:"t_s"` // after the start of the survey
	X      Column `json:"x_m"`
	Y      Column `json:"y_m"`
	Z      Column `json:"z_m"`
	X2     Column `json:"x2_m,omitempty"` // other ends of open paths
	Y2     Column `json:"y2_m,omitempty"`
	From   Column `json:"wind_from_deg"`
	Speed  Column `json:"wind_speed_mps"`
	Sensor []int  `json:"sensor"` // index into Sensors
}

// A Channel is one compound as the file gives it.
type Channel struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"` // as people write it
	Value Column `json:"value"`
	Below []bool `json:"below,omitempty"` // the value is an upper bound
	// Baseline is, for each sensor, the tenth percentile of what it measured: a baseline for the eye, no estimate. Excess is over it.
	Baseline Column `json:"baseline"`
	// Top is the 99th percentile of the excess: where colour scales end, so that one spike does not darken the rest.
	Top float64 `json:"top_excess"`
}

// A Barb is the mean wind of the samples about one place.
type Barb struct {
	X      float64 `json:"x_m"`
	Y      float64 `json:"y_m"`
	From   float64 `json:"from_deg"`
	Spread float64 `json:"spread_deg"` // circular standard deviation of the direction over those samples
	Speed  float64 `json:"speed_mps"`
	N      int     `json:"n"`
}

// A Spot is where one source may be: rings of its regions, the first of each polygon its rim.
type Spot struct {
	X   float64          `json:"x_m"`
	Y   float64          `json:"y_m"`
	P50 [][][][2]float64 `json:"p50"`
	P90 [][][][2]float64 `json:"p90"`
	P95 [][][][2]float64 `json:"p95"`
}

// A Lattice is values on squares, row by row from the south-west.
type Lattice struct {
	X     float64 `json:"x0_m"` // of the south-west corner
	Y     float64 `json:"y0_m"`
	Side  float64 `json:"side_m"`
	NX    int     `json:"nx"`
	NY    int     `json:"ny"`
	Value Column  `json:"value"`
}

// A Mask is which squares of a lattice hold something: a text of 0 and 1 a row, from the south-west.
type Mask struct {
	X    float64  `json:"x0_m"`
	Y    float64  `json:"y0_m"`
	Side float64  `json:"side_m"`
	Rows []string `json:"rows"`
}

// A Leg is a straight stretch of flight that somebody may choose to fly.
type Leg struct {
	Kind    string     `json:"kind"`
	From    [2]float64 `json:"from_m"`
	To      [2]float64 `json:"to_m"`
	HeightM float64    `json:"height_agl_m"`
}

// Limit is the rate that a source stays below with this confidence, by place; places that the survey says nothing about are left out.
type Limit struct {
	Confidence float64      `json:"confidence"`
	Compound   string       `json:"compound"`
	Side       float64      `json:"side_m"`
	Cells      [][3]float64 `json:"cells"` // middle x, y; kg/s
}

const (
	maxSamples = 900 // of a picture: two pixels each on a wide screen
	heatCells  = 40  // along the longer side of a region
	maskCells  = 28  // along the longer side of the picture
	barbsAlong = 11  // along the longer side of the picture
)

// Of makes the picture of one solved group of a survey: in is what was solved, rows are the survey's rows of that group, legs what is
// advised next. The same survey, posterior and advice give the same bytes.
func Of(s *gas.Survey, rows []int, in source.Input, g *source.Group, legs ...Leg) (Picture, error) {
	frame, placed := in.LocalFrame()
	p := Picture{Schema: Schema, Sensors: []string{}, Barbs: []Barb{}, Sources: []Spot{}, Heat: []Lattice{}, Legs: []Leg{}}
	if !s.Start.IsZero() {
		start := s.Start.UTC()
		p.Start = &start
	}
	if placed {
		p.Origin = &Origin{round(frame.Origin.Lat, 7), round(frame.Origin.Lon, 7)}
	}
	at, to := s.Local(frame)
	box := emptyBounds()
	for _, i := range rows {
		box.add(at.X[i], at.Y[i])
		if s.IsPath(i) {
			box.add(to.X[i], to.Y[i])
		}
	}
	if box[0] > box[2] {
		return p, &atalaya.Error{Op: "figure.of", File: s.Name, Kind: atalaya.BadInput, Err: fmt.Errorf("no sample has a place"), Hint: "Give positions: lat,lon or x_m,y_m"}
	}
	for k := range s.Compounds {
		if s.Compounds[k].Name == g.GeometryCompound() {
			p.Main = k
		}
	}
	p.fill(s, rows, at, to)
	for j := range g.Sources {
		spot, err := spotOf(&g.Sources[j], in)
		if err != nil {
			return p, err
		}
		p.Sources = append(p.Sources, spot)
		box.add(spot.X, spot.Y)
		box.rings(spot.P90)
	}
	if p.Limit = limitOf(g.UpperLimit, in); p.Limit != nil {
		for _, c := range p.Limit.Cells {
			box.add(c[0], c[1])
		}
	}
	for _, l := range legs {
		l.From, l.To = [2]float64{round(l.From[0], 1), round(l.From[1], 1)}, [2]float64{round(l.To[0], 1), round(l.To[1], 1)}
		l.HeightM = round(l.HeightM, 1)
		p.Legs = append(p.Legs, l)
		box.add(l.From[0], l.From[1])
		box.add(l.To[0], l.To[1])
	}
	p.Bounds = box.padded()
	p.heat(g)
	p.mask(g)
	p.wind(s, rows, at, to)
	return p, nil
}

// round keeps so many decimals: a picture of metres needs no more, and a record keeps each digit for good.
func round(v float64, decimals int) float64 {
	k := math.Pow10(decimals)
	return math.Round(v*k) / k
}

// significant keeps so many significant digits.
func significant(v float64, digits int) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	w, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64) // what was just written always reads
	return w
}

type bounds [4]float64

func emptyBounds() bounds { return bounds{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)} }
func (b *bounds) add(x, y float64) {
	if !math.IsNaN(x) && !math.IsNaN(y) {
		*b = bounds{min(b[0], x), min(b[1], y), max(b[2], x), max(b[3], y)}
	}
}
func (b *bounds) rings(polygons [][][][2]float64) {
	for _, poly := range polygons {
		for _, ring := range poly {
			for _, q := range ring {
				b.add(q[0], q[1])
			}
		}
	}
}
func (b bounds) size() float64 { return max(b[2]-b[0], b[3]-b[1]) }

// aspect is the width of a picture over its height, the same on screen and on paper: what is asked for the ground, whether it was looked
// at, is then asked for all that is shown.
const aspect = 1.7

// padded has a margin of a twentieth of the longer side, at least 10 m, the aspect of a picture, and whole metres, outwards.
func (b bounds) padded() [4]float64 {
	m := max(b.size()/20, 10)
	w, h := b[2]-b[0]+2*m, b[3]-b[1]+2*m
	w, h = max(w, h*aspect), max(h, w/aspect)
	x, y := (b[0]+b[2])/2, (b[1]+b[3])/2
	return [4]float64{math.Floor(x - w/2), math.Floor(y - h/2), math.Ceil(x + w/2), math.Ceil(y + h/2)}
}

// fill takes the thinned samples over.
func (p *Picture) fill(s *gas.Survey, rows []int, at gas.Points, to *gas.Points) {
	by := map[string][]int{} // rows of each sensor, in the order of the rows
	for _, i := range rows {
		name := s.SensorName(i)
		if _, ok := by[name]; !ok {
			p.Sensors = append(p.Sensors, name)
		}
		by[name] = append(by[name], i)
	}
	p.Samples.All = len(rows)
	main := &s.Compounds[p.Main]
	var keep []int
	for j, name := range p.Sensors {
		few := thinned(main.Value, by[name], max(2, maxSamples*len(by[name])/len(rows)))
		keep = append(keep, few...)
		for range few {
			p.Samples.Sensor = append(p.Samples.Sensor, j)
		}
	}
	paths := false
	for _, i := range keep {
		paths = paths || s.IsPath(i)
	}
	q := &p.Samples
	for _, i := range keep {
		q.T, q.Z = append(q.T, round(s.T[i], 2)), append(q.Z, round(at.Z[i], 1))
		q.X, q.Y = append(q.X, round(at.X[i], 1)), append(q.Y, round(at.Y[i], 1))
		if paths {
			x, y := math.NaN(), math.NaN()
			if s.IsPath(i) {
				x, y = round(to.X[i], 1), round(to.Y[i], 1)
			}
			q.X2, q.Y2 = append(q.X2, x), append(q.Y2, y)
		}
		from, speed := math.NaN(), math.NaN()
		if s.U != nil && !math.IsNaN(s.U[i]) && !math.IsNaN(s.V[i]) {
			from, speed = round(fromDeg(s.U[i], s.V[i]), 1), round(math.Hypot(s.U[i], s.V[i]), 2)
		}
		q.From, q.Speed = append(q.From, from), append(q.Speed, speed)
	}
	for k := range s.Compounds {
		p.Compounds = append(p.Compounds, channelOf(&s.Compounds[k], keep, by, p.Sensors))
	}
}

// fromDeg is the direction that air moving towards u east and v north comes from.
func fromDeg(u, v float64) float64 { return geodesy.Wrap360(math.Atan2(-u, -v) / geodesy.RadPerDegree) }

// thinned keeps at most n rows: of each of n/2 equal stretches the lowest and the highest value, so that no plume is lost.
func thinned(value []float64, rows []int, n int) []int {
	if len(rows) <= n {
		return rows
	}
	var out []int
	pieces := n / 2
	for k := range pieces {
		piece := rows[k*len(rows)/pieces : (k+1)*len(rows)/pieces]
		lo, hi := piece[0], piece[0]
		for _, i := range piece {
			if value[i] < value[lo] || math.IsNaN(value[lo]) {
				lo = i
			}
			if value[i] > value[hi] || math.IsNaN(value[hi]) {
				hi = i
			}
		}
		out = append(out, min(lo, hi))
		if lo != hi {
			out = append(out, max(lo, hi))
		}
	}
	return out
}

// unitWritten are the units as people write them.
var unitWritten = map[gas.Unit]string{gas.PPM: "ppm", gas.PPB: "ppb", gas.UgM3: "µg/m³", gas.MgM3: "mg/m³"}

func channelOf(c *gas.Compound, keep []int, by map[string][]int, sensors []string) Channel {
	out := Channel{Name: c.Name, Unit: unitWritten[c.Unit]}
	var excess []float64
	for _, name := range sensors {
		var v []float64
		for _, i := range by[name] {
			if !math.IsNaN(c.Value[i]) {
				v = append(v, c.Value[i])
			}
		}
		low := math.NaN()
		if len(v) > 0 {
			slices.Sort(v)
			low = v[len(v)/10]
		}
		for _, x := range v {
			excess = append(excess, x-low)
		}
		out.Baseline = append(out.Baseline, significant(low, 5))
	}
	if slices.Sort(excess); len(excess) > 0 {
		out.Top = significant(max(excess[min(len(excess)-1, len(excess)*99/100)], 0), 3)
	}
	below := false
	for _, i := range keep {
		out.Value = append(out.Value, significant(c.Value[i], 5))
		out.Below = append(out.Below, c.IsBelow(i))
		below = below || c.IsBelow(i)
	}
	if !below {
		out.Below = nil
	}
	return out
}

// Excess is by how much sample i stands over the baseline of its sensor; NaN where it was not measured.
func (p *Picture) Excess(channel, i int) float64 {
	c := &p.Compounds[channel]
	return c.Value[i] - c.Baseline[p.Samples.Sensor[i]]
}

// spotOf puts a source and its regions into local metres.
func spotOf(s *source.Source, in source.Input) (Spot, error) {
	var out Spot
	switch {
	case s.XM != nil && s.YM != nil:
		out.X, out.Y = *s.XM, *s.YM
	case s.Lat != nil && s.Lon != nil && in.Frame != nil:
		xy := in.Frame.GroundENU(geodesy.LatLon{Lat: *s.Lat, Lon: *s.Lon})
		out.X, out.Y = xy[0], xy[1]
	}
	out.X, out.Y = round(out.X, 1), round(out.Y, 1)
	for _, r := range []struct {
		from json.RawMessage
		to   *[][][][2]float64
	}{{s.Regions.P50, &out.P50}, {s.Regions.P90, &out.P90}, {s.Regions.P95, &out.P95}} {
		polygons, err := polygonsOf(r.from)
		if err != nil {
			return out, fmt.Errorf("figure: region of a source: %w", err)
		}
		for _, poly := range polygons {
			for _, ring := range poly {
				for k, q := range ring {
					if in.Frame != nil {
						q = in.Frame.GroundENU(geodesy.LatLon{Lat: q[1], Lon: q[0]})
					}
					ring[k] = [2]float64{round(q[0], 1), round(q[1], 1)}
				}
			}
		}
		*r.to = polygons
	}
	return out, nil
}

// polygonsOf reads a Polygon or MultiPolygon; none where there is no geometry.
func polygonsOf(raw json.RawMessage) ([][][][2]float64, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var kind struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return nil, err
	}
	switch kind.Type {
	case "Polygon":
		var one [][][2]float64
		err := json.Unmarshal(kind.Coordinates, &one)
		return [][][][2]float64{one}, err
	case "MultiPolygon":
		var many [][][][2]float64
		err := json.Unmarshal(kind.Coordinates, &many)
		return many, err
	}
	return nil, fmt.Errorf("%q is no region", kind.Type)
}

func limitOf(u *source.UpperLimit, in source.Input) *Limit {
	if u == nil {
		return nil
	}
	out := &Limit{u.Confidence, u.Compound, u.CellM, [][3]float64{}}
	for _, q := range u.Points {
		switch {
		case q.XM != nil && q.YM != nil:
			out.Cells = append(out.Cells, [3]float64{round(*q.XM, 1), round(*q.YM, 1), significant(q.RateKgS, 3)})
		case q.Lat != nil && q.Lon != nil && in.Frame != nil:
			xy := in.Frame.GroundENU(geodesy.LatLon{Lat: *q.Lat, Lon: *q.Lon})
			out.Cells = append(out.Cells, [3]float64{round(xy[0], 1), round(xy[1], 1), significant(q.RateKgS, 3)})
		}
	}
	return out
}

// heat is the posterior density about each source; boxes that overlap become one, so that nothing is drawn twice.
func (p *Picture) heat(g *source.Group) {
	var boxes []bounds
	for _, s := range p.Sources {
		b := emptyBounds()
		b.rings(s.P95)
		if b[0] > b[2] {
			continue
		}
		m := b.size() / 8
		b = bounds{b[0] - m, b[1] - m, b[2] + m, b[3] + m}
		for k := 0; k < len(boxes); { // what b takes in may reach further boxes: look at all again
			if o := boxes[k]; o[0] < b[2] && b[0] < o[2] && o[1] < b[3] && b[1] < o[3] {
				b = bounds{min(o[0], b[0]), min(o[1], b[1]), max(o[2], b[2]), max(o[3], b[3])}
				boxes, k = slices.Delete(boxes, k, k+1), 0
				continue
			}
			k++
		}
		boxes = append(boxes, b)
	}
	peak := 0.0
	for _, b := range boxes {
		l := latticeOver(b, b.size()/heatCells)
		for _, q := range l.middles() {
			d := g.Density(q[0], q[1])
			l.Value, peak = append(l.Value, d), max(peak, d)
		}
		p.Heat = append(p.Heat, l)
	}
	for _, l := range p.Heat {
		for k := range l.Value {
			l.Value[k] = round(l.Value[k]/peak, 3)
		}
	}
}

func latticeOver(b bounds, side float64) Lattice {
	side = significant(side, 4)
	return Lattice{X: round(b[0], 1), Y: round(b[1], 1), Side: side, NX: int(math.Ceil((b[2] - b[0]) / side)), NY: int(math.Ceil((b[3] - b[1]) / side))}
}

func (l Lattice) middles() [][2]float64 {
	var out [][2]float64
	for j := range l.NY {
		for i := range l.NX {
			out = append(out, [2]float64{l.X + (float64(i)+0.5)*l.Side, l.Y + (float64(j)+0.5)*l.Side})
		}
	}
	return out
}

// lookedLn: ground counts as looked at where the survey is at least twice, or at most half, as probable with a source there as
// without one: where a survey leaves a source more than half of the weight it had before, nobody has looked.
var lookedLn = math.Ln2

// mask is the ground that the survey says something about. Where nothing was found the limits say it; else the posterior is asked.
func (p *Picture) mask(g *source.Group) {
	l := latticeOver(bounds(p.Bounds), bounds(p.Bounds).size()/maskCells)
	if p.Limit != nil && len(p.Limit.Cells) > 0 { // on the same squares as the limits
		c, side := p.Limit.Cells[0], p.Limit.Side
		back := func(v, edge float64) float64 { return v - side/2 - math.Ceil((v-side/2-edge)/side)*side }
		x, y := back(c[0], p.Bounds[0]), back(c[1], p.Bounds[1])
		l = Lattice{X: round(x, 1), Y: round(y, 1), Side: side, NX: int(math.Ceil((p.Bounds[2] - x) / side)), NY: int(math.Ceil((p.Bounds[3] - y) / side))}
	}
	said := make([]bool, l.NX*l.NY)
	if p.Limit != nil {
		for k, q := range l.middles() {
			said[k] = p.Limit.covers(q[0], q[1])
		}
	} else {
		ln := g.LogRatio(l.middles(), l.Side)
		for k, v := range ln {
			said[k] = math.Abs(v) >= lookedLn
		}
		l.close(said, ln)
	}
	p.Looked = &Mask{X: l.X, Y: l.Y, Side: l.Side}
	for j := range l.NY {
		row := make([]byte, l.NX)
		for i := range row {
			if row[i] = '0'; said[j*l.NX+i] {
				row[i] = '1'
			}
		}
		p.Looked.Rows = append(p.Looked.Rows, string(row))
	}
}

// close takes the rims of the regions in: between ground that speaks for a source and ground that speaks against one, what is said passes
// through nothing, which is not the same as having said nothing. A patch of unsaid ground that borders on ground that speaks for a
// source, and is shut in, is such a rim.
func (l Lattice) close(said []bool, ln []float64) {
	seen := make([]bool, len(said))
	for start := range said {
		if said[start] || seen[start] {
			continue
		}
		patch, open, rim := []int{start}, false, false
		seen[start] = true
		for n := 0; n < len(patch); n++ {
			i, j := patch[n]%l.NX, patch[n]/l.NX
			open = open || i == 0 || j == 0 || i == l.NX-1 || j == l.NY-1
			for _, d := range [4][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				a, b := i+d[0], j+d[1]
				if a < 0 || b < 0 || a >= l.NX || b >= l.NY {
					continue
				}
				switch k := b*l.NX + a; {
				case said[k]:
					rim = rim || ln[k] > 0
				case !seen[k]:
					seen[k], patch = true, append(patch, k)
				}
			}
		}
		if rim && !open {
			for _, k := range patch {
				said[k] = true
			}
		}
	}
}

func (l *Limit) covers(x, y float64) bool {
	h := l.Side / 2
	return slices.ContainsFunc(l.Cells, func(c [3]float64) bool { return math.Abs(x-c[0]) <= h && math.Abs(y-c[1]) <= h })
}

// wind gathers the wind of all rows by squares of ground, so that barbs stand apart; a path counts where its middle lies.
func (p *Picture) wind(s *gas.Survey, rows []int, at gas.Points, to *gas.Points) {
	if s.U == nil {
		return
	}
	side := bounds(p.Bounds).size() / barbsAlong
	type sum struct{ x, y, u, v, cos, sin, n float64 }
	by := map[[2]int]*sum{}
	for _, i := range rows {
		x, y := at.X[i], at.Y[i]
		if s.IsPath(i) {
			x, y = (x+to.X[i])/2, (y+to.Y[i])/2
		}
		speed := math.Hypot(s.U[i], s.V[i])
		if math.IsNaN(x+y+speed) || speed == 0 {
			continue
		}
		key := [2]int{int(math.Floor((y - p.Bounds[1]) / side)), int(math.Floor((x - p.Bounds[0]) / side))}
		if by[key] == nil {
			by[key] = &sum{}
		}
		q := by[key]
		q.x, q.y, q.u, q.v = q.x+x, q.y+y, q.u+s.U[i], q.v+s.V[i]
		q.cos, q.sin, q.n = q.cos+s.U[i]/speed, q.sin+s.V[i]/speed, q.n+1
	}
	keys := make([][2]int, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, k := range keys {
		q := by[k]
		// The circular standard deviation, from the mean resultant length (Mardia and Jupp, Directional Statistics, 2000, section 2.3).
		r := min(math.Hypot(q.cos, q.sin)/q.n, 1)
		spread := min(math.Sqrt(-2*math.Log(max(r, 1e-9)))/geodesy.RadPerDegree, 180)
		p.Barbs = append(p.Barbs, Barb{round(q.x/q.n, 1), round(q.y/q.n, 1), round(fromDeg(q.u, q.v), 1), round(spread, 1), round(math.Hypot(q.u, q.v)/q.n, 2), int(q.n)})
	}
}
