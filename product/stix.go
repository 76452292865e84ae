package product

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/atalaya-isr/atalaya/review"
)

// STIX writes a bundle of STIX 2.1 (OASIS): who says it, the marking as a statement, the place as a location with its error, and a report about it in both
// languages. Probability stands in words and never as STIX's confidence, which is trust in a statement and not its likelihood. Regions have no form
// in STIX: they are in the other files.
type STIX struct{}

// Name is the file's name.
func (STIX) Name() string { return "lead.stix.json" }

// MediaType is its media type.
func (STIX) MediaType() string { return "application/stix+json;version=2.1" }

// Encode writes the file.
func (s STIX) Encode(r review.Released, o Options) ([]byte, error) { return encodeWith(s, r, o) }

// stixSpace is the name space of the identifiers (RFC 9562, version 5): the same thing has the same one in every package to one recipient.
var stixSpace = uuid.NewSHA1(uuid.NameSpaceOID, []byte("atalaya stix identifiers"))

type stixBundle struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Objects []any  `json:"objects"`
}

// stixHead is what every object begins with.
type stixHead struct {
	Type     string   `json:"type"`
	Version  string   `json:"spec_version"`
	ID       string   `json:"id"`
	By       string   `json:"created_by_ref,omitempty"`
	Created  string   `json:"created"`
	Modified string   `json:"modified,omitempty"`
	Marks    []string `json:"object_marking_refs,omitempty"`
}

type stixMarking struct {
	stixHead
	Kind       string            `json:"definition_type"`
	Definition map[string]string `json:"definition"`
}

type stixIdentity struct {
	stixHead
	Name  string `json:"name"`
	Class string `json:"identity_class"`
}

type stixLocation struct {
	stixHead
	Name      string      `json:"name"`
	Lat       json.Number `json:"latitude"`
	Lon       json.Number `json:"longitude"`
	Precision float64     `json:"precision"` // metres
}

type stixReport struct {
	stixHead
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Types       []string         `json:"report_types"`
	Published   string           `json:"published"`
	Objects     []string         `json:"object_refs"`
	References  []stixReferenced `json:"external_references"`
}

type stixReferenced struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id"`
}

func (STIX) encode(l *lead) ([]byte, error) {
	id := func(kind string) string {
		return kind + "--" + uuid.NewSHA1(stixSpace, []byte(kind+" "+l.ref+" "+l.releaseRef)).String()
	}
	banner, day := l.marking.Banner(), l.released+"T00:00:00.000Z" // times of day do not leave
	mark, who := id("marking-definition"), id("identity")
	head := func(kind string) stixHead {
		return stixHead{Type: kind, Version: "2.1", ID: id(kind), By: who, Created: day, Modified: day, Marks: []string{mark}}
	}
	identity := head("identity")
	identity.By = ""
	name := banner + " — " + leadName.es + " / " + leadName.en
	b := stixBundle{"bundle", id("bundle"), []any{
		stixMarking{stixHead{Type: "marking-definition", Version: "2.1", ID: mark, Created: day}, "statement", map[string]string{"statement": banner}},
		stixIdentity{identity, "Atalaya", "system"},
		stixLocation{head("location"), name, json.Number(l.latText(l.centre)), json.Number(l.lonText(l.centre)), l.errorM},
		stixReport{head("report"), name + " " + l.ref, banner + "\n" + l.text(), []string{"observed-data"}, day, []string{id("location")},
			[]stixReferenced{{"atalaya", l.ref}}},
	}}
	body, err := json.MarshalIndent(b, "", " ")
	return append(body, '\n'), err
}
