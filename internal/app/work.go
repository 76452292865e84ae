package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// The jobs, in the order in which one causes the next; the search for movers is caused by the decoding of a file, and causes detections. Each ends in an event keyed by its inputs, so that doing it twice
// does no harm.
const (
	decodeFile        = "decode-file"
	searchForMovers   = "search-for-movers"
	detectObservation = "detect-observation"
	assessMission     = "assess-mission"
)

// task is the argument of every job.
type task struct {
	Mission     atalaya.MissionID     `json:"mission"`
	File        string                `json:"file,omitempty"`
	Observation atalaya.ObservationID `json:"observation,omitempty"`
	Seed        uint64                `json:"seed"`
	// Pictures names the program that is to look for what moves in a file's pictures once it is decoded; "" is not to.
	Pictures string `json:"pictures,omitempty"`
}

func (t task) job(kind string) store.Job { return store.Job{Kind: kind, Args: mustJSON(t)} }

func assessJob(m atalaya.MissionID) store.Job {
	return store.Job{Kind: assessMission, Args: mustJSON(task{Mission: m}), Unique: true}
}

// key names a computed event by what it was made from and by which code.
func (a *App) key(parts ...string) string {
	return atalaya.NameOf("key_", append([]string{a.Version}, parts...)...)
}

// Workers are the jobs that this program can do.
func (a *App) Workers() map[string]sqlite.Worker {
	do := func(f func(context.Context, task) error) sqlite.Worker {
		return func(ctx context.Context, args json.RawMessage) error {
			var t task
			if err := json.Unmarshal(args, &t); err != nil {
				return err
			}
			return f(ctx, t)
		}
	}
	return map[string]sqlite.Worker{decodeFile: do(a.decode), searchForMovers: do(a.searchMovers), detectObservation: do(a.detect), assessMission: do(a.assess)}
}

// Work takes jobs until ctx ends.
func (a *App) Work(ctx context.Context) error {
	return a.Record.Work(ctx, a.Workers(), sqlite.WorkOptions{GivenUp: a.givenUp})
}

// Drain takes jobs until none is left.
func (a *App) Drain(ctx context.Context) error {
	return a.Record.Drain(ctx, a.Workers(), sqlite.WorkOptions{GivenUp: a.givenUp})
}

func (a *App) givenUp(kind string, args json.RawMessage, err error) {
	a.talk("given up: %s %s: %v", kind, args, err)
}

// File is a file of a mission as it was taken.
type File struct {
	Mission  atalaya.MissionID `json:"mission"`
	Path     string            `json:"path"` // within the mission folder, slash-separated
	Kind     string            `json:"kind"`
	Blob     atalaya.BlobID    `json:"sha256"`
	Bytes    int64             `json:"bytes"`
	Records  int               `json:"records"`
	Problems []Problem         `json:"problems"`
	// Noticed is the part of Problems that was seen when the file was recognised, before it was decoded.
	Noticed []Problem        `json:"noticed,omitempty"`
	Sortie  atalaya.SortieID `json:"sortie,omitempty"`
}

func fileID(m atalaya.MissionID, path string, blob atalaya.BlobID) string {
	return atalaya.NameOf("file_", string(m), path, string(blob))
}

func sortieKey(m atalaya.MissionID, s atalaya.SortieID) string {
	return atalaya.NameOf("srt_", string(m), string(s))
}

// MissionState is a mission as the record keeps it.
type MissionState struct {
	ID atalaya.MissionID `json:"id"`
	MissionFile
}

func (a *App) mission(ctx context.Context, id atalaya.MissionID) (MissionState, error) {
	m, _, err := get[MissionState](ctx, a, access.Whole(), "mission", string(id))
	return m, err
}

