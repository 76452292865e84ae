package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/store"
)

// After each of many items that come and observations that are taken back and given back, a ranking from what is kept is byte for byte that of a program
// which reads the whole record.
func TestARankingFromWhatIsKeptIsThatOfTheWholeRecord(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a, id := threePlaces(t, fitted())
	rng := rand.New(rand.NewPCG(1, 5))
	who := Account{ID: "acct_1", Name: "ana", Role: "analyst"}
	observations, err := a.all(ctx, whole, store.Query{Kind: "observation", Mission: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	back := map[string]bool{}
	rankings := map[string]bool{}
	for i := range 40 {
		o := observations[rng.IntN(len(observations))]
		switch {
		case rng.IntN(3) > 0:
			at := geodesy.Destination(geodesy.LatLon{Lat: 24.8, Lon: -107.4}, 360*rng.Float64(), 5000*rng.Float64())
			e := site.FromReport(site.Report{At: at, RadiusM: 600, Grade: "B2", Note: "SYNTHETIC"})
			e.ID, e.Mission, e.Observation, e.Marking = atalaya.EvidenceID(fmt.Sprintf("ev_more_%d", rng.IntN(12))), id, atalaya.ObservationID(o.ID), o.Marking
			when := time.Date(2026, 3, 1+rng.IntN(20), 0, 0, 0, 0, time.UTC)
			e.When = atalaya.Span{From: when, To: when}
			if _, err := a.Record.Append(ctx, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.EvidenceMade, Subject: string(e.ID), Marking: e.Marking, Body: mustJSON(e)}); err != nil {
				t.Fatal(err)
			}
		case back[o.ID]:
			if _, err := a.Unretract(ctx, who, whole, atalaya.ObservationID(o.ID)); err != nil {
				t.Fatal(err)
			}
			back[o.ID] = false
		default:
			if _, err := a.Retract(ctx, who, whole, atalaya.ObservationID(o.ID), "SYNTHETIC"); err != nil {
				t.Fatal(err)
			}
			back[o.ID] = true
		}
		got, err := a.rank(ctx, whole, id)
		if err != nil {
			t.Fatal(err)
		}
		fresh := New(a.Record, a.Version)
		fresh.Calibration = a.Calibration
		want, err := fresh.rank(ctx, whole, id)
		if err != nil {
			t.Fatal(err)
		}
		if string(mustJSON(got)) != string(mustJSON(want)) {
			t.Fatalf("change %d: inputs %s and %s, %d candidates and %d", i, got.Inputs, want.Inputs, len(got.Candidates), len(want.Candidates))
		}
		rankings[got.Inputs] = true
	}
	if len(rankings) < 20 {
		t.Errorf("only %d rankings in 40 changes", len(rankings))
	}
}
