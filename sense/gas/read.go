package gas

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// Limits of one file. A million rows are eleven days at 1 Hz; MaxValues numbers take 96 MB, and twice that while rows are sorted.
const (
	MaxRows   = 1_000_000
	MaxValues = 12_000_000
	MaxNames  = 10_000 // distinct sensors or groups
	MaxName   = 200    // bytes of the name of one
)

// Read reads one survey; name is the file's name in messages. Rows and values that cannot be read are left out and told in
// Problems; the error is for a file that holds no survey, or nothing that can be read. Every error is an *atalaya.Error.
func Read(r io.Reader, name string) (*Survey, error) {
	p := &reading{Reader: delimited.NewReader(r, name, "gas.read"), s: New(name)}
	p.Comment = p.metadata
	if err := p.ReadHeader(); err != nil {
		return nil, err
	}
	if p.fatal != nil {
		return nil, p.fatal
	}
	var err error
	if p.l, err = readLayout(p.Reader, p.s); err != nil {
		return nil, err
	}
	p.columns()
	if err := p.rows(); err != nil {
		return nil, err
	}
	p.finish()
	return p.s, nil
}

// reading is one call of Read.
type reading struct {
	*delimited.Reader
	s     *Survey
	l     *layout
	fatal *atalaya.Error // in the metadata

	molar    map[string]float64
	cas      map[string][]string
	sensors  map[string]int32
	groups   map[string]int32
	first    *atalaya.Error // first row that was lost
	dated    bool           // Start comes from the first row
	opposite int            // rows whose two winds disagree
}

// metadata reads one "# key: value" line.
func (p *reading) metadata(line int, text string) {
	key, value, ok := strings.Cut(text, ":")
	key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
	if !ok || key == "" {
		return // a comment
	}
	s := p.s
	switch key {
	case "origin":
		s.Origin = p.origin(line, value)
	case "start":
		t, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			p.fatal = p.Fail(line, "", "Write it as 2026-03-01T15:04:05Z", "start: %q is not an RFC 3339 time", value)
			return
		}
		s.Start = t.UTC()
	case "sensor":
		s.Sensor = value
	case "stability":
		s.Stability = value
	case "roughness_m":
		p.scalar(line, key, value, &s.RoughnessM, 1e-6, 10)
	case "mixing_height_m":
		p.scalar(line, key, value, &s.MixingHeightM, 1, 20000)
	case "averaging_s":
		p.scalar(line, key, value, &s.AveragingTimeS, 0, 1e6)
	case "obukhov_length_m":
		p.scalar(line, key, value, &s.ObukhovLengthM, -1e9, 1e9)
	case "friction_velocity_mps":
		p.scalar(line, key, value, &s.FrictionVelocity, 0, 10)
	default:
		if c, ok := strings.CutPrefix(key, "molar_mass_"); ok {
			m := math.NaN()
			p.scalar(line, key, value, &m, 1, 2000)
			if p.molar == nil {
				p.molar = map[string]float64{}
			}
			p.molar[c] = m
			return
		}
		if c, ok := strings.CutPrefix(key, "cas_"); ok {
			if p.cas == nil {
				p.cas = map[string][]string{}
			}
			p.cas[c] = casNumbers(value)
			return
		}
		if len(s.Other) < delimited.MaxColumns {
			s.Other = append(s.Other, Meta{key, value})
		}
	}
}

