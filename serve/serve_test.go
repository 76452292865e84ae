package serve

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/internal/refusal"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A bench is a server on a real record with a small SYNTHETIC mission in it: a report and bearings that meet on its place.
type bench struct {
	*testing.T
	app *app.App
	srv *httptest.Server
	log []string
}

const password = "eight or more"

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.OpenDir(ctx, t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := &bench{T: t, app: app.New(db, "test")}
	for _, p := range []struct{ name, role string }{{"ana", "analyst"}, {"luis", "reviewer"}, {"olga", "observer"}} {
		if _, _, err := b.app.AddAccount(ctx, app.System, p.name, p.role, password); err != nil {
			t.Fatal(err)
		}
	}
	opt := Options{Web: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>" + strings.Repeat("SYNTHETIC ", 100))}, "assets/index.js": {Data: []byte("// SYNTHETIC")}, "source.sha256": {Data: []byte("x")}},
		Log: func(f string, a ...any) { b.log = append(b.log, fmt.Sprintf(f, a...)) }}
	for _, f := range change {
		f(&opt)
	}
	h, err := New(b.app, opt)
	if err != nil {
		t.Fatal(err)
	}
	b.srv = httptest.NewServer(h)
	t.Cleanup(b.srv.Close)
	return b
}

// run puts the mission into the record.
func (b *bench) run() {
	b.Helper()
	dir := b.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write("mission.yaml", `name: SYNTHETIC bench
from: 2026-03-14T12:00:00Z
to: 2026-03-14T20:00:00Z
marking: (U//REL TO USA, MEX//SYNTHETIC)
sorties: [{id: s1, platform: SYNTHETIC-1, collection_authority: SYNTHETIC order 1}]
`)
	write("report.txt", "fecha: 2026-03-14\nlugar: 24.93, -106.86\nradio_m: 500\nfuente: B2\n\nSYNTHETIC. Dicen que de noche huele muy fuerte junto al canal.\n")
	rows := "time,lat,lon,height_hae_m,bearing_deg,sigma_deg,emitter\n"
	for i := range 6 { // from a line 20 km to the south, each bearing towards the place of the report
		lon := -106.96 + 0.04*float64(i)
		rows += fmt.Sprintf("2026-03-14T13:%02d:00Z,24.75,%.4f,3000,%.3f,1,SYNTHETIC-E\n", i, lon, bearingTo(24.75, lon, 24.93, -106.86))
	}
	write("bearings.csv", rows)
	if _, partial, err := b.app.Run(context.Background(), dir, app.RunOptions{Seed: 1}); err != nil || partial {
		b.Fatalf("run: partial %v, error %v", partial, err)
	}
}

// a person is a browser.
type person struct {
	*bench
	client *http.Client
}

func (b *bench) person(name string) *person {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	p := &person{b, &http.Client{Jar: jar}}
	b.Cleanup(p.client.CloseIdleConnections)
	if name != "" {
		var s Session
		p.want(200, "POST", "/api/session", map[string]string{"name": name, "password": password}, &s)
		if s.Account == nil || s.Account.Name != name {
			b.Fatalf("signed in as %v, want %s", s.Account, name)
		}
	}
	return p
}

func (p *person) do(method, path string, body any, headers ...string) (*http.Response, []byte) {
	p.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, p.srv.URL+path, in)
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("X-Atalaya", "1")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	return res, out
}

// want makes a call that must answer with a status, and reads its answer into out.
func (p *person) want(status int, method, path string, body, out any) []byte {
	p.Helper()
	res, b := p.do(method, path, body)
	if res.StatusCode != status {
		p.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, b, status)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			p.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	return b
}

// refused makes a call that must be refused with one line and no word of the inside.
func (p *person) refused(status int, method, path string, body any, says string) Problem {
	p.Helper()
	var out Problem
	p.want(status, method, path, body, &out)
	if out.Status != status || out.Title == "" || !strings.Contains(out.Detail, says) || strings.ContainsAny(out.Detail, "\n\r") {
		p.Fatalf("%s %s: %+v, want a line with %q", method, path, out, says)
	}
	if regexp.MustCompile(`goroutine|\.go:|SQL|/tmp/`).MatchString(out.Detail) {
		p.Fatalf("%s %s tells of the inside: %s", method, path, out.Detail)
	}
	return out
}

