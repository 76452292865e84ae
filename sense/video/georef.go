package video

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// GeorefLine is one line of `atalaya video georef`.
type GeorefLine struct {
	Schema string   `json:"schema"` // atalaya.georef/1
	PTS    *float64 `json:"pts_s"`
	Time   *string  `json:"time"`
	Offset int64    `json:"offset"`
	// Age and Interpolated tell of lines at a rate of their own (see Moment).
	Age          *float64    `json:"age_s,omitempty"`
	Interpolated bool        `json:"interpolated,omitempty"`
	Sensor       *PlaceLine  `json:"sensor"`
	Pointing     *PointLine  `json:"pointing"`
	Center       *CenterLine `json:"frame_center"`
	// Reported is the frame center of the metadata itself, for comparison.
	Reported *PlaceLine   `json:"frame_center_reported"`
	Corners  []CornerLine `json:"corners"`
	How      string       `json:"corners_method,omitempty"` // full, offset, ray, center
	Horizon  bool         `json:"horizon,omitempty"`
	Pixels   []PixelLine  `json:"pixels,omitempty"` // those asked for
	Targets  []TargetLine `json:"targets"`
	Checks   ChecksLine   `json:"checks"`
	Problems []Problem    `json:"problems"`
}

// PlaceLine is a position; of the two heights the one whose datum is not known is null.
type PlaceLine struct {
	Lat float64  `json:"lat"`
	Lon float64  `json:"lon"`
	HAE *float64 `json:"height_hae_m"`
	MSL *float64 `json:"height_msl_m"`
}

// PointLine is attitude, gimbal and field of view, degrees.
type PointLine struct {
	Heading   float64 `json:"heading_deg"`
	Pitch     float64 `json:"pitch_deg"`
	Roll      float64 `json:"roll_deg"`
	Azimuth   float64 `json:"azimuth_deg"`
	Elevation float64 `json:"elevation_deg"`
	Rotation  float64 `json:"rotation_deg"`
	HFOV      float64 `json:"hfov_deg"`
	VFOV      float64 `json:"vfov_deg"`
}

// CenterLine is the frame center with its error.
type CenterLine struct {
	PlaceLine
	Method string   `json:"method"` // ray or reported
	Range  *float64 `json:"range_m,omitempty"`
	// Ground says where the height that the ray ends at is from, Errors what the ellipse is made of.
	Ground  string           `json:"ground,omitempty"`
	Gap     float64          `json:"unknown_ground_m,omitempty"` // see Look.GapM
	Errors  string           `json:"errors,omitempty"`
	Ellipse *geodesy.Ellipse `json:"ellipse95"`
}

// CornerLine is one corner of the footprint.
type CornerLine struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// PixelLine is the ground at a pixel.
type PixelLine struct {
	X float64 `json:"x_px"`
	Y float64 `json:"y_px"`
	// Place is null where the pixel shows no ground; Why says why.
	*PlaceLine
	Range   *float64         `json:"range_m,omitempty"`
	Ground  string           `json:"ground,omitempty"`
	Ellipse *geodesy.Ellipse `json:"ellipse95"`
	Why     string           `json:"why,omitempty"`
}

// TargetLine is a marked target on the ground.
type TargetLine struct {
	ID uint64 `json:"id"`
	*PlaceLine
	Ellipse  *geodesy.Ellipse `json:"ellipse95"`
	Method   string           `json:"method,omitempty"` // ray, location, offset
	Row      int64            `json:"row,omitempty"`    // from 1
	Col      int64            `json:"col,omitempty"`
	Reported *PlaceLine       `json:"reported,omitempty"` // by the sender
	Off      *float64         `json:"ray_to_reported_m,omitempty"`
	Why      string           `json:"why,omitempty"` // there is no ray
}

// ChecksLine holds what the metadata says twice, compared; null where it does not.
type ChecksLine struct {
	Ray     *float64 `json:"ray_to_reported_m"`
	Slant   *float64 `json:"slant_range_m"`       // sensor to reported frame center, minus item 21
	Corners *float64 `json:"corners_m"`           // see Look.CornersOffM
	Width   *float64 `json:"width_ratio"`         // see Look.WidthRatio
	Spread  *float64 `json:"height_datum_spread"` // see Look.DatumSpreadM
}

