package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/sense/video"
	"github.com/atalaya-isr/atalaya/store"
)

// MoversBody is the body of an observation of what moves in the pictures of a video: what maps and lists need. All of it is in Result.
type MoversBody struct {
	Result  atalaya.BlobID `json:"result"`  // atalaya.movers/1, a blob of its own
	Program string         `json:"program"` // what decoded the pictures, "ffmpeg 5.1.9"
	Part    int            `json:"part"`    // from 1: a long film with much in it is told in parts
	Parts   int            `json:"parts"`
	Width   int            `json:"width_px"`
	Height  int            `json:"height_px"`
	RateHz  float64        `json:"rate_hz"`
	Fields  ffmpeg.Order   `json:"fields"`
	From    float64        `json:"from_s"` // presentation times of the first and the last frame
	To      float64        `json:"to_s"`
	Frames  int            `json:"frames"`
	Lost    int            `json:"frames_lost"` // that do not lie over the one before
	// Slowest is the least speed at which anything was seen to move (mover.SlowestSeen); null where the ground is not known.
	Slowest *float64      `json:"min_speed_mps"`
	Tracks  int           `json:"tracks"`
	Placed  int           `json:"tracks_placed"` // those that have places
	Shown   []MoverSketch `json:"shown"`         // thinned: those with events first, then the longest
	Events  []MoverEvent  `json:"events"`        // by time
	More    int           `json:"events_more"`   // beyond those listed
	// Problems are what was wrong with the file or is missing in it; a file of which no picture could be decoded has no frames and one.
	Problems []MoverRemark `json:"problems"`
}

// MoverSketch is a track on the ground, thinned: longitude, latitude, presentation time in seconds, speed in m/s.
type MoverSketch struct {
	Track  int          `json:"track"`
	Points [][4]float64 `json:"points"`
}

// MoverEvent is something that a track did which is worth a person's look.
type MoverEvent struct {
	Kind       mover.EventKind `json:"kind"`
	Track      int             `json:"track"`
	PTS        float64         `json:"pts_s"`
	X          float64         `json:"x_px"` // middle of its box in the picture of that time
	Y          float64         `json:"y_px"`
	W          float64         `json:"w_px"`
	H          float64         `json:"h_px"`
	Covariance [3]float64      `json:"covariance_px2"` // of x and y: xx, xy, yy
	Lat        float64         `json:"lat"`
	Lon        float64         `json:"lon"`
	Speed      float64         `json:"speed_mps"`     // while it went
	Slowest    float64         `json:"min_speed_mps"` // at which a thing of its size would have been seen there
	Path       float64         `json:"path_m"`        // of the whole track
}

// Bounds of a body: points of a sketch, and events. Stops and turns go before beginnings and ends, long paths before short ones.
const (
	mostSketched    = 24
	mostMoverEvents = 40
)

// moversID names the observation of what moves in a part of a file, from 1.
func moversID(m atalaya.MissionID, path string, blob atalaya.BlobID, part int) atalaya.ObservationID {
	return atalaya.ObservationID(atalaya.NameOf("obs_", string(m), path, string(blob), "movers", strconv.Itoa(part)))
}

// programOf says which program decodes pictures here; the error says that none does, and how to get it.
func programOf(ctx context.Context) (string, error) {
	p, err := ffmpeg.Find(ctx)
	if err != nil {
		return "", err
	}
	return nameOf(p), nil
}

func nameOf(p *ffmpeg.Program) string { return "ffmpeg " + p.Version }

// pictured says that a file has pictures that could be searched for what moves.
func (a *App) pictured(kind string, blob atalaya.BlobID) (bool, error) {
	if kind != "mpegts" || blob == "" || !a.Record.Blobs().Has(blob) {
		return false, nil
	}
	p, _, err := a.glance(blob)
	return p.Play != NoImage, err
}

