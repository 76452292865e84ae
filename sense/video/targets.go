package video

import (
	"fmt"
	"math"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// A Target is something that a moving-target set marked: where it lies in the picture, and on the ground.
type Target struct {
	ID uint64
	// Row and Col are the pixel of its middle, counted from 1; 0 when not told.
	Row, Col int64
	// Where is the place by Method: "ray" (through the pixel's middle), "location" (item 17, or 10 to 12 beside the frame center:
	// "offset"), or "" where there is none. Reported is the place that the sender told, whichever was taken.
	Where       Position
	Method      string
	Reported    Position
	HasReported bool
	Ellipse95   geodesy.Ellipse
	HasEllipse  bool
	Problem     string // why there is no place, or why it is not by ray
}

// RayToReportedM is the distance on the ground between the ray's place and the sender's.
func (t *Target) RayToReportedM() (float64, bool) {
	if t.Method != "ray" || !t.HasReported {
		return 0, false
	}
	return geodesy.Distance(t.Where.LatLon(), t.Reported.LatLon()), true
}

// marking is what a stream's VMTI sets say: now and then their version and the frame's size, which decide what the rest means.
type marking struct {
	klv.VMTIState
	hfov, vfov float64
	list       []klv.VTarget // of the last packet, valid as long as that
	problems   []string
}

// maxTargets bounds what one set may list: each is a ray and an ellipse. maxMarkProblems bounds what is said of one.
const (
	maxTargets      = 4096
	maxMarkProblems = 8
)

// staleS is how far, seconds, a look may lie from targets of another stream that have a place of their own, for a ray to be better:
// an aircraft at 100 m/s flies 5 m.
const staleS = 0.05

// mark takes in the VMTI set of a packet: item 74 of ST 0601, or the packet itself.
func (s *State) mark(p *Packet) {
	s.marks.list, s.marks.problems = nil, nil
	if p.Set.Standard == klv.ST0903 {
		s.marks.take(p.Set)
	} else if it := p.Set.Item(74); it != nil && p.Set.Standard == klv.ST0601 {
		if n, ok := it.Nested(); ok {
			s.marks.take(&n)
		}
	}
}

func (m *marking) take(s *klv.Set) {
	list, problems := m.Targets(s)
	for tag, into := range map[uint32]*float64{11: &m.hfov, 12: &m.vfov} {
		if v, state := s.Number(tag); state == klv.Given {
			*into = v
		} else if state == klv.Cleared {
			*into = 0
		}
	}
	if len(list) > maxTargets {
		list, problems = list[:maxTargets], append(problems, klv.Problem{At: s.Item(101).At, What: fmt.Sprintf("more than %d: the rest is not placed", maxTargets)})
	}
	m.list = list
	for i, p := range problems {
		if i == maxMarkProblems {
			m.problems = append(m.problems, fmt.Sprintf("targets (ST 0903 item 101): %d more problems", len(problems)-i))
			break
		}
		m.problems = append(m.problems, "targets (ST 0903 item 101): "+p.String())
	}
}

// A word is what the sender says of a target's place. Numbers of a location are mapped by their version: where none was told they are
// not taken.
type word struct {
	klv.Location
	located, offset, hasSigma, hasHeight bool
	dLat, dLon                           float64
	heightRound                          float64 // standard deviation of the height's rounding
}

func (m *marking) word(v *klv.VTarget) (w word) {
	if m.Version == 0 {
		return w
	}
	w.Location, w.located = v.Location, v.HasLocation
	w.offset, w.dLat, w.dLon = v.HasOffset, v.OffsetLat, v.OffsetLon
	items := v.Node.Field("VTarget")
	height := items.Item(17).Field("HAE")
	if !w.located || math.IsNaN(w.HAE) {
		w.HAE, height = v.HAE, items.Item(12)
	}
	if w.hasHeight = !math.IsNaN(w.HAE); w.hasHeight {
		w.heightRound = roundingOf(height.Row, len(height.Value), height.Number)
	}
	w.hasSigma = w.located && w.HasSigma && !math.IsNaN(w.Sigma[0]+w.Sigma[1])
	if math.IsNaN(w.Rho[0]) {
		w.Rho[0] = 0
	}
	return w
}

// ellipse is the sender's own error ellipse of its location.
func (w *word) ellipse() geodesy.Ellipse {
	e, n, c := w.Sigma[0], w.Sigma[1], w.Rho[0]*w.Sigma[0]*w.Sigma[1]
	return geodesy.EllipseOf([2][2]float64{{e * e, c}, {c, n * n}}, 0.95)
}

// centre is the middle of a target's pixel in the picture; false where frame size or pixel is not told. A number is a pixel only in a
// frame of known width, which may be known from elsewhere than the VMTI set.
func centre(v *klv.VTarget, frame Size) (p pictured, at klv.Pixel, why string) {
	number, numbered := v.Node.Field("VTarget").Item(1).Int()
	if at = v.Centroid; !at.Known() {
		at = klv.PixelOf(number, frame.Width)
	}
	switch {
	case !at.Known() && !(numbered && number > 0):
		return p, klv.Pixel{}, "no pixel"
	case frame.Width < 1 || frame.Height < 1:
		return p, at, "the frame's size is not known"
	case at.Column > int64(frame.Width) || at.Row > int64(frame.Height):
		return p, at, fmt.Sprintf("row %d, column %d lies outside a frame of %d by %d", at.Row, at.Column, frame.Width, frame.Height)
	}
	right, down := at.Center()
	return pictured{2*right/float64(frame.Width) - 1, 2*down/float64(frame.Height) - 1}, at, ""
}

// place puts the marked targets on the ground.
func (l *Look) place(m *marking, o *Options) {
	frame := Size{m.FrameWidth, m.FrameHeight}
	if frame.Width == 0 || frame.Height == 0 {
		frame = Size{o.FrameWidth, o.FrameHeight}
	}
	for _, what := range m.problems {
		l.Problem = append(l.Problem, Problem{l.Offset, what})
	}
	l.Targets = nil
	for i := range m.list {
		l.Targets = append(l.Targets, l.target(m, &m.list[i], frame))
	}
}

func (l *Look) target(m *marking, v *klv.VTarget, frame Size) Target {
	t := Target{ID: uint64(v.ID)}
	w := m.word(v)
	told := t.report(&w, l)
	p, at, why := centre(v, frame)
	t.Row, t.Col, t.Problem = at.Row, at.Column, why
	switch {
	case why != "":
	case t.HasReported && l.apartS > staleS:
		t.Problem = fmt.Sprintf("the camera's packet lies %.2f s away: the sender's place is nearer", l.apartS)
	default:
		t.Problem = l.through(&t, &w, m, p, frame)
	}
	if t.Method == "" && t.HasReported {
		t.Where, t.Method = t.Reported, told
		if w.hasSigma {
			t.Ellipse95, t.HasEllipse = w.ellipse(), true
		}
	}
	return t
}

// report takes the sender's word, and says which of its two kinds it is.
func (t *Target) report(w *word, l *Look) (told string) {
	switch {
	case w.located:
		t.Reported, told = Position{Lat: w.Lat, Lon: w.Lon}, "location"
	case w.offset && l.HasReported:
		t.Reported, told = Position{Lat: l.Reported.Lat + w.dLat, Lon: geodesy.Wrap180(l.Reported.Lon + w.dLon)}, "offset"
	}
	if w.hasHeight {
		t.Reported.HeightM, t.Reported.Datum, t.Reported.HasHeight = w.HAE, HAE, true
	}
	t.HasReported = told != "" && t.Reported.LatLon().Valid()
	if o := l.options; o != nil && o.Geoid != nil && t.HasReported {
		t.Reported.GeoidM, t.Reported.HasGeoid = o.Geoid.Undulation(t.Reported.LatLon()), true
	}
	return told
}

// through casts the ray of a target's pixel: to the terrain where there is any, else to the target's own height, else to the
// frame center's. It says why there is no such place.
func (l *Look) through(t *Target, w *word, m *marking, p pictured, frame Size) string {
	s := l.sight
	if m.hfov > 0 && m.vfov > 0 { // the detecting sensor's own
		s.HFOV, s.VFOV = m.hfov, m.vfov
	}
	if why := l.blind(&s); why != "" {
		return why
	}
	dev, with := l.deviations(&s)
	dev[ofRight], dev[ofBelow] = 2/float64(frame.Width)/math.Sqrt(12), 2/float64(frame.Height)/math.Sqrt(12)
	if s.Terrain == nil && w.hasHeight {
		s.HeightM = w.HAE
		dev[ofGround] = math.Hypot(w.heightRound, l.options.Sigmas.Ground)
		if l.Sensor.Datum != HAE { // the target's height is above the ellipsoid by its name
			dev[ofGround] = math.Hypot(dev[ofGround], UnknownGeoidSigmaM)
		}
	}
	hit := s.Cast(tangentsOf(&s, p)[0], tangentsOf(&s, p)[1], farM)
	if hit.Outcome != terrain.Met {
		return "the ray of its pixel ends " + hit.Outcome.String()
	}
	l.grounded(&dev, hit)
	t.Where, t.Method = l.position(hit), "ray"
	t.Ellipse95, t.HasEllipse = s.ellipse(p, hit.At, &dev, with)
	return ""
}

func tangentsOf(s *Sight, p pictured) [2]float64 {
	x, y := s.tangents(p)
	return [2]float64{x, y}
}
