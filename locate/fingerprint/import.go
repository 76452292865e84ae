package fingerprint

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// Limits of what is imported.
const (
	maxSpecies  = 100_000
	maxProfiles = 50_000
	maxParts    = 3_000_000
)

// A Table is one table of text with the name that errors give it.
type Table struct {
	Name string
	From io.Reader
}

// Import reads a library in the form of SPECIATE: profiles (columns profile, class, references, name), species (species_id,
// cas, molar_mass_g_mol) and composition (profile, species_id, weight_percent, uncertainty_percent). Weight percent becomes
// moles by the molar mass. Species without a registry number are left out: no channel can be compared with them. Other
// columns are passed over. The second result names what was left out and why, each with its place.
func Import(profiles, species, composition Table) (*Library, []error, error) {
	var im importer
	if err := im.readProfiles(profiles); err != nil {
		return nil, nil, err
	}
	if err := im.readSpecies(species); err != nil {
		return nil, nil, err
	}
	if err := im.readComposition(composition); err != nil {
		return nil, nil, err
	}
	lib := &Library{Names: im.names}
	for i := range im.profiles {
		p := &im.profiles[i]
		p.tidy()
		if len(p.Parts) > 0 {
			lib.Profiles = append(lib.Profiles, *p)
		}
	}
	if len(lib.Profiles) == 0 {
		return nil, nil, &atalaya.Error{Op: "fingerprint.import", File: composition.Name, Kind: atalaya.BadInput,
			Err: errors.New("no profile has a compound with a registry number"), Hint: "Check that profile and species_id are the same in all three tables"}
	}
	return lib, im.problems, nil
}

type molecule struct {
	cas  []string
	mass float64 // g/mol
}

type importer struct {
	profiles []Profile
	at       map[string]int
	species  map[string]molecule
	names    map[string]string
	problems []error
}

// rows hands each data row of a table to take, with the columns that it must have first and those that it may have after.
// A row that take refuses is left out and named.
func (im *importer) rows(t Table, must, may []string, limit int, take func(r *delimited.Reader, f []string) *atalaya.Error) error {
	r := delimited.NewReader(t.From, t.Name, "fingerprint.import")
	if err := r.ReadHeader(); err != nil {
		return err
	}
	column := make([]int, len(must)+len(may))
	for i, name := range append(slices.Clone(must), may...) {
		column[i] = slices.Index(r.Header, name)
		if column[i] < 0 && i < len(must) {
			return r.Fail(r.Line, "", "Name the columns "+strings.Join(must, ", "), "the header has no column %s", name)
		}
	}
	picked := make([]string, len(column))
	for n := 0; ; n++ {
		f, err := r.Row()
		var row *delimited.RowError
		switch {
		case err == io.EOF:
			for _, p := range r.Problems.List {
				im.problems = append(im.problems, p.Err("fingerprint.import", t.Name))
			}
			return nil
		case errors.As(err, &row):
			r.Problems.Row("row", row.Err)
			continue
		case err != nil:
			return err
		case n >= limit:
			return r.Fail(r.Line, "", "Split the library", "more than %d rows", limit)
		}
		for i, c := range column {
			picked[i] = ""
			if c >= 0 {
				picked[i] = strings.TrimSpace(f[c])
			}
		}
		if bad := take(r, picked); bad != nil {
			r.Problems.Row(bad.Hint, bad)
		}
	}
}

func (im *importer) readProfiles(t Table) error {
	im.at = map[string]int{}
	return im.rows(t, []string{"profile", "class"}, []string{"references", "name"}, maxProfiles, func(r *delimited.Reader, f []string) *atalaya.Error {
		if f[0] == "" {
			return r.Fail(r.Line, "profile", "Give each profile a name of its own", "no profile is named")
		}
		if _, twice := im.at[f[0]]; twice {
			return r.Fail(r.Line, "profile", "Remove one of them", "the profile stands twice in the table")
		}
		im.at[f[0]] = len(im.profiles)
		study := f[2]
		if study == "" {
			study = "profile " + f[0] // nothing says that it is a twin of another
		}
		im.profiles = append(im.profiles, Profile{ID: strings.Clone(f[0]), Class: strings.Clone(f[1]), Study: strings.Clone(study), Name: strings.Clone(f[3])})
		return nil
	})
}