// searchMovers looks for what moves in the pictures of a file and keeps it as an observation, which rests on that of the file's metadata.
func (a *App) searchMovers(ctx context.Context, t task) error {
	f, _, err := get[File](ctx, a, access.Whole(), "file", t.File)
	if err != nil {
		return err
	}
	m, err := a.mission(ctx, t.Mission)
	if err != nil {
		return err
	}
	o := atalaya.Observation{Kind: atalaya.Movers, Mission: f.Mission, Sensor: "video", Sortie: f.Sortie, Blob: f.Blob, Path: f.Path, Marking: m.Marking}
	if t.Observation != "" {
		of, _, err := get[atalaya.Observation](ctx, a, access.Whole(), "observation", string(t.Observation))
		if err != nil {
			return err
		}
		o.Sensor, o.When, o.Lineage, o.From = of.Sensor, of.When, of.Lineage, []atalaya.ObservationID{of.ID}
	}
	program, err := ffmpeg.Find(ctx)
	if err != nil {
		return err
	}
	parts, err := a.searched(ctx, program, f, t.Seed)
	if err != nil {
		return err
	}
	seed := strconv.FormatUint(t.Seed, 10)
	var events []store.NewEvent
	for i, p := range parts {
		p.body.Part, p.body.Parts = i+1, len(parts)
		o := o
		o.ID, o.Body = moversID(f.Mission, f.Path, f.Blob, i+1), mustJSON(p.body)
		if !p.when.From.IsZero() {
			o.When = p.when
		}
		if len(parts) > 1 {
			o.Part = strconv.Itoa(i + 1)
		}
		events = append(events, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.ObservationMade, Subject: string(o.ID), Marking: o.Marking,
			Body: mustJSON(o), Cells: p.cells, Key: a.key("observed", string(o.ID), seed, string(mustJSON(o))),
			Jobs: []store.Job{task{Mission: t.Mission, Observation: o.ID, Seed: t.Seed}.job(detectObservation)}})
		a.talk("%s: %d movers in %d pictures", f.Path, p.body.Tracks, p.body.Frames)
	}
	_, err = a.Record.Append(ctx, events...)
	return err
}

// moversPart is a part of a search, ready to be kept.
type moversPart struct {
	body  MoversBody
	cells []uint64
	when  atalaya.Span
}

// searched searches the pictures of a file. The blobs of its parts are kept when it returns; what the file is to blame for is among the
// problems.
func (a *App) searched(ctx context.Context, program *ffmpeg.Program, f File, seed uint64) (parts []moversPart, err error) {
	open := func() (io.ReadCloser, error) { return a.Record.Blobs().Open(f.Blob) }
	var whens [][2]float64
	keep := func(m *Movers) error {
		p, err := a.keepPart(program, m)
		if err == nil {
			parts, whens = append(parts, p), append(whens, [2]float64{p.body.From, p.body.To})
		}
		return err
	}
	const minute = 1800 // frames, at 30 a second
	o := MoverOptions{Seed: seed, part: keep, holds: a.moverPart, Done: func(frames int, pts float64) {
		if frames%minute == 0 {
			a.talk("%s: looking for what moves: %d pictures, %.0f s", f.Path, frames, pts)
		}
	}}
	last, looks, err := searchFilm(ctx, program.Reading(open), film{f.Path, open}, o)
	var bad *atalaya.Error
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &bad) && bad.Kind == atalaya.BadInput: // the file's fault: what was found before it stands
		if last == nil {
			last = &Movers{Schema: "atalaya.movers/1", Tracks: []MoverTrack{}, Frames: []MoverFrame{}}
		}
		short := *bad
		short.File, short.Place = "", ""
		last.Problems = append(last.Problems, MoverRemark{0, short.Error()})
	case err != nil:
		return nil, err
	}
	if err := keep(last); err != nil {
		return nil, err
	}
	for i := range parts {
		if at := looks.timeAt(whens[i][0]); !at.IsZero() {
			parts[i].when = atalaya.Span{From: at.UTC(), To: at.Add(time.Duration((whens[i][1] - whens[i][0]) * float64(time.Second))).UTC()}
		}
	}
	return parts, nil
}

// keepPart puts what was found among the blobs and sums it up.
func (a *App) keepPart(program *ffmpeg.Program, m *Movers) (moversPart, error) {
	var whole bytes.Buffer
	e := json.NewEncoder(&whole)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return moversPart{}, err
	}
	blob, _, err := a.Record.Blobs().Put(&whole)
	if err != nil {
		return moversPart{}, err
	}
	p := moversPart{body: MoversBody{Result: blob, Program: nameOf(program), Width: m.Width, Height: m.Height, RateHz: m.RateHz, Fields: m.Fields, Frames: len(m.Frames),
		Tracks: len(m.Tracks), Shown: []MoverSketch{}, Events: []MoverEvent{}, Problems: append([]MoverRemark{}, m.Problems...)}}
	b := &p.body
	if n := len(m.Frames); n > 0 {
		b.From, b.To = m.Frames[0].PTS, m.Frames[n-1].PTS
	}
	for i := range m.Frames {
		if i > 0 && !m.Frames[i].Locked {
			b.Lost++
		}
	}
	if v, ok := mover.SlowestSeen(m.facts); ok {
		b.Slowest = given(v, 4)
	}
	m.sumUp(b)
	var where []geodesy.LatLon
	for i := range m.Tracks {
		for _, q := range m.Tracks[i].Points {
			if q.Lat != nil {
				where = append(where, geodesy.LatLon{Lat: *q.Lat, Lon: *q.Lon})
			}
		}
	}
	p.cells = cellsAround(where)
	return p, nil
}

