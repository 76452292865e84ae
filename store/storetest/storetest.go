// Package storetest is the conformance suite of the record: an engine is done when it passes Run.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// At is the time of every event of the suite.
var At = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Run tests the stores that open makes; each call must return an empty one and close it when its test ends. All data is
// SYNTHETIC.
func Run(t *testing.T, open func(testing.TB) store.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"what was appended is found, got, counted and told", appended},
		{"an append is all or none", allOrNone},
		{"the log refuses what it must not hold", refusals},
		{"a key makes an event happen once", idempotent},
		{"an expected version that has passed is a conflict", expected},
		{"what a view may not see is not there", withheld},
		{"a cursor is one reader's own and tells nothing", cursors},
		{"a tail over withheld events shows no gap", tail},
		{"a lost tail event is seen and asked for again", gapRepair},
		{"an append wakes those who wait", changed},
		{"pages in any order list everything once", pages},
		{"search by place finds what touches, whatever the level", places},
		{"search by time finds what overlaps", times},
		{"replay gives the same bytes", replay},
		{"a retraction fells what rests on it and can be undone", retraction},
		{"an observation that rests on another falls with it", derived},
		{"a retracted observation leaves what would stand without it", asIfNever},
		{"the order of arrival does not change what stands", anyOrder},
		{"a purge destroys the body and fells what rests on it", purge},
		{"jobs are queued with the event or not at all", jobs},
		{"a unique job waits once", uniqueJobs},
		{"what eight writers were promised is there", concurrent},
		{"secrets stay outside the log", secrets},
		{"labels are interned once", labels},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // the time goes into waiting for the disk
			c.test(t, open(t))
		})
	}
}

// Made is an event of a noun, with the fields that the index reads.
func Made(kind, id, mission, parent string, marking string, more ...string) store.NewEvent {
	body := map[string]any{"id": id, "mission": mission}
	switch kind {
	case store.DetectionMade:
		body["from"] = []string{parent}
	case store.EvidenceMade:
		body["observation"] = parent
	case store.ObservationMade:
		body["blob"] = parent
	}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = json.RawMessage(more[i+1])
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic("storetest: " + err.Error())
	}
	return store.NewEvent{Time: At, Actor: "acct_SYNTHETIC", Kind: kind, Subject: id, Marking: marking, Body: b}
}

var ctx = context.Background()

