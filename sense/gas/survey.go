// Package gas reads and writes gas surveys: what an instrument on the move (or a laser across open ground) measured of the
// air, where, when, and in which wind. The file is a CSV with a header row, described in docs/reference/gas-survey.md.
//
// Units are those of the column names: metres, metres per second, degrees, degrees Celsius, hectopascals, and the unit of
// each compound. A value that was not measured is NaN, never zero: a measured zero is information. Values below the
// detection limit are kept as upper bounds. The wind vector points to where the air goes.
package gas

import (
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// Unit is the unit of a concentration.
type Unit uint8

// The units of a concentration: mole fractions, then masses per volume at the temperature and pressure of the sample.
const (
	PPM Unit = iota
	PPB
	UgM3
	MgM3
)

var unitNames = [...]string{PPM: "ppm", PPB: "ppb", UgM3: "ugm3", MgM3: "mgm3"}

// mostOf is the largest value that can be a concentration in each unit: the pure gas; for masses ten times sulfur
// hexafluoride, the heaviest common gas, at one atmosphere (6.2 kg/m3).
var mostOf = [...]float64{PPM: 1e6, PPB: 1e9, UgM3: 6e10, MgM3: 6e7}

// String is the unit as column names write it.
func (u Unit) String() string { return unitNames[u] }

// PerUnit is the factor from a mole fraction in this unit to one (1e-6 for ppm), or from a mass per volume to kg/m3
// (1e-9 for ug/m3).
func (u Unit) PerUnit() float64 { return [...]float64{PPM: 1e-6, PPB: 1e-9, UgM3: 1e-9, MgM3: 1e-6}[u] }

// IsMass reports whether the unit is a mass per volume.
func (u Unit) IsMass() bool { return u >= UgM3 }

// A Compound is one channel of the survey. Value has one entry a row; the others are nil where the file has no such column.
type Compound struct {
	Name  string // as in the column name, lower case: "ch4"
	Unit  Unit
	Value []float64 // NaN = not measured; where Below, an upper bound
	SD    []float64 // standard deviation, same unit; NaN = not given
	LOD   []float64 // limit of detection, same unit; NaN = not given
	Below []bool    // flagged "bdl": the value is an upper bound

	MolarMass float64  // g/mol; NaN when the file does not say
	CAS       []string // what the channel responds to; nil when the file does not say
}

// IsBelow reports whether row i is an upper bound.
func (c *Compound) IsBelow(i int) bool { return c.Below != nil && c.Below[i] }

// Points is one position a row. Lat and Lon (degrees) or X and Y (metres east and north of the origin) are set, never
// both; Z is metres above ground in either case.
type Points struct {
	Lat, Lon []float64
	X, Y     []float64
	Z        []float64
}

// Meta is one metadata line that this package has no field for, kept as it came.
type Meta struct{ Key, Value string }

// A Survey holds one file by columns: every slice that is not nil has one entry a row. Within one sensor and group the rows
// are in order of time (Read sorts where the file is not, and says so).
type Survey struct {
	Name   string
	Origin *geodesy.LatLon // of X, Y; nil when the file gives none
	Start  time.Time       // what T counts from; zero when the file gives no date

	Sensor            string  // instrument of rows that name none
	RoughnessM        float64 // NaN in this and the next five when the file does not say
	MixingHeightM     float64
	AveragingTimeS    float64 // of rows that give none
	ObukhovLengthM    float64
	FrictionVelocity  float64 // m/s
	Stability         string  // as measured, "" when not
	Other             []Meta
	Sensors, Groups   []string  // names in order of first appearance; empty when the file has no such column
	SensorOf, GroupOf []int32   // index into Sensors and Groups, or nil
	T                 []float64 // seconds after Start

	At Points
	To *Points // other ends of open paths, NaN in rows that are points; nil when there is no path
	U  []float64
	V  []float64 // wind towards east and north, m/s; NaN = not measured; nil when the file has no wind
	From,
	Speed []float64 // the wind as measured where the file gives direction and speed: degrees it comes from, m/s

	WindHeightM, SigmaThetaDeg, SigmaPhiDeg  []float64
	TemperatureC, PressureHPa, AveragingSRow []float64

	Compounds []Compound // in order of the columns
	Line      []int32    // the line of each row in its file; nil for a survey that was not read

	// Problems says what was wrong in the file; LostRows and LostValues count what could not be read.
	Problems             []delimited.Problem
	LostRows, LostValues int
}

// New is an empty survey with nothing known: the scalar metadata are NaN.
func New(name string) *Survey {
	n := math.NaN()
	return &Survey{Name: name, RoughnessM: n, MixingHeightM: n, AveragingTimeS: n, ObukhovLengthM: n, FrictionVelocity: n}
}

// Len is the number of rows.
func (s *Survey) Len() int { return len(s.T) }

// Geographic reports whether positions are latitudes and longitudes.
func (s *Survey) Geographic() bool { return s.At.Lat != nil }

// TimeOf is when row i was sensed, to the nanosecond, and false when the file gives no date.
func (s *Survey) TimeOf(i int) (time.Time, bool) {
	if s.Start.IsZero() {
		return time.Time{}, false
	}
	return s.Start.Add(time.Duration(math.Round(s.T[i] * 1e9))), true
}

// SensorName is the instrument of row i.
func (s *Survey) SensorName(i int) string {
	if s.SensorOf == nil || s.Sensors[s.SensorOf[i]] == "" {
		return s.Sensor
	}
	return s.Sensors[s.SensorOf[i]]
}

// GroupName is the group of row i, "" when the file has none.
func (s *Survey) GroupName(i int) string {
	if s.GroupOf == nil {
		return ""
	}
	return s.Groups[s.GroupOf[i]]
}

// AveragingS is the averaging time of row i in seconds, NaN when the file does not say.
func (s *Survey) AveragingS(i int) float64 {
	if s.AveragingSRow != nil && !math.IsNaN(s.AveragingSRow[i]) {
		return s.AveragingSRow[i]
	}
	return s.AveragingTimeS
}

// IsPath reports whether row i is the mean along an open path.
func (s *Survey) IsPath(i int) bool { return s.To != nil && !math.IsNaN(s.To.Z[i]) }

// Compound finds a channel by name, nil when there is none.
func (s *Survey) Compound(name string) *Compound {
	for i := range s.Compounds {
		if s.Compounds[i].Name == name {
			return &s.Compounds[i]
		}
	}
	return nil
}

// GroupRows lists the rows of each group, in the order of Groups; one list of all rows when the file has no groups.
func (s *Survey) GroupRows() [][]int {
	if s.GroupOf == nil {
		all := make([]int, s.Len())
		for i := range all {
			all[i] = i
		}
		return [][]int{all}
	}
	rows := make([][]int, len(s.Groups))
	for i, g := range s.GroupOf {
		rows[g] = append(rows[g], i)
	}
	return rows
}

// Frame is the local frame of the survey, at ground height 0: at the origin that the file gives, else (geographic rows)
// in the middle of the box around the rows. False for local rows without an origin: they have no place on the Earth.
func (s *Survey) Frame() (geodesy.Frame, bool) {
	if s.Origin != nil {
		return geodesy.NewFrame(geodesy.LatLonHeight{Lat: s.Origin.Lat, Lon: s.Origin.Lon}), true
	}
	if !s.Geographic() || s.Len() == 0 {
		return geodesy.Frame{}, false
	}
	lon0 := s.At.Lon[0] // longitudes are taken relative to the first, so that the antimeridian is no border
	south, north, west, east := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i, lat := range s.At.Lat {
		d := geodesy.Wrap180(s.At.Lon[i] - lon0)
		south, north, west, east = min(south, lat), max(north, lat), min(west, d), max(east, d)
	}
	return geodesy.NewFrame(geodesy.LatLonHeight{Lat: (south + north) / 2, Lon: geodesy.Wrap180(lon0 + (west+east)/2)}), true
}

// Local gives the positions in metres east and north in f, heights above ground as they are: rows and other ends of paths
// (nil when there are none). Rows that are local already are shared, not copied, and belong to the frame of the file's origin.
func (s *Survey) Local(f geodesy.Frame) (at Points, to *Points) {
	if !s.Geographic() {
		return s.At, s.To
	}
	at = local(f, s.At)
	if s.To != nil {
		p := local(f, *s.To)
		to = &p
	}
	return at, to
}

func local(f geodesy.Frame, g Points) Points {
	p := Points{X: make([]float64, len(g.Z)), Y: make([]float64, len(g.Z)), Z: g.Z}
	for i := range g.Z {
		if math.IsNaN(g.Z[i]) {
			p.X[i], p.Y[i] = math.NaN(), math.NaN()
			continue
		}
		v := f.GroundENU(geodesy.LatLon{Lat: g.Lat[i], Lon: g.Lon[i]})
		p.X[i], p.Y[i] = v[0], v[1]
	}
	return p
}

// LatLon is where row i was taken on the ground, false for local rows without an origin. f is the survey's Frame.
func (s *Survey) LatLon(f geodesy.Frame, i int) (geodesy.LatLon, bool) {
	if s.Geographic() {
		return geodesy.LatLon{Lat: s.At.Lat[i], Lon: s.At.Lon[i]}, true
	}
	if s.Origin == nil {
		return geodesy.LatLon{}, false
	}
	return f.GroundFromENU(s.At.X[i], s.At.Y[i]), true
}

// Select is the survey of the given rows, in their order; problems and counts stay with the whole.
func (s *Survey) Select(rows []int) *Survey {
	t := *s
	t.Problems, t.LostRows, t.LostValues = nil, 0, 0
	t.Compounds = make([]Compound, len(s.Compounds))
	for i, c := range s.Compounds {
		c.Below = pick(c.Below, rows)
		t.Compounds[i] = c
	}
	for _, c := range t.floats() {
		*c = pick(*c, rows)
	}
	t.SensorOf, t.GroupOf, t.Line = pick(s.SensorOf, rows), pick(s.GroupOf, rows), pick(s.Line, rows)
	return &t
}

func pick[E any](column []E, rows []int) []E {
	if column == nil {
		return nil
	}
	out := make([]E, len(rows))
	for i, r := range rows {
		out[i] = column[r]
	}
	return out
}

// floats lists all columns of numbers; To is copied first, so that the lists of another survey are left alone.
func (s *Survey) floats() []*[]float64 {
	cs := []*[]float64{&s.T, &s.At.Lat, &s.At.Lon, &s.At.X, &s.At.Y, &s.At.Z, &s.U, &s.V, &s.From, &s.Speed,
		&s.WindHeightM, &s.SigmaThetaDeg, &s.SigmaPhiDeg, &s.TemperatureC, &s.PressureHPa, &s.AveragingSRow}
	if s.To != nil {
		p := *s.To
		s.To = &p
		cs = append(cs, &p.Lat, &p.Lon, &p.X, &p.Y, &p.Z)
	}
	for i := range s.Compounds {
		c := &s.Compounds[i]
		cs = append(cs, &c.Value, &c.SD, &c.LOD)
	}
	return cs
}
