// Package atalaya holds the nouns of the work: what aircraft sensed (Observation), what stood out in it (Detection), what
// speaks for or against a place (Evidence), a place worth a person's look (Candidate), what people decided (Case, Review),
// what left (Product) and what came back (Outcome). It knows no file, no database and no network.
//
// Who may change what: observations, detections, evidence and candidates are computed and named by a hash of their inputs;
// they are retracted, never edited. Cases, reviews and outcomes are made by people, as events.
package atalaya

import (
	"encoding/json"
	"time"
)

// Typed names. What is computed is named by a hash of its inputs ("obs_", "det_", "ev_", "site_" and 32 hex digits); what a
// person makes is named by a UUIDv7 ("case_", "rev_", "rel_", "out_", "acct_" and the UUID).
type (
	ObservationID string
	DetectionID   string
	EvidenceID    string
	CandidateID   string
	CaseID        string
	ReviewID      string
	ReleaseID     string
	OutcomeID     string
	AccountID     string
	SortieID      string
	MissionID     string
	BlobID        string // SHA-256 of the raw bytes, 64 hex digits
)

// Units that cross package borders.
type (
	KgPerS  float64 // mass rate
	Metres  float64
	LogOdds float64 // natural logarithm; 0 is even odds
)

// Place is a position with the area it is known to: never a bare point.
type Place struct {
	Lat float64 `json:"lat"` // WGS 84 degrees
	Lon float64 `json:"lon"`
	// CovarianceM2 is the covariance of the position, rows and columns east, north, square metres.
	CovarianceM2 [2][2]float64 `json:"covariance_m2"`
	// Regions hold GeoJSON geometries that contain the place with probability 0.50, 0.90 and 0.95.
	Regions Regions `json:"regions"`
}

// Regions are the probability regions of a place, as GeoJSON geometries (WGS 84, longitude first).
type Regions struct {
	P50 json.RawMessage `json:"p50"`
	P90 json.RawMessage `json:"p90"`
	P95 json.RawMessage `json:"p95"`
}

// Span is a closed interval of UTC time.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// An Observation is what one sensor recorded in one coherent stretch: a group of a gas survey, the metadata track of a video,
// the bearings on one emitter, one report. It states what was measured, never what it means.
type Observation struct {
	ID      ObservationID   `json:"id"`
	Mission MissionID       `json:"mission"`
	Kind    ObservationKind `json:"kind"`
	Sensor  string          `json:"sensor"`
	Sortie  SortieID        `json:"sortie,omitempty"`
	Blob    BlobID          `json:"blob"`           // the raw file
	Path    string          `json:"path"`           // its name within the mission folder, slash-separated
	Part    string          `json:"part,omitempty"` // which part of the file: a group, an emitter; "" is all of it
	When    Span            `json:"when"`           // when it was sensed
	Marking string          `json:"marking"`        // portion marking
	// Lineage names what this was derived from outside the record (a source id, a rumour), so that one origin counts once.
	Lineage []string `json:"lineage,omitempty"`
	// Body is the kind's own summary for maps and cards (see docs/reference/record.md); the full values are in the blob.
	Body json.RawMessage `json:"body"`
}

// ObservationKind says what kind of sensor an observation came from.
type ObservationKind string

// The kinds of observation.
const (
	GasSurvey  ObservationKind = "gas-survey"
	VideoTrack ObservationKind = "video-track"
	Bearings   ObservationKind = "bearings"
	Report     ObservationKind = "report"
	// Detections is a sheet of detections, of a sensor that has no decoder.
	Detections ObservationKind = "detections"
	// GroundLayer is what lies on the ground, roads and water, or a list of permits: no sensor's finding.
	GroundLayer ObservationKind = "ground"
)

// A Detection is one thing that stood out in one observation. It is evidence, not a place to go: see Candidate.
type Detection struct {
	ID      DetectionID     `json:"id"`
	Mission MissionID       `json:"mission"`
	Kind    DetectionKind   `json:"kind"`
	From    []ObservationID `json:"from"`
	When    Span            `json:"when"` // when it was sensed
	Place   *Place          `json:"place,omitempty"`
	Marking string          `json:"marking"`
	Body    json.RawMessage `json:"body"`
}

// DetectionKind says what stood out.
type DetectionKind string

