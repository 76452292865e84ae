package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/sense/detection"
	"github.com/atalaya-isr/atalaya/store"
)

// folderOf is a mission folder of these files.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errorsOf(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const groundMission = `name: valley SYNTHETIC
from: 2026-03-14T00:00:00Z
to: 2026-03-16T00:00:00Z
marking: U//SYNTHETIC
sorties: [{id: S1, platform: drone, collection_authority: order 1}, {id: S2, platform: drone, collection_authority: order 2}]
`

// spectra is a sheet of two plumes, the second of which is told by a number that cannot be; and of a look without either.
const spectra = `{"schema":"atalaya.detections/1","kind":"spectral","sensor":"imager (SYNTHETIC)","sortie":"S2","bias_m":20,
"looks":[{"when":{"from":"2026-03-14T16:00:00Z","to":"2026-03-14T16:20:00Z"},"ring":[[24.80,-107.42],[24.80,-107.38],[24.83,-107.38],[24.83,-107.42]],"pd":0.3}],
"detections":[
{"id":"plume-1","time":"2026-03-14T16:07:11Z","lat":24.811,"lon":-107.401,"covariance_m2":[[900,0],[0,400]],"pd":0.3,"lineage":["cube 7"],"note":"methane over a roof"},
{"id":"plume-2","time":"2026-03-14T16:09:00Z","lat":924.8,"lon":-107.39,"covariance_m2":[[900,0],[0,400]]},
{"id":"plume-3","time":"2026-03-14T16:11:00Z","lat":24.822,"lon":-107.385,"covariance_m2":[[900,0],[0,400]],"real":0.5}]}`

// valley is a track that passes the first plume, a town far from it, and a permit near the second.
const valley = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"kind":"track","name":"SYNTHETIC track"},"geometry":{"type":"LineString","coordinates":[[-107.60,24.812],[-107.20,24.812]]}},
{"type":"Feature","properties":{"kind":"town","name":"SYNTHETIC town","radius_m":700},"geometry":{"type":"Point","coordinates":[-107.30,24.90]}},
{"type":"Feature","properties":{"kind":"water"},"geometry":{"type":"Polygon","coordinates":[[[-107.41,24.80],[-107.405,24.80],[-107.405,24.805],[-107.41,24.80]]]}},
{"type":"Feature","properties":{"kind":"pier"},"geometry":null},
{"type":"Feature","properties":{"kind":"permit","class":"industry","name":"SYNTHETIC works"},"geometry":{"type":"Point","coordinates":[-107.385,24.822]}}]}`

const rumour = "fecha: 2026-03-15\nlugar: 24.811, -107.401\nradio_m: 800\nfuente: B2\norigen: %s\n\nSYNTHETIC. Un pastor cuenta que de noche hay motores y un olor fuerte junto a la brecha.\n"

