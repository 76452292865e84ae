package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/locate/site"
)

func TestAPlaceIsAskedOverTheAPI(t *testing.T) {
	b := newBench(t)
	b.run()
	ana := b.person("ana")
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	top := sites.Sites[0]
	var v app.PlaceView
	ana.want(200, "GET", fmt.Sprintf("/api/assess?lat=%.9f&lon=%.9f", top.Lat, top.Lon), nil, &v)
	if !v.Inside || v.Weighing == nil || v.Probability <= 0 || v.LogOdds == 0 || len(v.Ledger) < 2 || v.Site == nil || v.Site.ID != top.ID || v.Mission != top.Mission || v.Range == nil || top.Range == nil || *v.Range != *top.Range {
		t.Errorf("at the first site: %+v", v)
	}
	far := app.PlaceView{}
	ana.want(200, "GET", "/api/assess?lat=-10&lon=20&mission="+string(top.Mission), nil, &far)
	if far.Inside || far.Weighing != nil {
		t.Errorf("on another continent: %+v", far)
	}
	for _, q := range []string{"lat=91&lon=0", "lat=1", "lat=x&lon=0", "lat=NaN&lon=0", "lat=0&lon=181", ""} {
		if res, _ := ana.do("GET", "/api/assess?"+q, nil); res.StatusCode != 422 && res.StatusCode != 400 {
			t.Errorf("%q: %d", q, res.StatusCode)
		}
	}
	ana.refused(404, "GET", "/api/assess?lat=1&lon=1&mission=mis_none", nil, "")
}

// narrow serves the same record to readers who may see the label of accounts alone.
func (b *bench) narrow() {
	b.Helper()
	s := newServer(b.app, Options{})
	s.view = func(ctx context.Context, _ app.Account) (access.View, error) {
		id, err := b.app.Record.Label(ctx, "U")
		return access.Of(id), err
	}
	h, err := s.handler()
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	b.srv.URL = srv.URL
}

func TestAPlaceOfAMissionThatIsWithheldAnswersLikeOneOfNone(t *testing.T) {
	b := newBench(t)
	b.run()
	ana := b.person("ana")
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	b.narrow()
	luis := b.person("luis")
	answer := func(mission string) string {
		res, out := luis.do("GET", "/api/assess?lat=24.93&lon=-106.86&mission="+mission, nil)
		return fmt.Sprint(res.StatusCode, len(out))
	}
	if x, y := answer(string(sites.Sites[0].Mission)), answer(string(sites.Sites[0].Mission[:len(sites.Sites[0].Mission)-4])+"zzzz"); x != y || x[:3] != "404" {
		t.Errorf("withheld %s, absent %s", x, y)
	}
	luis.refused(404, "GET", "/api/assess?lat=24.93&lon=-106.86", nil, "mission")
}

func TestTwoSitesStandBesideEachOtherUnderOneBanner(t *testing.T) {
	b := newBench(t)
	b.run()
	ana := b.person("ana")
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	id := string(sites.Sites[0].ID)
	other := string(sites.Sites[len(sites.Sites)-1].ID)
	var two app.TwoCards
	ana.want(200, "GET", "/api/compare?a="+id+"&b="+other, nil, &two)
	var card app.SiteCard
	ana.want(200, "GET", "/api/sites/"+id, nil, &card)
	x, _ := json.Marshal(two.Sites[0])
	y, _ := json.Marshal(card)
	if string(x) != string(y) || two.Banner != card.Banner || string(two.Sites[1].Site.ID) != other {
		t.Errorf("beside another:\n%s\nalone:\n%s", x, y)
	}
	ana.refused(404, "GET", "/api/compare?a="+id+"&b=site_none", nil, "")
	b.narrow()
	luis := b.person("luis")
	luis.refused(404, "GET", "/api/compare?a="+id+"&b="+id, nil, "")
}

func TestTheHistoryOfASiteEndsNow(t *testing.T) {
	b := newBench(t)
	b.run()
	ana := b.person("ana")
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	top := sites.Sites[0]
	var h app.SiteHistory
	ana.want(200, "GET", "/api/sites/"+string(top.ID)+"/history", nil, &h)
	if n := len(h.Points); n < 2 || h.Points[n-1].Probability != top.Probability || !h.Points[n-1].AsOf.Equal(top.AsOf) || h.Banner.Text != sites.Banner.Text {
		t.Errorf("history %+v of %+v", h, top)
	}
	ana.refused(404, "GET", "/api/sites/site_none/history", nil, "")
	b.narrow()
	luis := b.person("luis")
	luis.refused(404, "GET", "/api/sites/"+string(top.ID)+"/history", nil, "")
}

func TestTheCalibrationIsToldAndWithoutOneThereAreNoWords(t *testing.T) {
	b := newBench(t)
	b.app.Calibration = nil
	b.run()
	ana := b.person("ana")
	var v app.CalibrationView
	body := ana.want(200, "GET", "/api/calibration", nil, &v)
	if v.Calibration != nil || len(v.Knots) != 0 || v.LeastCases < 1 || v.Outcomes.Candidates == 0 || v.Outcomes.Unvisited != v.Outcomes.Candidates || !strings.Contains(string(body), `"calibration":null`) {
		t.Errorf("without one: %s", body)
	}
	for _, w := range v.Words {
		if w.Used || w.Cases != 0 {
			t.Errorf("without one %+v is used", w)
		}
	}
	cases := []site.Case{}
	for i := range 100 {
		cases = append(cases, site.Case{LogOdds: float64(i%10) - 5, Site: i%10 > 6, Weight: 1})
	}
	c := site.Fit(cases)
	b.app.Calibration = &c
	ana.want(200, "GET", "/api/calibration", nil, &v)
	if v.Calibration == nil || v.Calibration.Cases != 100 || len(v.Knots) < 2 {
		t.Errorf("with one: %+v", v)
	}
	b.narrow()
	luis := b.person("luis")
	luis.want(200, "GET", "/api/calibration", nil, &v)
	if v.Outcomes.Candidates != 0 || v.Banner.Text != "UNCLASSIFIED" {
		t.Errorf("who sees no mission is told of %+v under %s", v.Outcomes, v.Banner.Text)
	}
}