// sumUp lists what the tracks did that is worth a look, and sketches those that did, then the longest.
func (m *Movers) sumUp(b *MoversBody) {
	tracks := make([]mover.Track, len(m.Tracks))
	for i := range m.Tracks {
		tracks[i] = m.Tracks[i].found()
	}
	events := mover.Events(tracks, m.facts, float64(m.Width), float64(m.Height), 0)
	rank := map[mover.EventKind]int{mover.Stops: 0, mover.Turns: 0, mover.Begins: 1, mover.Ends: 1}
	slices.SortStableFunc(events, func(x, y mover.Event) int {
		return cmp.Or(cmp.Compare(rank[x.Kind], rank[y.Kind]), cmp.Compare(y.TravelM, x.TravelM))
	})
	if b.More = max(0, len(events)-mostMoverEvents); b.More > 0 {
		events = events[:mostMoverEvents]
	}
	worth := map[int]bool{}
	for _, e := range events {
		p := &tracks[e.Track].Points[e.Point]
		worth[e.Track] = true
		b.Events = append(b.Events, MoverEvent{e.Kind, tracks[e.Track].ID, p.PTS, p.X, p.Y, p.W, p.H, p.Covariance, p.At.Lat, p.At.Lon, rounded(e.SpeedMPS, 4), rounded(e.SlowestMPS, 4), rounded(e.TravelM, 2)})
	}
	slices.SortStableFunc(b.Events, func(x, y MoverEvent) int { return cmp.Or(cmp.Compare(x.PTS, y.PTS), cmp.Compare(x.Track, y.Track)) })
	var order []int
	for i := range m.Tracks {
		if slices.ContainsFunc(m.Tracks[i].Points, func(p MoverPoint) bool { return p.Lat != nil }) {
			b.Placed++
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int {
		if worth[x] != worth[y] {
			if worth[x] {
				return -1
			}
			return 1
		}
		return cmp.Compare(len(m.Tracks[y].Points), len(m.Tracks[x].Points))
	})
	for left := maxPoints; len(order) > 0 && left >= mostSketched; order = order[1:] {
		s := m.Tracks[order[0]].sketch()
		b.Shown, left = append(b.Shown, s), left-len(s.Points)
	}
}

// found is a track as the finder told it.
func (t *MoverTrack) found() mover.Track {
	out := mover.Track{ID: t.ID, Contrast: t.Contrast, Points: make([]mover.Point, len(t.Points))}
	for i, p := range t.Points {
		out.Points[i] = mover.Point{PTS: p.PTS, X: p.X, Y: p.Y, W: p.W, H: p.H, Covariance: p.Covariance, Coasted: p.Coasted}
		if q := &out.Points[i]; p.Lat != nil && p.Speed != nil {
			q.OnGround, q.At, q.SpeedMPS = true, geodesy.LatLon{Lat: *p.Lat, Lon: *p.Lon}, *p.Speed
			if p.SpeedSigma != nil {
				q.SpeedSigma = *p.SpeedSigma
			}
		}
	}
	return out
}

// sketch thins a track to mostSketched points, its first and its last among them.
func (t *MoverTrack) sketch() MoverSketch {
	var on []*MoverPoint
	for i := range t.Points {
		if t.Points[i].Lat != nil && t.Points[i].Speed != nil {
			on = append(on, &t.Points[i])
		}
	}
	s := MoverSketch{Track: t.ID, Points: [][4]float64{}}
	n := min(len(on), mostSketched)
	for i := range n {
		p := on[i*(len(on)-1)/max(n-1, 1)]
		s.Points = append(s.Points, [4]float64{rounded(*p.Lon, 7), rounded(*p.Lat, 7), rounded(p.PTS, 3), rounded(*p.Speed, 2)})
	}
	return s
}

// MoverFinding is the body of a detection of kind mover.
type MoverFinding struct {
	headline
	MoverEvent
	Video atalaya.ObservationID `json:"video"` // in which it can be looked at
}

// says is what is said of an event.
func (e *MoverEvent) says() atalaya.Sentence {
	of := []string{"track", strconv.Itoa(e.Track), "speed", fmt.Sprintf("%.1f", e.Speed)}
	switch e.Kind {
	case mover.Stops:
		return atalaya.Say("mover-stop", of...)
	case mover.Turns:
		return atalaya.Say("mover-turn", of...)
	case mover.Begins:
		return atalaya.Say("mover-begins", of...)
	}
	return atalaya.Say("mover-ends", of...)
}

// findMovers makes a detection of each event, with its place as of the track and its error as of the look at that time and of the pixel.
// What that says for or against a site is not said here.
func (a *App) findMovers(ctx context.Context, o atalaya.Observation) ([]found, error) {
	var b MoversBody
	if err := json.Unmarshal(o.Body, &b); err != nil {
		return nil, err
	}
	if b.Frames == 0 && len(b.Problems) > 0 {
		return nothing(o, errors.New(b.Problems[len(b.Problems)-1].What))
	}
	if len(b.Events) == 0 {
		return nil, nil
	}
	file, err := a.Record.Blobs().Open(o.Blob)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	looks := newReelLooks(file)
	var out []found
	for _, e := range b.Events {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		body := MoverFinding{headline: headlineOf(e.says()), MoverEvent: e}
		if len(o.From) > 0 {
			body.Video = o.From[0]
		}
		d := atalaya.Detection{Kind: atalaya.Mover, Body: mustJSON(body)}
		if look, ok := looks.at(e.PTS); ok {
			d.Place = placeOfMover(&look, e, video.Size{Width: b.Width, Height: b.Height})
			if look.HasTime {
				d.When = atalaya.Span{From: look.Time.UTC(), To: look.Time.UTC()}
			}
		}
		f := found{detection: d}
		if d.Place != nil && e.tells() {
			f.evidence = []atalaya.Evidence{site.FromDetection(sense("mover").Known(site.Detection{Place: d.Place, Said: []atalaya.Sentence{e.says()},
				Modes: []site.Mode{{At: geodesy.LatLon{Lat: d.Place.Lat, Lon: d.Place.Lon}, CovarianceM2: d.Place.CovarianceM2, Weight: 1}}}, nil, 0, 0))}
			f.evidence[0].When = d.When
		}
		out = append(out, f)
	}
	return out, nil
}

// tells says that an event speaks of its place: where something stops or turns round it had business. Where it comes into view or leaves it
// says where the camera looked.
func (e MoverEvent) tells() bool { return e.Kind == mover.Stops || e.Kind == mover.Turns }

// placeOfMover is where an event lies, with its error; nil where the look has no finite error to tell.
func placeOfMover(look *video.Moment, e MoverEvent, frame video.Size) *atalaya.Place {
	l, ok := look.Locate(e.X, e.Y, e.Covariance, frame)
	if !ok || !l.HasSigma || !l.HasRho {
		return nil
	}
	east, north := l.Sigma[0], l.Sigma[1]
	both := l.Rho[0] * east * north
	if math.IsNaN(both) {
		return nil
	}
	p := site.PlaceOf(site.Mode{At: geodesy.LatLon{Lat: e.Lat, Lon: e.Lon}, CovarianceM2: [2][2]float64{{east * east, both}, {both, north * north}}, Weight: 1})
	return &p
}

// moversOf lists the observations of what moves in a file, part by part.
func (a *App) moversOf(ctx context.Context, view access.View, f File) (bodies []MoversBody, err error) {
	for part := 1; ; part++ {
		o, _, err := get[atalaya.Observation](ctx, a, view, "observation", string(moversID(f.Mission, f.Path, f.Blob, part)))
		if isNotFound(err) {
			return bodies, nil
		}
		if err != nil {
			return bodies, err
		}
		var b MoversBody
		if err := json.Unmarshal(o.Body, &b); err != nil {
			return bodies, err
		}
		if bodies = append(bodies, b); part >= b.Parts {
			return bodies, nil
		}
	}
}

// moversNotes say of a file of pictures what became of the search for what moves in it, where that is not what a person would take for
// granted. why is why the run does not search; nil where it does.
func (a *App) moversNotes(ctx context.Context, f File, why error) (tracks *int, notes []Problem, err error) {
	if f.Kind != "mpegts" || f.Blob == "" || !a.Record.Blobs().Has(f.Blob) {
		return nil, nil, nil
	}
	bodies, err := a.moversOf(ctx, access.Whole(), f)
	if err != nil {
		return nil, nil, err
	}
	not := func(what string) (*int, []Problem, error) {
		return nil, []Problem{{"", "not looked for what moves: " + what}}, nil
	}
	if len(bodies) == 0 {
		switch has, err := a.pictured(f.Kind, f.Blob); {
		case err != nil:
			return nil, nil, err
		case !has:
			return not("there are no pictures in it")
		case why != nil:
			return not(why.Error())
		}
		return nil, nil, nil // its job was given up, which is told
	}
	n, frames := 0, 0
	for _, b := range bodies {
		n, frames = n+b.Tracks, frames+b.Frames
		for _, p := range b.Problems {
			notes = append(notes, Problem{"", "what moves: " + p.What})
		}
	}
	if frames == 0 {
		return not(bodies[0].Problems[len(bodies[0].Problems)-1].What)
	}
	return &n, notes, nil
}
