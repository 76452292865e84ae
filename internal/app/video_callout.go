package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/store"
)

// VisualCallOut is the kind of detection that a person makes: something that they saw in a video and called out. It weighs nothing in
// any sum; like every detection it lies in the inbox and can be attached to a site.
const VisualCallOut atalaya.DetectionKind = "visual-call-out"

// Withdrawn is the sorting of a call-out that was taken back. Reopening it undoes that.
const Withdrawn Sorting = "withdraw"

// Confidence is how sure a person is of a call-out: a person's word, never a probability.
type Confidence string

// The confidences.
const (
	LowConfidence      Confidence = "low"
	ModerateConfidence Confidence = "moderate"
	HighConfidence     Confidence = "high"
)

// CallOutDraft is what a person says of something seen.
type CallOutDraft struct {
	PTS float64 // of the frame
	// X and Y are the pixel that shows it; nil where no place was pointed at.
	X, Y *float64
	// From and To are the marked stretch of the video, nil without.
	From, To   *float64
	What       string
	Confidence Confidence // "" where not said
}

// CallOutBody is the body of the detection.
type CallOutBody struct {
	headline
	PTS        float64           `json:"pts_s"`
	X          *float64          `json:"x_px"`
	Y          *float64          `json:"y_px"`
	From       *float64          `json:"from_s"`
	To         *float64          `json:"to_s"`
	Time       *time.Time        `json:"time"` // of the frame, by the metadata
	Place      *GroundPoint      `json:"place"`
	PlaceWhy   string            `json:"place_why,omitempty"` // why a pixel that was pointed at has no place
	What       string            `json:"what"`
	Confidence Confidence        `json:"confidence"`
	By         atalaya.AccountID `json:"by"`
	At         time.Time         `json:"at"` // when it was called out
}

// Elements are the essential elements of a call-out, in the order in which they are listed.
var Elements = [...]string{"time", "place", "what", "confidence", "who"}

// missing lists the essential elements that were not given.
func (b *CallOutBody) missing() []string {
	given := map[string]bool{"time": b.Time != nil, "place": b.Place != nil && b.Place.Ellipse != nil, "what": b.What != "", "confidence": b.Confidence != "", "who": b.By != ""}
	out := []string{}
	for _, e := range Elements {
		if !given[e] {
			out = append(out, e)
		}
	}
	return out
}

// CallOut is a call-out as the video room lists it.
type CallOut struct {
	ID     atalaya.DetectionID `json:"id"`
	Number int                 `json:"number"` // in the order in which they were made, from 1
	CallOutBody
	ByName   string         `json:"by_name"`
	Missing  []string       `json:"missing"`
	Standing store.Standing `json:"standing"`
	Sorted   *SortedView    `json:"sorted"` // what was done with it last: withdrawn, attached, ...
	Marking  string         `json:"marking"`
}

// CallOutList is the call-outs of one video.
type CallOutList struct {
	Banner   Banner    `json:"banner"`
	CallOuts []CallOut `json:"callouts"`
	// May says that this reader may call out; WhyNot why not.
	May    bool   `json:"may"`
	WhyNot string `json:"why_not,omitempty"`
}

const mostWords = 2000

// CallOut records what a person saw in a video.
func (a *App) CallOut(ctx context.Context, by Account, view access.View, id string, d CallOutDraft) (Written, error) {
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return Written{}, err
	}
	if why := src.noCallOut(); why != "" {
		return Written{}, failure(atalaya.Conflict, "Read the mission again, or restore the observation", "%s", why)
	}
	r, err := a.reelOf(ctx, src.of.Blob)
	if err != nil {
		return Written{}, err
	}
	b, err := a.bodyOf(r, d)
	if err != nil {
		return Written{}, err
	}
	b.By, b.At = by.ID, a.Clock().UTC()
	name, err := personal("det_")
	if err != nil {
		return Written{}, err
	}
	det := atalaya.Detection{ID: atalaya.DetectionID(name), Mission: src.of.Mission, Kind: VisualCallOut, From: []atalaya.ObservationID{src.of.ID}, When: src.of.When, Marking: src.of.Marking}
	if b.Time != nil {
		det.When = atalaya.Span{From: *b.Time, To: *b.Time}
	}
	var cells []uint64
	if b.Place != nil && b.Place.Ellipse != nil {
		at := geodesy.LatLon{Lat: b.Place.Lat, Lon: b.Place.Lon}
		p := site.PlaceOf(site.Mode{At: at, CovarianceM2: covarianceOf(*b.Place.Ellipse), Weight: 1})
		det.Place, cells = &p, cellsAround([]geodesy.LatLon{at})
		b.Place.Ring, b.Place.RingPx = nil, nil // drawn anew from the ellipse
	}
	det.Body = mustJSON(b)
	return a.write(ctx, by, store.NewEvent{Kind: store.DetectionMade, Subject: name, Marking: src.of.Marking, Body: mustJSON(det), Cells: cells})
}

