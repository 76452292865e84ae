package app

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// The last point of a history is the card; each point is what a record that ended then would say of the place.
func TestAHistoryEndsAtTheCardAndEachPointIsTheRecordOfThen(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a, id := threePlaces(t, fitted())
	sites, err := a.Sites(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sites.Sites {
		h, err := a.History(ctx, whole, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		card, err := a.Card(ctx, Account{Role: "analyst"}, whole, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		last := h.Points[len(h.Points)-1]
		if last.Probability != s.Probability || last.LogOdds != s.LogOdds || string(mustJSON(last.Ledger)) != string(mustJSON(card.Ledger)) || string(mustJSON(last.Range)) != string(mustJSON(s.Range)) || !last.AsOf.Equal(sites.AsOf) {
			t.Errorf("rank %d: the last point says %g at %v, the card %g at %v", s.Rank, last.Probability, last.AsOf, s.Probability, sites.AsOf)
		}
		came := 0
		for i, p := range h.Points {
			sum := 0.0
			for _, row := range p.Ledger {
				sum += row.LogOdds
			}
			if sum != p.LogOdds || math.Abs(p.Probability-1/(1+math.Exp(-sum))) > 1e-12 || p.Range == nil || i > 0 && !p.AsOf.After(h.Points[i-1].AsOf) || i < len(h.Points)-1 && len(p.Came) == 0 {
				t.Errorf("rank %d, point %d: %+v", s.Rank, i, p.Weighing)
			}
			came += len(p.Came)
		}
		if came != h.Items || h.Items < 4 || len(h.Points) < 4 {
			t.Errorf("rank %d: %d items came in, %d speak of the place, at %d times", s.Rank, came, h.Items, len(h.Points))
		}
	}
	// The record as it would be had the mission ended on the 7th.
	early, id := threePlaces(t, fitted(), "sheets/3-mover.json", "sheets/4-signal.json", "reports/2.txt")
	q, err := early.asking(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	h, err := a.History(ctx, whole, sites.Sites[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(h.Points, func(p HistoryPoint) bool { return p.AsOf.Format(time.DateOnly) == "2026-03-07" })
	for i+1 < len(h.Points) && h.Points[i+1].AsOf.Format(time.DateOnly) == "2026-03-07" { // the find, then the end of the look
		i++
	}
	all, err := a.asking(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	q.opt.AsOf = h.Points[i].AsOf
	c, err := a.Candidate(ctx, whole, sites.Sites[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if w := q.weigh(all.askedAt(c)); w.Probability != h.Points[i].Probability {
		t.Errorf("on the 7th the history says %g, a record that ended then %g", h.Points[i].Probability, w.Probability)
	}
}

func TestAHistoryOfManyTimesIsBounded(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	q := question{opt: site.Options{AsOf: start.AddDate(0, 3, 0)}}
	for i := range 100 {
		e := site.FromReport(site.Report{At: geodesy.LatLon{Lat: 24.8, Lon: -107.4}, RadiusM: 500, Grade: "C3"})
		e.ID, e.When.To = atalaya.EvidenceID(fmt.Sprint("ev_", i)), start.Add(time.Duration(i/2)*time.Hour)
		q.evidence = append(q.evidence, e)
	}
	q.evidence[99].When.To = time.Time{}
	items := q.speaking(geodesy.LatLon{Lat: 24.8, Lon: -107.4})
	times := q.times(items)
	if len(items) != 100 || len(times) != mostPoints || !times[mostPoints-1].Equal(q.opt.AsOf) || !times[mostPoints-2].Equal(start.Add(49*time.Hour)) || !slices.IsSortedFunc(times, time.Time.Compare) {
		t.Errorf("%d items at %d times: %v", len(items), len(times), times)
	}
	if n := len(q.until(start.Add(time.Hour)).evidence); n != 5 { // two an hour, and the one without a time
		t.Errorf("by one o'clock %d items had come in, want 5", n)
	}
}

// A place that is known to kilometres was asked about where it is likeliest: there the history ends at the card, too.
func TestTheHistoryOfAWidePlaceEndsAtItsCard(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a := openTest(t, t.TempDir())
	doc, _, err := a.Run(ctx, folderOf(t, map[string]string{"mission.yaml": groundMission, "reports/1.txt": "fecha: 2026-03-14\nlugar: 24.811, -107.401\nradio_m: 3000\nfuente: B2\n\nSYNTHETIC. Dicen que algo hay por la sierra.\n",
		"reports/2.txt": "fecha: 2026-03-15\nlugar: 24.83, -107.39\nradio_m: 2500\nfuente: C3\n\nSYNTHETIC. Otra persona habla de camiones en la noche.\n"}), RunOptions{Seed: 1})
	if err != nil || len(doc.Sites) == 0 {
		t.Fatalf("%d sites: %v", len(doc.Sites), err)
	}
	for _, s := range doc.Sites {
		h, err := a.History(ctx, whole, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if last := h.Points[len(h.Points)-1]; !agrees(last.Probability, s.Probability) || h.Items == 0 {
			t.Errorf("rank %d: the history ends at %g, the card says %g", s.Rank, last.Probability, s.Probability)
		}
	}
}

func TestAHistoryTellsNothingOfWhatIsWithheld(t *testing.T) {
	ctx := context.Background()
	with, id := threePlaces(t, fitted())
	without, _ := threePlaces(t, fitted())
	narrow := withheld(t, with)
	sites, err := without.Sites(ctx, access.Whole(), id)
	if err != nil {
		t.Fatal(err)
	}
	differs := false
	for _, s := range sites.Sites {
		never, err := without.History(ctx, access.Whole(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		got, err := with.History(ctx, narrow, s.ID)
		if err != nil || string(mustJSON(got)) != string(mustJSON(never)) {
			t.Errorf("rank %d: who may not see it is told\n%s\nnever had\n%s\n%v", s.Rank, mustJSON(got), mustJSON(never), err)
		}
		whole, err := with.History(ctx, access.Whole(), s.ID)
		differs = differs || err == nil && string(mustJSON(whole)) != string(mustJSON(never))
	}
	if !differs {
		t.Error("the withheld item says nothing of any site: this test shows nothing")
	}
	if _, err := with.History(ctx, access.Of(), sites.Sites[0].ID); atalaya.KindOf(err) != atalaya.NotFound {
		t.Errorf("a mission that a reader may not see: %v", err)
	}
}
