package fingerprint

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// A Target is a profile that the user looks for: names and ratios of emitted gases, from the user's own source, under the
// user's own marking. The project ships none but one of invented numbers.
type Target struct {
	Profile
	Marking    atalaya.Marking
	Provenance string
}

// TargetSchema is the form of a target file.
const TargetSchema = "atalaya.target/1"

const (
	maxTargetBytes = 1 << 20
	maxTargetParts = 1000
)

// ReadTarget reads a target profile: JSON with schema, name, marking, provenance and parts, each part with cas, name, share (of
// moles, in any unit: they are scaled to sum to 1) and sd (same unit).
func ReadTarget(t Table) (Target, error) {
	refuse := func(place, hint, format string, args ...any) (Target, error) {
		return Target{}, &atalaya.Error{Op: "fingerprint.target", File: t.Name, Place: place, Kind: atalaya.BadInput, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	text, err := io.ReadAll(io.LimitReader(t.From, maxTargetBytes+1))
	if err != nil {
		return Target{}, err
	}
	if len(text) > maxTargetBytes {
		return refuse("", "Give one profile", "more than %d bytes", maxTargetBytes)
	}
	var f struct {
		Schema, Name, Marking, Provenance string
		Parts                             []struct {
			CAS, Name string
			Share, SD float64
		}
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	if err := d.Decode(&f); err != nil {
		return refuse(fmt.Sprintf("byte %d", d.InputOffset()), "Give a JSON object with schema, name, marking, provenance and parts", "not a target profile: %v", err)
	}
	if f.Schema != TargetSchema {
		return refuse("schema", "Write "+TargetSchema, "%q is not a target profile", f.Schema)
	}
	for _, need := range []struct{ key, value string }{{"name", f.Name}, {"provenance", f.Provenance}, {"marking", f.Marking}} {
		if strings.TrimSpace(need.value) == "" {
			return refuse(need.key, "Say it: a profile without it is not used", "no %s", need.key)
		}
	}
	out := Target{Provenance: f.Provenance, Profile: Profile{ID: f.Name, Name: f.Name, Class: "target", Study: f.Provenance}}
	if out.Marking, err = atalaya.ParseMarking(f.Marking); err != nil {
		return refuse("marking", "Write it as a portion mark, such as (U)", "%v", err)
	}
	if len(f.Parts) == 0 || len(f.Parts) > maxTargetParts {
		return refuse("parts", "Give from 2 to 1000 compounds", "%d parts", len(f.Parts))
	}
	for i, p := range f.Parts {
		place := fmt.Sprintf("parts[%d]", i)
		cas := casNumbers(p.CAS)
		switch {
		case len(cas) == 0:
			return refuse(place, "Give its CAS registry number, such as 108-88-3", "%q is not a registry number", p.CAS)
		case !(p.Share > 0) || !finite(p.Share) || p.Share > 1e9:
			return refuse(place, "Give the amount in moles, above zero", "a share of %g", p.Share)
		case !(p.SD >= 0) || !finite(p.SD):
			return refuse(place, "Give the standard deviation, or leave it out", "an sd of %g", p.SD)
		}
		out.Parts = append(out.Parts, Part{CAS: cas, Share: p.Share, Sigma: p.SD})
	}
	out.tidy()
	if len(out.Parts) < 2 {
		return refuse("parts", "Give the compounds whose ratios tell it", "one compound is no mixture")
	}
	return out, nil
}

//go:embed library/target-synthetic.json
var syntheticTarget []byte

// SyntheticTarget is the stand-in for demo and tests: its numbers are invented, and it says so.
func SyntheticTarget() Target {
	t, err := ReadTarget(Table{"target-synthetic.json", bytes.NewReader(syntheticTarget)})
	if err != nil {
		panic(errors.Join(errors.New("fingerprint: the embedded target does not read"), err))
	}
	return t
}
