package score

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

const (
	twoSites        = `{"schema":"atalaya.truth/1","sites":[{"id":"mill","lat":24.8,"lon":-107.4},{"id":"barn","lat":25.2,"lon":-107.4}]}`
	threeCandidates = `{"schema":"atalaya.sites/1","sites":[
		{"id":"c1","rank":1,"lat":24.8,"lon":-107.4,"probability":0.9,"regions":{"p50":` + around + `,"p90":` + around + `,"p95":` + around + `}},
		{"id":"c2","rank":2,"lat":24.0,"lon":-107.4,"probability":0.4,"regions":{"p50":` + nowhere + `,"p90":` + nowhere + `,"p95":` + nowhere + `}},
		{"id":"c3","rank":3,"lat":24.801,"lon":-107.4,"probability":0.2,"regions":{"p50":` + nowhere + `,"p90":` + nowhere + `,"p95":` + around + `}}]}`
	around  = `{"type":"Polygon","coordinates":[[[-107.41,24.79],[-107.39,24.79],[-107.39,24.81],[-107.41,24.81],[-107.41,24.79]]]}`
	nowhere = `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`
)

// candidate is one that lies some metres north of a place, with a square 95 % region of half a side in degrees around it.
func candidate(rank int, from geodesy.LatLon, metres, halfSide, probability float64) string {
	p := geodesy.Destination(from, 0, metres)
	box := func(h float64) string {
		return fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%v,%v],[%v,%v],[%v,%v],[%v,%v],[%v,%v]]]}`,
			p.Lon-h, p.Lat-h, p.Lon+h, p.Lat-h, p.Lon+h, p.Lat+h, p.Lon-h, p.Lat+h, p.Lon-h, p.Lat-h)
	}
	return fmt.Sprintf(`{"id":"c%d","rank":%d,"lat":%v,"lon":%v,"probability":%v,"regions":{"p50":%s,"p90":%s,"p95":%s}}`,
		rank, rank, p.Lat, p.Lon, probability, box(halfSide/4), box(halfSide/2), box(halfSide))
}

func ranking(t testing.TB, candidates ...string) FoundSites {
	t.Helper()
	return document[FoundSites](t, `{"schema":"atalaya.sites/1","sites":[`+strings.Join(candidates, ",")+`]}`)
}

func TestAResultOfAnotherSchemaIsRefused(t *testing.T) {
	for _, other := range []string{`{}`, `{"schema":"atalaya.sources/1","groups":[]}`, `{"schema":"atalaya.sites/2","sites":[]}`, strings.Replace(threeCandidates, "atalaya.sites/1", "", 1)} {
		s, err := Sites(document[TruthSites](t, twoSites), document[FoundSites](t, other))
		if atalaya.KindOf(err) != atalaya.BadInput || !strings.Contains(err.Error(), "not atalaya.sites/1") || strings.Contains(err.Error(), "\n") || s.Found != 0 {
			t.Errorf("%.50s: %+v, %v", other, s, err)
		}
	}
}

// Of three candidates the first and the third are the mill; nothing is the barn. (0.1² + 0.4² + 0.8²)/3 = 0.27.
func TestOneOfTwoSitesFound(t *testing.T) {
	s := must[SiteScore](t)(Sites(document[TruthSites](t, twoSites), document[FoundSites](t, threeCandidates)))
	if want := (SiteRow{ID: "mill", Rank: 1, In50: true, In90: true, In95: true}); s.Rows[0] != want {
		t.Errorf("the mill: %+v, want %+v", s.Rows[0], want)
	}
	if barn := s.Rows[1]; barn.ID != "barn" || barn.Rank != 0 || !math.IsNaN(float64(barn.ErrorM)) || barn.In50 || barn.In90 || barn.In95 {
		t.Errorf("the barn was missed: %+v", barn)
	}
	if s.Sites != 2 || s.Found != 1 || s.MedianError != 0 || s.PrecisionAt1 != 1 {
		t.Errorf("%+v", s)
	}
	if want := 2. / 3; math.Abs(float64(s.PrecisionAt3)-want) > 1e-15 || math.Abs(float64(s.Brier)-0.27) > 1e-15 { // a few roundings of numbers below one
		t.Errorf("precision at 3 %g, want %g; Brier %g, want 0.27", float64(s.PrecisionAt3), want, float64(s.Brier))
	}
	for _, share := range []Share{s.In50, s.In90, s.In95} {
		if share.Held != 1 || share.Of != 2 {
			t.Errorf("%+v, want 1 of 2", share)
		}
	}
	b := must[[]byte](t)(json.Marshal(s))
	if want := `{"schema":"atalaya.score/1","sites":2,"found":1,"median_error_m":0,"precision_at_1":1,`; !strings.HasPrefix(string(b), want) {
		t.Errorf("%s\nwant it to begin %s", b, want)
	}
	if want := `{"id":"barn","rank":0,"error_m":null,"in_p50":false,"in_p90":false,"in_p95":false}]}`; !strings.HasSuffix(string(b), want) {
		t.Errorf("%s\nwant it to end %s", b, want)
	}
}

func TestACandidateIsTrueWithinReachOrByItsRegion(t *testing.T) {
	mill := geodesy.LatLon{Lat: 24.8, Lon: -107.4}
	truth := TruthSites{Sites: document[TruthSites](t, twoSites).Sites[:1]}
	for _, row := range []struct {
		claim            string
		metres, halfSide float64 // a hundredth of a degree is 1.1 km
		found            bool
		in               [3]bool
	}{
		{"within reach, region elsewhere", ReachM - 1, 0.0001, true, [3]bool{}},
		{"out of reach, region elsewhere", ReachM + 1, 0.0001, false, [3]bool{}},
		{"out of reach, but in the 95 % region", 2000, 0.03, true, [3]bool{false, false, true}},
		{"out of reach, but in the 90 % region", 2000, 0.05, true, [3]bool{false, true, true}},
		{"in all of them", 20, 0.03, true, [3]bool{true, true, true}},
	} {
		s := must[SiteScore](t)(Sites(truth, ranking(t, candidate(1, mill, row.metres, row.halfSide, 0.5))))
		r := s.Rows[0]
		if (s.Found == 1) != row.found || (r.Rank == 1) != row.found || [3]bool{r.In50, r.In90, r.In95} != row.in || float64(s.PrecisionAt1) != float64(count(row.found)) {
			t.Errorf("%s: found %d, %+v, precision %g", row.claim, s.Found, r, float64(s.PrecisionAt1))
		}
		if row.found && math.Abs(float64(r.ErrorM)-row.metres) > 1e-3 { // places go through text of 15 digits, 1e-8 m, and geodesics of nanometres
			t.Errorf("%s: %g m away, want %g", row.claim, float64(r.ErrorM), row.metres)
		}
	}
}

// An analyst meets the first of them, however near the others lie; all of them are true.
func TestTheBestRankedCandidateIsTheFind(t *testing.T) {
	mill := geodesy.LatLon{Lat: 24.8, Lon: -107.4}
	truth := TruthSites{Sites: document[TruthSites](t, twoSites).Sites[:1]}
	s := must[SiteScore](t)(Sites(truth, ranking(t, candidate(1, mill, 9000, 0.001, 0.8), candidate(2, mill, 400, 0.001, 0.6), candidate(3, mill, 5, 0.001, 0.5), candidate(4, mill, 7000, 0.001, 0.1))))
	if r := s.Rows[0]; r.Rank != 2 || math.Abs(float64(r.ErrorM)-400) > 1e-3 || r.In95 {
		t.Errorf("%+v, want the second, 400 m away", r)
	}
	// 0, then 2 of 3; (.8² + .4² + .5² + .1²)/4.
	if s.PrecisionAt1 != 0 || math.Abs(float64(s.PrecisionAt3)-2./3) > 1e-15 || math.Abs(float64(s.Brier)-1.06/4) > 1e-15 {
		t.Errorf("precision %g and %g, Brier %g", float64(s.PrecisionAt1), float64(s.PrecisionAt3), float64(s.Brier))
	}
}

func TestPrecisionIsOfTheCandidatesThereAre(t *testing.T) {
	for _, row := range []struct {
		of   []bool
		k    int
		want float64
	}{
		{[]bool{true, false, true, false}, 1, 1}, {[]bool{true, false, true, false}, 3, 2. / 3}, {[]bool{false, true}, 3, 0.5}, {[]bool{false}, 1, 0}, {[]bool{true}, 3, 1},
	} {
		if got := float64(precision(row.of, row.k)); got != row.want {
			t.Errorf("precision of %v at %d: %g, want %g", row.of, row.k, got, row.want)
		}
	}
	if got := precision(nil, 3); !math.IsNaN(float64(got)) {
		t.Errorf("precision of no candidates: %g", float64(got))
	}
}

func TestMedianErrorIsOfTheSitesFound(t *testing.T) {
	truth := document[TruthSites](t, twoSites)
	mill, barn := geodesy.LatLon{Lat: 24.8, Lon: -107.4}, geodesy.LatLon{Lat: 25.2, Lon: -107.4}
	s := must[SiteScore](t)(Sites(truth, ranking(t, candidate(1, barn, 300, 0.0001, 0.9), candidate(2, mill, 100, 0.0001, 0.8))))
	if math.Abs(float64(s.MedianError)-200) > 1e-3 || s.Rows[0].Rank != 2 || s.Rows[1].Rank != 1 {
		t.Errorf("median %g m, want 200; %+v", float64(s.MedianError), s.Rows)
	}
	s = must[SiteScore](t)(Sites(truth, ranking(t, candidate(1, barn, 300, 0.0001, 0.9))))
	if math.Abs(float64(s.MedianError)-300) > 1e-3 || s.Found != 1 || s.In95.Of != 2 {
		t.Errorf("with the mill missed: median %g m, want 300; %+v", float64(s.MedianError), s)
	}
}

func TestNothingFoundAndNothingThere(t *testing.T) {
	none := `{"held":0,"of":%d,"p025":0,"p975":%v}`
	s := must[SiteScore](t)(Sites(document[TruthSites](t, twoSites), ranking(t)))
	if s.Found != 0 || s.Sites != 2 || len(s.Rows) != 2 || s.In95.Held != 0 || s.In95.Of != 2 {
		t.Errorf("no candidates: %+v", s)
	}
	for name, v := range map[string]number{"median": s.MedianError, "precision at 1": s.PrecisionAt1, "precision at 3": s.PrecisionAt3, "Brier": s.Brier} {
		if !math.IsNaN(float64(v)) {
			t.Errorf("no candidates: %s is %g, want none", name, float64(v))
		}
	}
	s = must[SiteScore](t)(Sites(TruthSites{}, document[FoundSites](t, threeCandidates)))
	if s.Sites != 0 || s.PrecisionAt1 != 0 || s.PrecisionAt3 != 0 || math.Abs(float64(s.Brier)-1.01/3) > 1e-15 { // (.9² + .4² + .2²)/3
		t.Errorf("false alarms only: %+v", s)
	}
	b := must[[]byte](t)(json.Marshal(must[SiteScore](t)(Sites(TruthSites{}, ranking(t)))))
	all := fmt.Sprintf(none, 0, 1)
	want := `{"schema":"atalaya.score/1","sites":0,"found":0,"median_error_m":null,"precision_at_1":null,"precision_at_3":null,"brier":null,"in_p50":` + all + `,"in_p90":` + all + `,"in_p95":` + all + `,"rows":[]}`
	if string(b) != want {
		t.Errorf("%s\nwant %s", b, want)
	}
}

// Two places 222 m apart on either side of 180°: their distance is that of the ellipsoid, and a region cut there is two polygons.
func TestSitesAtTheAntimeridian(t *testing.T) {
	truth := document[TruthSites](t, `{"sites":[{"id":"atoll","lat":0,"lon":-179.999}]}`)
	cut := `{"type":"MultiPolygon","coordinates":[[[[179.99,-1],[180,-1],[180,1],[179.99,1],[179.99,-1]]],[[[-180,-1],[-179.99,-1],[-179.99,1],[-180,1],[-180,-1]]]]}`
	s := must[SiteScore](t)(Sites(truth, ranking(t, `{"id":"c1","rank":1,"lat":0,"lon":179.999,"probability":1,"regions":{"p50":`+nowhere+`,"p90":`+cut+`,"p95":`+cut+`}}`)))
	// 0.002° of the equator, 111.3195 km a degree.
	if r := s.Rows[0]; math.Abs(float64(r.ErrorM)-222.639) > 1e-3 || r.In50 || !r.In90 || !r.In95 {
		t.Errorf("%+v, want 222.639 m and the two wider regions", r)
	}
}

func TestACandidateWithoutRegionsIsAnError(t *testing.T) {
	truth := document[TruthSites](t, twoSites)
	for _, row := range []struct{ claim, regions, says string }{
		{"none", `{}`, "site c7: no region"},
		{"a point", `{"p50":{"type":"Point"}}`, `site c7: a region is a Polygon or a MultiPolygon, not "Point"`},
	} {
		_, err := Sites(truth, ranking(t, `{"id":"c7","rank":1,"regions":`+row.regions+`}`))
		if err == nil || err.Error() != row.says {
			t.Errorf("%s: %v, want %q", row.claim, err, row.says)
		}
	}
	var id atalaya.CandidateID = "c1"
	if got := document[FoundSites](t, threeCandidates).Sites[0].ID; got != id {
		t.Errorf("a ranking read back begins with %q", got)
	}
}