func entitiesOf[T any](t testing.TB, a *App, kind string) (out []T) {
	t.Helper()
	es, err := a.all(context.Background(), access.Whole(), store.Query{Kind: kind})
	if err == nil {
		out, err = nouns[T](es)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASheetALayerAndAReportAreRunFromTheirFiles(t *testing.T) {
	ctx := context.Background()
	dir := folderOf(t, map[string]string{"mission.yaml": groundMission, "sheets/spectra.json": spectra, "layers/valley.geojson": valley, "reports/one.txt": fmt.Sprintf(rumour, "R1"),
		"other.geojson": `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`, "empty.geojson": `{"type":"FeatureCollection","features":[]}`})
	a := openTest(t, t.TempDir())
	doc, partial, err := a.Run(ctx, dir, RunOptions{Seed: 1})
	if err != nil || !partial { // for the plume beyond the pole
		t.Fatalf("partial %v, %v", partial, err)
	}
	told := map[string]string{}
	for _, f := range doc.Files {
		told[f.Path] = fmt.Sprint(f.Kind, " ", f.Records, " ", f.Problems)
	}
	for path, want := range map[string]string{
		"sheets/spectra.json":   "detections 3 [{detection 2 924.8, -107.39 is no position",
		"layers/valley.geojson": "geojson 5 [{ 1 features passed over, their kinds mean nothing here: pier (1)",
		"reports/one.txt":       "text 1 []",
		"other.geojson":         "geojson 0 [{key type \"Polygon\" is kept, not used",
		"empty.geojson":         "geojson 0 []",
	} {
		if !strings.HasPrefix(told[path], want) {
			t.Errorf("%s: %s, want %s", path, told[path], want)
		}
	}
	observations := entitiesOf[atalaya.Observation](t, a, "observation")
	kinds := map[string]atalaya.Observation{}
	for _, o := range observations {
		kinds[string(o.Kind)+" "+o.Part] = o
	}
	sheet := kinds["detections "]
	if len(observations) != 4 || sheet.Sortie != "S2" || sheet.Sensor != "imager (SYNTHETIC)" || sheet.When.From.Format(time.TimeOnly) != "16:00:00" || sheet.When.To.Format(time.TimeOnly) != "16:20:00" ||
		kinds["ground "].ID == "" || kinds["ground permits"].ID == "" || kinds["report "].ID == "" {
		t.Fatalf("%d observations: %v, %+v", len(observations), kinds, sheet)
	}
	inbox, err := a.Inbox(ctx, access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range inbox.Detections {
		at := "nowhere"
		if d.Lat != nil {
			at = fmt.Sprintf("%.3f %.3f", *d.Lat, *d.Lon)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s: %s %v", d.Kind, d.When.Format(time.TimeOnly), at, d.Headline, d.Alternatives))
	}
	slices.Sort(lines)
	want := []string{
		"coverage 16:20:00 nowhere: ground looked at in 1 footprints: less likely here, by what would have stood out [hidden from view at rest then not there]",
		"mention 00:00:00 24.811 -107.401: SYNTHETIC. Un pastor cuenta que de noche hay motores y un olor fuerte junto a la brecha. [sewage crop spraying rumour]",
		"permit 00:00:00 24.822 -107.385: permit for industry: SYNTHETIC works [out of use on paper only elsewhere]",
		"spectral 16:07:11 24.811 -107.401: methane over a roof stood out for imager (SYNTHETIC) [refinery landfill burning]",
		"spectral 16:11:00 24.822 -107.385: spectral stood out for imager (SYNTHETIC) [refinery landfill burning]",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("inbox:\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for _, d := range entitiesOf[atalaya.Detection](t, a, "detection") {
		if d.Kind == "spectral" && (d.Place == nil || len(d.Place.Regions.P90) == 0 || d.Place.CovarianceM2 != [2][2]float64{{1300, 0}, {0, 800}}) { // its own, and 20 m that all share
			t.Errorf("%s has the place %+v", d.ID, d.Place)
		}
	}
	for _, e := range entitiesOf[atalaya.Evidence](t, a, "evidence") {
		switch e.Kind {
		case "spectral":
			if e.Place != nil && (e.BiasM != 20 || e.BiasGroup != "S2" || e.When.From != e.When.To || e.Others["industry"] == 0) {
				t.Errorf("evidence %+v", e)
			}
			if e.Place != nil && e.Place.Lat < 24.815 && !slices.Equal(e.Lineage, []string{"cube 7"}) {
				t.Errorf("lineage %v", e.Lineage)
			}
		case "permit":
			if e.Others["industry"] < 100*e.Others["farm"] {
				t.Errorf("a permit for industry says of farm %g, of industry %g", e.Others["farm"], e.Others["industry"])
			}
		}
		if e.Marking != "U//SYNTHETIC" {
			t.Errorf("%s bears %q", e.Kind, e.Marking)
		}
	}
	if again := sitesOf(t, a, dir); !bytes.Equal(again, mustJSON(doc)) {
		t.Errorf("run again:\n%s\nfirst:\n%s", again, mustJSON(doc))
	}
	other, _, err := openTest(t, t.TempDir()).Run(ctx, dir, RunOptions{Seed: 1})
	if err != nil || !bytes.Equal(mustJSON(other), mustJSON(doc)) {
		t.Errorf("another record: %v\n%s\nfirst:\n%s", err, mustJSON(other), mustJSON(doc))
	}
	m, err := a.Map(ctx, access.Whole(), "")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Layers.Detections.Features); n != 3 {
		t.Errorf("the map draws %d detections, want two plumes and a permit", n)
	}
	if n := len(m.Layers.Terrain.Features); n != 3 {
		t.Errorf("the map draws %d things of the ground, want a track, a town and a pond", n)
	}
	if len(m.Layers.Footprints.Features) != 1 || len(m.Layers.Looked.Features) != 1 {
		t.Errorf("the look of the sheet is not drawn: %d footprints", len(m.Layers.Footprints.Features))
	}
	for _, row := range observations {
		if says, known := summaryOf(row); !known || says.English() == "" {
			t.Errorf("no summary of %s", row.Kind)
		}
	}
}

func retractThat(t testing.TB, a *App, what func(atalaya.Observation) bool) atalaya.ObservationID {
	t.Helper()
	ctx := context.Background()
	who, _, err := a.AddAccount(ctx, "", "ana", "analyst", "")
	if err != nil {
		t.Fatal(err)
	}
	observations := entitiesOf[atalaya.Observation](t, a, "observation")
	i := slices.IndexFunc(observations, what)
	if i < 0 {
		t.Fatal("no such observation")
	}
	if _, err := a.Retract(ctx, who, access.Whole(), observations[i].ID, "SYNTHETIC"); err == nil {
		err = a.Drain(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return observations[i].ID
}

// What the layers say is what those that stand and that a reader sees say; the names of what it rests on are the assessment's to hold.
func TestTheGroundIsThatOfTheLayersThatStandAndAreSeen(t *testing.T) {
	ctx := context.Background()
	files := map[string]string{"mission.yaml": groundMission, "layers/valley.geojson": valley, "layers/river.geojson": `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"kind":"river"},"geometry":{"type":"LineString","coordinates":[[-107.60,24.95],[-107.20,24.95]]}}]}`}
	a := openTest(t, t.TempDir())
	if _, _, err := a.Run(ctx, folderOf(t, files), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	id := MissionFile{Name: "valley SYNTHETIC"}.ID()
	here := geodesy.LatLon{Lat: 24.815, Lon: -107.401}
	ratio, inputs, err := a.groundOf(ctx, access.Whole(), id)
	if err != nil || len(inputs) != 2 || ratio == nil {
		t.Fatalf("%v %v", inputs, err)
	}
	v, said := ratio.LogRatio(here)
	// 0.5 near the track, and 0.285 at 1.2 km from the pond: 0.4 - 0.6·(3t² - 2t³) with t = (1.2 - 0.5)/2.5.
	if got := atalaya.English(said); math.Abs(v-0.785) > 0.01 || !strings.HasPrefix(got, "0.33 km from a track; ") || !strings.HasSuffix(got, "km from water; 13 km from a town") {
		t.Errorf("%.3f: %s", v, got)
	}
	kept := len(a.grounds.kept) // a ranking during the run may have known of one layer alone
	if again, _, err := a.groundOf(ctx, access.Whole(), ""); err != nil || again == nil || len(a.grounds.kept) != kept {
		t.Errorf("of the whole record: %v, %d kept, %d before", err, len(a.grounds.kept), kept)
	}
	if ratio, inputs, err := a.groundOf(ctx, access.Of(), id); err != nil || ratio != nil || inputs != nil {
		t.Errorf("a reader who sees no layer: %v %v", inputs, err)
	}
	for _, view := range []struct {
		is   access.View
		want bool
	}{{access.Whole(), true}, {access.Of(), false}} {
		if sees, err := a.seesAllGround(ctx, view.is, id); err != nil || sees != view.want {
			t.Errorf("sees all: %v, want %v, %v", sees, view.want, err)
		}
	}
	retractThat(t, a, func(o atalaya.Observation) bool { return o.Path == "layers/valley.geojson" && o.Part == "" })
	ratio, left, err := a.groundOf(ctx, access.Whole(), id)
	if err != nil || len(left) != 1 || !slices.Contains(inputs, left[0]) {
		t.Fatalf("%v %v", left, err)
	}
	if v, said := ratio.LogRatio(here); v > 0 || strings.Contains(atalaya.English(said), "track") {
		t.Errorf("the track was taken back, yet: %.3f %s", v, atalaya.English(said))
	}
	delete(files, "layers/valley.geojson")
	b := openTest(t, t.TempDir())
	if _, _, err := b.Run(ctx, folderOf(t, files), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	never, inputs, err := b.groundOf(ctx, access.Whole(), id)
	if err != nil || !slices.Equal(inputs, left) {
		t.Fatalf("%v, want %v: %v", inputs, left, err)
	}
	x, _ := ratio.LogRatio(here)
	if y, _ := never.LogRatio(here); x != y {
		t.Errorf("taken back %g, never had %g", x, y)
	}
}

func TestALayerBehindAnotherIsReadOnceAndOldOnesAreDropped(t *testing.T) {
	var k grounds
	made := 0
	for _, name := range []string{"a", "b", "a", "c", "d", "e", "a", "b"} {
		if _, err := k.of(name, func() (*site.Ground, error) { made++; return nil, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if made != 6 || len(k.kept) != maxGrounds { // a, b, c, d, e, and b again, which e had put out
		t.Errorf("made %d, kept %d", made, len(k.kept))
	}
	if _, err := k.of("bad", func() (*site.Ground, error) { return nil, context.Canceled }); err != context.Canceled || len(k.kept) != maxGrounds {
		t.Errorf("a layer that cannot be read is kept: %v", err)
	}
}

// A rumour that is passed on a hundred times, each time under another name, later date and source, is one report: the first.
func TestAHundredCopiesOfOneReportAreOneReport(t *testing.T) {
	t.Setenv("PATH", "") // no translator: what a copy counts does not hang on its draft translation, a third of a second each
	probability := func(files map[string]string) float64 {
		files["mission.yaml"], files["spectra.json"] = groundMission, spectra
		doc, _, err := openTest(t, t.TempDir()).Run(context.Background(), folderOf(t, files), RunOptions{})
		if err != nil || len(doc.Sites) == 0 {
			t.Fatal(err)
		}
		here := geodesy.LatLon{Lat: 24.811, Lon: -107.401}
		for _, s := range doc.Sites {
			if geodesy.Distance(here, geodesy.LatLon{Lat: s.Lat, Lon: s.Lon}) < 300 {
				return s.Probability
			}
		}
		t.Fatal("no candidate where the rumour points")
		return 0
	}
	first := strings.Replace(fmt.Sprintf(rumour, "pastor"), "2026-03-15", "2026-02-01", 1)
	one, copies, others := map[string]string{"reports/first.txt": first}, map[string]string{"reports/first.txt": first}, map[string]string{}
	for i := range 100 {
		text := fmt.Sprintf(rumour, fmt.Sprint("fuente ", i))
		text = strings.Replace(text, "2026-03-15", fmt.Sprintf("2026-%02d-%02d", 2+i%2, 1+i%15), 1)
		text = strings.Replace(text, "fuente: B2", "fuente: "+[]string{"B2", "C3", "D4", "F6"}[i%4], 1)
		switch body := strings.Index(text, "\n\n"); i % 3 {
		case 1:
			text = text[:body] + strings.ToUpper(text[body:])
		case 2:
			text = text[:body] + "\n\n" + fmt.Sprint(i) + ") " + strings.NewReplacer("á", "a", "é", "e", ".", "!", ",", " ").Replace(text[body+2:])
		}
		copies[fmt.Sprintf("reports/copy-%d.txt", i)] = text
		if i < 3 { // three people who say it in their own words
			others[fmt.Sprintf("reports/other-%d.txt", i)] = strings.Replace(first, "Un pastor cuenta", []string{"Una maestra dice", "Un chofer jura", "Dos vecinos creen"}[i], 1)
			others[fmt.Sprintf("reports/other-%d.txt", i)] = strings.Replace(others[fmt.Sprintf("reports/other-%d.txt", i)], "origen: pastor", fmt.Sprint("origen: persona ", i), 1)
		}
	}
	p, q, r := probability(one), probability(copies), probability(others)
	t.Logf("one report %.6f, a hundred copies %.6f, three other people %.6f", p, q, r)
	if math.Abs(q-p) > 0.01*p {
		t.Errorf("a hundred copies move %.6f to %.6f", p, q)
	}
	if r < 1.2*p {
		t.Errorf("three people who each say it themselves move %.6f to %.6f only: this test shows nothing", p, r)
	}
}

func TestWordsNameAnOriginWhateverTheirDress(t *testing.T) {
	const first = "Un pastor cuenta que, en la cañada, hay olor a acetona desde el 12 de marzo."
	for _, row := range []struct {
		claim, text string
		same        bool
	}{
		{"capitals", strings.ToUpper(first), true},
		{"no accents", "Un pastor cuenta que, en la canada, hay olor a acetona desde el 12 de marzo.", true},
		{"accents of their own", "Un pastor cuenta que, en la can\u0303ada, hay olor a acetona desde el 12 de marzo.", true},
		{"another number, other stops, other lines", "1) Un pastor cuenta que en la cañada\n  hay olor a acetona; desde el 31 de marzo!!", true},
		{"another word", "Un pastor dice que, en la cañada, hay olor a acetona desde el 12 de marzo.", false},
		{"another order", "Cuenta un pastor que, en la cañada, hay olor a acetona desde el 12 de marzo.", false},
		{"two words run together", "Un pastor cuentaque, en la cañada, hay olor a acetona desde el 12 de marzo.", false},
		{"a word more", first + " Confirmado", false},
	} {
		if same := site.WordsKey(row.text) == site.WordsKey(first); same != row.same {
			t.Errorf("%s: one origin %v, want %v", row.claim, same, row.same)
		}
	}
	for _, few := range []string{"", "12 34 ... !", "Hay olor a acetona", "a  b\tc\n\n1 2 3 d"} {
		if key := site.WordsKey(few); key != "" {
			t.Errorf("%q, which two people may say alike, has the key %s", few, key)
		}
	}
	if key := site.WordsKey("Hay mucho olor a acetona"); !strings.HasPrefix(key, "words_") || len(key) != len("words_")+32 {
		t.Errorf("key %q", key)
	}
	utf, err := observeReport(strings.NewReader("fecha: 2026-03-15\n\n"+first), "a.txt", MissionFile{})
	if err != nil {
		t.Fatal(err)
	}
	latin, err := observeReport(strings.NewReader("fecha: 2026-03-14\nlugar: el ca\xf1\xf3n\n\n"+strings.ReplaceAll(first, "ñ", "\xf1")), "b.txt", MissionFile{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := utf.observations[0].Lineage, latin.observations[0].Lineage; len(a) != 1 || !slices.Equal(a, b) {
		t.Errorf("in UTF-8 %v, in Latin-1 %v", a, b)
	}
}

// A sheet whose detections are spread over half a country is told, not weighed; and a large one of sharp ones is.
func TestALargeSheetIsBounded(t *testing.T) {
	sheet := func(n int, sigma float64) *detection.Sheet {
		s := &detection.Sheet{Schema: detection.Schema, Kind: "gas", Sensor: "SYNTHETIC"}
		for i := range n {
			s.Found = append(s.Found, detection.Found{ID: fmt.Sprint(i), Time: time.Date(2026, 3, 14, 0, 0, i, 0, time.UTC), Lat: 24 + float64(i%100)/100, Lon: -107 + float64(i/100)/100,
				CovarianceM2: [2][2]float64{{sigma * sigma, 0}, {0, sigma * sigma}}})
		}
		return s
	}
	wide, err := findInSheet(context.Background(), atalaya.Observation{}, sheet(500, 3000), 20_000)
	if err != nil || len(wide) != 1 || !strings.Contains(string(wide[0].detection.Body), "spread over more ground than can be weighed") || len(wide[0].evidence) > 0 {
		t.Errorf("%d found, %v", len(wide), err)
	}
	sharp, err := findInSheet(context.Background(), atalaya.Observation{}, sheet(500, 30), mostSheetCells)
	if err != nil || len(sharp) != 500 || sharp[499].detection.Place == nil {
		t.Errorf("%d found, %v", len(sharp), err)
	}
	var b SheetBody
	if err := json.Unmarshal(sheetObservation(sheet(20000, 30)).Body, &b); err != nil || b.Detections != 20000 || len(b.Found) > maxPoints || len(b.Found) < maxPoints/2 {
		t.Errorf("the body holds %d of %d, %v", len(b.Found), b.Detections, err)
	}
}
