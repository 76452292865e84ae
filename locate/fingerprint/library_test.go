package fingerprint

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// What the shipped library keeps of SPECIATE: at most so many profiles of one class and study, those farthest apart, and of a
// profile the compounds with at least this share of its moles.
const (
	shippedPerStudy = 20
	shippedLeast    = 0.0003
)

func rows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	all, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// keptProfiles picks the profiles farthest apart within each class and study.
func keptProfiles(l *Library) map[string]bool {
	groups := map[string][]reference{}
	compounds := map[string]int{}
	for _, p := range l.Profiles {
		for _, q := range p.Parts {
			key := strings.Join(q.CAS, ";")
			if _, ok := compounds[key]; !ok {
				compounds[key] = len(compounds)
			}
		}
	}
	for _, p := range l.Profiles {
		r := reference{profile: p, share: make([]float64, len(compounds))}
		for _, q := range p.Parts {
			r.share[compounds[strings.Join(q.CAS, ";")]] += q.Share
		}
		groups[p.Class+"\x00"+p.Study] = append(groups[p.Class+"\x00"+p.Study], r)
	}
	kept := map[string]bool{}
	for _, g := range groups {
		for _, r := range apart(g, shippedPerStudy) {
			kept[r.profile.ID] = true
		}
	}
	return kept
}

// compact makes the three shipped tables of the three full ones.
func compact(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	l, _, err := ImportFS(os.DirFS(dir), dir)
	if err != nil {
		t.Fatal(err)
	}
	kept := keptProfiles(l)
	profiles, species, composition := rows(t, filepath.Join(dir, "profiles.csv")), rows(t, filepath.Join(dir, "species.csv")), rows(t, filepath.Join(dir, "composition.csv.gz"))
	mass, named := map[string]float64{}, map[string]bool{}
	for _, s := range species[1:] {
		mass[s[0]], _ = strconv.ParseFloat(s[3], 64)
		named[s[0]] = len(casNumbers(s[1])) > 0
	}
	moles := map[string]float64{}
	amount := func(c []string) float64 {
		w, err := strconv.ParseFloat(c[2], 64)
		if err != nil || !named[c[1]] || !(mass[c[1]] > 0) {
			return 0
		}
		return w / mass[c[1]]
	}
	for _, c := range composition[1:] {
		moles[c[0]] += amount(c)
	}
	used := map[string]bool{}
	out := [][]string{{"profile", "species_id", "weight_percent", "uncertainty_percent"}}
	short := func(s string) string {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || v == 0 {
			return ""
		}
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	for _, c := range composition[1:] {
		if a := amount(c); kept[c[0]] && a > 0 && a >= shippedLeast*moles[c[0]] {
			used[c[1]] = true
			out = append(out, []string{c[0], c[1], short(c[2]), short(c[3])})
		}
	}
	slices.SortStableFunc(out[1:], func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	p := [][]string{{"profile", "class", "references", "name"}}
	for _, r := range profiles[1:] {
		if kept[r[0]] {
			p = append(p, []string{r[0], r[1], r[6], r[7]})
		}
	}
	s := [][]string{{"species_id", "cas", "name", "molar_mass_g_mol"}}
	for _, r := range species[1:] {
		if used[r[0]] {
			s = append(s, r[:4])
		}
	}
	files := map[string][]byte{}
	for name, table := range map[string][][]string{"profiles.csv.gz": p, "species.csv.gz": s, "composition.csv.gz": out} {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.WriteAll(table); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	return files
}

// The committed library is what its README says it is: a stale one fails here, and ATALAYA_GOLDEN=1 writes it anew.
func TestShippedLibraryIsDerived(t *testing.T) {
	want := compact(t, fixture.Shared(t, "gas/fingerprints"))
	size := 0
	for name, plain := range want {
		path := filepath.Join("library", name)
		if os.Getenv("ATALAYA_GOLDEN") == "1" {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			z.Write(plain)
			z.Close()
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		packed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		size += len(packed)
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s is not what the full tables give (%d bytes, want %d): run with ATALAYA_GOLDEN=1 and read the difference", path, len(got), len(plain))
		}
	}
	if size > 300_000 {
		t.Errorf("the library takes %d bytes of the program; 300 kB is the limit", size)
	}
}

func TestBuiltinHoldsTheConfounders(t *testing.T) {
	l := Builtin()
	for _, class := range []string{"gasoline_vapour", "gasoline_exhaust", "diesel_exhaust", "aircraft_exhaust", "oil_gas", "refinery", "coating", "printing", "degreasing", "dry_cleaning",
		"consumer_products", "chemical_manufacturing", "biomass_burning", "livestock", "landfill"} {
		if !slices.Contains(l.Classes(), class) {
			t.Errorf("no %s in the shipped library", class)
		}
	}
	for _, p := range l.Profiles {
		sum := 0.0
		for _, q := range p.Parts {
			sum += q.Share
		}
		if math.Abs(sum-1) > 1e-9 { // a thousand terms, each rounded once
			t.Fatalf("the shares of profile %s sum to %g", p.ID, sum)
		}
	}
	if l.Names["108-88-3"] != "Toluene" {
		t.Errorf("108-88-3 is called %q", l.Names["108-88-3"])
	}
}
