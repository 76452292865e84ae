// Package store is the port of the record: one append-only log of events, and entities folded from it. Engines live in its
// sub-folders and pass one conformance suite, storetest.
//
// The log is the truth. An entity (an observation, a detection, evidence, a case ...) is what Fold makes of the events so
// far; it can be dropped and rebuilt by replay with the same bytes. An append, its audit leaves, its entities and the jobs
// it causes are one transaction: what Append has returned survives kill -9.
package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
)

// NewEvent is an event before the log has it.
type NewEvent struct {
	ID      string // UUIDv7; the engine makes one from its clock and its random source when empty
	Time    time.Time
	Actor   atalaya.AccountID
	Kind    string          // one of the Kind constants
	Subject string          // the id of the thing that the event is about
	Marking string          // portion marking: the label that decides who may see it; "" is refused
	Body    json.RawMessage // the noun, as JSON
	// Key makes a computed event happen once: input hashes, code version and seed. A second append with the same key is
	// answered with the first event and changes nothing. "" for what people do.
	Key string
	// Jobs are queued in the same transaction.
	Jobs []Job
	// Cells are the S2 cell ids that the subject lies in, for search by place; they may be of mixed levels.
	Cells []uint64
	// Expect, where set, is the Version that the subject must still have; else the append fails with atalaya.Conflict.
	Expect *int64
	// PersonKey names the subject under whose own key the body is encrypted, so that Purge can destroy it; "" for none.
	PersonKey string
}

// Event is an entry of the log.
type Event struct {
	Seq        int64             `json:"seq"`
	ID         string            `json:"id"`
	Time       time.Time         `json:"time"`
	Actor      atalaya.AccountID `json:"actor"`
	Kind       string            `json:"kind"`
	Subject    string            `json:"subject"`
	Marking    string            `json:"marking"`
	Label      access.LabelID    `json:"-"`
	Body       json.RawMessage   `json:"body"` // null once purged
	Key        string            `json:"key,omitempty"`
	Commitment string            `json:"commitment"` // hex of the salted SHA-256 that the audit tree holds
	Cells      []uint64          `json:"-"`
}

// Job is work that an event causes. Engines hand it to River under Kind with Args as its JSON.
type Job struct {
	Kind   string          `json:"kind"`
	Args   json.RawMessage `json:"args"`
	Unique bool            `json:"unique"` // at most one such job waiting with equal Kind and Args
}

// Entity is the current state of one thing.
type Entity struct {
	Kind     string          `json:"kind"` // observation, detection, evidence, assessment, case, review, release, outcome, sorting, account, mission, file, sortie
	ID       string          `json:"id"`
	Mission  string          `json:"mission"`
	Parent   string          `json:"parent"` // observation of a detection, of evidence and of an observation made from another, case of a review, detection of a sorting ...
	Marking  string          `json:"marking"`
	Label    access.LabelID  `json:"-"`
	Standing Standing        `json:"standing"`
	From     time.Time       `json:"from"` // when what it speaks of began and ended; zero if timeless
	To       time.Time       `json:"to"`
	Version  int64           `json:"version"` // seq of the last event that changed it
	Body     json.RawMessage `json:"body"`
	Cells    []uint64        `json:"-"`
}

// Standing says whether an entity still counts.
type Standing string

// The standings. A retracted thing was taken back by a person; a tombstoned one rested on something retracted. Both stay
// readable, struck through; neither takes part in a sum.
const (
	Stands     Standing = "stands"
	Retracted  Standing = "retracted"
	Tombstoned Standing = "tombstoned"
	Purged     Standing = "purged"
)

// Query selects entities. The zero value of a field does not restrict. Order is by ID ascending, or by Version with NewestFirst.
type Query struct {
	Kind        string
	IDs         []string
	Mission     string
	Parent      string
	AllStanding bool     // also what no longer stands
	Cells       []uint64 // touching any of these S2 cells, whatever the levels
	From, To    time.Time
	NewestFirst bool
	Limit       int    // 0 is no limit
	After       Cursor // continue after the last answer
}

