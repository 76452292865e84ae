// Package bearing reads and writes lines of bearing: from where, when and in which direction a receiver heard an emitter.
// The file is a CSV with a header row, described in docs/reference/bearings.md. Bearings are degrees clockwise from true
// north, heights are above the WGS 84 ellipsoid.
package bearing

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// A Bearing is one line of bearing.
type Bearing struct {
	Time     time.Time
	From     geodesy.LatLonHeight // the receiver
	Deg      float64              // clockwise from true north, [0, 360)
	SigmaDeg float64              // standard deviation, above 0
	Emitter  string               // "" when not told apart
	// BiasGroup names bearings that share one unknown heading error (one antenna on one flight); "" is a group of its own.
	BiasGroup string
	Line      int // in the file; 0 when not read from one
}

// A Set is the bearings of one file, in its order.
type Set struct {
	Name      string
	Bearings  []Bearing
	HasGroups bool // the file has a column bias_group
	HasNames  bool // the file has a column emitter

	Problems             []delimited.Problem
	LostRows, LostValues int
}

// MaxRows bounds one file (64 MB of bearings); MaxNames the different emitters or groups.
const (
	MaxRows  = 500_000
	MaxNames = 100_000
)

var required = [...]string{"time", "lat", "lon", "height_hae_m", "bearing_deg", "sigma_deg"}

// IsHeader reports whether lower-case column names are those of bearings.
func IsHeader(names []string) bool {
	found := 0
	for _, n := range names {
		if n == "bearing_deg" || n == "lat" || n == "lon" {
			found++
		}
	}
	return found == 3
}

// Read reads the bearings of one file; name is the file's name in messages. Rows that cannot be read are left out and told
// in Problems; the error (an *atalaya.Error) is for a file in which there is nothing to read.
func Read(r io.Reader, name string) (*Set, error) {
	p := &reading{Reader: delimited.NewReader(r, name, "bearing.read"), set: &Set{Name: name}, names: map[string]string{}}
	if err := p.ReadHeader(); err != nil {
		return nil, err
	}
	if err := p.header(); err != nil {
		return nil, err
	}
	for {
		f, err := p.Row()
		if err == io.EOF {
			break
		}
		var lost *delimited.RowError
		switch {
		case errors.As(err, &lost):
			p.lose("row", lost.Err)
			continue
		case err != nil:
			return nil, err
		case len(p.set.Bearings) >= MaxRows:
			return nil, p.Fail(p.Line, "", "Split the file", "more than %d bearings", MaxRows)
		}
		b, e := p.bearing(f)
		if e != nil {
			p.lose("value", e)
			continue
		}
		if len(p.names) > MaxNames {
			return nil, p.Fail(p.Line, "", "Split the file", "more than %d different emitters and groups", MaxNames)
		}
		p.set.Bearings = append(p.set.Bearings, b)
	}
	s := p.set
	if len(s.Bearings) == 0 {
		if p.first != nil {
			return nil, p.first
		}
		return nil, p.Fail(p.Line, "", "Add data rows", "a header and no data rows")
	}
	s.Problems, s.LostRows, s.LostValues = p.Problems.List, p.Problems.LostRows, p.Problems.LostValues
	return s, nil
}

type reading struct {
	*delimited.Reader
	set            *Set
	columns        [len(required)]int
	emitter, group int
	first          *atalaya.Error
	names          map[string]string // one copy of each name
	latest         time.Time
}

func (p *reading) lose(cause string, e *atalaya.Error) {
	if p.first == nil {
		p.first = e
	}
	_, column, _ := strings.Cut(e.Place, ", ")
	p.Problems.Row(cause+column, e)
}

func (p *reading) header() error {
	index := map[string]int{}
	for i, n := range p.Header {
		index[n] = i
	}
	for i, n := range required {
		c, ok := index[n]
		if !ok {
			hint := "Give the columns " + strings.Join(required[:], ",")
			for _, other := range []string{"height_msl_m", "height_agl_m"} {
				if _, has := index[other]; has && n == "height_hae_m" {
					hint = "Give the height above the WGS 84 ellipsoid; " + other + " is another height"
				}
			}
			return p.Fail(p.Line, "", hint, "the header has no column %s", n)
		}
		p.columns[i] = c
		delete(index, n)
	}
	optional := func(n string) (int, bool) {
		c, ok := index[n]
		if !ok {
			return -1, false
		}
		delete(index, n)
		return c, true
	}
	p.emitter, p.set.HasNames = optional("emitter")
	p.group, p.set.HasGroups = optional("bias_group")
	var unknown []string
	for _, n := range p.Header {
		if _, ok := index[n]; ok && n != "" {
			unknown = append(unknown, n)
		}
	}
	if unknown != nil {
		p.Problems.Note("unknown columns", p.Line, "", "", "columns passed over, their names mean nothing here: %s", strings.Join(unknown, ", "))
	}
	return nil
}