func TestWithoutASessionEveryCallAnswers401(t *testing.T) {
	b := newBench(t)
	nobody := b.person("")
	for _, call := range []string{"GET /api/map", "GET /api/sites", "GET /api/sites/site_x", "GET /api/sites/site_x/history", "GET /api/calibration", "GET /api/assess?lat=1&lon=1", "GET /api/compare?a=x&b=y", "GET /api/inbox", "GET /api/events", "GET /api/live", "GET /api/audit", "GET /api/releases/rel_x/package.zip",
		"GET /api/no-such-call", "DELETE /api/session", "POST /api/cases", "POST /api/cases/case_x/reviews", "POST /api/observations/obs_x/retraction"} {
		method, path, _ := strings.Cut(call, " ")
		nobody.refused(401, method, path, nil, "Sign in")
	}
	var s Session
	nobody.want(200, "GET", "/api/session", nil, &s)
	if s.Account != nil || s.Accounts != nil || s.DemoPassword != "" {
		t.Errorf("before sign-in the session tells %+v", s)
	}
}

func TestAWriteWithoutTheHeaderIsRefused(t *testing.T) {
	ana := newBench(t).person("ana")
	for _, path := range []string{"/api/session", "/api/cases", "/api/observations/obs_x/retraction"} {
		if res, _ := ana.do("POST", path, map[string]string{}, "X-Atalaya", ""); res.StatusCode != 403 {
			t.Errorf("POST %s without X-Atalaya: %d, want 403", path, res.StatusCode)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.Demo, o.DemoAccounts, o.DemoPassword, o.Test = true, []string{"ana"}, password, true
	})
	nobody := b.person("")
	nobody.refused(401, "POST", "/api/session", map[string]string{"name": "ana", "password": "wrong"}, "not right")
	res, body := nobody.do("POST", "/api/session", map[string]string{"name": "ana", "password": password})
	c := res.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(c, want) {
			t.Errorf("cookie %q lacks %s", c, want)
		}
	}
	var s Session
	if err := json.Unmarshal(body, &s); err != nil || !s.Demo || !s.Test || s.DemoPassword == "" || s.Banner.Text != "UNCLASSIFIED//SYNTHETIC" || s.Banner.Level != "U" {
		t.Errorf("session of the demo: %s, %v", body, err)
	}
	nobody.want(200, "GET", "/api/sites", nil, nil)
	cookie := nobody.client.Jar.Cookies(mustURL(t, b.srv.URL))[0]
	nobody.want(200, "DELETE", "/api/session", nil, nil)
	old := b.person("")
	old.client.Jar.SetCookies(mustURL(t, b.srv.URL), []*http.Cookie{cookie})
	old.refused(401, "GET", "/api/sites", nil, "Sign in")
}

func TestManyWrongPasswordsMustWaitAndOthersNeedNot(t *testing.T) {
	b := newBench(t)
	now := time.Now()
	l := newLimiter(func() time.Time { return now })
	for i := range tries {
		if l.take("Ana ") != 0 {
			t.Fatalf("try %d must wait, %d are free", i+1, tries)
		}
	}
	if w := l.take("ana"); w <= 0 || w > pause {
		t.Errorf("after %d tries the wait is %v, want up to %v", tries, w, pause)
	}
	if l.take("luis") != 0 {
		t.Error("another name has to wait too")
	}
	now = now.Add(pause)
	if l.take("ana") != 0 {
		t.Error("after the pause one more try must be free")
	}
	for i := range 3 * mostNames {
		l.take(fmt.Sprint(i))
	}
	if len(l.names) > mostNames {
		t.Errorf("%d names are kept, at most %d should", len(l.names), mostNames)
	}
	nobody := b.person("")
	for range tries {
		nobody.refused(401, "POST", "/api/session", map[string]string{"name": "ana", "password": "wrong"}, "not right")
	}
	nobody.refused(429, "POST", "/api/session", map[string]string{"name": "ana", "password": password}, "Wait")
	b.person("luis")
}

