package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/intake"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// RunOptions say how a mission is run.
type RunOptions struct {
	Seed     uint64
	All      bool            // rank the whole record, not this mission
	Progress intake.Progress // while files are read
	// WithoutMovers leaves the pictures of videos alone: nothing is decoded. What an earlier run found in them stands.
	WithoutMovers bool
}

// SitesDocument is the answer of `run --json`: atalaya.sites/1.
type SitesDocument struct {
	Schema  string         `json:"schema"`
	Banner  string         `json:"banner"`
	Mission string         `json:"mission"`
	Sites   []SiteDocument `json:"sites"`
	Files   []FileDocument `json:"files"`
	// Problems are what went wrong with the mission as a whole; those of one file are in its row.
	Problems []Problem `json:"problems,omitempty"`
	Seed     uint64    `json:"seed"`
	Version  string    `json:"version"`
}

// SiteDocument is one site of a SitesDocument.
type SiteDocument struct {
	ID           atalaya.CandidateID         `json:"id"`
	Rank         int                         `json:"rank"`
	Lat          float64                     `json:"lat"`
	Lon          float64                     `json:"lon"`
	Probability  float64                     `json:"probability"`
	Word         *string                     `json:"word"`
	Range        *[2]float64                 `json:"range_90,omitempty"` // where the probability lies with 90 %, by the cases of the calibration
	Cases        int                         `json:"cases,omitempty"`    // that stand behind it
	Regions      atalaya.Regions             `json:"regions"`
	CovarianceM2 [2][2]float64               `json:"covariance_m2"`
	RateKgS      map[string]atalaya.Interval `json:"rate_kg_s"`
	Evidence     []EvidenceDocument          `json:"evidence"`
	Alternatives []atalaya.Alternative       `json:"alternatives"`
	Status       string                      `json:"status"`
	Marking      string                      `json:"marking"`
}

// EvidenceDocument is one row of a site's ledger.
type EvidenceDocument struct {
	Kind        string                `json:"kind"`
	Observation atalaya.ObservationID `json:"observation"`
	LogOdds     float64               `json:"log_odds"`
	Grade       string                `json:"grade"`
	Note        string                `json:"note"`
	Said        []atalaya.Sentence    `json:"said,omitempty"` // the note by codes
}

// FileDocument is one file of a SitesDocument.
type FileDocument struct {
	Path     string         `json:"path"`
	Kind     string         `json:"kind"`
	SHA256   atalaya.BlobID `json:"sha256"`
	Records  int            `json:"records"`
	Problems []Problem      `json:"problems"`
	// Movers counts the tracks of what moves in a video; absent where nothing was looked for, of which Notes say why.
	Movers *int `json:"movers,omitempty"`
	// Notes are what is so with the file without being wrong with it, as that a program is missing which would look into it.
	Notes []Problem `json:"notes,omitempty"`
}