// noCallOut says why nothing can be called out in a video; "" when it can.
func (s *videoSource) noCallOut() string {
	switch {
	case s.isFile:
		return "the video has no metadata, so that no observation stands behind a call-out"
	case s.row.Observation.Standing != store.Stands:
		return "the video was taken back"
	}
	return ""
}

// bodyOf makes a call-out of a draft: time and place are those of the video, never the caller's.
func (a *App) bodyOf(r *reel, d CallOutDraft) (CallOutBody, error) {
	b := CallOutBody{PTS: d.PTS, X: d.X, Y: d.Y, From: d.From, To: d.To, What: strings.TrimSpace(d.What), Confidence: d.Confidence}
	from, to, ok := r.span()
	within := func(t float64) bool { return ok && t >= from-1 && t <= to+1 }
	switch {
	case !within(d.PTS) || d.From != nil && !within(*d.From) || d.To != nil && !within(*d.To):
		return b, failure(atalaya.BadUse, "Give seconds on the line of the video", "%.3f s lies outside the video", d.PTS)
	case d.From != nil && d.To != nil && *d.From > *d.To:
		return b, failure(atalaya.BadUse, "Mark the beginning before the end", "the marked stretch ends before it begins")
	case (d.X == nil) != (d.Y == nil):
		return b, failure(atalaya.BadUse, "Give both or none", "a pixel has x and y")
	case b.What == "":
		return b, failure(atalaya.BadUse, "Say what was seen in a word or more", "a call-out says what was seen")
	case len(b.What) > mostWords:
		return b, failure(atalaya.BadUse, "Say it in fewer words", "%d bytes of words, more than %d", len(b.What), mostWords)
	case !slices.Contains([]Confidence{"", LowConfidence, ModerateConfidence, HighConfidence}, d.Confidence):
		return b, failure(atalaya.BadUse, "Choose low, moderate or high", "%.30q is no confidence", d.Confidence)
	}
	b.headline = headlineOf(atalaya.Say("quoted", "text", b.What))
	if at, ok := r.at(d.PTS); ok {
		b.Time = &at
	}
	if d.X == nil {
		return b, nil
	}
	p, err := a.pixel(r, d.PTS, *d.X, *d.Y)
	if b.Place, b.PlaceWhy = p.Place, p.Why; p.Time != nil {
		b.Time = p.Time
	}
	return b, err
}

// CallOuts lists the call-outs of a video in the order in which they were made. What was taken back is listed, not hidden.
func (a *App) CallOuts(ctx context.Context, who Account, view access.View, id string) (CallOutList, error) {
	out := CallOutList{CallOuts: []CallOut{}}
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return out, err
	}
	out.WhyNot = src.noCallOut()
	if !who.Decides() {
		out.WhyNot = "this account may look, not decide"
	}
	out.May = out.WhyNot == ""
	marks := []string{src.of.Marking}
	var es []store.Entity
	if !src.isFile {
		if es, err = a.all(ctx, view, store.Query{Kind: "detection", Parent: string(src.of.ID), AllStanding: true}); err != nil {
			return out, err
		}
	}
	names, err := a.Names(ctx)
	if err != nil {
		return out, err
	}
	sorted, err := a.sorted(ctx, view, src.of.Mission)
	if err != nil {
		return out, err
	}
	for _, e := range es {
		c, is, err := callOutOf(e)
		if err != nil {
			return out, err
		}
		if !is {
			continue
		}
		if s, has := sorted[c.ID]; has {
			c.Sorted = &SortedView{s, names[s.By]}
		}
		c.ByName = names[c.By]
		out.CallOuts, marks = append(out.CallOuts, c), append(marks, c.Marking)
	}
	slices.SortStableFunc(out.CallOuts, func(x, y CallOut) int { return x.At.Compare(y.At) })
	for i := range out.CallOuts {
		out.CallOuts[i].Number = i + 1
	}
	out.Banner, err = BannerOf(marks...)
	return out, err
}

