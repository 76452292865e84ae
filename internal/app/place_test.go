package app

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/store"
)

// valleyMission is a fortnight over three places: one where everything speaks for a site, one with a permit, one seen once. SYNTHETIC.
func valleyMission() map[string]string {
	sheet := func(kind, sortie, day string, found ...string) string {
		text := fmt.Sprintf(`{"schema":"atalaya.detections/1","kind":%q,"sensor":"%s (SYNTHETIC)","sortie":%q,"bias_m":10,
"looks":[{"when":{"from":"2026-03-%sT16:00:00Z","to":"2026-03-%sT16:20:00Z"},"ring":[[24.76,-107.46],[24.76,-107.31],[24.88,-107.31],[24.88,-107.46]],"pd":0.4}],
"detections":[`, kind, kind, sortie, day, day)
		for i, at := range found {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf(`{"id":"%s-%d","time":"2026-03-%sT16:0%d:00Z",%s,"covariance_m2":[[400,0],[0,400]],"real":0.9,"pd":0.4}`, kind, i, day, i, at)
		}
		return text + "]}"
	}
	const a, b, c = `"lat":24.811,"lon":-107.401`, `"lat":24.86,"lon":-107.33`, `"lat":24.78,"lon":-107.44`
	return map[string]string{
		"mission.yaml": `name: three places SYNTHETIC
area: [-107.50, 24.70, -107.25, 24.92]
from: 2026-03-01T00:00:00Z
to: 2026-03-16T00:00:00Z
marking: U//REL TO USA, MEX//SYNTHETIC
sorties: [{id: S1, platform: drone, collection_authority: order 1}, {id: S2, platform: drone, collection_authority: order 1}, {id: S3, platform: drone, collection_authority: order 1}, {id: S4, platform: drone, collection_authority: order 1}]
`,
		"sheets/1-thermal.json":  sheet("thermal", "S1", "03", a, b),
		"sheets/2-spectral.json": sheet("spectral", "S2", "07", a, c),
		"sheets/3-mover.json":    sheet("mover", "S3", "10", a, b),
		"sheets/4-signal.json":   sheet("signal", "S4", "12", a),
		"reports/1.txt":          "fecha: 2026-03-05\nlugar: 24.811, -107.401\nradio_m: 800\nfuente: B2\n\nSYNTHETIC. Un pastor cuenta que de noche hay motores y un olor fuerte junto a la brecha.\n",
		"reports/2.txt":          "fecha: 2026-03-13\nlugar: 24.86, -107.33\nradio_m: 600\nfuente: C3\n\nSYNTHETIC. Dicen que en el taller del camino entran camiones por la noche.\n",
		"layers/valley.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"kind":"track","name":"SYNTHETIC track"},"geometry":{"type":"LineString","coordinates":[[-107.60,24.812],[-107.20,24.812]]}},
{"type":"Feature","properties":{"kind":"permit","class":"industry","name":"SYNTHETIC works"},"geometry":{"type":"Point","coordinates":[-107.33,24.86]}}]}`,
	}
}

// fitted is a calibration of cases whose log-odds promise more than comes true. SYNTHETIC.
func fitted() *site.Calibration {
	s := numeric.NewStream(3, 1)
	cases := make([]site.Case, 600)
	for i := range cases {
		l := 12*s.Float64() - 9
		cases[i] = site.Case{LogOdds: l, Site: s.Float64() < 1/(1+math.Exp(0.5-0.7*l)), Weight: 1}
	}
	c := site.Fit(cases)
	c.Version, c.From = "SYNTHETIC", []site.Basis{{Scenario: "valley", FirstSeed: 100, Seeds: 12}}
	return &c
}

// threePlaces is a record of valleyMission without some of its files.
func threePlaces(t testing.TB, cal *site.Calibration, without ...string) (*App, atalaya.MissionID) {
	t.Helper()
	files := valleyMission()
	for _, name := range without {
		if _, there := files[name]; !there {
			t.Fatalf("there is no %s to leave out", name)
		}
		delete(files, name)
	}
	a := openTest(t, t.TempDir())
	a.Calibration = cal
	if _, partial, err := a.Run(context.Background(), folderOf(t, files), RunOptions{Seed: 1}); err != nil || partial {
		t.Fatalf("partial %v: %v", partial, err)
	}
	return a, MissionFile{Name: "three places SYNTHETIC"}.ID()
}

// The card says what one more look would make of the probability, and how far it is known; the words of the calibration are words of the API.
func TestTheCardSaysWhatWouldChangeIt(t *testing.T) {
	ctx := context.Background()
	a, id := threePlaces(t, fitted())
	sites, err := a.Sites(ctx, access.Whole(), id)
	if err != nil || len(sites.Sites) < 3 {
		t.Fatalf("%d sites: %v", len(sites.Sites), err)
	}
	for _, s := range sites.Sites {
		card, err := a.Card(ctx, Account{Role: "analyst"}, access.Whole(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if s.Range == nil || !(s.Range[0] <= s.Probability && s.Probability <= s.Range[1]) || s.Cases < site.LeastCases || s.Word == nil {
			t.Errorf("rank %d: probability %g within %v of %d cases, word %v", s.Rank, s.Probability, s.Range, s.Cases, s.Word)
		}
		if len(card.WouldChange) < 5 {
			t.Fatalf("%d senses would change it", len(card.WouldChange))
		}
		for i, c := range card.WouldChange {
			// A find may speak more for a factory than for a site, and then lowers it: the ends are in no order.
			if !(0 < c.IfNot && c.IfNot < 1 && 0 < c.IfSeen && c.IfSeen < 1 && 0 < c.Chance && c.Chance < 1) || c.IfSeen == c.IfNot || c.Kind == "permit" || i > 0 && c.Bits > card.WouldChange[i-1].Bits {
				t.Errorf("rank %d, %d: %+v where it is %g", s.Rank, i, c, s.Probability)
			}
		}
	}
	bare, id := threePlaces(t, nil)
	sites, err = bare.Sites(ctx, access.Whole(), id)
	if err != nil || sites.Sites[0].Range != nil || sites.Sites[0].Cases != 0 || sites.Sites[0].Word != nil {
		t.Errorf("without a calibration: %+v, %v", sites.Sites[0], err)
	}
	if b := string(mustJSON(sites)); !strings.Contains(b, `"range_90":null,"cases":0`) {
		t.Error("without a calibration the answer does not say that there is no interval")
	}
}

// At the cell of a candidate the answer for a place is its card, to the last digit of the sum and of what else it may be.
func TestAPlaceSaysWhatTheCardOfItsCandidateSays(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	for _, cal := range []*site.Calibration{nil, fitted()} {
		a, id := threePlaces(t, cal)
		sites, err := a.Sites(ctx, whole, id)
		if err != nil || len(sites.Sites) < 3 {
			t.Fatalf("%d sites: %v", len(sites.Sites), err)
		}
		for _, s := range sites.Sites {
			card, err := a.Card(ctx, Account{Role: "analyst"}, whole, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			v, err := a.Place(ctx, whole, id, geodesy.LatLon{Lat: s.Lat, Lon: s.Lon})
			if err != nil {
				t.Fatal(err)
			}
			if !v.Inside || v.Site == nil || v.Site.ID != s.ID || !v.Site.Same || v.Rank != s.Rank || v.Candidates != len(sites.Sites) {
				t.Fatalf("rank %d: inside %v, %+v, rank %d of %d", s.Rank, v.Inside, v.Site, v.Rank, v.Candidates)
			}
			if v.Probability != s.Probability || v.LogOdds != s.LogOdds || v.Cases != s.Cases || string(mustJSON(v.Word)) != string(mustJSON(s.Word)) || string(mustJSON(v.Range)) != string(mustJSON(s.Range)) {
				t.Errorf("rank %d: %g of log-odds %g, %v; the card %g of %g, %v", s.Rank, v.Probability, v.LogOdds, v.Range, s.Probability, s.LogOdds, s.Range)
			}
			if x, y := mustJSON(v.Ledger), mustJSON(card.Ledger); !bytes.Equal(x, y) {
				t.Errorf("rank %d: ledger\n%s\ncard\n%s", s.Rank, x, y)
			}
			if len(v.Alternatives) != len(card.Alternatives) {
				t.Fatalf("alternatives %+v, the card's %+v", v.Alternatives, card.Alternatives)
			}
			sum := v.Probability
			for i, x := range v.Alternatives {
				sum += x.Share
				if want := card.Alternatives[i]; math.Abs(x.Share-want.Probability) > 1e-9 { // of sums of a dozen logarithms
					t.Errorf("rank %d: %s %.12f, the card says %s %.12f", s.Rank, x.Class, x.Share, want.Label, want.Probability)
				}
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("rank %d: a site and what else it may be sum to %.15f", s.Rank, sum)
			}
		}
	}
}

func TestAPlaceSaysWhoLookedAndWhereItIs(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a, id := threePlaces(t, fitted())
	at := func(lat, lon float64) PlaceView {
		t.Helper()
		v, err := a.Place(ctx, whole, id, geodesy.LatLon{Lat: lat, Lon: lon})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	works := at(24.86, -107.33) // heat, movers and a report speak for it, a permit explains them
	if len(works.Named) == 0 || works.Alternatives[0].Class != site.Industry || works.Alternatives[0].Share < 0.5 {
		t.Errorf("the works: %v, named %v", works.Alternatives, works.Named)
	}
	looks := works.Reach.Looks
	if len(looks) != 4 || looks[0].Kind != "signal" || looks[0].Sortie != "S4" || looks[3].Kind != "thermal" || !looks[0].When.To.After(looks[3].When.To) {
		t.Fatalf("looks %+v", looks)
	}
	for _, l := range looks {
		if !(l.Chance > 0 && l.Chance < 1 && l.MeanChance > 0 && l.Covered > 0.9) || l.Sensor == "" || l.Marking == "" {
			t.Errorf("look %+v", l)
		}
	}
	if works.Reach.Unlooked > 0.1 || !slices.Equal(works.Reach.Missing, []string{"gas", "video"}) {
		t.Errorf("unlooked %g, missing %v", works.Reach.Unlooked, works.Reach.Missing)
	}
	bare := at(24.72, -107.27) // nobody has been there: that is all that is known
	if !bare.Inside || len(bare.Reach.Looks) != 0 || bare.Reach.Unlooked != 1 || len(bare.Reach.Missing) != len(site.Senses)-1 || bare.Rank < 2 || bare.Site.Same || bare.Site.DistanceM < 1000 {
		t.Errorf("bare ground: %+v, rank %d of %d, %+v", bare.Reach, bare.Rank, bare.Candidates, bare.Site)
	}
	for _, row := range bare.Ledger {
		if row.Kind != "prior" && row.Kind != "terrain" && row.Kind != "calibration" {
			t.Errorf("bare ground has a row %+v", row)
		}
	}
	if b := bare.Banner.Text; b != "UNCLASSIFIED//REL TO USA, MEX//SYNTHETIC" {
		t.Errorf("banner %q", b)
	}
	if out := at(24.60, -107.33); out.Inside || out.Weighing != nil || out.Reach != nil || len(out.Alternatives) != 0 {
		t.Errorf("beyond the mission's ground: %+v", out)
	}
	if _, err := a.Place(ctx, whole, id, geodesy.LatLon{Lat: 91}); atalaya.KindOf(err) != atalaya.BadInput {
		t.Errorf("no position: %v", err)
	}
	if _, err := a.Place(ctx, access.Of(), id, geodesy.LatLon{Lat: 24.86, Lon: -107.33}); atalaya.KindOf(err) != atalaya.NotFound {
		t.Errorf("a mission that a reader may not see: %v", err)
	}
}

// withheld adds to the record one more sheet and its evidence, under a marking of its own, and gives the view that lacks it.
func withheld(t *testing.T, a *App) access.View {
	t.Helper()
	ctx := context.Background()
	var from atalaya.Observation
	for _, o := range entitiesOf[atalaya.Observation](t, a, "observation") {
		if o.Path == "sheets/2-spectral.json" {
			from = o
		}
	}
	const marking = "S//NF//SYNTHETIC"
	was := from.ID
	from.ID, from.Marking, from.Path = "obs_withheld", marking, "sheets/withheld.json"
	events := []store.NewEvent{{Time: a.Clock(), Actor: System, Kind: store.ObservationMade, Subject: string(from.ID), Marking: marking, Body: mustJSON(from)}}
	for i, e := range entitiesOf[atalaya.Evidence](t, a, "evidence") {
		if e.Observation == was {
			e.ID, e.Observation, e.Marking = atalaya.EvidenceID(fmt.Sprint("ev_withheld", i)), from.ID, marking
			e.When.From, e.When.To = e.When.From.AddDate(0, 0, 2), e.When.To.AddDate(0, 0, 2)
			events = append(events, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.EvidenceMade, Subject: string(e.ID), Marking: marking, Body: mustJSON(e)})
		}
	}
	events[len(events)-1].Jobs = []store.Job{assessJob(from.Mission)}
	if _, err := a.Record.Append(ctx, events...); err != nil {
		t.Fatal(err)
	}
	if err := a.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	labels, err := a.Record.Labels(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var ids []access.LabelID
	for id, m := range labels {
		if m != marking {
			ids = append(ids, id)
		}
	}
	if len(ids) == len(labels) {
		t.Fatalf("nothing bears %s: %v", marking, labels)
	}
	return access.Of(ids...)
}

// Who may not see an item gets, byte for byte, what a record without it answers.
func TestAPlaceTellsNothingOfWhatIsWithheld(t *testing.T) {
	ctx := context.Background()
	with, id := threePlaces(t, fitted())
	without, _ := threePlaces(t, fitted())
	narrow := withheld(t, with)
	for _, at := range []geodesy.LatLon{{Lat: 24.811, Lon: -107.401}, {Lat: 24.78, Lon: -107.44}, {Lat: 24.80, Lon: -107.35}, {Lat: 24.72, Lon: -107.27}} {
		answer := func(a *App, view access.View) string {
			v, err := a.Place(ctx, view, id, at)
			if err != nil {
				t.Fatal(err)
			}
			return string(mustJSON(v))
		}
		never := answer(without, access.Whole())
		if got := answer(with, narrow); got != never {
			t.Errorf("%v: who may not see it is told\n%s\nnever had\n%s", at, got, never)
		}
		if at.Lat > 24.75 && answer(with, access.Whole()) == never {
			t.Errorf("%v: the withheld item says nothing there: this test shows nothing", at)
		}
	}
}

// A footprint of fifteen kilometres is ground looked at on the map, as it is in the ledger.
func TestWideFootprintsAreNotHatched(t *testing.T) {
	a, id := threePlaces(t, nil)
	m, err := a.Map(context.Background(), access.Whole(), id)
	if err != nil || len(m.Layers.Looked.Features) != 1 {
		t.Fatalf("%d pieces of ground looked at: %v", len(m.Layers.Looked.Features), err)
	}
	hatched := m.Layers.Unsurveyed.Features[0].Geometry.Coordinates.([][][][2]float64)[0]
	inside := func(ring [][2]float64, lon, lat float64) bool {
		odd := false
		for i := range len(ring) - 1 {
			p, q := ring[i], ring[i+1]
			if (p[1] > lat) != (q[1] > lat) && lon < p[0]+(lat-p[1])/(q[1]-p[1])*(q[0]-p[0]) {
				odd = !odd
			}
		}
		return odd
	}
	for _, at := range []struct {
		lat, lon float64
		looked   bool
	}{{24.82, -107.38, true}, {24.77, -107.45, true}, {24.72, -107.27, false}} {
		holes := 0
		for _, ring := range hatched[1:] {
			if inside(ring, at.lon, at.lat) {
				holes++
			}
		}
		if (holes > 0) != at.looked {
			t.Errorf("%.2f, %.2f lies in %d holes of the hatching, looked at: %v", at.lat, at.lon, holes, at.looked)
		}
	}
}