// Cursor is an opaque place in one reader's list. It tells nothing of what is withheld and is refused for another view.
type Cursor string

// Page is one answer to a query; Next is empty on the last page.
type Page struct {
	Entities []Entity
	Next     Cursor
}

// Tail is one answer to a follower of the log.
type Tail struct {
	Events []TailEvent
	Next   Cursor // where to go on, also when Events is empty
	Reset  bool   // the follower is too far behind or its cursor is not ours: load afresh
}

// TailEvent is an event as one reader sees it: ID and Prev are cursors of that reader, so that a gap can be seen.
type TailEvent struct {
	ID, Prev Cursor
	Event    Event
}

// Store is the record. All methods are safe for concurrent use.
type Store interface {
	// Append adds events in one transaction and returns them as logged. All or none.
	Append(ctx context.Context, events ...NewEvent) ([]Event, error)
	// Find lists entities that the view may see.
	Find(ctx context.Context, view access.View, q Query) (Page, error)
	// Get is one entity; atalaya.NotFound when there is none or the view may not see it, told apart by nothing.
	Get(ctx context.Context, view access.View, kind, id string) (Entity, error)
	// Count counts what Find would list without a limit.
	Count(ctx context.Context, view access.View, q Query) (int, error)
	// Events is the history of one subject, oldest first; an empty subject is the whole log.
	Events(ctx context.Context, view access.View, subject string) ([]Event, error)
	// Follow lists events after a cursor ("" starts at the end of the log, "0" at its beginning), at most limit.
	Follow(ctx context.Context, view access.View, after Cursor, limit int) (Tail, error)
	// Changed is closed at the next append, by this process or soon after one by another.
	Changed() <-chan struct{}
	// Head is the seq of the last event; for operators and tests, never for a reader.
	Head(ctx context.Context) (int64, error)

	// Label interns a marking; Labels lists all.
	Label(ctx context.Context, marking string) (access.LabelID, error)
	Labels(ctx context.Context) (map[access.LabelID]string, error)

	// Replay drops every entity and folds the log again.
	Replay(ctx context.Context, progress func(done, total int64)) error
	// Dump writes every entity in a fixed order and form: equal records give equal bytes.
	Dump(ctx context.Context, w interface{ Write([]byte) (int, error) }) error
	// Purge destroys the key under which the bodies of a person's events are encrypted, and logs that it was done.
	Purge(ctx context.Context, by atalaya.AccountID, at time.Time, personKey, why string) error

	// Secret and SetSecret keep what must not be in the log: password hashes, tokens. Outside replay.
	Secret(ctx context.Context, name string) ([]byte, error)
	SetSecret(ctx context.Context, name string, value []byte) error

	// Pending counts jobs that are waiting or running.
	Pending(ctx context.Context) (int, error)
	Close() error
}

// Event kinds that Fold knows. "made" kinds carry the noun itself as body.
const (
	MissionMade      = "mission.made"
	SortieMade       = "sortie.made"
	FileTaken        = "file.taken"
	ObservationMade  = "observation.made"
	DetectionMade    = "detection.made"
	EvidenceMade     = "evidence.made"
	AssessmentMade   = "assessment.made" // the ranked candidates of a mission at one time
	AccountMade      = "account.made"
	CaseOpened       = "case.opened"
	CaseLookedAt     = "case.looked-at" // a person has seen the changed basis: body {"basis": hash}
	ReviewMade       = "review.made"
	ReleaseMade      = "release.made"
	ReleaseExported  = "release.exported"
	OutcomeMade      = "outcome.made"
	DetectionSorted  = "detection.sorted" // what a person did with a detection: body {"detection","mission","sorting","site","why","by","at"}
	RetractionMade   = "retraction.made"  // subject is the observation taken back; body {"why"}
	RetractionUndone = "retraction.undone"
	PurgeMade        = "purge.made"
)