// ranges are the values that can be true, with the hint for one that cannot; in the order of required, from lat on.
var ranges = [...]struct {
	low, top float64
	hint     string
}{
	1: {-90, 90, "Give degrees, north positive"},
	2: {-180, 180, "Give degrees from -180 to 180, west negative"},
	3: {-1000, 40_000_000, "Give metres above the WGS 84 ellipsoid"},
	4: {-180, 360, "Give degrees clockwise from true north"},
	5: {0, 180, "Give the standard deviation in degrees"},
}

func (p *reading) bearing(f []string) (b Bearing, e *atalaya.Error) {
	text := strings.TrimSpace(f[p.columns[0]])
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return b, p.Fail(p.Line, "time", "Write it as 2026-03-01T15:04:05Z", "%q is not an RFC 3339 time", clip(text))
	}
	var v [len(required)]float64
	for i := 1; i < len(required); i++ {
		x, _, hint, err := p.Number(f[p.columns[i]])
		switch {
		case err != nil:
			return b, p.Fail(p.Line, required[i], hint, "%v", err)
		case math.IsNaN(x):
			return b, p.Fail(p.Line, required[i], "Give every bearing all of "+strings.Join(required[:], ", "), "no value")
		case x < ranges[i].low || x > ranges[i].top:
			return b, p.Fail(p.Line, required[i], ranges[i].hint, "%g cannot be true (%g to %g can)", x, ranges[i].low, ranges[i].top)
		}
		v[i] = x
	}
	if v[5] <= 0 {
		return b, p.Fail(p.Line, "sigma_deg", "Give the standard deviation in degrees", "a bearing without error does not exist")
	}
	if t.Before(p.latest) {
		p.Problems.Note("order", p.Line, "time", "", "the time goes back; the order of the file is kept")
	}
	p.latest = t
	b = Bearing{Time: t.UTC(), From: geodesy.LatLonHeight{Lat: v[1], Lon: v[2], HeightHAE: v[3]}, Deg: geodesy.Wrap360(v[4]), SigmaDeg: v[5], Line: p.Line}
	if p.emitter >= 0 {
		b.Emitter = p.name(f[p.emitter])
	}
	if p.group >= 0 {
		b.BiasGroup = p.name(f[p.group])
	}
	return b, nil
}

func (p *reading) name(s string) string {
	s = strings.TrimSpace(s)
	if n, ok := p.names[s]; ok {
		return n
	}
	s = strings.Clone(s)
	p.names[s] = s
	return s
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}

// ByEmitter lists the emitters in order of first appearance, and the indices of each one's bearings.
func (s *Set) ByEmitter() (names []string, rows [][]int) {
	index := map[string]int{}
	for i, b := range s.Bearings {
		k, ok := index[b.Emitter]
		if !ok {
			k = len(names)
			index[b.Emitter] = k
			names, rows = append(names, b.Emitter), append(rows, nil)
		}
		rows[k] = append(rows[k], i)
	}
	return names, rows
}

// Write writes bearings so that Read gives them back to the last bit.
func Write(w io.Writer, s *Set) error {
	b := bufio.NewWriter(w)
	b.WriteString(strings.Join(required[:], ","))
	if s.HasNames {
		b.WriteString(",emitter")
	}
	if s.HasGroups {
		b.WriteString(",bias_group")
	}
	b.WriteByte('\n')
	for i, l := range s.Bearings {
		if strings.ContainsAny(l.Emitter+l.BiasGroup, "\r\n\x00") {
			return fmt.Errorf("bearing.write: bearing %d: a name with a line end cannot be written", i)
		}
		b.WriteString(l.Time.Format(time.RFC3339Nano))
		for _, v := range [...]float64{l.From.Lat, l.From.Lon, l.From.HeightHAE, l.Deg, l.SigmaDeg} {
			b.WriteByte(',')
			b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
		}
		if s.HasNames {
			b.WriteString("," + delimited.Field(l.Emitter))
		}
		if s.HasGroups {
			b.WriteString("," + delimited.Field(l.BiasGroup))
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}