func casNumbers(value string) []string {
	var out []string
	for _, c := range strings.Split(value, ";") {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

func (p *reading) origin(line int, value string) *geodesy.LatLon {
	parts := strings.Split(value, ",")
	if len(parts) != 2 {
		p.fatal = p.Fail(line, "", "Write latitude, longitude in degrees: # origin: 24.80,-107.39", "origin: %q is not a position", value)
		return nil
	}
	var v [2]float64
	for i, f := range parts {
		x, _, hint, err := p.Number(f)
		if err != nil || math.IsNaN(x) {
			if hint == "" {
				hint = "Write latitude, longitude in degrees: # origin: 24.80,-107.39"
			}
			p.fatal = p.Fail(line, "", hint, "origin: %q is not a number", strings.TrimSpace(f))
			return nil
		}
		v[i] = x
	}
	o := geodesy.LatLon{Lat: v[0], Lon: v[1]}
	if !o.Valid() {
		p.fatal = p.Fail(line, "", "Give latitude first, then longitude, in degrees", "origin: %v, %v is not on the Earth", v[0], v[1])
		return nil
	}
	return &o
}

// scalar reads one number of the metadata; what cannot be true is told and left unknown.
func (p *reading) scalar(line int, key, value string, into *float64, low, top float64) {
	v, missing, hint, err := p.Number(value)
	switch {
	case err != nil:
		p.Problems.Value("metadata", line, key, hint, "%v", err)
	case missing || math.IsNaN(v):
	case v < low || v > top:
		p.Problems.Value("metadata", line, key, "Check its unit", "%s cannot be true (%g to %g can); taken as not given", value, low, top)
	default:
		*into = v
	}
}

// columns makes the columns that the header has, so that none is nil when the file has no rows for it.
func (p *reading) columns() {
	s, l := p.s, p.l
	empty := func(cs ...*[]float64) {
		for _, c := range cs {
			*c = []float64{}
		}
	}
	empty(&s.T, &s.At.Z)
	s.Line = []int32{}
	ends := []*Points{&s.At}
	if l.hasPath {
		s.To = &Points{}
		ends = append(ends, s.To)
	}
	for _, e := range ends {
		if l.geographic {
			empty(&e.Lat, &e.Lon, &e.Z)
		} else {
			empty(&e.X, &e.Y, &e.Z)
		}
	}
	if l.hasWind {
		empty(&s.U, &s.V)
		if l.u < 0 || l.v < 0 {
			empty(&s.Speed, &s.From)
		}
	}
	for i, o := range optionals {
		if l.optional[i] >= 0 {
			empty(o.into(s))
		}
	}
	for i := range s.Compounds {
		c := &s.Compounds[i]
		empty(&c.Value)
		if l.sd[i] >= 0 {
			empty(&c.SD)
		}
		if l.lod[i] >= 0 {
			empty(&c.LOD)
		}
		if l.flag[i] >= 0 {
			c.Below = []bool{}
		}
		c.MolarMass = math.NaN()
		if m, ok := p.molar[c.Name]; ok {
			c.MolarMass = m
		}
		c.CAS = p.cas[c.Name]
	}
	if l.sensor >= 0 {
		s.SensorOf, p.sensors = []int32{}, map[string]int32{}
	}
	if l.group >= 0 {
		s.GroupOf, p.groups = []int32{}, map[string]int32{}
	}
}

// values is how many numbers one row takes at most.
func (l *layout) values() int {
	n := 1 + 3 + 3*btoi(l.hasPath) + 4*btoi(l.hasWind)
	for _, columns := range [][]int{l.optional[:], l.value, l.sd, l.lod, l.flag, {l.sensor, l.group}} {
		for _, c := range columns {
			n += btoi(c >= 0)
		}
	}
	return n
}

func (p *reading) rows() error {
	limit := min(MaxRows, MaxValues/p.l.values())
	for {
		fields, err := p.Row()
		if err == io.EOF {
			break
		}
		var lost *delimited.RowError
		if errors.As(err, &lost) {
			p.lose("row", lost.Err)
			continue
		}
		if err != nil {
			return p.unless(err)
		}
		if p.s.Len() >= limit || p.s.Len()+p.Problems.LostRows >= MaxRows {
			return p.unless(p.Fail(p.Line, "", "Split the survey into files of fewer rows", "more than %d rows of %d columns", limit, len(p.Header)))
		}
		if err := p.row(fields); err != nil {
			return err
		}
	}
	if p.s.Len() > 0 {
		return nil
	}
	return p.unless(p.Fail(p.Line, "", "Add data rows", "a header and no data rows"))
}

// unless gives err, save where no row could be read: then what was wrong with the first says more than that there were too many.
func (p *reading) unless(err error) error {
	if p.s.Len() == 0 && p.first != nil {
		return p.first
	}
	return err
}

// lose records a row that is left out.
func (p *reading) lose(cause string, e *atalaya.Error) {
	if p.first == nil {
		p.first = e
	}
	p.Problems.Row(cause, e)
}

// row reads one row: first all that the row cannot do without, so that a lost row leaves no half behind.
func (p *reading) row(f []string) error {
	t, start, e := p.clock(f)
	if e != nil {
		p.lose("time", e)
		return nil
	}
	at, e := p.position(f, p.l.at, placeNames[btoi(p.l.geographic)][0])
	if e != nil {
		p.lose("position", e)
		return nil
	}
	to := [3]float64{math.NaN(), math.NaN(), math.NaN()}
	if c := p.l.to; p.l.hasPath && (blank(f[c[0]]) && blank(f[c[1]]) && blank(f[c[2]])) == false {
		if to, e = p.position(f, c, placeNames[btoi(p.l.geographic)][1]); e != nil {
			p.lose("path", e)
			return nil
		}
	}
	sensor, group := int32(0), int32(0)
	for _, n := range []struct {
		column int
		names  map[string]int32
		list   *[]string
		id     *int32
	}{{p.l.sensor, p.sensors, &p.s.Sensors, &sensor}, {p.l.group, p.groups, &p.s.Groups, &group}} {
		if n.column < 0 {
			continue
		}
		name := strings.TrimSpace(f[n.column])
		if len(name) > MaxName {
			p.lose("name", p.Fail(p.Line, p.Header[n.column], "Give it a short name", "a name of %d bytes where %d are read", len(name), MaxName))
			return nil
		}
		id, ok := n.names[name]
		if !ok {
			if len(n.names) >= MaxNames {
				return p.Fail(p.Line, p.Header[n.column], "Split the file", "more than %d different names", MaxNames)
			}
			id = int32(len(n.names))
			name = strings.Clone(name)
			n.names[name] = id
			*n.list = append(*n.list, name)
		}
		*n.id = id
	}
	p.keep(f, t, start, at, to, sensor, group)
	return nil
}

func (p *reading) keep(f []string, t float64, start time.Time, at, to [3]float64, sensor, group int32) {
	s, l := p.s, p.l
	if s.Start.IsZero() && !start.IsZero() {
		s.Start = start
	}
	s.T = append(s.T, t)
	s.Line = append(s.Line, int32(p.Line))
	s.At.add(at, l.geographic)
	if s.To != nil {
		s.To.add(to, l.geographic)
	}
	if s.SensorOf != nil {
		s.SensorOf = append(s.SensorOf, sensor)
	}
	if s.GroupOf != nil {
		s.GroupOf = append(s.GroupOf, group)
	}
	p.wind(f)
	for i, o := range optionals {
		if l.optional[i] >= 0 {
			c := o.into(s)
			*c = append(*c, p.plausible(f, l.optional[i], o.low, o.top, o.hint))
		}
	}
	for i := range s.Compounds {
		p.compound(f, i)
	}
}

func (q *Points) add(v [3]float64, geographic bool) {
	if geographic {
		q.Lat, q.Lon = append(q.Lat, v[0]), append(q.Lon, v[1])
	} else {
		q.X, q.Y = append(q.X, v[0]), append(q.Y, v[1])
	}
	q.Z = append(q.Z, v[2])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// century bounds times: what lies further from the start is an error of the clock or of the unit.
const century = 100 * 365.25 * 86400

// clock reads the time of a row, as seconds after Start; start is the Start that the row would set.
func (p *reading) clock(f []string) (t float64, start time.Time, e *atalaya.Error) {
	if p.l.t >= 0 && (p.l.time < 0 || !p.s.Start.IsZero() && !p.dated) {
		v, _, hint, err := p.Number(f[p.l.t])
		switch {
		case err != nil:
			return 0, start, p.Fail(p.Line, "t_s", hint, "%v", err)
		case math.IsNaN(v):
			return 0, start, p.Fail(p.Line, "t_s", "Give every row its time", "no time")
		case math.Abs(v) > century:
			return 0, start, p.Fail(p.Line, "t_s", "Give seconds after # start:, not milliseconds and not a date", "%g s is more than a century from the start", v)
		}
		return v, start, nil
	}
	text := strings.TrimSpace(f[p.l.time])
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, start, p.Fail(p.Line, "time", timeHint(text), "%q is not an RFC 3339 time", clip(text))
	}
	start = p.s.Start
	if start.IsZero() {
		start, p.dated = at.UTC(), true
	}
	d := float64(at.Unix()-start.Unix()) + float64(at.Nanosecond()-start.Nanosecond())/1e9
	if math.Abs(d) > century || at.Year() < 1800 {
		return 0, start, p.Fail(p.Line, "time", "Check the date", "%s is more than a century from the start", text)
	}
	return d, start, nil
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}

func timeHint(s string) string {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return "Put seconds into a column t_s, with # start: TIME above the header"
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.Parse(form, s); err == nil {
			return "Write a T between date and time and say the zone: " + t.UTC().Format(time.RFC3339Nano) + " if it is UTC"
		}
	}
	return "Write it as 2026-03-01T15:04:05Z"
}

// position reads one position; a row without one is of no use.
func (p *reading) position(f []string, c [3]int, names [3]string) (v [3]float64, e *atalaya.Error) {
	for k := range c {
		x, _, hint, err := p.Number(f[c[k]])
		if err != nil {
			return v, p.Fail(p.Line, names[k], hint, "%v", err)
		}
		if math.IsNaN(x) {
			return v, p.Fail(p.Line, names[k], "Give every row its position, all three coordinates", "no value")
		}
		v[k] = x
	}
	if p.l.geographic {
		if math.Abs(v[0]) > 90 {
			hint := "Give degrees"
			if math.Abs(v[0]) <= 180 && math.Abs(v[1]) <= 90 {
				hint = "Latitude and longitude look exchanged"
			}
			return v, p.Fail(p.Line, names[0], hint, "%g is not a latitude", v[0])
		}
		if math.Abs(v[1]) > 180 {
			return v, p.Fail(p.Line, names[1], "Give degrees from -180 to 180, west negative", "%g is not a longitude", v[1])
		}
	} else if math.Abs(v[0]) > 1e6 || math.Abs(v[1]) > 1e6 {
		k := btoi(math.Abs(v[0]) <= 1e6)
		return v, p.Fail(p.Line, names[k], "Give metres east and north of a near origin, not map coordinates", "%g m is too far from the origin for a local frame", v[k])
	}
	if v[2] < -1000 || v[2] > 50000 {
		return v, p.Fail(p.Line, names[2], "Give metres above ground", "%g m is not a height of a sample", v[2])
	}
	return v, nil
}

// sentinel reports whether v is one of the numbers that loggers write for "no value".
func sentinel(v float64) bool { return v == -9 || v == -99 || v == -999 || v == -9999 || v == -99999 }

// plausible reads an optional number; what cannot be true is told and taken as not measured.
func (p *reading) plausible(f []string, col int, low, top float64, hint func(float64) string) float64 {
	name := p.Header[col]
	v, missing, h, err := p.Number(f[col])
	switch {
	case err != nil:
		p.Problems.Value("number", p.Line, name, h, "%v; taken as not measured", err)
		return math.NaN()
	case missing:
		p.Problems.Note("word", p.Line, name, "Leave the field empty", "%q taken as not measured", strings.TrimSpace(f[col]))
		return math.NaN()
	case math.IsNaN(v):
		return v
	case v < low && sentinel(v):
		p.Problems.Note("sentinel", p.Line, name, "Leave the field empty where nothing was measured", "%g taken as not measured", v)
		return math.NaN()
	case v < low || v > top:
		h := "Check its unit"
		if hint != nil {
			h = hint(v)
		}
		p.Problems.Value("range", p.Line, name, h, "%g cannot be true (%g to %g can); taken as not measured", v, low, top)
		return math.NaN()
	}
	return v
}

// maxWind is faster than any air that is flown in: the strongest gust measured is 113 m/s.
const maxWind = 120

// wind reads the wind of one row. A component or half of a pair that is missing makes the whole wind unknown.
func (p *reading) wind(f []string) {
	s, l := p.s, p.l
	if !l.hasWind {
		return
	}
	speed, from := math.NaN(), math.NaN()
	if l.speed >= 0 && l.from >= 0 {
		speed = p.plausible(f, l.speed, 0, maxWind, nil)
		from = p.plausible(f, l.from, -180, 360, nil)
		if math.IsNaN(speed) || math.IsNaN(from) {
			speed, from = math.NaN(), math.NaN()
		}
	}
	if l.u >= 0 && l.v >= 0 {
		u, v := p.plausible(f, l.u, -maxWind, maxWind, nil), p.plausible(f, l.v, -maxWind, maxWind, nil)
		if math.IsNaN(u) || math.IsNaN(v) {
			u, v = math.NaN(), math.NaN()
		}
		p.compareWinds(u, v, speed, from)
		s.U, s.V = append(s.U, u), append(s.V, v)
		return
	}
	u, v := Towards(speed, from)
	s.Speed, s.From = append(s.Speed, speed), append(s.From, from)
	s.U, s.V = append(s.U, u), append(s.V, v)
}

// Towards turns a wind of the given speed (m/s) that comes from the given bearing (degrees from true north) into its
// components towards east and north.
func Towards(speed, from float64) (u, v float64) {
	sin, cos := math.Sincos(from * geodesy.RadPerDegree)
	return -speed * sin, -speed * cos
}

// compareWinds tells when a file that gives the wind twice contradicts itself: by more than 30 degrees with a wind that has a
// direction at all. Half a turn is the classic mistake of "from" for "towards".
func (p *reading) compareWinds(u, v, speed, from float64) {
	if math.IsNaN(u) || math.IsNaN(speed) || math.Hypot(u, v) < 0.5 {
		return
	}
	d := math.Abs(geodesy.Wrap180(math.Atan2(-u, -v)/geodesy.RadPerDegree - from))
	switch {
	case d > 150:
		p.Problems.Value("winds opposed", p.Line, "wind_from_deg", "Check whether the direction is where the wind comes from", "the two winds point opposite ways; the components are used")
	case d > 30:
		p.Problems.Value("winds differ", p.Line, "wind_from_deg", "Correct one or remove it", "the two winds differ by %.0f degrees; the components are used", d)
	}
}

// compound reads one channel of one row.
func (p *reading) compound(f []string, i int) {
	c, l := &p.s.Compounds[i], p.l
	most := mostOf[c.Unit]
	// Noise and a subtracted background make small concentrations negative; so they are kept, save the logger's sentinels.
	value := p.concentration(f, l.value[i], -most, most)
	sd, lod := math.NaN(), math.NaN()
	if l.sd[i] >= 0 {
		if sd = p.concentration(f, l.sd[i], 0, most); sd == 0 {
			p.Problems.Note("zero sd", p.Line, p.Header[l.sd[i]], "Leave the field empty where the error is unknown", "a standard deviation of 0 taken as not given")
			sd = math.NaN()
		}
		c.SD = append(c.SD, sd)
	}
	if l.lod[i] >= 0 {
		lod = p.concentration(f, l.lod[i], 0, most)
		c.LOD = append(c.LOD, lod)
	}
	if l.flag[i] >= 0 {
		below := p.flag(f, l.flag[i])
		if below && math.IsNaN(value) {
			if value = lod; math.IsNaN(value) {
				below = false
				p.Problems.Value("bound", p.Line, l.spelling[i], "Give the limit of detection as the value", "flagged bdl without a value or limit; taken as not measured")
			}
		}
		c.Below = append(c.Below, below)
	}
	c.Value = append(c.Value, value)
}

func (p *reading) concentration(f []string, col int, low, most float64) float64 {
	v := p.plausible(f, col, low, most, nil)
	if sentinel(v) {
		p.Problems.Note("sentinel", p.Line, p.Header[col], "Leave the field empty where nothing was measured", "%g taken as not measured", v)
		return math.NaN()
	}
	return v
}

func (p *reading) flag(f []string, col int) bool {
	switch v := strings.ToLower(strings.TrimSpace(f[col])); v {
	case "bdl":
		return true
	case "":
		return false
	default:
		p.Problems.Value("flag", p.Line, p.Header[col], "Use bdl (below the detection limit) or leave it empty", "the flag %q is not known; the value is used as measured", clip(v))
		return false
	}
}

// finish brings the rows into order and tells what is only seen over the whole file.
func (p *reading) finish() {
	s := p.s
	if p.l.timeBoth {
		p.Problems.Note("time twice", 0, "", "", "time is given twice; %s is used", map[bool]string{true: "time", false: "t_s"}[p.dated || s.Start.IsZero()])
	}
	if s.Start.IsZero() {
		p.Problems.Note("no date", 0, "", "Add # start: TIME above the header", "no date: t_s counts from an unknown start")
	}
	p.order()
	p.repeats()
	s.Problems, s.LostRows, s.LostValues = p.Problems.List, p.Problems.LostRows, p.Problems.LostValues
}

// order sorts the rows by time where those of one sensor and group go back in time.
func (p *reading) order() {
	s := p.s
	last := map[[2]int32]float64{}
	for i := range s.T {
		k := s.series(i)
		if t, ok := last[k]; ok && s.T[i] < t {
			p.Problems.Note("order", int(s.Line[i]), "", "", "the time goes back; all rows were sorted by time")
			rows := make([]int, s.Len())
			for j := range rows {
				rows[j] = j
			}
			slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(s.T[a], s.T[b]) })
			*s = *s.Select(rows)
			return
		}
		last[k] = s.T[i]
	}
}

