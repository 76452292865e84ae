package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// film puts a mission with one real video into the record and gives the video's address.
func (b *bench) film(marking string) string {
	b.Helper()
	dir := b.TempDir()
	v, err := os.ReadFile(fixture.Shared(b, "video/osh-first-75.ts"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "osh.ts"), v, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mission.yaml"), []byte("name: SYNTHETIC film\nmarking: "+marking+"\n"), 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := b.app.Run(context.Background(), dir, app.RunOptions{Seed: 1, WithoutMovers: true}); err != nil {
		b.Fatal(err)
	}
	list, err := b.app.Videos(context.Background(), access.Whole(), "")
	if err != nil || len(list.Videos) != 1 {
		b.Fatalf("%+v %v", list, err)
	}
	return "/api/videos/" + string(list.Videos[0].Observation.ID)
}

func TestVideoCalls(t *testing.T) {
	b := newBench(t)
	at := b.film("(U//SYNTHETIC)")
	ana := b.person("ana")
	var list app.VideoList
	ana.want(200, "GET", "/api/videos", nil, &list)
	if len(list.Videos) != 1 || list.Videos[0].Picture.Play != app.Plays || !strings.Contains(list.Banner.Text, "SYNTHETIC") {
		t.Errorf("%+v", list)
	}
	var v app.VideoView
	ana.want(200, "GET", at, nil, &v)
	if v.Segments != 8 || v.Metadata.Packets != 75 || v.Type == "" {
		t.Errorf("%d segments, %d packets, type %q", v.Segments, v.Metadata.Packets, v.Type)
	}
	var place app.VideoPlace
	ana.want(200, "GET", at+"/pixel?pts=3&x=320&y=240", nil, &place)
	if place.Place == nil || place.Place.Ellipse == nil {
		t.Fatalf("%+v", place)
	}
	var seek app.VideoSeek
	ana.want(200, "GET", fmt.Sprintf("%s/seek?lat=%v&lon=%v", at, place.Place.Lat, place.Place.Lon), nil, &seek)
	if len(seek.Times) != 1 {
		t.Errorf("%+v", seek)
	}
	var wrong app.VideoCheck
	ana.want(200, "GET", at+"/check", nil, &wrong)
	if len(wrong.Findings) == 0 || wrong.Errors+wrong.Warnings+wrong.Notes != len(wrong.Findings) || wrong.Verdict == "" || wrong.Findings[0].From == nil {
		t.Errorf("%+v", wrong)
	}
	for path, want := range map[string]int{
		"/api/videos?mission=none": 404, "/api/videos/obs_none/check": 404, "/api/videos/obs_none": 404, "/api/videos/obs_none/track/0": 404, "/api/videos/obs_none/segments/0": 404, at + "/segments/8": 404, at + "/track/9": 404,
		at + "/segments/x": 422, at + "/segments/0?count=0": 422, at + "/segments/0?count=65": 422, at + "/pixel?pts=3&x=1": 422, at + "/pixel?pts=3&x=-1&y=5": 400, at + "/pixel?pts=NaN&x=1&y=5": 400, at + "/pixel?pts=30&x=1&y=5": 200, at + "/seek?lat=91&lon=0": 422, at + "/seek": 422,
	} {
		ana.want(want, "GET", path, nil, nil)
	}
	b.person("").want(401, "GET", at+"/segments/0", nil, nil)
}

// Media and tracks are named by what they are made of: who has them is told so, after it was looked whether the reader may have them.
func TestVideoAnswersAreNamedByTheirBytes(t *testing.T) {
	b := newBench(t)
	at := b.film("(U//SYNTHETIC)")
	ana := b.person("ana")
	tags := map[string]string{}
	for path, kind := range map[string]string{"/init.mp4": "video/mp4", "/segments/0": "video/mp4", "/segments/1": "video/mp4", "/segments/1?count=2": "video/mp4", "/track/0": "application/json"} {
		r, body := ana.do("GET", at+path, nil)
		tag := r.Header.Get("ETag")
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), kind) || len(body) == 0 || tag == "" || r.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %d %v, %d bytes", path, r.StatusCode, r.Header, len(body))
		}
		if other := tags[tag]; other != "" {
			t.Errorf("%s and %s have one name", path, other)
		}
		tags[tag] = path
		if kind == "video/mp4" && r.Header.Get("Atalaya-Init") == "" {
			t.Errorf("%s does not name its initialisation segment", path)
		}
		if kind == "application/json" && !json.Valid(body) {
			t.Errorf("%s: %.80s", path, body)
		}
		if r, body := ana.do("GET", at+path, nil, "If-None-Match", `"x", `+tag); r.StatusCode != 304 || len(body) != 0 || r.Header.Get("ETag") != tag {
			t.Errorf("%s again: %d, %d bytes", path, r.StatusCode, len(body))
		}
		if _, again := ana.do("GET", at+path, nil); !bytes.Equal(again, body) {
			t.Errorf("%s differs when it is asked for again", path)
		}
		if r, _ := b.person("").do("GET", at+path, nil, "If-None-Match", tag); r.StatusCode != 401 {
			t.Errorf("%s: nobody who is signed in is told %d", path, r.StatusCode)
		}
	}
}

func TestCallOutCalls(t *testing.T) {
	b := newBench(t)
	at := b.film("(U//SYNTHETIC)")
	ana, olga := b.person("ana"), b.person("olga")
	var w Written
	ana.want(200, "POST", at+"/callouts", map[string]any{"pts_s": 3, "x_px": 320, "y_px": 240, "what": "SYNTHETIC roof", "confidence": "high"}, &w)
	olga.want(403, "POST", at+"/callouts", map[string]any{"pts_s": 3, "what": "SYNTHETIC roof"}, nil)
	ana.want(422, "POST", at+"/callouts", map[string]any{"pts_s": 3, "what": "x", "confidence": "certain"}, nil)
	ana.want(400, "POST", at+"/callouts", map[string]any{"pts_s": 300, "what": "x"}, nil)
	var list app.CallOutList
	olga.want(200, "GET", at+"/callouts", nil, &list)
	if len(list.CallOuts) != 1 || list.May || list.CallOuts[0].Place == nil || w.Event.ID == "" {
		t.Fatalf("%+v, event %+v", list, w)
	}
	one := at + "/callouts/" + string(list.CallOuts[0].ID) + "/withdrawal"
	ana.want(409, "DELETE", one, nil, nil)
	ana.want(400, "POST", one, map[string]any{"why": " "}, nil)
	ana.want(200, "POST", one, map[string]any{"why": "SYNTHETIC"}, nil)
	ana.want(409, "POST", one, map[string]any{"why": "SYNTHETIC"}, nil)
	ana.want(200, "DELETE", one, nil, nil)
	ana.want(404, "POST", at+"/callouts/det_none/withdrawal", map[string]any{"why": "SYNTHETIC"}, nil)
	var inbox app.InboxView
	ana.want(200, "GET", "/api/inbox", nil, &inbox)
	if len(inbox.Detections) == 0 {
		t.Error("the inbox does not hold it")
	}
}