// callOutOf reads a detection as a call-out; is is false for another kind.
func callOutOf(e store.Entity) (c CallOut, is bool, err error) {
	if e.Standing == store.Purged {
		return c, false, nil
	}
	var d atalaya.Detection
	if err := json.Unmarshal(e.Body, &d); err != nil {
		return c, false, fmt.Errorf("detection %s: %w", e.ID, err)
	}
	if d.Kind != VisualCallOut {
		return c, false, nil
	}
	if err := json.Unmarshal(d.Body, &c.CallOutBody); err != nil {
		return c, false, fmt.Errorf("detection %s: %w", e.ID, err)
	}
	c.ID, c.Standing, c.Marking, c.Missing = d.ID, e.Standing, e.Marking, c.missing()
	if p := c.Place; p != nil && p.Ellipse != nil {
		for _, q := range p.Ellipse.Ring(geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}, ringOf) {
			p.Ring = append(p.Ring, [2]float64{q.Lon, q.Lat})
		}
	}
	return c, true, nil
}

// WithdrawCallOut takes a call-out back, by a new event; it stays listed, struck through.
func (a *App) WithdrawCallOut(ctx context.Context, by Account, view access.View, id, callOut, why string) (Written, error) {
	c, e, err := a.callOut(ctx, view, id, callOut)
	if err != nil {
		return Written{}, err
	}
	if strings.TrimSpace(why) == "" {
		return Written{}, failure(atalaya.BadUse, "Say why in a sentence", "taking a call-out back needs its reason")
	}
	if c.Sorted != nil && c.Sorted.Sorting == Withdrawn {
		return Written{}, failure(atalaya.Conflict, "Load it again", "this call-out was taken back already")
	}
	return a.resort(ctx, by, e, Withdrawn, strings.TrimSpace(why))
}

// RestoreCallOut undoes a withdrawal, by a new event.
func (a *App) RestoreCallOut(ctx context.Context, by Account, view access.View, id, callOut string) (Written, error) {
	c, e, err := a.callOut(ctx, view, id, callOut)
	if err != nil {
		return Written{}, err
	}
	if c.Sorted == nil || c.Sorted.Sorting != Withdrawn {
		return Written{}, failure(atalaya.Conflict, "Load it again", "this call-out was not taken back")
	}
	return a.resort(ctx, by, e, Reopened, "")
}

// resort records what a person did with a call-out.
func (a *App) resort(ctx context.Context, by Account, e store.Entity, how Sorting, why string) (Written, error) {
	s := Sorted{Detection: atalaya.DetectionID(e.ID), Mission: atalaya.MissionID(e.Mission), Sorting: how, Why: why, By: by.ID, At: a.Clock().UTC()}
	return a.write(ctx, by, store.NewEvent{Kind: store.DetectionSorted, Subject: e.ID, Marking: e.Marking, Body: mustJSON(s)})
}

// callOut finds one call-out of a video.
func (a *App) callOut(ctx context.Context, view access.View, id, callOut string) (CallOut, store.Entity, error) {
	src, err := a.videoOf(ctx, view, id)
	if err != nil {
		return CallOut{}, store.Entity{}, err
	}
	e, err := a.Record.Get(ctx, view, "detection", callOut)
	if err != nil {
		return CallOut{}, e, err
	}
	c, is, err := callOutOf(e)
	if err == nil && (!is || e.Parent != string(src.of.ID)) {
		err = failure(atalaya.NotFound, "List them with the video", "%.80s is no call-out of this video", callOut)
	}
	if err != nil {
		return c, e, err
	}
	sorted, err := a.sorted(ctx, view, src.of.Mission)
	if s, has := sorted[c.ID]; has {
		c.Sorted = &SortedView{Sorted: s}
	}
	return c, e, err
}