func add(t testing.TB, s store.Store, events ...store.NewEvent) []store.Event {
	t.Helper()
	out, err := s.Append(ctx, events...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func find(t testing.TB, s store.Store, v access.View, q store.Query) []string {
	t.Helper()
	p, err := s.Find(ctx, v, q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, e := range p.Entities {
		ids = append(ids, e.ID)
	}
	return ids
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func kind(t testing.TB, what string, err error, want atalaya.Kind) {
	t.Helper()
	if err == nil || atalaya.KindOf(err) != want {
		t.Errorf("%s: got error %v (kind %d), want kind %d", what, err, atalaya.KindOf(err), want)
	}
}

// Dump is the dump of a record.
func Dump(t testing.TB, s store.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Dump(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// standing lists what stands as kind, id and body: a record without its history.
func standing(t testing.TB, s store.Store) string {
	t.Helper()
	p, err := s.Find(ctx, access.Whole(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range p.Entities {
		fmt.Fprintf(&b, "%s %s %s %s %v\n", e.Kind, e.ID, e.Marking, e.Body, e.Cells)
	}
	return b.String()
}

func appended(t *testing.T, s store.Store) {
	cell := uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(24.8, -107.4)).Parent(12))
	e := Made(store.ObservationMade, "obs_1", "m1", "", "(U)", "when", `{"from":"2026-03-01T10:00:00.123456789Z","to":"2026-03-01T11:00:00Z"}`)
	e.Cells = []uint64{cell}
	e.Body = append([]byte("  "), e.Body...)
	out := add(t, s, e)
	if len(out) != 1 || out[0].Seq != 1 || len(out[0].ID) != 36 || out[0].ID[14] != '7' || len(out[0].Commitment) != 64 || !out[0].Time.Equal(At) {
		t.Errorf("appended: %+v", out)
	}
	got, err := s.Get(ctx, access.Whole(), "observation", "obs_1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "entity", fmt.Sprint(got.Mission, got.Marking, got.Standing, got.Version, got.Cells, got.From.Format(time.RFC3339Nano)),
		fmt.Sprint("m1", "(U)", store.Stands, 1, []uint64{cell}, "2026-03-01T10:00:00.123456789Z"))
	same(t, "body", string(got.Body), strings.TrimSpace(string(e.Body)))
	same(t, "found", find(t, s, access.Whole(), store.Query{Kind: "observation", Mission: "m1"}), []string{"obs_1"})
	same(t, "of another mission", find(t, s, access.Whole(), store.Query{Mission: "m2"}), []string{})
	n, err := s.Count(ctx, access.Whole(), store.Query{Kind: "observation"})
	same(t, "count", fmt.Sprint(n, err), "1 <nil>")
	h, err := s.Events(ctx, access.Whole(), "obs_1")
	if err != nil || len(h) != 1 || h[0].Kind != store.ObservationMade || string(h[0].Body) != strings.TrimSpace(string(e.Body)) || h[0].Commitment != out[0].Commitment {
		t.Errorf("history: %+v, %v", h, err)
	}
	head, err := s.Head(ctx)
	same(t, "head", fmt.Sprint(head, err), "1 <nil>")
	_, err = s.Get(ctx, access.Whole(), "observation", "obs_2")
	kind(t, "a thing that is not there", err, atalaya.NotFound)
}

func allOrNone(t *testing.T, s store.Store) {
	before := add(t, s, Made(store.ObservationMade, "obs_1", "m", "", "(U)"))
	bad := Made(store.ObservationMade, "obs_3", "m", "", "(U)")
	bad.ID = before[0].ID // an id that the log has
	_, err := s.Append(ctx, Made(store.ObservationMade, "obs_2", "m", "", "(S)"), bad)
	kind(t, "an id twice", err, atalaya.Conflict)
	head, _ := s.Head(ctx)
	same(t, "head", head, 1)
	same(t, "entities", find(t, s, access.Whole(), store.Query{}), []string{"obs_1"})
	labels, _ := s.Labels(ctx)
	same(t, "labels", len(labels), 1)
	same(t, "the next seq", add(t, s, bad2())[0].Seq, 2)
}

func bad2() store.NewEvent { return Made(store.ObservationMade, "obs_4", "m", "", "(U)") }

func refusals(t *testing.T, s store.Store) {
	ok := Made(store.ObservationMade, "obs_1", "m", "", "(U)")
	for what, spoil := range map[string]func(*store.NewEvent){
		"no marking":                 func(e *store.NewEvent) { e.Marking = "" },
		"a time after all time":      func(e *store.NewEvent) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a span after all time":      func(e *store.NewEvent) { e.Body = []byte(`{"when":{"to":"9999-12-31T23:59:59-01:00"}}`) },
		"a subject in Latin-1":       func(e *store.NewEvent) { e.Subject = "obs_\xe9" },
		"a subject of lines":         func(e *store.NewEvent) { e.Subject = "obs\n1" },
		"a subject without end":      func(e *store.NewEvent) { e.Subject = strings.Repeat("o", 2000) },
		"no kind":                    func(e *store.NewEvent) { e.Kind = "" },
		"a body that is text":        func(e *store.NewEvent) { e.Body = []byte("acetone") },
		"a mission that is a number": func(e *store.NewEvent) { e.Body = []byte(`{"mission":5}`) },
		"a body that is cut":         func(e *store.NewEvent) { e.Body = e.Body[:5] },
		"a body in Latin-1":          func(e *store.NewEvent) { e.Body = []byte("{\"n\":\"\xe9\"}") },
		"a job without a kind":       func(e *store.NewEvent) { e.Jobs = []store.Job{{}} },
		"a job with bad args":        func(e *store.NewEvent) { e.Jobs = []store.Job{{Kind: "recompute", Args: []byte("{")}} },
	} {
		e := ok
		spoil(&e)
		_, err := s.Append(ctx, e)
		kind(t, what, err, atalaya.BadUse)
	}
	head, _ := s.Head(ctx)
	same(t, "head", head, 0)
}

func idempotent(t *testing.T, s store.Store) {
	e := Made(store.DetectionMade, "det_1", "m", "obs_1", "(U)")
	e.Key = "sha256:SYNTHETIC/v1/seed1"
	e.Jobs = []store.Job{{Kind: "recompute"}}
	first := add(t, s, e)[0]
	again := e
	again.Body = []byte(`{"other":true}`)
	both := add(t, s, again, again)
	for _, b := range both {
		if b.Seq != first.Seq || b.ID != first.ID || string(b.Body) != string(first.Body) || b.Commitment != first.Commitment {
			t.Errorf("second append answered with %+v, want %+v", b, first)
		}
	}
	head, _ := s.Head(ctx)
	n, _ := s.Pending(ctx)
	same(t, "head and jobs", fmt.Sprint(head, n), "1 1")
	f := e
	f.Key, f.Subject = "another", "det_2"
	two := add(t, s, f, f)
	same(t, "one batch with a key twice", two[0].Seq, two[1].Seq)
}

func expected(t *testing.T, s store.Store) {
	zero, one := int64(0), int64(1)
	e := Made(store.CaseOpened, "case_1", "m", "", "(U)")
	e.Expect = &zero
	add(t, s, e)
	_, err := s.Append(ctx, e)
	kind(t, "to be new, and is not", err, atalaya.Conflict)
	look := store.NewEvent{Time: At, Kind: store.CaseLookedAt, Subject: "case_1", Marking: "(U)", Body: []byte(`{"basis":"b2","snapshot":{}}`), Expect: &one}
	add(t, s, look)
	_, err = s.Append(ctx, look)
	kind(t, "to be at version 1, and is at 2", err, atalaya.Conflict)
	got, err := s.Get(ctx, access.Whole(), "case", "case_1")
	if err != nil || got.Version != 2 || !strings.Contains(string(got.Body), `"basis":"b2"`) {
		t.Errorf("case after its basis was looked at: %+v, %v", got, err)
	}
}

// mixed appends n observations, odd ones secret, and gives the view of the others.
func mixed(t *testing.T, s store.Store, n int) (access.View, []store.Event) {
	var all []store.NewEvent
	for i := range n {
		marking := "(U)"
		if i%2 == 1 {
			marking = "(S)"
		}
		all = append(all, Made(store.ObservationMade, fmt.Sprintf("obs_%02d", i), "m", "blob", marking))
	}
	out := add(t, s, all...)
	id, err := s.Label(ctx, "(U)")
	if err != nil {
		t.Fatal(err)
	}
	return access.Of(id), out
}

func withheld(t *testing.T, s store.Store) {
	v, _ := mixed(t, s, 7)
	same(t, "found", find(t, s, v, store.Query{Kind: "observation"}), []string{"obs_00", "obs_02", "obs_04", "obs_06"})
	n, _ := s.Count(ctx, v, store.Query{Kind: "observation"})
	same(t, "count", n, 4)
	_, forbidden := s.Get(ctx, v, "observation", "obs_01")
	_, missing := s.Get(ctx, v, "observation", "obs_99")
	kind(t, "a forbidden thing", forbidden, atalaya.NotFound)
	same(t, "forbidden and missing are told alike", strings.ReplaceAll(forbidden.Error(), "obs_01", "X"), strings.ReplaceAll(missing.Error(), "obs_99", "X"))
	h, _ := s.Events(ctx, v, "obs_01")
	same(t, "history of a forbidden thing", len(h), 0)
	h, _ = s.Events(ctx, v, "")
	same(t, "log", len(h), 4)
	same(t, "the empty view", find(t, s, access.View{}, store.Query{AllStanding: true}), []string{})
	same(t, "the view of no label", find(t, s, access.Of(), store.Query{AllStanding: true}), []string{})
	n, _ = s.Count(ctx, access.Whole(), store.Query{})
	same(t, "the whole", n, 7)
}

func cursors(t *testing.T, s store.Store) {
	v, _ := mixed(t, s, 7)
	p, err := s.Find(ctx, v, store.Query{Limit: 2})
	if err != nil || p.Next == "" {
		t.Fatalf("first page: %+v, %v", p, err)
	}
	_, err = s.Find(ctx, access.Whole(), store.Query{Limit: 2, After: p.Next})
	kind(t, "another reader's cursor", err, atalaya.BadUse)
	for _, c := range []store.Cursor{"1", "!", p.Next[1:], p.Next + "A", store.Cursor(strings.Repeat("A", 100))} {
		_, err = s.Find(ctx, v, store.Query{Limit: 2, After: c})
		kind(t, "a made-up cursor", err, atalaya.BadUse)
	}
	tailing, err := s.Follow(ctx, v, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Follow(ctx, access.Whole(), tailing.Next, 0)
	if err != nil || !other.Reset || len(other.Events) != 0 {
		t.Errorf("another reader's tail cursor: %+v, %v; want Reset", other, err)
	}
}

func tail(t *testing.T, s store.Store) {
	start, err := s.Follow(ctx, access.Whole(), "", 10)
	if err != nil || len(start.Events) != 0 || start.Reset {
		t.Fatalf("tail of an empty log: %+v, %v", start, err)
	}
	v, _ := mixed(t, s, 6) // the last is secret
	got, err := s.Follow(ctx, v, "0", 0)
	if err != nil || len(got.Events) != 3 {
		t.Fatalf("tail: %+v, %v", got, err)
	}
	prev := store.Cursor("0")
	for i, e := range got.Events {
		if e.Prev != prev || e.ID == prev {
			t.Errorf("event %d: id %s after %s, want after %s", i, e.ID, e.Prev, prev)
		}
		prev = e.ID
	}
	same(t, "next", got.Next, prev)
	end, err := s.Follow(ctx, v, "", 0)
	same(t, "the end, as the reader sees it", fmt.Sprint(end.Next, len(end.Events), err), fmt.Sprint(prev, 0, nil))
	add(t, s, Made(store.ObservationMade, "obs_90", "m", "", "(S)"))
	quiet, err := s.Follow(ctx, v, got.Next, 0)
	same(t, "after a withheld event nothing has changed", fmt.Sprint(quiet.Next, len(quiet.Events), quiet.Reset, err), fmt.Sprint(got.Next, 0, false, nil))
	add(t, s, Made(store.ObservationMade, "obs_91", "m", "", "(U)"))
	more, err := s.Follow(ctx, v, got.Next, 0)
	if err != nil || len(more.Events) != 1 || more.Events[0].Prev != got.Next || more.Events[0].Event.Subject != "obs_91" {
		t.Errorf("after a visible event: %+v, %v", more, err)
	}
}

func gapRepair(t *testing.T, s store.Store) {
	v, _ := mixed(t, s, 9)
	all, err := s.Follow(ctx, v, "0", 0)
	if err != nil || len(all.Events) != 5 {
		t.Fatalf("%+v, %v", all, err)
	}
	// A follower that lost the third event sees that the fourth does not follow the second, and asks from the second.
	if all.Events[3].Prev == all.Events[1].ID {
		t.Error("the gap cannot be seen")
	}
	again, err := s.Follow(ctx, v, all.Events[1].ID, 1)
	if err != nil || len(again.Events) != 1 || again.Events[0].ID != all.Events[2].ID || again.Next != all.Events[2].ID {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	for at := store.Cursor("0"); ; {
		step, err := s.Follow(ctx, v, at, 2)
		if err != nil || step.Reset {
			t.Fatalf("%+v, %v", step, err)
		}
		if len(step.Events) == 0 {
			same(t, "end of steps", at, all.Next)
			break
		}
		at = step.Next
	}
}

func changed(t *testing.T, s store.Store) {
	ch := s.Changed()
	select {
	case <-ch:
		t.Error("woken by nothing")
	default:
	}
	add(t, s, Made(store.ObservationMade, "obs_1", "m", "", "(U)"))
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Error("an append woke nobody")
	}
}

func pages(t *testing.T, s store.Store) {
	v, _ := mixed(t, s, 21)
	for _, newest := range []bool{false, true} {
		want := find(t, s, v, store.Query{NewestFirst: newest})
		if len(want) != 11 || slices.IsSorted(want) == newest {
			t.Errorf("newest first %v: %v", newest, want)
		}
		for limit := 1; limit <= 12; limit++ {
			var got []string
			for q := (store.Query{NewestFirst: newest, Limit: limit}); ; {
				p, err := s.Find(ctx, v, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range p.Entities {
					got = append(got, e.ID)
				}
				if p.Next == "" {
					break
				}
				q.After = p.Next
			}
			same(t, fmt.Sprint("pages of ", limit), got, want)
		}
	}
	same(t, "by ids", find(t, s, v, store.Query{IDs: []string{"obs_04", "obs_05", "nothing"}}), []string{"obs_04"})
	same(t, "by no ids", find(t, s, v, store.Query{IDs: []string{}}), []string{})
	same(t, "by parent", len(find(t, s, v, store.Query{Parent: "blob"})), 11)
}

func places(t *testing.T, s store.Store) {
	leaf := s2.CellIDFromLatLng(s2.LatLngFromDegrees(24.8, -107.4))
	far := s2.CellIDFromLatLng(s2.LatLngFromDegrees(-35, 150)) // a cell id with the top bit set
	for i, c := range []s2.CellID{leaf.Parent(10), leaf.Parent(16), leaf.Parent(16).Next(), far.Parent(16)} {
		e := Made(store.EvidenceMade, fmt.Sprint("ev_", i), "m", "obs", "(U)")
		e.Cells = []uint64{uint64(c), uint64(c)}
		add(t, s, e)
	}
	for _, c := range []struct {
		name  string
		cells []s2.CellID
		want  []string
	}{
		{"the same cell and what contains it", []s2.CellID{leaf.Parent(16)}, []string{"ev_0", "ev_1"}},
		{"a smaller cell", []s2.CellID{leaf}, []string{"ev_0", "ev_1"}},
		{"a larger cell", []s2.CellID{leaf.Parent(5)}, []string{"ev_0", "ev_1", "ev_2"}},
		{"a neighbour within the large one", []s2.CellID{leaf.Parent(16).Next()}, []string{"ev_0", "ev_2"}},
		{"the other side of the Earth", []s2.CellID{far}, []string{"ev_3"}},
		{"nowhere near", []s2.CellID{s2.CellIDFromLatLng(s2.LatLngFromDegrees(60, 60))}, []string{}},
		{"both at once, listed once", []s2.CellID{leaf.Parent(5), far, leaf}, []string{"ev_0", "ev_1", "ev_2", "ev_3"}},
	} {
		var cells []uint64
		for _, id := range c.cells {
			cells = append(cells, uint64(id))
		}
		same(t, c.name, find(t, s, access.Whole(), store.Query{Cells: cells}), c.want)
		n, _ := s.Count(ctx, access.Whole(), store.Query{Cells: cells})
		same(t, c.name+", counted", n, len(c.want))
	}
	_, err := s.Find(ctx, access.Whole(), store.Query{Cells: []uint64{0}})
	kind(t, "a cell that is none", err, atalaya.BadUse)
}

func times(t *testing.T, s store.Store) {
	add(t, s,
		Made(store.ObservationMade, "obs_timeless", "m", "", "(U)"),
		Made(store.ObservationMade, "obs_morning", "m", "", "(U)", "when", `{"from":"2026-03-01T08:00:00Z","to":"2026-03-01T09:00:00Z"}`),
		Made(store.ObservationMade, "obs_noon", "m", "", "(U)", "when", `{"from":"2026-03-01T05:30:00.5-06:00","to":"2026-03-01T12:00:00Z"}`))
	h := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, "2026-03-01T"+s+"Z"); return v }
	same(t, "touching its end", find(t, s, access.Whole(), store.Query{From: h("09:00:00"), To: h("11:00:00")}), []string{"obs_morning", "obs_timeless"})
	same(t, "an offset is a time", find(t, s, access.Whole(), store.Query{From: h("11:00:00"), To: h("11:30:01")}), []string{"obs_noon", "obs_timeless"})
	same(t, "open end", find(t, s, access.Whole(), store.Query{From: h("10:00:00")}), []string{"obs_noon", "obs_timeless"})
}

// campaign is a small history with everything that folds.
func campaign(t testing.TB, s store.Store) {
	leaf := s2.CellIDFromLatLng(s2.LatLngFromDegrees(24.8, -107.4))
	var all []store.NewEvent
	all = append(all, Made(store.MissionMade, "m", "m", "", "(U)"))
	for i := range 5 {
		obs, det, ev := fmt.Sprint("obs_", i), fmt.Sprint("det_", i), fmt.Sprint("ev_", i)
		marking := []string{"(U)", "(S)"}[i%2]
		e := Made(store.EvidenceMade, ev, "m", obs, marking, "log_odds", "[0.1,-2.5e-7]")
		e.Cells = []uint64{uint64(leaf.Parent(13)), uint64(leaf.Parent(14 + i))}
		all = append(all, Made(store.ObservationMade, obs, "m", "", marking), Made(store.DetectionMade, det, "m", obs, marking), e)
	}
	all = append(all, Made(store.CaseOpened, "case_1", "m", "", "(S)"),
		store.NewEvent{Time: At, Kind: store.CaseLookedAt, Subject: "case_1", Marking: "(S)", Body: []byte(`{"basis":"b","snapshot":{"id":"x"}}`)},
		Made(store.ReviewMade, "rev_1", "m", "", "(S)", "case", `"case_1"`),
		retract("obs_1"), retract("obs_2"), undo("obs_2"))
	add(t, s, all...)
}

func retract(id string) store.NewEvent {
	return store.NewEvent{Time: At, Actor: "acct_SYNTHETIC", Kind: store.RetractionMade, Subject: id, Marking: "(U)", Body: []byte(`{"why":"the sensor drifted"}`)}
}

func undo(id string) store.NewEvent {
	return store.NewEvent{Time: At, Actor: "acct_SYNTHETIC", Kind: store.RetractionUndone, Subject: id, Marking: "(U)", Body: []byte(`{"why":"it had not"}`)}
}

func replay(t *testing.T, s store.Store) {
	campaign(t, s)
	before := Dump(t, s)
	if strings.Count(before, "\n") != 18 {
		t.Fatalf("dump has %d lines, want 18:\n%s", strings.Count(before, "\n"), before)
	}
	for range 2 {
		last := int64(0)
		if err := s.Replay(ctx, func(done, total int64) { last = done - total }); err != nil {
			t.Fatal(err)
		}
		same(t, "progress ends at the end", last, 0)
		if after := Dump(t, s); after != before {
			t.Errorf("replay changed the dump from\n%s\nto\n%s", before, after)
		}
	}
	add(t, s, Made(store.ObservationMade, "obs_9", "m", "", "(U)"))
	same(t, "the record goes on", len(find(t, s, access.Whole(), store.Query{IDs: []string{"obs_9"}})), 1)
}

func retraction(t *testing.T, s store.Store) {
	campaign(t, s)
	get := func(kind, id string) store.Standing {
		e, err := s.Get(ctx, access.Whole(), kind, id)
		if err != nil {
			t.Fatal(err)
		}
		return e.Standing
	}
	same(t, "what was taken back", []store.Standing{get("observation", "obs_1"), get("detection", "det_1"), get("evidence", "ev_1")}, []store.Standing{store.Retracted, store.Tombstoned, store.Tombstoned})
	same(t, "what was taken back and restored", []store.Standing{get("observation", "obs_2"), get("detection", "det_2"), get("evidence", "ev_2")}, []store.Standing{store.Stands, store.Stands, store.Stands})
	same(t, "what stands", find(t, s, access.Whole(), store.Query{Kind: "evidence"}), []string{"ev_0", "ev_2", "ev_3", "ev_4"})
	same(t, "with what does not", len(find(t, s, access.Whole(), store.Query{Kind: "evidence", AllStanding: true})), 5)
	add(t, s, Made(store.DetectionMade, "det_late", "m", "obs_1", "(U)"))
	same(t, "computed while its basis was being taken back", get("detection", "det_late"), store.Tombstoned)
	add(t, s, Made(store.ObservationMade, "obs_1", "m", "", "(S)"))
	same(t, "the same file read again stays taken back", get("observation", "obs_1"), store.Retracted)
	e, _ := s.Get(ctx, access.Whole(), "evidence", "ev_1")
	same(t, "cells survive a retraction", len(e.Cells), 2)
	h, _ := s.Events(ctx, access.Whole(), "obs_1")
	same(t, "history", len(h), 3)
}

func derived(t *testing.T, s store.Store) {
	on := func(id, basis string) store.NewEvent {
		return Made(store.ObservationMade, id, "m", "blob", "(U)", "from", `["`+basis+`"]`)
	}
	get := func(kind, id string) store.Standing {
		e, err := s.Get(ctx, access.Whole(), kind, id)
		if err != nil {
			t.Fatal(err)
		}
		return e.Standing
	}
	all := func() string {
		return fmt.Sprint(get("observation", "obs_film"), " ", get("observation", "obs_movers"), " ", get("detection", "det_stop"), " ", get("evidence", "ev_stop"), " ", get("observation", "obs_other"))
	}
	add(t, s, Made(store.ObservationMade, "obs_film", "m", "blob", "(U)"), Made(store.ObservationMade, "obs_other", "m", "blob", "(U)"), on("obs_movers", "obs_film"),
		Made(store.DetectionMade, "det_stop", "m", "obs_movers", "(U)"), Made(store.EvidenceMade, "ev_stop", "m", "obs_movers", "(U)"), on("obs_self", "obs_self"))
	for _, c := range []struct {
		claim string
		event store.NewEvent
		want  string
	}{
		{"the film is taken back", retract("obs_film"), "retracted tombstoned tombstoned tombstoned stands"},
		{"and restored", undo("obs_film"), "stands stands stands stands stands"},
		{"the movers alone", retract("obs_movers"), "stands retracted tombstoned tombstoned stands"},
		{"then the film", retract("obs_film"), "retracted retracted tombstoned tombstoned stands"},
		{"the film restored leaves what was taken back by itself", undo("obs_film"), "stands retracted tombstoned tombstoned stands"},
		{"the film taken back once more", retract("obs_film"), "retracted retracted tombstoned tombstoned stands"},
		{"the movers restored do not stand on what does not", undo("obs_movers"), "retracted tombstoned tombstoned tombstoned stands"},
		{"until the film is restored", undo("obs_film"), "stands stands stands stands stands"},
	} {
		add(t, s, c.event)
		same(t, c.claim, all(), c.want)
	}
	add(t, s, retract("obs_film"), on("obs_late", "obs_film"), Made(store.DetectionMade, "det_late", "m", "obs_late", "(U)"))
	same(t, "made while its basis was being taken back", fmt.Sprint(get("observation", "obs_late"), " ", get("detection", "det_late")), "tombstoned tombstoned")
	add(t, s, undo("obs_film"))
	same(t, "it comes back with it", fmt.Sprint(get("observation", "obs_late"), " ", get("detection", "det_late")), "stands stands")
	add(t, s, retract("obs_self"))
	same(t, "one that names itself ends", get("observation", "obs_self"), store.Retracted)
}

func asIfNever(t *testing.T, s store.Store) {
	of := func(skip int) []store.NewEvent {
		var all []store.NewEvent
		for i := range 4 {
			if i == skip {
				continue
			}
			obs := fmt.Sprint("obs_", i)
			all = append(all, Made(store.ObservationMade, obs, "m", "", "(U)"), Made(store.DetectionMade, fmt.Sprint("det_", i), "m", obs, "(U)"), Made(store.EvidenceMade, fmt.Sprint("ev_", i), "m", obs, "(U)"))
		}
		return all
	}
	add(t, s, of(2)...)
	without := standing(t, s)
	add(t, s, of(-1)[6:9]...)
	if standing(t, s) == without {
		t.Fatal("the third observation changed nothing")
	}
	add(t, s, retract("obs_2"))
	same(t, "what stands after the retraction", standing(t, s), without)
}

func anyOrder(t *testing.T, s store.Store) {
	// One store holds many missions: each mission is the same campaign in another order, and must fold to the same.
	names := []string{"obs", "det", "ev", "obsb", "detb"}
	build := func(m, n string) store.NewEvent {
		id, obs := m+"_"+n, m+"_obs"
		if strings.HasSuffix(n, "b") {
			obs += "b"
		}
		switch n[:2] {
		case "ob":
			return Made(store.ObservationMade, id, m, "", "(U)")
		case "de":
			return Made(store.DetectionMade, id, m, obs, "(U)")
		}
		return Made(store.EvidenceMade, id, m, obs, "(U)")
	}
	shape := func(m string) string {
		p, err := s.Find(ctx, access.Whole(), store.Query{Mission: m, AllStanding: true})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, e := range p.Entities {
			fmt.Fprintln(&b, e.Kind, e.ID, e.Parent, e.Standing, string(e.Body))
		}
		return strings.ReplaceAll(b.String(), m, "M")
	}
	n, want := 0, ""
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation(names).Draw(t, "order")
		after := rapid.IntRange(slices.Index(order, "obs"), len(order)-1).Draw(t, "retracted after")
		n++
		m := fmt.Sprintf("m%03d", n)
		for i, name := range order {
			events := []store.NewEvent{build(m, name)}
			if i == after {
				events = append(events, retract(m+"_obs"))
			}
			if _, err := s.Append(ctx, events...); err != nil {
				t.Fatal(err)
			}
		}
		if got := shape(m); want == "" {
			want = got
		} else if got != want {
			t.Fatalf("order %v, retracted after %d, gives\n%s\nwant\n%s", order, after, got, want)
		}
	})
}

func purge(t *testing.T, s store.Store) {
	secret := Made(store.ObservationMade, "obs_p", "m", "", "(U)", "note", `"SYNTHETIC-PERSON"`)
	secret.PersonKey = "person_1"
	secret.Cells = []uint64{uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(1, 1)))}
	add(t, s, Made(store.ObservationMade, "obs_other", "m", "", "(U)"), secret, Made(store.DetectionMade, "det_p", "m", "obs_p", "(U)"))
	got, err := s.Events(ctx, access.Whole(), "obs_p")
	if err != nil || len(got) != 1 || !strings.Contains(string(got[0].Body), "SYNTHETIC-PERSON") || len(got[0].Cells) != 1 {
		t.Fatalf("before the purge: %+v, %v", got, err)
	}
	kind(t, "a person that is not there", s.Purge(ctx, "acct_1", At, "person_2", "test"), atalaya.NotFound)
	if err := s.Purge(ctx, "acct_1", At, "person_1", "the review date has passed"); err != nil {
		t.Fatal(err)
	}
	got, err = s.Events(ctx, access.Whole(), "obs_p")
	if err != nil || len(got) != 1 || string(got[0].Body) != "null" || len(got[0].Cells) != 0 || got[0].Commitment == "" {
		t.Errorf("after the purge: %+v, %v", got, err)
	}
	e, err := s.Get(ctx, access.Whole(), "observation", "obs_p")
	same(t, "the entity", fmt.Sprint(e.Standing, string(e.Body), len(e.Cells), err), fmt.Sprint(store.Purged, "null", 0, nil))
	e, err = s.Get(ctx, access.Whole(), "detection", "det_p")
	same(t, "what rested on it", fmt.Sprint(e.Standing, err), fmt.Sprint(store.Tombstoned, nil))
	same(t, "what stands", find(t, s, access.Whole(), store.Query{}), []string{"obs_other"})
	log, _ := s.Events(ctx, access.Whole(), "person_1")
	if len(log) != 1 || log[0].Kind != store.PurgeMade || log[0].Actor != "acct_1" || !strings.Contains(string(log[0].Body), "review date") {
		t.Errorf("the log of the purge: %+v", log)
	}
	add(t, s, retract("obs_p"), undo("obs_p"))
	e, _ = s.Get(ctx, access.Whole(), "observation", "obs_p")
	same(t, "an undo does not bring it back", e.Standing, store.Purged)
	e, _ = s.Get(ctx, access.Whole(), "detection", "det_p")
	same(t, "nor what rested on it", e.Standing, store.Tombstoned)
	before := Dump(t, s)
	if strings.Contains(before, "SYNTHETIC-PERSON") {
		t.Error("the dump shows what was purged")
	}
	if err := s.Replay(ctx, nil); err != nil {
		t.Fatal(err)
	}
	same(t, "replay after a purge", Dump(t, s), before)
	again := Made(store.ObservationMade, "obs_q", "m", "", "(U)")
	again.PersonKey = "person_1"
	add(t, s, again)
	got, _ = s.Events(ctx, access.Whole(), "obs_p")
	same(t, "a new key opens nothing old", string(got[0].Body), "null")
}

func jobs(t *testing.T, s store.Store) {
	e := Made(store.ObservationMade, "obs_1", "m", "", "(U)")
	e.Jobs = []store.Job{{Kind: "detect", Args: []byte(`{"observation":"obs_1"}`)}, {Kind: "detect", Args: []byte(`{"observation":"obs_1"}`)}}
	add(t, s, e)
	n, err := s.Pending(ctx)
	same(t, "pending", fmt.Sprint(n, err), "2 <nil>")
	conflict := int64(77)
	bad := Made(store.ObservationMade, "obs_2", "m", "", "(U)")
	bad.Expect = &conflict
	if _, err := s.Append(ctx, e, bad); err == nil {
		t.Fatal("no conflict")
	}
	n, _ = s.Pending(ctx)
	same(t, "pending after an append that failed", n, 2)
}

func uniqueJobs(t *testing.T, s store.Store) {
	e := Made(store.ObservationMade, "obs_1", "m", "", "(U)")
	e.Jobs = []store.Job{{Kind: "recompute", Args: []byte(`{"mission":"m1"}`), Unique: true}, {Kind: "recompute", Args: []byte(`{"mission":"m1"}`), Unique: true}}
	add(t, s, e, e)
	add(t, s, e)
	e.Jobs = []store.Job{{Kind: "recompute", Args: []byte(`{"mission":"m2"}`), Unique: true}}
	add(t, s, e)
	n, _ := s.Pending(ctx)
	same(t, "pending", n, 2)
}

func concurrent(t *testing.T, s store.Store) {
	const writers, each = 8, 12
	var wg sync.WaitGroup
	errs := make(chan error, writers*each)
	var mu sync.Mutex
	promised := map[string]int64{}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("obs_%d_%d", w, i)
				out, err := s.Append(ctx, Made(store.ObservationMade, id, "m", "", "(U)"))
				if err != nil {
					errs <- err
					return
				}
				if _, err := s.Get(ctx, access.Whole(), "observation", id); err != nil {
					errs <- errors.Join(errors.New("a writer does not see its own append"), err)
				}
				mu.Lock()
				promised[id] = out[0].Seq
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	log, err := s.Events(ctx, access.Whole(), "")
	if err != nil || len(log) != writers*each {
		t.Fatalf("%d events, %v", len(log), err)
	}
	for i, e := range log {
		if e.Seq != int64(i+1) || promised[e.Subject] != e.Seq {
			t.Errorf("event %d of the log has seq %d, promised as %d", i+1, e.Seq, promised[e.Subject])
		}
	}
}

func secrets(t *testing.T, s store.Store) {
	_, err := s.Secret(ctx, "password/acct_1")
	kind(t, "no secret", err, atalaya.NotFound)
	for _, v := range []string{"first", "second"} {
		if err := s.SetSecret(ctx, "password/acct_1", []byte(v)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Secret(ctx, "password/acct_1")
		same(t, "secret", fmt.Sprint(string(got), err), fmt.Sprint(v, nil))
	}
	if err := s.SetSecret(ctx, "password/acct_1", nil); err != nil {
		t.Fatal(err)
	}
	_, err = s.Secret(ctx, "password/acct_1")
	kind(t, "a removed secret", err, atalaya.NotFound)
	head, _ := s.Head(ctx)
	same(t, "head", head, 0)
	if strings.Contains(Dump(t, s), "second") {
		t.Error("the dump shows a secret")
	}
}

func labels(t *testing.T, s store.Store) {
	a, err1 := s.Label(ctx, "(U)")
	b, err2 := s.Label(ctx, "(S//REL TO USA, MEX)")
	c, err3 := s.Label(ctx, "(U)")
	if err := errors.Join(err1, err2, err3); err != nil || a != c || a == b {
		t.Errorf("labels %d %d %d, %v", a, b, c, err)
	}
	e := add(t, s, Made(store.ObservationMade, "o", "m", "", "(U)"))[0]
	same(t, "label of an event", e.Label, a)
	all, err := s.Labels(ctx)
	same(t, "labels", fmt.Sprint(all[a], all[b], len(all), err), fmt.Sprint("(U)", "(S//REL TO USA, MEX)", 2, nil))
	_, err = s.Label(ctx, "")
	kind(t, "the empty marking", err, atalaya.BadUse)
}
