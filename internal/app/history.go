package app

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// SiteHistory is what was known of a site's place as evidence was sensed, the last point now.
type SiteHistory struct {
	Banner Banner              `json:"banner"`
	Site   atalaya.CandidateID `json:"site"`
	Items  int                 `json:"items"` // that speak of the place
	Points []HistoryPoint      `json:"points"`
}

// HistoryPoint is what the evidence said of the place at one time, and what had come in since the point before.
type HistoryPoint struct {
	Weighing
	Came []Came `json:"came"`
}

// Came is an item that came in.
type Came struct {
	Evidence    atalaya.EvidenceID    `json:"evidence"`
	Observation atalaya.ObservationID `json:"observation"`
	Kind        string                `json:"kind"`
}

// mostPoints is as many times as a series of a hand's width can show.
const mostPoints = 40

// History weighs the place of a candidate anew at each time at which something was sensed that speaks of it: with what had been sensed by then, whenever
// it was brought into the record. What is not known now is not in it.
func (a *App) History(ctx context.Context, view access.View, id atalaya.CandidateID) (SiteHistory, error) {
	h := SiteHistory{Site: id, Points: []HistoryPoint{}}
	c, err := a.lastKnown(ctx, view, id)
	if err != nil {
		return h, err
	}
	q, err := a.asking(ctx, view, c.Mission)
	if err != nil {
		return h, err
	}
	at := q.askedAt(c)
	items := q.speaking(at)
	h.Items = len(items)
	marks := []string{c.Marking}
	from := time.Time{}
	times := q.times(items)
	for i, t := range times {
		if err := ctx.Err(); err != nil {
			return h, err
		}
		then := q
		if i < len(times)-1 {
			then = q.until(t)
		}
		p := HistoryPoint{Weighing: then.weigh(at), Came: []Came{}}
		for _, e := range items {
			if when := q.whenOf(e); (i == 0 || when.After(from)) && !when.After(t) {
				p.Came = append(p.Came, Came{e.ID, e.Observation, e.Kind})
			}
		}
		for _, row := range p.Ledger {
			marks = append(marks, row.Marking)
		}
		h.Points, from = append(h.Points, p), t
	}
	h.Banner, err = BannerOf(marks...)
	return h, err
}

// lastKnown is a candidate as it is ranked or, where its place is gone and its case is not, as it was when that was opened.
func (a *App) lastKnown(ctx context.Context, view access.View, id atalaya.CandidateID) (atalaya.Candidate, error) {
	c, err := a.Candidate(ctx, view, id)
	if isNotFound(err) {
		if cs, _, found, err := a.CaseOf(ctx, view, id); err != nil || found {
			return cs.Snapshot, err
		}
	}
	return c, err
}

// askedAt is where a candidate was asked about: at its place where that is known to two windows, else in its likeliest cell, which is found by its
// probability (see locate/site).
func (q question) askedAt(c atalaya.Candidate) geodesy.LatLon {
	place := placeOf(c)
	if v := c.Place.CovarianceM2; math.Sqrt((v[0][0]+v[1][1])/2) > 2*site.ScaleM {
		near := math.Inf(1)
		at := place
		for _, cell := range site.Cells(q.evidence, q.opt) {
			if p := geodesy.CellCenter(s2.CellID(cell.ID)); agrees(cell.Probability, c.Probability) && geodesy.Distance(place, p) < near {
				near, at = geodesy.Distance(place, p), p
			}
		}
		return at
	}
	return place
}

// speaking are the items that say something of a place, in the order of their times.
func (q question) speaking(at geodesy.LatLon) (out []atalaya.Evidence) {
	for _, e := range q.evidence {
		if len(e.Cells) == 0 {
			continue
		}
		if _, has := slices.BinarySearch(e.Cells, uint64(geodesy.CellOf(at, e.Level))); has {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b atalaya.Evidence) int {
		return cmp.Or(q.whenOf(a).Compare(q.whenOf(b)), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// whenOf is when an item had been sensed; what has no time, or one after the assessment, counts as of then.
func (q question) whenOf(e atalaya.Evidence) time.Time {
	if t := e.When.To; !t.IsZero() && t.Before(q.opt.AsOf) {
		return t
	}
	return q.opt.AsOf
}

// times are those at which one of the items came in, the last the time of assessment; at most mostPoints, evenly taken from all.
func (q question) times(items []atalaya.Evidence) (out []time.Time) {
	for _, e := range items {
		if t := q.whenOf(e); t.Before(q.opt.AsOf) && (len(out) == 0 || t.After(out[len(out)-1])) {
			out = append(out, t)
		}
	}
	if n, most := len(out), mostPoints-1; n > most {
		kept := make([]time.Time, most)
		for i := range kept {
			kept[i] = out[(i+1)*n/most-1]
		}
		out = kept
	}
	return append(out, q.opt.AsOf)
}
