package app

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
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