// Line is the look as `atalaya video georef` prints it.
func (l *Look) Line() GeorefLine {
	g := GeorefLine{Schema: "atalaya.georef/1", Offset: l.Offset, Corners: []CornerLine{}, How: l.How, Horizon: l.Horizon, Targets: []TargetLine{}, Problems: []Problem{}}
	g.Problems = append(g.Problems, l.Problem...)
	if l.MixedDatum {
		g.Problems = append(g.Problems, Problem{l.Offset, "sensor and ground heights have different datums (HAE, MSL): the ray may be tens of metres off. Give a geoid (--geoid)"})
	}
	if l.HasPTS {
		g.PTS = &l.PTS
	}
	if l.HasTime {
		g.Time = stamp(l.Time)
	}
	if l.HasSensor {
		p := l.Sensor.line()
		g.Sensor = &p
	}
	if l.HasReported {
		p := l.Reported.line()
		g.Reported = &p
	}
	if l.HasAxis {
		p := l.Pointing
		g.Pointing = &PointLine{p.Heading, p.Pitch, p.Roll, p.Azimuth, p.Elevation, p.Rotation, l.HFOV, l.VFOV}
	}
	g.Center = l.centerLine()
	if l.How != "" {
		for _, c := range l.Corners {
			g.Corners = append(g.Corners, CornerLine{c.Lat, c.Lon})
		}
	}
	for i := range l.Targets {
		g.Targets = append(g.Targets, l.Targets[i].line())
	}
	l.check(&g)
	return g
}