// series is the sensor and group of a row: samples that one clock has put in order.
func (s *Survey) series(i int) (k [2]int32) {
	if s.SensorOf != nil {
		k[0] = s.SensorOf[i]
	}
	if s.GroupOf != nil {
		k[1] = s.GroupOf[i]
	}
	return k
}

// repeats leaves out rows that say again, word for word, what an earlier row said: counted twice they would narrow every
// interval. Two different values of one channel at one time, place and sensor are both kept, and told.
func (p *reading) repeats() {
	s := p.s
	seen := make(map[uint64]int32, s.Len())
	var drop map[int]bool
	for i := range s.T {
		k := s.placeKey(i)
		j, ok := seen[k]
		if !ok {
			seen[k] = int32(i)
			continue
		}
		if s.samePlace(int(j), i) {
			if s.sameValues(int(j), i) {
				if drop == nil {
					drop = map[int]bool{}
				}
				drop[i] = true
				p.Problems.Note("repeat", int(s.Line[i]), "", "", "repeats line %d word for word and was left out", s.Line[j])
			} else if s.contradicts(int(j), i) {
				p.Problems.Note("conflict", int(s.Line[i]), "", "Give samples of two instruments a sensor column", "same time, place and sensor as line %d with another value; both are used", s.Line[j])
			}
		}
	}
	if drop == nil {
		return
	}
	rows := make([]int, 0, s.Len()-len(drop))
	for i := range s.T {
		if !drop[i] {
			rows = append(rows, i)
		}
	}
	*s = *s.Select(rows)
}