func (im *importer) readSpecies(t Table) error {
	im.species, im.names = map[string]molecule{}, map[string]string{}
	return im.rows(t, []string{"species_id", "cas", "molar_mass_g_mol"}, []string{"name"}, maxSpecies, func(r *delimited.Reader, f []string) *atalaya.Error {
		mass, _, hint, err := r.Number(f[2])
		if err != nil {
			return r.Fail(r.Line, "molar_mass_g_mol", hint, "%v", err)
		}
		if f[0] == "" {
			return r.Fail(r.Line, "species_id", "Give each species an id of its own", "no species is named")
		}
		if !(mass > 1 && mass < 5000) { // hydrogen is 2 g/mol; nothing above a few thousand is a gas
			return r.Fail(r.Line, "molar_mass_g_mol", "Give the molar mass in g/mol", "%s is not the molar mass of a gas", f[2])
		}
		m := molecule{casNumbers(f[1]), mass}
		im.species[strings.Clone(f[0])] = m
		if len(m.cas) == 1 && f[3] != "" && im.names[m.cas[0]] == "" {
			im.names[m.cas[0]] = strings.Clone(f[3])
		}
		return nil
	})
}

func (im *importer) readComposition(t Table) error {
	must, may := []string{"profile", "species_id", "weight_percent"}, []string{"uncertainty_percent"}
	return im.rows(t, must, may, maxParts, func(r *delimited.Reader, f []string) *atalaya.Error {
		i, ok := im.at[f[0]]
		if !ok {
			return r.Fail(r.Line, "profile", "Add it to the table of profiles, or remove the row", "a profile that the table of profiles does not have")
		}
		m, ok := im.species[f[1]]
		if !ok {
			return r.Fail(r.Line, "species_id", "Add it to the table of species, or remove the row", "a species that the table of species does not have")
		}
		w, _, hint, err := r.Number(f[2])
		if err != nil {
			return r.Fail(r.Line, "weight_percent", hint, "%v", err)
		}
		if w < 0 || w > 100.5 { // rounding of a single compound
			return r.Fail(r.Line, "weight_percent", "Give the share of the mass in percent", "%s is not a percentage", f[2])
		}
		sd, _, hint, err := r.Number(f[3])
		if err != nil {
			return r.Fail(r.Line, "uncertainty_percent", hint, "%v", err)
		}
		if !(w > 0) || len(m.cas) == 0 {
			return nil // not measured, or not to be compared
		}
		if !(sd >= 0) {
			sd = 0
		}
		im.profiles[i].Parts = append(im.profiles[i].Parts, Part{CAS: m.cas, Share: w / m.mass, Sigma: min(sd, 100) / m.mass})
		return nil
	})
}

// casNumbers are the registry numbers in a field, "108-38-3; 106-42-3", in order and once each; anything else is passed over.
func casNumbers(field string) []string {
	var out []string
	for s := range strings.FieldsFuncSeq(field, func(c rune) bool { return strings.ContainsRune("; ,|+", c) }) {
		if IsCAS(s) {
			out = append(out, strings.Clone(s))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// IsCAS reports whether s is a CAS registry number: three groups of digits, the last being the check digit, which is the sum
// of the other digits, each times its place counted from the right, modulo 10 (CAS, "Check Digit Verification of CAS Registry
// Numbers").
func IsCAS(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || len(parts[0]) < 2 || len(parts[0]) > 7 || len(parts[1]) != 2 || len(parts[2]) != 1 {
		return false
	}
	sum, digits := 0, parts[0]+parts[1]
	for i, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		sum += int(c-'0') * (len(digits) - i)
	}
	return parts[2][0] == byte('0'+sum%10)
}

// finite reports whether v is a number.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