func told(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

// check compares what the metadata says twice.
func (l *Look) check(g *GeorefLine) {
	g.Checks = ChecksLine{told(l.RayToReportedM()), told(l.SlantErrorM()), told(l.CornersOffM()), told(l.WidthRatio()), told(l.DatumSpreadM())}
	if d := g.Checks.Ray; d != nil && l.Contradicts {
		g.Problems = append(g.Problems, Problem{l.Offset, fmt.Sprintf("the ray of attitude and gimbal meets the ground %.0f m from the reported frame center: the metadata contradicts itself", *d)})
	}
	if d := g.Checks.Slant; d != nil && l.slantOff(*d) {
		g.Problems = append(g.Problems, Problem{l.Offset, fmt.Sprintf("slant range %.0f m, but sensor and frame center are %.0f m apart: the metadata contradicts itself", l.SlantM, l.SlantM+*d)})
	}
}

func (l *Look) centerLine() *CenterLine {
	p, ok := l.Center()
	if !ok {
		return nil
	}
	c := &CenterLine{PlaceLine: p.line(), Method: "reported"}
	if !l.byRay() {
		return c
	}
	c.Method, c.Ground, c.Gap, c.Range = "ray", l.Ground, l.GapM, &l.RangeM
	if e, ok := l.Ellipse95(); ok {
		c.Errors = l.Errors()
		c.Ellipse = &e
	}
	return c
}

func (p Position) line() PlaceLine {
	l := PlaceLine{Lat: p.Lat, Lon: p.Lon}
	if !p.HasHeight {
		return l
	}
	h, other := p.HeightM, p.HeightM-p.GeoidM
	if p.Datum == HAE {
		if l.HAE = &h; p.HasGeoid {
			l.MSL = &other
		}
	} else {
		l.MSL = &h
	}
	return l
}

func (t *Target) line() TargetLine {
	l := TargetLine{ID: t.ID, Method: t.Method, Row: t.Row, Col: t.Col, Why: t.Problem, Off: told(t.RayToReportedM())}
	if t.Method != "" {
		p := t.Where.line()
		l.PlaceLine = &p
	}
	if t.HasReported {
		p := t.Reported.line()
		l.Reported = &p
	}
	if t.HasEllipse {
		l.Ellipse = &t.Ellipse95
	}
	return l
}

// pixel is the ground at a pixel as a line.
func (l *Look) pixel(at [2]float64, of Size) PixelLine {
	p := PixelLine{X: at[0], Y: at[1]}
	if p.Why = l.Blind(); p.Why != "" {
		return p
	}
	s, ok := l.Pixel(at[0], at[1], of)
	if !ok {
		p.Why = s.Outcome.String()
		return p
	}
	place := s.line()
	p.PlaceLine, p.Ground, p.Range = &place, s.Ground, &s.RangeM
	if e, ok := l.PointEllipse95(at[0]/float64(of.Width), at[1]/float64(of.Height), s); ok {
		p.Ellipse = &e
	}
	return p
}

// A Georef says what WriteGeorefWith writes.
type Georef struct {
	Options
	Pixels  [][2]float64 // x, y, of which the ground is asked for in each line
	RateHz  float64      // 0: a line a packet; else so many a second, between packets
	GeoJSON bool         // one FeatureCollection instead of lines
	// Residuals asks for the table of what the metadata says twice, instead of lines.
	Residuals bool
	// AttitudeLagS is by how much the platform's attitude is older than the rest of its packet, seconds, -1 to 1 (see Residuals.Lag).
	AttitudeLagS float64
}

// ErrNoFrameSize says that pixels were asked for, but nothing tells the picture's size.
var ErrNoFrameSize = errors.New("the size of the picture is not known, so its pixels cannot be placed")

// WriteGeoref reads the file in r and writes a line for each packet's look to w. It gives the number of packets and what could
// not be read, as WriteKLV does.
func WriteGeoref(w io.Writer, r io.Reader, s Sigmas) (packets int, problems []Problem, err error) {
	return WriteGeorefWith(w, r, Georef{Options: Options{Sigmas: s}})
}

// WriteGeorefWith does the same with options.
func WriteGeorefWith(w io.Writer, r io.Reader, g Georef) (packets int, problems []Problem, err error) {
	o := &georefWriter{Georef: g, held: delay{by: g.AttitudeLagS}, viewer: NewViewerWith(g.Options), enc: json.NewEncoder(w), w: w}
	o.enc.SetEscapeHTML(false)
	reader := NewReader(r)
	packets, problems, err = eachPacket(reader, func(p *Packet) error {
		o.size(reader)
		l := o.viewer.See(p)
		if o.AttitudeLagS == 0 {
			return o.take(p.PID, &l)
		}
		return o.held.take(p.PID, &l, o.take)
	})
	if err == nil {
		err = errors.Join(o.held.end(o.take), o.end())
	}
	return packets, problems, err
}

type georefWriter struct {
	Georef
	viewer *Viewer
	enc    *json.Encoder
	w      io.Writer
	frame  Size
	begun  bool
	held   delay
	twice  Residuals
	last   map[uint16]*Look
	due    map[uint16]float64 // when a stream's next line is due, on its own clock
}

// size learns the picture's size from the stream, where nothing else tells it.
func (o *georefWriter) size(r *Reader) {
	if o.frame.Width > 0 {
		return
	}
	if o.frame = (Size{o.FrameWidth, o.FrameHeight}); o.frame.Width > 0 {
		return
	}
	for _, s := range r.Streams() {
		if s.Width > 0 && s.Height > 0 {
			o.frame = Size{s.Width, s.Height}
			o.viewer.options.FrameWidth, o.viewer.options.FrameHeight = s.Width, s.Height
			return
		}
	}
}

func (o *georefWriter) take(pid uint16, l *Look) error {
	if o.Residuals {
		o.twice.Add(l)
		return nil
	}
	if o.RateHz == 0 {
		return o.write(&Moment{Look: *l}, pid)
	}
	at, ok := l.clock()
	if !ok || !l.HasSensor {
		return nil // without a time it lies between no two
	}
	if o.last == nil {
		o.last, o.due = map[uint16]*Look{}, map[uint16]float64{}
	}
	before := o.last[pid]
	kept := *l
	o.last[pid] = &kept
	if before == nil {
		o.due[pid] = at + 1/o.RateHz
		return o.write(&Moment{Look: kept}, pid)
	}
	from, _ := before.clock()
	if at <= from || at-from > 2*Hold.Seconds() { // a new recording, or a hole: nothing lies within
		o.due[pid] = at + 1/o.RateHz
		return o.write(&Moment{Look: kept}, pid)
	}
	for ; o.due[pid] <= at; o.due[pid] += 1 / o.RateHz {
		s := math.Max(0, math.Min(1, (o.due[pid]-from)/(at-from)))
		between, ok := Between(before, &kept, s)
		m := Moment{Look: between, AgeS: math.Min(o.due[pid]-from, at-o.due[pid]), Interpolated: ok}
		if err := o.write(&m, pid); err != nil {
			return err
		}
	}
	return nil
}

// clock is the time that lines at a rate go by: the presentation's, else the packet's own.
func (l *Look) clock() (float64, bool) {
	if l.HasPTS {
		return l.PTS, true
	}
	return float64(l.Time.UnixMicro()) / 1e6, l.HasTime
}

func (o *georefWriter) write(m *Moment, pid uint16) error {
	if o.GeoJSON {
		return o.feature(m)
	}
	line := m.Line()
	if o.RateHz > 0 {
		line.Age, line.Interpolated = &m.AgeS, m.Interpolated
	}
	if len(o.Pixels) > 0 {
		of := o.frame
		if of.Width == 0 {
			if k := &o.viewer.State(pid).marks; k.width > 0 && k.height > 0 {
				of = Size{int(k.width), int(k.height)}
			}
		}
		if of.Width == 0 {
			return ErrNoFrameSize
		}
		for _, at := range o.Pixels {
			line.Pixels = append(line.Pixels, m.pixel(at, of))
		}
	}
	return o.enc.Encode(line)
}

// feature writes footprint and frame center of a look as GeoJSON.
func (o *georefWriter) feature(m *Moment) error {
	type properties struct {
		PTS     *float64         `json:"pts_s"`
		Time    *string          `json:"time"`
		Kind    string           `json:"kind"` // footprint, frame_center
		Method  string           `json:"method"`
		Horizon bool             `json:"horizon,omitempty"`
		ReachM  float64          `json:"reach_m,omitempty"` // where a footprint that reaches the horizon ends
		Ellipse *geodesy.Ellipse `json:"ellipse95,omitempty"`
	}
	type feature struct {
		Type       string     `json:"type"`
		Properties properties `json:"properties"`
		Geometry   any        `json:"geometry"`
	}
	p := properties{Time: nil}
	if m.HasPTS {
		p.PTS = &m.PTS
	}
	if m.HasTime {
		p.Time = stamp(m.Time)
	}
	var list []feature
	if f, ok := m.Footprint(); ok {
		q := p
		q.Kind, q.Method, q.Horizon = "footprint", f.How, f.Horizon
		if f.Horizon {
			q.ReachM = Reach
		}
		list = append(list, feature{"Feature", q, f.Geometry()})
	}
	if c := m.centerLine(); c != nil {
		q := p
		q.Kind, q.Method, q.Ellipse = "frame_center", c.Method, c.Ellipse
		list = append(list, feature{"Feature", q, map[string]any{"type": "Point", "coordinates": [2]float64{c.Lon, c.Lat}}})
	}
	for _, f := range list {
		b, err := json.Marshal(f)
		if err != nil {
			return err
		}
		head := ",\n"
		if !o.begun {
			head, o.begun = collectionHead, true
		}
		if _, err := io.WriteString(o.w, head+string(b)); err != nil {
			return err
		}
	}
	return nil
}

const collectionHead = `{"type":"FeatureCollection","features":[` + "\n"

func (o *georefWriter) end() error {
	if o.Residuals {
		return o.twice.WriteTable(o.w)
	}
	if !o.GeoJSON {
		return nil
	}
	head := ""
	if !o.begun {
		head = collectionHead
	}
	_, err := io.WriteString(o.w, head+"]}\n")
	return err
}

// ParsePixel reads "X,Y".
func ParsePixel(s string) (at [2]float64, err error) {
	var x, y string
	for i := range s {
		if s[i] == ',' {
			x, y = s[:i], s[i+1:]
		}
	}
	var err1, err2 error
	at[0], err1 = strconv.ParseFloat(x, 64)
	at[1], err2 = strconv.ParseFloat(y, 64)
	if err1 != nil || err2 != nil || math.IsNaN(at[0]+at[1]) || math.IsInf(at[0]+at[1], 0) {
		return at, fmt.Errorf("%q is not X,Y", s)
	}
	return at, nil
}