// The kinds of detection. Coverage is a look at ground, whatever was seen there. Those of a sheet are of the sheet's own kind: spectral, thermal.
const (
	GasSource  DetectionKind = "gas-source"
	EmitterFix DetectionKind = "emitter-fix"
	Coverage   DetectionKind = "coverage"
	Mention    DetectionKind = "mention"
)

// Evidence is what one observation says, for or against, about ground: a log likelihood ratio of "a site is here" against
// "nothing is here" on S2 cells. It keeps its own amounts, so that it can be taken back exactly.
type Evidence struct {
	ID          EvidenceID    `json:"id"`
	Mission     MissionID     `json:"mission"`
	Kind        string        `json:"kind"` // gas, signal, video, report
	Observation ObservationID `json:"observation"`
	Detection   DetectionID   `json:"detection"`
	When        Span          `json:"when"`
	Marking     string        `json:"marking"`
	Lineage     []string      `json:"lineage,omitempty"`
	Grade       string        `json:"grade"`          // A1..F6 for reports; "" for instruments
	Note        string        `json:"note"`           // one sentence for the ledger, in English
	Said        []Sentence    `json:"said,omitempty"` // the same by codes
	Level       int           `json:"level"`          // S2 level of Cells
	Cells       []uint64      `json:"cells"`          // S2 cell ids, ascending
	LogOdds     []float64     `json:"log_odds"`       // one per cell, natural logarithm
	// Others says how other things than a site explain the same: for each class, its likelihood ratio less one as a share of the site's, both
	// against nothing at all. Without it LogOdds is the ratio of a site against everything else.
	Others map[string]float64 `json:"others,omitempty"`
	// Real is the probability, as the sensor's processor states it, that a detection is a thing in the world; 0 where nobody states it.
	Real float64 `json:"real,omitempty"`
	// BiasM is the standard deviation along each axis, metres, of a shift that all places of the same BiasGroup share; it is part of
	// Place's own covariance.
	BiasGroup string  `json:"bias_group,omitempty"`
	BiasM     float64 `json:"bias_m,omitempty"`
	// Place is where this evidence alone would put the site, when it can say so; candidates are refined by it.
	Place *Place `json:"place,omitempty"`
	// RateKgS is the emission rate by compound where the evidence has one.
	RateKgS map[string]Interval `json:"rate_kg_s,omitempty"`
}