// placeColumns are the columns that say where and when.
func (s *Survey) placeColumns() [][]float64 {
	cs := [][]float64{s.T, s.At.Lat, s.At.Lon, s.At.X, s.At.Y, s.At.Z}
	if s.To != nil {
		cs = append(cs, s.To.Lat, s.To.Lon, s.To.X, s.To.Y, s.To.Z)
	}
	return cs
}

func (s *Survey) placeKey(i int) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for _, c := range s.placeColumns() {
		if c != nil {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(c[i]))
			h.Write(b[:])
		}
	}
	k := s.series(i)
	binary.LittleEndian.PutUint32(b[:], uint32(k[0]))
	binary.LittleEndian.PutUint32(b[4:], uint32(k[1]))
	h.Write(b[:])
	return h.Sum64()
}

func (s *Survey) samePlace(a, b int) bool {
	if s.series(a) != s.series(b) {
		return false
	}
	for _, c := range s.placeColumns() {
		if c != nil && !same(c[a], c[b]) {
			return false
		}
	}
	return true
}

func (s *Survey) sameValues(a, b int) bool {
	for _, c := range s.floats() {
		if *c != nil && !same((*c)[a], (*c)[b]) {
			return false
		}
	}
	for i := range s.Compounds {
		if s.Compounds[i].IsBelow(a) != s.Compounds[i].IsBelow(b) {
			return false
		}
	}
	return true
}

// contradicts reports whether two rows both measured some channel.
func (s *Survey) contradicts(a, b int) bool {
	for i := range s.Compounds {
		v := s.Compounds[i].Value
		if !math.IsNaN(v[a]) && !math.IsNaN(v[b]) {
			return true
		}
	}
	return false
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