// Run is the main job: every file of a mission folder into the record, all that follows from them worked out, and the
// ranking. partial says that some file was unknown, could not be read in part, or that a job on it was given up: each is among
// the problems of the document. Run again, it takes up where it stopped, tries once more what was given up, and what was done
// is not done twice.
func (a *App) Run(ctx context.Context, dir string, o RunOptions) (doc SitesDocument, partial bool, err error) {
	m, err := ReadMission(dir)
	if err != nil {
		return doc, false, err
	}
	if err := a.takeMission(ctx, m); err != nil {
		return doc, false, err
	}
	var taken []string // ids of the files, in the order of the folder
	program, without := a.lookingBy(ctx, o)
	seed := strconv.FormatUint(o.Seed, 10)
	err = intake.Walk(ctx, dir, func(f intake.File) error {
		if f.Kind == intake.Mission || f.Kind == intake.Truth { // truth is for score alone
			return nil
		}
		partial = partial || f.Partial
		blob, err := a.keep(dir, f)
		if err != nil {
			return err
		}
		file := File{Mission: m.ID(), Path: f.Path, Kind: string(f.Kind), Blob: blob, Bytes: f.Bytes, Sortie: m.SortieOf(f.Path)}
		for _, p := range f.Problems {
			file.Noticed = append(file.Noticed, Problem(p))
		}
		file.Problems = merged(file.Noticed)
		id := fileID(m.ID(), f.Path, blob)
		taken = append(taken, id)
		decode := task{Mission: m.ID(), File: id, Seed: o.Seed}
		if without == nil {
			switch has, err := a.pictured(file.Kind, blob); {
			case err != nil:
				return err
			case has:
				decode.Pictures = program
			}
		}
		e := store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.FileTaken, Subject: id, Marking: m.Marking, Body: mustJSON(file),
			Key: a.key(decode.searching("taken", id, seed, string(mustJSON(m)))...)}
		if decoders[file.Kind] != nil && blob != "" {
			e.Jobs = []store.Job{decode.job(decodeFile)}
		}
		_, err = a.Record.Append(ctx, e)
		return err
	}, o.Progress)
	if err != nil {
		return doc, partial, err
	}
	if _, err := a.Record.Append(ctx, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.MissionMade, Subject: string(m.ID()), Marking: m.Marking,
		Body: mustJSON(MissionState{m.ID(), m}), Key: a.key("read", string(m.ID()), seed, string(mustJSON(m)), string(mustJSON(taken))), Jobs: []store.Job{assessJob(m.ID())}}); err != nil {
		return doc, partial, err
	}
	a.talk("%d files taken", len(taken))
	if _, err := a.Record.TryAgain(ctx, func(j sqlite.LostJob) bool { return o.concerns(j, m.ID()) }); err != nil {
		return doc, partial, err
	}
	if err := a.Drain(ctx); err != nil {
		if _, only := err.(sqlite.LostJobs); !only { // those are named in the document
			return doc, partial, err
		}
	}
	doc, lost, err := a.document(ctx, m, taken, o, without)
	return doc, partial || lost, err
}

// lookingBy is the program by which a run looks for what moves in pictures, or why it does not.
func (a *App) lookingBy(ctx context.Context, o RunOptions) (program string, without error) {
	if o.WithoutMovers {
		return "", errors.New("--movers=false")
	}
	return programOf(ctx)
}

// concerns reports whether a job belongs to what is run: to its mission, or with All to any, and to its seed.
func (o RunOptions) concerns(j sqlite.LostJob, m atalaya.MissionID) bool {
	var t task
	return json.Unmarshal(j.Args, &t) == nil && (o.All || t.Mission == m) && (j.Kind == assessMission || t.Seed == o.Seed)
}

// givenUpOf is what to say of the jobs that are given up, by the path of their file; "" is the mission as a whole.
func (a *App) givenUpOf(ctx context.Context, m atalaya.MissionID, o RunOptions) (map[string][]Problem, error) {
	lost, err := a.Record.GivenUp(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]Problem{}
	for _, j := range lost {
		if !o.concerns(j, m) {
			continue
		}
		path, what, err := a.jobOf(ctx, j)
		if err != nil {
			return nil, err
		}
		out[path] = append(out[path], Problem{"", fmt.Sprintf("given up: %s: %v. Settle that and run again: it is then tried once more", what, j.Why)})
	}
	return out, nil
}

// jobOf says in words what a job does, and on which file.
func (a *App) jobOf(ctx context.Context, j sqlite.LostJob) (path, what string, err error) {
	var t task
	if err := json.Unmarshal(j.Args, &t); err != nil {
		return "", "", err
	}
	switch j.Kind {
	case decodeFile:
		f, _, err := get[File](ctx, a, access.Whole(), "file", t.File)
		if isNotFound(err) {
			return "", "reading " + t.File, nil
		}
		return f.Path, "reading it", err
	case searchForMovers:
		f, _, err := get[File](ctx, a, access.Whole(), "file", t.File)
		if isNotFound(err) {
			return "", "looking for what moves in " + t.File, nil
		}
		return f.Path, "looking for what moves", err
	case detectObservation:
		o, _, err := get[atalaya.Observation](ctx, a, access.Whole(), "observation", string(t.Observation))
		if isNotFound(err) {
			return "", "looking for what stands out in " + string(t.Observation), nil
		}
		return o.Path, "looking for what stands out" + inPart(o.Part), err
	}
	return "", "ranking the sites", nil
}

func inPart(part string) string {
	if part == "" {
		return ""
	}
	return " in " + part
}