// decode turns a file into observations.
func (a *App) decode(ctx context.Context, t task) error {
	f, fe, err := get[File](ctx, a, access.Whole(), "file", t.File)
	if err != nil {
		return err
	}
	m, err := a.mission(ctx, t.Mission)
	if err != nil {
		return err
	}
	b, err := a.Record.Blobs().Open(f.Blob)
	if err != nil {
		return err
	}
	defer b.Close()
	out, err := decoders[f.Kind](b, f.Path, m.MissionFile)
	var bad *atalaya.Error
	if errors.As(err, &bad) { // the file's fault: told once, in the file's own row
		place := bad.Place
		short := *bad
		short.File, short.Place = "", ""
		out = seen{problems: []Problem{{place, short.Error()}}}
	} else if err != nil {
		return err
	}
	a.talk("%s: %d records", f.Path, out.records)
	f.Records, f.Problems = out.records, merged(f.Noticed, out.problems)
	seed := strconv.FormatUint(t.Seed, 10)
	events := []store.NewEvent{{Time: a.Clock(), Actor: System, Kind: store.FileTaken, Subject: t.File, Marking: fe.Marking, Body: mustJSON(f),
		Key: a.key(t.searching("decoded", t.File, seed, string(mustJSON(m.MissionFile)))...)}}
	search := task{Mission: t.Mission, File: t.File, Seed: t.Seed}
	for i, o := range out.observations {
		o.Mission, o.Blob, o.Path, o.Sortie, o.Marking = f.Mission, f.Blob, f.Path, cmp.Or(o.Sortie, f.Sortie), m.Marking
		o.ID = atalaya.ObservationID(atalaya.NameOf("obs_", string(f.Mission), f.Path, string(f.Blob), o.Part))
		search.Observation = o.ID // a video gives one
		if o.Kind == atalaya.Report {
			if err := a.gist(ctx, &o); err != nil {
				return err
			}
		}
		events = append(events, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.ObservationMade, Subject: string(o.ID), Marking: o.Marking,
			Body: mustJSON(o), Cells: out.cells[i], Key: a.key("observed", string(o.ID), seed, string(mustJSON(o))),
			Jobs: nextAfter(o, t)})
	}
	if t.Pictures != "" {
		events[0].Jobs = []store.Job{search.job(searchForMovers)}
	}
	_, err = a.Record.Append(ctx, events...)
	return err
}

// searching adds to the parts of a key that pictures are looked at too, and by what: a run that can do so does what one before it could not.
func (t task) searching(parts ...string) []string {
	if t.Pictures == "" {
		return parts
	}
	return append(parts, t.Pictures)
}

// merged lists problems of both, each once, in order; never nil.
func merged(lists ...[]Problem) []Problem {
	out := []Problem{}
	for _, l := range lists {
		for _, p := range l {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// detect asks what stands out in an observation and what that says of the ground.
func (a *App) detect(ctx context.Context, t task) error {
	o, e, err := get[atalaya.Observation](ctx, a, access.Whole(), "observation", string(t.Observation))
	if err != nil {
		return err
	}
	if e.Standing != store.Stands {
		return nil // taken back meanwhile
	}
	m, err := a.mission(ctx, t.Mission)
	if err != nil {
		return err
	}
	found, err := a.find(ctx, o, m, t.Seed)
	if err != nil {
		return err
	}
	seed := strconv.FormatUint(t.Seed, 10)
	var events []store.NewEvent
	for i, d := range found {
		n := strconv.Itoa(i)
		d.detection.ID = atalaya.DetectionID(atalaya.NameOf("det_", string(o.ID), n))
		d.detection.Mission, d.detection.From, d.detection.When, d.detection.Marking = o.Mission, []atalaya.ObservationID{o.ID}, sensed(d.detection.When, o.When), o.Marking
		var cells []uint64
		if d.detection.Place != nil {
			cells = cellsAround([]geodesy.LatLon{{Lat: d.detection.Place.Lat, Lon: d.detection.Place.Lon}})
		}
		events = append(events, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.DetectionMade, Subject: string(d.detection.ID), Marking: o.Marking,
			Body: mustJSON(d.detection), Cells: cells, Key: a.key("detected", string(mustJSON(o)), n, seed)})
		for k, ev := range d.evidence {
			if len(ev.Cells) == 0 {
				continue
			}
			ev.ID = atalaya.EvidenceID(atalaya.NameOf("ev_", string(o.ID), n, strconv.Itoa(k)))
			ev.Mission, ev.Observation, ev.Detection, ev.When, ev.Marking, ev.Lineage = o.Mission, o.ID, d.detection.ID, sensed(ev.When, o.When), o.Marking, slices.Concat(o.Lineage, ev.Lineage)
			if err := site.Check(ev); err != nil {
				return err
			}
			events = append(events, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.EvidenceMade, Subject: string(ev.ID), Marking: ev.Marking,
				Body: mustJSON(ev), Key: a.key("evidence", string(mustJSON(o)), n, strconv.Itoa(k), seed)})
		}
	}
	if len(events) == 0 {
		return nil
	}
	events[len(events)-1].Jobs = []store.Job{assessJob(o.Mission)}
	_, err = a.Record.Append(ctx, events...)
	return err
}

// Assessment is the ranking of one mission at one time.
type Assessment struct {
	Mission    atalaya.MissionID   `json:"mission"`
	AsOf       time.Time           `json:"as_of"`
	Inputs     string              `json:"inputs"` // hash of the evidence that it rests on
	Candidates []atalaya.Candidate `json:"candidates"`
}

// assess ranks the places of a mission from all evidence that stands. One at a time: of two at once the one that read the evidence first might be kept last.
func (a *App) assess(ctx context.Context, t task) error {
	a.assessing.Lock()
	defer a.assessing.Unlock()
	as, err := a.rank(ctx, access.Whole(), t.Mission)
	if err != nil {
		return err
	}
	before, e, err := get[Assessment](ctx, a, access.Whole(), "assessment", string(t.Mission))
	var version int64
	switch {
	case isNotFound(err):
	case err != nil:
		return err
	case before.Inputs == as.Inputs:
		return nil
	default:
		version = e.Version
	}
	marking, err := a.missionMarking(ctx, t.Mission)
	if err != nil {
		return err
	}
	a.talk("assessed: %d candidate places", len(as.Candidates))
	_, err = a.Record.Append(ctx, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.AssessmentMade, Subject: string(t.Mission), Marking: marking,
		Body: mustJSON(as), Key: a.key("assessed", string(t.Mission), as.Inputs, strconv.FormatInt(version, 10))})
	return err
}

