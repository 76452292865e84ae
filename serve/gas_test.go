package serve

import (
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/app"
)

// What a survey looks like is tested where it is made (internal/app, internal/e2e); here, that the calls answer as the others do.
func TestGasCalls(t *testing.T) {
	b := newBench(t)
	b.run() // bearings and a report, no gas
	ana := b.person("ana")
	var list app.GasList
	ana.want(200, "GET", "/api/gas", nil, &list)
	if len(list.Surveys) != 0 || list.Mission == nil || !strings.Contains(list.Banner.Text, "SYNTHETIC") {
		t.Errorf("a mission without gas lists %+v", list)
	}
	ana.want(404, "GET", "/api/gas?mission=none", nil, nil)
	var card app.SiteCard
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	ana.want(200, "GET", "/api/sites/"+string(sites.Sites[0].ID), nil, &card)
	other := string(card.Observations[0].ID) // bearings or a report
	for path, want := range map[string]int{
		"/api/gas/obs_none": 404, "/api/gas/obs_none/figure.svg": 404, "/api/gas/obs_none/figure.png?lang=es": 404, "/api/gas/obs_none/figure.svg?lang=fr": 422,
		"/api/gas/" + other: 404, "/api/gas/" + other + "/figure.png": 404,
	} {
		ana.want(want, "GET", path, nil, nil)
	}
	b.person("").want(401, "GET", "/api/gas", nil, nil)
}