// takeMission records the mission and its sorties.
func (a *App) takeMission(ctx context.Context, m MissionFile) error {
	events := []store.NewEvent{{Time: a.Clock(), Actor: System, Kind: store.MissionMade, Subject: string(m.ID()), Marking: m.Marking,
		Body: mustJSON(MissionState{m.ID(), m}), Key: a.key("mission", string(m.ID()), string(mustJSON(m)))}}
	for _, s := range m.Sorties {
		events = append(events, store.NewEvent{Time: a.Clock(), Actor: System, Kind: store.SortieMade, Subject: sortieKey(m.ID(), s.ID), Marking: m.Marking,
			Body: mustJSON(s), Key: a.key("sortie", string(m.ID()), string(mustJSON(s)))})
	}
	_, err := a.Record.Append(ctx, events...)
	return err
}

// keep puts a file's bytes among the blobs; what could not be read has none.
func (a *App) keep(dir string, f intake.File) (atalaya.BlobID, error) {
	if f.SHA256 == "" {
		return "", nil
	}
	if id := atalaya.BlobID(f.SHA256); a.Record.Blobs().Has(id) {
		return id, nil
	}
	r, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
	if err != nil {
		return "", err
	}
	defer r.Close()
	id, _, err := a.Record.Blobs().Put(r)
	return id, err
}

// document is the ranking as `run --json` prints it.
func (a *App) document(ctx context.Context, m MissionFile, taken []string, o RunOptions, without error) (doc SitesDocument, lost bool, err error) {
	id := m.ID()
	if o.All {
		id = ""
	}
	doc = SitesDocument{Schema: "atalaya.sites/1", Mission: m.Name, Sites: []SiteDocument{}, Files: []FileDocument{}, Seed: o.Seed, Version: a.Version}
	givenUp, err := a.givenUpOf(ctx, m.ID(), o)
	if err != nil {
		return doc, false, err
	}
	lost = len(givenUp) > 0
	for _, fid := range taken {
		f, _, err := get[File](ctx, a, access.Whole(), "file", fid)
		if err != nil {
			return doc, false, err
		}
		row := FileDocument{Path: f.Path, Kind: f.Kind, SHA256: f.Blob, Records: f.Records, Problems: merged(f.Problems, givenUp[f.Path])}
		if row.Movers, row.Notes, err = a.moversNotes(ctx, f, without); err != nil {
			return doc, false, err
		}
		delete(givenUp, f.Path)
		film, err := a.pictured(f.Kind, f.Blob)
		if err != nil {
			return doc, false, err
		}
		whole := film || f.Kind == string(intake.GeoJSON) // a film without metadata, a layer of no use here
		if decoders[f.Kind] != nil && f.Records == 0 && !whole {
			lost = true
			if len(row.Problems) == 0 { // what is not whole is never left unnamed
				row.Problems = []Problem{{"", "nothing could be read from it"}}
			}
		}
		doc.Files = append(doc.Files, row)
	}
	for _, path := range slices.Sorted(maps.Keys(givenUp)) { // of the mission, and with All of others' files
		for _, p := range givenUp[path] {
			doc.Problems = append(doc.Problems, Problem{path, p.What})
		}
	}
	as, err := a.Ranking(ctx, access.Whole(), id)
	if err != nil && !isNotFound(err) {
		return doc, lost, err
	}
	cases, err := a.caseFiles(ctx, access.Whole())
	if err != nil {
		return doc, lost, err
	}
	marks := []string{m.Marking}
	for _, c := range as.Candidates {
		s := SiteDocument{ID: c.ID, Rank: c.Rank, Lat: c.Place.Lat, Lon: c.Place.Lon, Probability: c.Probability, Word: c.Word, Range: c.Range, Cases: c.Cases, Regions: c.Place.Regions,
			CovarianceM2: c.Place.CovarianceM2, RateKgS: c.RateKgS, Alternatives: c.Alternatives, Status: statusOf(cases[c.ID]), Marking: c.Marking}
		for _, row := range c.Ledger {
			s.Evidence = append(s.Evidence, EvidenceDocument{row.Kind, row.Observation, row.LogOdds, row.Grade, row.Note, row.Said})
		}
		doc.Sites = append(doc.Sites, s)
		marks = append(marks, c.Marking)
	}
	slices.Sort(marks)
	b, err := BannerOf(slices.Compact(marks)...)
	doc.Banner = b.Text
	return doc, lost, err
}