func (a *App) missionMarking(ctx context.Context, id atalaya.MissionID) (string, error) {
	e, err := a.Record.Get(ctx, access.Whole(), "mission", string(id))
	return e.Marking, err
}

// rank is the ranking of a mission as one reader may know it: the evidence that the view sees, summed afresh. An empty
// mission is the whole record.
func (a *App) rank(ctx context.Context, view access.View, id atalaya.MissionID) (Assessment, error) {
	q, err := a.asking(ctx, view, id)
	if err != nil {
		return Assessment{}, err
	}
	return q.rank()
}

// Ranking is the ranking that a reader may know. What the reader sees all of is read as it was computed; else it is summed again.
func (a *App) Ranking(ctx context.Context, view access.View, id atalaya.MissionID) (Assessment, error) {
	if id != "" {
		q := store.Query{Kind: "evidence", Mission: string(id)}
		all, err := a.Record.Count(ctx, access.Whole(), q)
		if err != nil {
			return Assessment{}, err
		}
		own, err := a.Record.Count(ctx, view, q)
		if err != nil {
			return Assessment{}, err
		}
		whole, err := a.seesAllGround(ctx, view, id)
		if err != nil {
			return Assessment{}, err
		}
		if own == all && whole {
			as, _, err := get[Assessment](ctx, a, view, "assessment", string(id))
			if err == nil || !isNotFound(err) {
				return as, err
			}
		}
	}
	return a.rank(ctx, view, id)
}

// Candidate finds a candidate in the rankings of the missions.
func (a *App) Candidate(ctx context.Context, view access.View, id atalaya.CandidateID) (atalaya.Candidate, error) {
	ms, err := a.Missions(ctx, view)
	if err != nil {
		return atalaya.Candidate{}, err
	}
	for _, m := range ms {
		as, err := a.Ranking(ctx, view, m.ID)
		if err != nil {
			return atalaya.Candidate{}, err
		}
		for _, c := range as.Candidates {
			if c.ID == id {
				return c, nil
			}
		}
	}
	return atalaya.Candidate{}, failure(atalaya.NotFound, "List them with `atalaya run --json` or in the workbench", "there is no candidate %s", id)
}

// Missions lists the missions, latest first.
func (a *App) Missions(ctx context.Context, view access.View) ([]MissionState, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "mission", NewestFirst: true})
	if err != nil {
		return nil, err
	}
	return nouns[MissionState](es)
}
