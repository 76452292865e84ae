// Package reviewtest makes records that can be released, for the tests of what comes after a review. All in them is invented.
package reviewtest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/review"
)

// Day is the day on which everything here happens.
var Day = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// Candidate is an invented place with an error ellipse of 30 by 20 m (one standard deviation).
func Candidate() atalaya.Candidate {
	centre := geodesy.LatLon{Lat: 24.8043217, Lon: -107.3940981}
	cov := [2][2]float64{{900, 100}, {100, 400}}
	region := func(p float64) json.RawMessage {
		ring := geodesy.EllipseOf(cov, p).Ring(centre, 48)
		out := make([][2]float64, 0, len(ring)+1)
		for _, q := range append(ring, ring[0]) {
			out = append(out, [2]float64{q.Lon, q.Lat})
		}
		b, err := json.Marshal(map[string]any{"type": "Polygon", "coordinates": [][][2]float64{out}})
		if err != nil {
			panic(err)
		}
		return b
	}
	return atalaya.Candidate{
		ID: "site_00112233445566778899aabbccddeeff", Mission: "mission-synthetic", Rank: 1, Probability: 0.8731,
		Place: atalaya.Place{Lat: centre.Lat, Lon: centre.Lon, CovarianceM2: cov,
			Regions: atalaya.Regions{P50: region(0.5), P90: region(0.9), P95: region(0.95)}},
		RateKgS: map[string]atalaya.Interval{"acetone": {Mean: 6.1e-4, P05: 3.2e-4, P50: 5.9e-4, P95: 9.7e-4}},
		Ledger: []atalaya.LedgerItem{
			{Kind: "prior", LogOdds: -4.6, Note: "one site in a hundred square kilometres"},
			{Kind: "gas", Observation: "obs_aaaa0000aaaa0000aaaa0000aaaa0000", Evidence: "ev_aaaa", LogOdds: 4.1, Note: "SNIFFER-7 on RAVEN-2 saw acetone", Marking: "U//SYNTHETIC"},
			{Kind: "signal", Observation: "obs_bbbb0000bbbb0000bbbb0000bbbb0000", Evidence: "ev_bbbb", LogOdds: 1.6, Note: "DF-3 bearing", Marking: "U//SYNTHETIC"},
			{Kind: "video", Observation: "obs_cccc0000cccc0000cccc0000cccc0000", Evidence: "ev_cccc", LogOdds: -0.4, Note: "EO turret saw a bare roof", Marking: "U//SYNTHETIC"},
			{Kind: "report", Observation: "obs_dddd0000dddd0000dddd0000dddd0000", Evidence: "ev_dddd", LogOdds: 1.23, Grade: "B2", Note: "el vecino dice...", Marking: "U//SYNTHETIC"},
		},
		Alternatives: []atalaya.Alternative{{Label: "paint shop", Probability: 0.08}, {Label: "farm", Probability: 0.0469}},
		Marking:      "U//SYNTHETIC", AsOf: Day.Add(-24 * time.Hour),
	}
}

// Record is a release that Decide lets pass.
func Record() review.Record { return RecordOf(Candidate()) }

// RecordOf is a release of a candidate, approved by two invented people.
func RecordOf(c atalaya.Candidate) review.Record {
	basis, err := review.BasisOf(c)
	if err != nil {
		panic(err)
	}
	const id = "case_0195933e-aaaa-7000-8000-000000000001"
	legal := atalaya.LegalBasis{Instrument: "SYNTHETIC agreement 1 of 2026", ReviewBy: Day.AddDate(1, 0, 0)}
	rec := review.Record{
		ID: "rel_0195933e-aaaa-7000-8000-000000000009",
		Case: atalaya.Case{ID: id, Candidate: c.ID, Mission: c.Mission, OpenedBy: "acct_ana", OpenedAt: Day.Add(-3 * time.Hour),
			LegalBasis: legal, Marking: "U//SYNTHETIC", Snapshot: c, Basis: basis},
		Current: basis, By: "acct_ana", At: Day, Recipient: "MEX", Marking: "U//SYNTHETIC", LegalBasis: legal,
		Sorties: []atalaya.Sortie{{ID: "sortie-17", Platform: "RAVEN-2", Authority: "SYNTHETIC order 4", HostConsent: "SYNTHETIC note 5", Abroad: true}},
	}
	for i, who := range []atalaya.AccountID{"acct_ana", "acct_luis"} {
		rec.Reviews = append(rec.Reviews, atalaya.Review{ID: atalaya.ReviewID(fmt.Sprintf("rev_%d", i)), Case: id, By: who,
			At: Day.Add(time.Duration(i-2) * time.Hour), Decision: atalaya.Approve, Basis: basis, Why: "SYNTHETIC"})
	}
	kinds := map[string]atalaya.ObservationKind{"gas": atalaya.GasSurvey, "signal": atalaya.Bearings, "video": atalaya.VideoTrack, "report": atalaya.Report}
	for _, item := range c.Ledger {
		if item.Observation == "" {
			continue
		}
		s := review.Source{Observation: item.Observation, Kind: kinds[item.Kind], Sortie: "sortie-17"}
		if s.Kind == atalaya.Report {
			s.Sortie = ""
		}
		rec.Sources = append(rec.Sources, s)
	}
	return rec
}

// Released is the handle of Record.
func Released() review.Released {
	r, err := review.Decide(Record())
	if err != nil {
		panic(err)
	}
	return r
}