// Interval is an estimate with its uncertainty: mean and the 5th, 50th and 95th percentile.
type Interval struct {
	Mean float64 `json:"mean"`
	P05  float64 `json:"p05"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
}

// LedgerItem is one row of a candidate's ledger: what it adds to the log-odds of the place. Rows sum to the candidate's log-odds.
type LedgerItem struct {
	Kind        string        `json:"kind"` // prior, gas, signal, video, report, dependence, time, calibration, outcome
	Observation ObservationID `json:"observation,omitempty"`
	Evidence    EvidenceID    `json:"evidence,omitempty"`
	LogOdds     float64       `json:"log_odds"`
	Grade       string        `json:"grade"`
	Note        string        `json:"note"`           // in English
	Said        []Sentence    `json:"said,omitempty"` // the same by codes
	Marking     string        `json:"marking"`
}

// Alternative is another reading of the same evidence (paint shop, farm, burning) with its share of what is not "site".
type Alternative struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// A Candidate is a place that the evidence, taken together, makes worth a person's look. It is computed: it may move, merge
// or split as evidence comes and goes. Only people act on it, through a Case.
type Candidate struct {
	ID          CandidateID `json:"id"`
	Mission     MissionID   `json:"mission"`
	Rank        int         `json:"rank"`
	Probability float64     `json:"probability"`
	Word        *string     `json:"word"` // code of the word of estimative probability; nil until a calibration exists
	// Range is where the probability lies with 90 % by the cases of the calibration, and Cases how many stand behind it; both are absent without one.
	Range        *[2]float64         `json:"range_90,omitempty"`
	Cases        int                 `json:"calibration_cases,omitempty"`
	Place        Place               `json:"place"`
	RateKgS      map[string]Interval `json:"rate_kg_s,omitempty"`
	Ledger       []LedgerItem        `json:"ledger"`
	Alternatives []Alternative       `json:"alternatives"`
	// Changes says what one more look with each sense would make of the probability, the look that tells most first.
	Changes []Change  `json:"would_change,omitempty"`
	Marking string    `json:"marking"`
	AsOf    time.Time `json:"as_of"` // time of assessment, never the clock
}

// A Change is what one more look at a candidate would make of its probability.
type Change struct {
	Kind   string  `json:"kind"`     // of evidence
	IfSeen float64 `json:"if_seen"`  // the probability when something stands out
	IfNot  float64 `json:"if_not"`   // when nothing does
	Chance float64 `json:"p_seen"`   // that something does
	Bits   float64 `json:"gain_bit"` // expected gain of information about whether a site is there
}

// A Case is a person's question about a place. It pins the candidate as it stood, carries reviews, releases and outcomes,
// and says when its basis has changed.
type Case struct {
	ID         CaseID      `json:"id"`
	Candidate  CandidateID `json:"candidate"`
	Mission    MissionID   `json:"mission"`
	OpenedBy   AccountID   `json:"opened_by"`
	OpenedAt   time.Time   `json:"opened_at"`
	LegalBasis LegalBasis  `json:"legal_basis"`
	Marking    string      `json:"marking"`
	// Snapshot is the candidate that the case was opened on; Basis is its hash.
	Snapshot Candidate `json:"snapshot"`
	Basis    string    `json:"basis"`
}

// A Review is one person's decision on a case. Two different people must approve before anything can be released.
type Review struct {
	ID       ReviewID  `json:"id"`
	Case     CaseID    `json:"case"`
	By       AccountID `json:"by"`
	At       time.Time `json:"at"`
	Decision Decision  `json:"decision"`
	Basis    string    `json:"basis"` // hash of the candidate that was looked at
	Why      string    `json:"why"`
}

// Decision is what a reviewer decided.
type Decision string

// The decisions of a review.
const (
	Approve Decision = "approve"
	Hold    Decision = "hold"
	Dismiss Decision = "dismiss"
)

// An Outcome is what a partner found, or that nobody went.
type Outcome struct {
	ID    OutcomeID `json:"id"`
	Case  CaseID    `json:"case"`
	Found Finding   `json:"found"`
	On    time.Time `json:"on"` // when it was found out
	By    string    `json:"by"` // which service reported it
	Note  string    `json:"note"`
	// Replaces names the outcome that this one corrects.
	Replaces OutcomeID `json:"replaces,omitempty"`
}

// Finding is what was found at a place.
type Finding string

// The findings. NotVisited is no statement about the place.
const (
	Confirmed  Finding = "confirmed"
	Empty      Finding = "empty"
	Abandoned  Finding = "abandoned"
	NotVisited Finding = "not-visited"
	Unsafe     Finding = "unsafe"
)

// Findings lists all findings, in order, for menus and checks.
var Findings = [...]Finding{Confirmed, Empty, Abandoned, NotVisited, Unsafe}

// A Sortie is one flight, with the authority it collected under and, abroad, the host's consent. Without them what it
// brought home may be looked at, but not released.
type Sortie struct {
	ID          SortieID `json:"id" yaml:"id"`
	Platform    string   `json:"platform" yaml:"platform"`
	Authority   string   `json:"collection_authority" yaml:"collection_authority"`
	HostConsent string   `json:"host_consent,omitempty" yaml:"host_consent"`
	Abroad      bool     `json:"abroad" yaml:"abroad"`
}

// Releasable reports whether what the sortie collected may be released at all.
func (s Sortie) Releasable() bool {
	return s.Authority != "" && (!s.Abroad || s.HostConsent != "")
}

// LegalBasis is the authority that a case or a release rests on, with the date by which it must be looked at again.
type LegalBasis struct {
	Instrument string    `json:"instrument"` // e.g. an agreement or an order, in words
	ReviewBy   time.Time `json:"review_by"`
}

// A Designation is the listing of an organisation by a government: which list and programme, from when to when.
type Designation struct {
	Organisation string    `json:"organisation"`
	Programme    string    `json:"programme"`
	List         string    `json:"list"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"` // zero while in force
}

// Mission is a folder of sensor files taken for one question about one area.
type Mission struct {
	ID      MissionID `json:"id"`
	Name    string    `json:"name"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"` // the time of assessment
	Marking string    `json:"marking"`
	Sorties []Sortie  `json:"sorties"`
}