func TestForeignNamesAreNotAnswered(t *testing.T) {
	ana := newBench(t, func(o *Options) { o.Hosts = []string{"atalaya.example"} }).person("")
	for host, want := range map[string]int{"127.0.0.1:1": 200, "localhost": 200, "[::1]:80": 200, "atalaya.example": 200, "evil.example": 421, "10.0.0.1": 421, "127.0.0.1.evil.example": 421, "": 200} {
		var h []string
		if host != "" {
			h = []string{"Host", host}
		}
		if res, _ := ana.do("GET", "/api/session", nil, h...); res.StatusCode != want {
			t.Errorf("Host %q: %d, want %d", host, res.StatusCode, want)
		}
	}
}

func TestPages(t *testing.T) {
	p := newBench(t).person("")
	res, body := p.do("GET", "/", nil, "Accept-Encoding", "gzip")
	for name, want := range map[string]string{"Content-Encoding": "gzip", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding", "Referrer-Policy": "no-referrer"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "script-src 'self';"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the content policy lacks %s", want)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := io.ReadAll(z)
	_, direct := p.do("GET", "/", nil, "Accept-Encoding", "identity")
	if !bytes.Equal(plain, direct) || len(direct) < 1000 {
		t.Errorf("the compressed copy holds %d bytes, the file %d", len(plain), len(direct))
	}
	if res, body := p.do("GET", "/", nil, "Accept-Encoding", "gzip", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != 304 || len(body) != 0 {
		t.Errorf("with its own tag: %d and %d bytes, want 304 and none", res.StatusCode, len(body))
	}
	for path, want := range map[string]int{"/assets/index.js": 200, "/assets/missing.js": 404, "/map": 404, "/source.sha256": 404, "/../serve.go": 404, "/assets/": 404} {
		if res, _ := p.do("GET", path, nil); res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestOpenAPIIsThereAndSpeaksOfIntelligenceOnly(t *testing.T) {
	p := newBench(t).person("")
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	b := p.want(200, "GET", "/api/openapi.json", nil, &doc)
	if doc.OpenAPI == "" {
		t.Error("the document states no version of OpenAPI")
	}
	calls := []string{"GET /api/session", "POST /api/session", "DELETE /api/session", "GET /api/map", "GET /api/sites", "GET /api/sites/{id}", "GET /api/sites/{id}/history", "GET /api/sites/{id}/next", "GET /api/sorties", "GET /api/assess", "GET /api/compare", "GET /api/calibration", "GET /api/inbox", "POST /api/cases",
		"POST /api/cases/{id}/reviews", "POST /api/cases/{id}/looked-at", "POST /api/cases/{id}/releases", "GET /api/releases/{id}/package.zip", "POST /api/cases/{id}/outcomes",
		"POST /api/detections/{id}/sorting", "POST /api/observations/{id}/retraction", "DELETE /api/observations/{id}/retraction", "GET /api/events", "GET /api/live", "GET /api/audit",
		"GET /api/gas", "GET /api/gas/{id}", "GET /api/gas/{id}/figure.svg", "GET /api/gas/{id}/figure.png",
		"GET /api/videos", "GET /api/videos/{id}", "GET /api/videos/{id}/init.mp4", "GET /api/videos/{id}/segments/{n}", "GET /api/videos/{id}/track/{n}", "GET /api/videos/{id}/pixel", "GET /api/videos/{id}/check",
		"GET /api/videos/{id}/seek", "GET /api/videos/{id}/callouts", "POST /api/videos/{id}/callouts", "POST /api/videos/{id}/callouts/{callout}/withdrawal",
		"DELETE /api/videos/{id}/callouts/{callout}/withdrawal"}
	n := 0
	for _, c := range calls {
		method, path, _ := strings.Cut(c, " ")
		if doc.Paths[path][strings.ToLower(method)] == nil {
			t.Errorf("the document lacks %s", c)
		}
	}
	for _, m := range doc.Paths {
		n += len(m)
	}
	if n != len(calls) {
		t.Errorf("the document has %d calls, docs/reference/api.md %d", n, len(calls))
	}
	if words := refusal.Refused(string(b)); len(words) > 0 {
		t.Errorf("the document holds %v", words)
	}
	for _, planted := range []string{"strikePlan", "weapon_load"} { // the guard itself must bite
		if len(refusal.Refused(planted)) == 0 {
			t.Errorf("the guard lets %q pass", planted)
		}
	}
}

func TestWhatIsWithheldAnswersLikeWhatIsNotThere(t *testing.T) {
	b := newBench(t)
	b.run()
	ana := b.person("ana")
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	var opened CaseOpened
	site := string(sites.Sites[0].ID)
	ana.want(200, "POST", "/api/cases", map[string]any{"candidate": site, "legal_basis": basis()}, &opened)
	var card app.SiteCard
	ana.want(200, "GET", "/api/sites/"+site, nil, &card)

	// Every account sees every label today, so the server is told that luis sees only the label of accounts.
	s := newServer(b.app, Options{})
	s.view = func(ctx context.Context, c app.Account) (access.View, error) {
		id, err := b.app.Record.Label(ctx, "U")
		return access.Of(id), err
	}
	h, err := s.handler()
	if err != nil {
		t.Fatal(err)
	}
	narrow := httptest.NewServer(h)
	defer narrow.Close()
	b.srv.URL, narrow.URL = narrow.URL, b.srv.URL
	luis := b.person("luis")
	var none app.SitesView
	luis.want(200, "GET", "/api/sites", nil, &none)
	if len(none.Sites) != 0 || none.Banner.Text != "UNCLASSIFIED" {
		t.Errorf("a reader who may see nothing sees %+v", none)
	}
	kase, observation := string(opened.Case.ID), string(card.Observations[0].ID)
	for _, c := range []struct {
		method, path, id string
		body             any
	}{
		{"GET", "/api/sites/ID", site, nil},
		{"GET", "/api/map?mission=ID", string(card.Site.Mission), nil},
		{"GET", "/api/inbox?mission=ID", string(card.Site.Mission), nil},
		{"POST", "/api/cases", site, map[string]any{"candidate": "ID", "legal_basis": basis()}},
		{"POST", "/api/cases/ID/reviews", kase, map[string]string{"decision": "approve", "why": "", "basis": card.Basis}},
		{"POST", "/api/cases/ID/releases", kase, map[string]any{"recipient": "MEX"}},
		{"POST", "/api/observations/ID/retraction", observation, map[string]string{"why": "SYNTHETIC"}},
	} {
		answer := func(id string) string {
			in, _ := json.Marshal(c.body)
			res, out := luis.do(c.method, strings.Replace(c.path, "ID", id, 1), json.RawMessage(strings.Replace(string(in), `"ID"`, `"`+id+`"`, 1)))
			return fmt.Sprint(res.StatusCode, res.Header["Content-Type"], strings.ReplaceAll(string(out), id, "ID"))
		}
		absent := c.id[:len(c.id)-4] + "zzzz"
		if x, y := answer(c.id), answer(absent); x != y || !strings.HasPrefix(x, "404") {
			t.Errorf("%s %s: withheld answers %s, absent %s", c.method, c.path, x, y)
		}
	}
}

func basis() map[string]any {
	return map[string]any{"instrument": "SYNTHETIC agreement 1", "review_by": time.Now().AddDate(1, 0, 0)}
}

// The walk of a case over HTTP, with each refusal on its way.
func TestFourEyesFromCaseToPackage(t *testing.T) {
	b := newBench(t)
	b.run()
	ana, luis, olga := b.person("ana"), b.person("luis"), b.person("olga")
	var sites app.SitesView
	ana.want(200, "GET", "/api/sites", nil, &sites)
	if len(sites.Sites) == 0 || !strings.Contains(sites.Banner.Text, "SYNTHETIC") {
		t.Fatalf("no sites, or no banner: %+v", sites)
	}
	id := string(sites.Sites[0].ID)
	olga.refused(403, "POST", "/api/cases", map[string]any{"candidate": id, "legal_basis": basis()}, "look")
	ana.refused(403, "POST", "/api/cases", map[string]any{"candidate": id, "legal_basis": map[string]any{"instrument": "", "review_by": time.Now()}}, "legal basis")
	ana.refused(422, "POST", "/api/cases", map[string]any{"candidate": id}, "legal_basis")
	var opened CaseOpened
	ana.want(200, "POST", "/api/cases", map[string]any{"candidate": id, "legal_basis": basis()}, &opened)
	luis.refused(409, "POST", "/api/cases", map[string]any{"candidate": id, "legal_basis": basis()}, "is open")
	path := "/api/cases/" + string(opened.Case.ID)

	var card app.SiteCard
	ana.want(200, "GET", "/api/sites/"+id, nil, &card)
	approve := map[string]string{"decision": "approve", "why": "", "basis": card.Basis}
	release := map[string]any{"recipient": "MEX", "legal_basis": basis()}
	ana.refused(422, "POST", path+"/reviews", map[string]string{"decision": "destroy", "why": "", "basis": card.Basis}, "decision")
	ana.want(200, "POST", path+"/reviews", approve, nil)
	ana.refused(403, "POST", path+"/releases", release, "second")
	ana.want(200, "POST", path+"/reviews", approve, nil) // the same person again is still one
	ana.refused(403, "POST", path+"/releases", release, "second")

	stale := luis.refused(409, "POST", path+"/reviews", map[string]string{"decision": "approve", "why": "", "basis": "of yesterday"}, "changed")
	present, _ := json.Marshal(stale.Errors)
	if !strings.Contains(string(present), card.Basis) {
		t.Errorf("a stale review is not answered with the present card: %.200s", present)
	}
	luis.want(200, "POST", path+"/reviews", approve, nil)
	olga.refused(403, "POST", path+"/releases", release, "")
	var out Released
	luis.want(200, "POST", path+"/releases", release, &out)
	var again Released // a second press of the button, or a call that is sent anew because its answer was lost
	ana.want(200, "POST", path+"/releases", release, &again)
	if !again.Before || out.Before || again.Release != out.Release || again.Event.ID != out.Event.ID || again.Release.ByName != "luis" {
		t.Errorf("asked for again:\n%+v\nfirst:\n%+v", again, out)
	}
	ana.want(200, "GET", "/api/sites/"+id, nil, &card)
	if n := len(card.Releases); n != 1 {
		t.Errorf("%d releases on the card, want the one", n)
	}

	zipped := ana.want(200, "GET", out.Release.URL, nil, nil)
	z, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil || len(z.File) < 4 {
		t.Fatalf("the package: %v, %v", z, err)
	}
	if res, part := ana.do("GET", out.Release.URL, nil, "Range", "bytes=0-9"); res.StatusCode != 206 || !bytes.Equal(part, zipped[:10]) {
		t.Errorf("ten bytes of the package: %d, %q", res.StatusCode, part)
	}
	ana.want(200, "POST", path+"/outcomes", map[string]any{"found": "confirmed", "on": time.Now().Add(-time.Hour), "by": "SYNTHETIC service", "note": "SYNTHETIC"}, nil)
	ana.want(200, "GET", "/api/sites/"+id, nil, &card)
	if len(card.Outcomes) != 1 || card.Site.Status != "outcome" || card.Site.Found == nil || *card.Site.Found != atalaya.Confirmed || card.Ledger[len(card.Ledger)-1].Kind != "outcome" {
		t.Errorf("the outcome is not on the card: %+v", card.Ledger)
	}
	var audit app.AuditView
	ana.want(200, "GET", "/api/audit", nil, &audit)
	if !audit.Verified || audit.FirstBad != nil || audit.Events < 10 {
		t.Errorf("the audit says %+v", audit)
	}
	if len(b.log) > 0 {
		t.Errorf("operators are told %v", b.log)
	}
}

// What a person does with a detection is recorded and can be undone; it changes no probability.
func TestADetectionIsHeldAttachedAndReopened(t *testing.T) {
	b := newBench(t)
	b.run()
	ana, olga := b.person("ana"), b.person("olga")
	item := func() app.InboxItem {
		t.Helper()
		var v app.InboxView
		ana.want(200, "GET", "/api/inbox", nil, &v)
		for _, d := range v.Detections {
			if d.Kind == atalaya.Mention {
				return d
			}
		}
		t.Fatal("no report in the inbox")
		return app.InboxItem{}
	}
	first := item()
	if first.Sorted != nil || first.Site == nil || first.Position == nil || first.Position.MGRS == "" || len(first.Said) != 1 || first.Said[0].Code != "quoted" {
		t.Fatalf("fresh: %+v", first)
	}
	site := func() (c app.SiteCard) {
		t.Helper()
		ana.want(200, "GET", "/api/sites/"+string(*first.Site), nil, &c)
		return c
	}
	before := site()
	path := "/api/detections/" + string(first.ID) + "/sorting"
	ana.refused(400, "POST", path, map[string]string{"sorting": "hold", "why": " "}, "reason")
	ana.refused(404, "POST", path, map[string]string{"sorting": "attach", "site": "site_none"}, "no site")
	ana.refused(404, "POST", "/api/detections/det_none/sorting", map[string]string{"sorting": "keep"}, "")
	olga.refused(403, "POST", path, map[string]string{"sorting": "keep"}, "")
	ana.want(200, "POST", path, map[string]string{"sorting": "hold", "why": "SYNTHETIC: who is it that says so"}, nil)
	if s := item().Sorted; s == nil || s.Sorting != app.Held || s.ByName != "ana" || s.Why == "" || s.Site != nil {
		t.Errorf("held: %+v", s)
	}
	ana.want(200, "POST", path, map[string]string{"sorting": "attach", "site": string(*first.Site), "why": "SYNTHETIC: the ford is the one there"}, nil)
	after := site()
	if len(after.Attached) != 1 || after.Attached[0].Detection != first.ID || after.Attached[0].ByName != "ana" || after.Attached[0].Headline != first.Headline {
		t.Errorf("attached: %+v", after.Attached)
	}
	if after.Basis != before.Basis || after.Site.Probability != before.Site.Probability || len(after.Ledger) != len(before.Ledger) {
		t.Error("attaching changed what is computed")
	}
	ana.want(200, "POST", path, map[string]string{"sorting": "reopen"}, nil)
	if s := item().Sorted; s != nil || len(site().Attached) != 0 {
		t.Errorf("reopened: %+v, %+v", s, site().Attached)
	}
	ana.want(200, "POST", "/api/observations/"+string(first.Observation.ID)+"/retraction", map[string]string{"why": "SYNTHETIC: told twice"}, nil)
	ana.refused(409, "POST", path, map[string]string{"sorting": "keep"}, "taken back")
}

func TestARetractionIsUndoneAndTheInboxSaysSo(t *testing.T) {
	b := newBench(t)
	b.run()
	ana := b.person("ana")
	inbox := func() app.InboxView {
		var v app.InboxView
		ana.want(200, "GET", "/api/inbox", nil, &v)
		return v
	}
	before := inbox()
	if len(before.Detections) != 2 || before.Banner.Text == "" {
		t.Fatalf("the inbox holds %+v, want a report and an emitter", before)
	}
	var mention app.InboxItem
	for _, d := range before.Detections {
		if len(d.Alternatives) != 3 || d.Headline == "" || d.EvidenceLogOdds == 0 || d.Site == nil {
			t.Errorf("an item of the inbox is bare: %+v", d)
		}
		if d.Kind == atalaya.Mention {
			mention = d
		}
	}
	if mention.Text == nil || mention.Text.Lang != "es" || !strings.HasPrefix(mention.Text.Source, "SYNTHETIC. Dicen") {
		t.Errorf("the report's words: %+v", mention.Text)
	}
	path := "/api/observations/" + string(mention.Observation.ID) + "/retraction"
	ana.refused(400, "POST", path, map[string]string{"why": " "}, "reason")
	ana.want(200, "POST", path, map[string]string{"why": "SYNTHETIC: told twice"}, nil)
	ana.refused(409, "POST", path, map[string]string{"why": "SYNTHETIC: told twice"}, "retracted")
	standing := ""
	for _, d := range inbox().Detections {
		if d.ID == mention.ID {
			standing = string(d.Standing)
		}
	}
	if standing != "tombstoned" && standing != "retracted" {
		t.Errorf("the detection of a retracted report is %q", standing)
	}
	ana.want(200, "DELETE", path, nil, nil)
	if err := b.app.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	after := inbox()
	x, _ := json.Marshal(before)
	y, _ := json.Marshal(after)
	if !bytes.Equal(x, y) {
		t.Errorf("undone, the inbox differs:\n%s\n%s", x, y)
	}
}

// sse reads frames of a live line.
type sse struct {
	body io.ReadCloser
	in   *bufio.Scanner
}

func (p *person) follow(after string) *sse {
	p.Helper()
	r, err := http.NewRequest("GET", p.srv.URL+"/api/live", nil)
	if err != nil {
		p.Fatal(err)
	}
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	res, err := p.client.Do(r)
	if err != nil || res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		p.Fatalf("live: %v %v", res, err)
	}
	p.Cleanup(func() { res.Body.Close() })
	return &sse{res.Body, bufio.NewScanner(res.Body)}
}

// next gives the name, id and data of the next frame, beats left in as data "".
func (s *sse) next() (name, id, data string, ok bool) {
	for s.in.Scan() {
		line := s.in.Text()
		if line == "" {
			return name, id, data, true
		}
		field, value, _ := strings.Cut(line, ": ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		}
	}
	return "", "", "", false
}

func (b *bench) append(n int) {
	b.Helper()
	for i := range n {
		_, err := b.app.Record.Append(context.Background(), store.NewEvent{Time: time.Now(), Actor: app.System, Kind: store.AccountMade, Subject: fmt.Sprintf("acct_x%d", i), Marking: "U", Body: json.RawMessage(`{"id":"x","name":"SYNTHETIC"}`)})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func TestALiveLineMissesNothingOverABreak(t *testing.T) {
	b := newBench(t)
	ana := b.person("ana")
	line := ana.follow("")
	_, place, _, ok := line.next()
	if !ok || place == "" {
		t.Fatal("the place is not said at the beginning")
	}
	b.append(3)
	var row app.LogRow
	for range 3 {
		_, id, data, ok := line.next()
		if err := json.Unmarshal([]byte(data), &row); !ok || err != nil || string(row.ID) != id {
			t.Fatalf("frame %s %s: %v", id, data, err)
		}
		if string(row.Prev) != place {
			t.Fatalf("the event's prev is %s, the place was %s", row.Prev, place)
		}
		place = id
	}
	line.body.Close()
	b.append(4) // nobody listens
	again := ana.follow(place)
	again.next() // its place, said again
	for range 4 {
		_, id, data, ok := again.next()
		if err := json.Unmarshal([]byte(data), &row); !ok || err != nil || string(row.Prev) != place {
			t.Fatalf("after the break: %s, want one that follows %s", data, place)
		}
		place = id
	}
	if name, _, _, _ := readTwo(ana.follow("of another reader")); name != "reset" {
		t.Errorf("an unknown cursor gives %q, want reset", name)
	}
	// The session's end is the line's.
	ana.want(200, "DELETE", "/api/session", nil, nil)
	b.append(1)
	if _, _, data, ok := again.next(); ok {
		t.Errorf("after sign-out the line still says %q", data)
	}
}

func readTwo(s *sse) (name, id, data string, ok bool) {
	s.next()
	return s.next()
}

func TestOneWhoIsTooFarBehindIsToldToLoadAfresh(t *testing.T) {
	b := newBench(t)
	ana := b.person("ana")
	events := make([]store.NewEvent, tooFar+1)
	for i := range events {
		events[i] = store.NewEvent{Time: time.Now(), Actor: app.System, Kind: store.AccountMade, Subject: fmt.Sprintf("acct_y%d", i), Marking: "U", Body: json.RawMessage(`{"id":"y"}`)}
	}
	if _, err := b.app.Record.Append(context.Background(), events...); err != nil {
		t.Fatal(err)
	}
	if name, _, _, _ := readTwo(ana.follow("0")); name != "reset" {
		t.Errorf("more than %d events behind gives %q, want reset", tooFar, name)
	}
	var page1, page2 Events
	ana.want(200, "GET", "/api/events", nil, &page1)
	ana.want(200, "GET", "/api/events?after="+string(page1.Next), nil, &page2)
	if len(page1.Events) != page || len(page2.Events) != page || page2.Events[0].Prev != page1.Next {
		t.Errorf("pages of %d and %d events, the second after %s", len(page1.Events), len(page2.Events), page2.Events[0].Prev)
	}
}

func TestAnAccountHasABoundedNumberOfLines(t *testing.T) {
	b := newBench(t)
	ana := b.person("ana")
	var last *sse
	for range mostWatched {
		last = ana.follow("")
		last.next()
	}
	ana.refused(429, "GET", "/api/live", nil, "Close one")
	b.person("luis").follow("").next()
}

func TestABodyThatIsTooLargeOrNoJSONGetsOneLine(t *testing.T) {
	ana := newBench(t).person("ana")
	big := map[string]string{"why": strings.Repeat("x", maxBody)}
	if res, b := ana.do("POST", "/api/observations/obs_x/retraction", big); res.StatusCode != 413 && res.StatusCode != 400 || strings.Contains(string(b), "xxxx") {
		t.Errorf("a large body: %d %.100s", res.StatusCode, b)
	}
	for _, bad := range []string{"", "{", "[]", "\xff\xfe", `{"why":7}`, `{"why":"x","more":1}`} {
		r, _ := http.NewRequest("POST", ana.srv.URL+"/api/observations/obs_x/retraction", strings.NewReader(bad))
		r.Header.Set("X-Atalaya", "1")
		res, err := ana.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var p Problem
		if err := json.NewDecoder(res.Body).Decode(&p); err != nil || res.StatusCode/100 != 4 || p.Detail == "" {
			t.Errorf("body %q: %d %+v %v", bad, res.StatusCode, p, err)
		}
		res.Body.Close()
	}
}

func TestListenRefusesOtherMachines(t *testing.T) {
	for addr, says := range map[string]string{"0.0.0.0:0": "other machines", ":0": "other machines", "192.0.2.1:80": "other machines", "example.org:80": "other machines", "nonsense": "no address"} {
		err := Listen(context.Background(), addr, http.NotFoundHandler(), func(string) { t.Errorf("%s was opened", addr) })
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want a line with %q", addr, err, says)
		}
	}
}

func TestListenEndsWithItsContextAlsoWhenSomebodyFollows(t *testing.T) {
	b := newBench(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	h, err := New(b.app, Options{})
	if err != nil {
		t.Fatal(err)
	}
	url, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- Listen(ctx, "localhost:0", h, func(u string) { url <- u }) }()
	b.srv.Close()
	b.srv.URL = strings.TrimSuffix(<-url, "/")
	b.person("ana").follow("").next()
	began := time.Now()
	stop()
	if err := <-ended; err != nil || time.Since(began) > graceful/2 {
		t.Errorf("ended with %v after %v", err, time.Since(began))
	}
}
