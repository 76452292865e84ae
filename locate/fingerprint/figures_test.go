package fingerprint

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// soak runs the proofs at full size.
func soak() bool { return os.Getenv("ATALAYA_SOAK") == "1" }

// instrument is the panel of the made surveys of one instrument, with the noise that their strongest channel leaves: 0.03 of
// about 150 ppb.
func instrument(t testing.TB, name string) Panel {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(fixture.Shared(t, "gas/emitters-example"), "*-"+name+".csv"))
	if len(files) == 0 {
		t.Fatalf("no survey of %s", name)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var p Panel
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), "# cas_"); ok {
			channel, cas, _ := strings.Cut(v, ":")
			p.Channels = append(p.Channels, Channel{channel, casNumbers(cas)})
			p.Noise = append(p.Noise, 0.0002)
		}
	}
	return p
}

// thin keeps so many profiles of each class and study, in the order of the library.
func thin(l *Library, n int) *Library {
	count := map[string]int{}
	return l.Where(func(p Profile) bool {
		count[p.Class+"\x00"+p.Study]++
		return count[p.Class+"\x00"+p.Study] <= n
	})
}

// What is left out is told apart better than by its nearest profile. The default run is small: few trees, few profiles, studies
// left out by eighths. ATALAYA_SOAK=1 is the figure of decision 0008: all of the shipped library, its studies left out in thirty parts.
func TestFiguresWithStudiesLeftOut(t *testing.T) {
	l, outer, o, names := thin(Builtin(), 3), 8, Options{Seed: 3, Trees: 25, InnerTrees: 8}, []string{"gc"}
	if soak() {
		l, outer, o, names = Builtin(), 30, Options{Seed: 3}, []string{"gc", "ptr"}
	}
	for _, name := range names {
		f, err := Evaluate(l, instrument(t, name), outer, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d emitters of %d studies; by study top-1 %.3f top-3 %.3f, by profile %.3f %.3f, by class %.3f %.3f; calibration error %.3f (confidence %.3f, right %.3f); none of these: %.3f of known, %.3f of absent (%.3f at 10 %%); log loss %.3f; nearest profile %.3f %.3f, %.3f",
			name, f.Emitters, f.Studies, f.ByStudy.Top1, f.ByStudy.Top3, f.ByProfile.Top1, f.ByProfile.Top3, f.ByClass.Top1, f.ByClass.Top3,
			f.CalibrationError, f.Confidence, f.Right, f.RefusedKnown, f.FoundAbsent, f.AtTenPercent, f.LogLoss, f.Nearest.Top1, f.Nearest.Top3, f.Nearest.AtTenPercent)
		// One standard error of a share of so many studies, were they independent.
		se := 0.5 / math.Sqrt(float64(f.Studies))
		if f.ByStudy.Top1 < f.Nearest.Top1-se/2 || f.ByStudy.Top3 < f.Nearest.Top3-se/2 {
			t.Errorf("%s: top-1 %.3f and top-3 %.3f are worse than the nearest profile's %.3f and %.3f", name, f.ByStudy.Top1, f.ByStudy.Top3, f.Nearest.Top1, f.Nearest.Top3)
		}
		price := 0.10
		if !soak() {
			price = 0.13 // an eighth of the studies at once is more than the inner trials leave out, so more look strange
		}
		if f.RefusedKnown > price+2*math.Sqrt(price*(1-price)/float64(f.Studies)) {
			t.Errorf("%s: none of these for %.3f of the known; at most a tenth is the price", name, f.RefusedKnown)
		}
		if f.FoundAbsent < f.RefusedKnown {
			t.Errorf("%s: none of these for %.3f of absent kinds but %.3f of known ones: it tells nothing", name, f.FoundAbsent, f.RefusedKnown)
		}
		if f.CalibrationError > 0.1+se {
			t.Errorf("%s: calibration error %.3f", name, f.CalibrationError)
		}
	}
}

type emitterCase struct {
	File, Class, Profile, Instrument string
	References                       []string
}

func emitterCases(t *testing.T) (dir string, cases []emitterCase) {
	t.Helper()
	dir = fixture.Shared(t, "gas/emitters-example")
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct{ Cases []emitterCase }
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	return dir, truth.Cases
}

func readSurvey(t *testing.T, path string) *gas.Survey {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := gas.Read(f, path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The composition of each made survey is that of the profile that it was made from.
func TestExcessIsTheEmitterS(t *testing.T) {
	dir, cases := emitterCases(t)
	profiles := map[string]Profile{}
	for _, p := range fullLibrary(t).Profiles {
		profiles[p.ID] = p
	}
	for _, c := range cases {
		all, err := Excess(readSurvey(t, filepath.Join(dir, c.File)))
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %d groups, %v", c.File, len(all), err)
		}
		p, m, ok := all[0].panel()
		if !ok {
			t.Errorf("%s: nothing rises", c.File)
			continue
		}
		truth, _ := p.sees(profiles[c.Profile])
		var off []float64
		for k, q := range m.share {
			if q > 0.01 && truth.share[k] > 0 {
				off = append(off, math.Abs(math.Log(q/truth.share[k])))
			}
		}
		// The surveys were made with a calibration error of 20 % a channel: the median of |N(0,0.2)| is 0.13; three times that
		// leaves room for the common factor of a few channels.
		if len(off) < 2 || numeric.Median(off) > 0.4 {
			t.Errorf("%s: median |ln(measured/true)| %.2f over %d channels", c.File, numeric.Median(off), len(off))
		}
	}
}

func fullLibrary(t testing.TB) *Library {
	t.Helper()
	dir := fixture.Shared(t, "gas/fingerprints")
	l, problems, err := ImportFS(os.DirFS(dir), dir)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return l
}

// Every made survey gets an answer whose probabilities sum to one, the same whatever runs beside it, with its own study left out.
func TestEverySurveyGetsAnAnswer(t *testing.T) {
	dir, cases := emitterCases(t)
	if !soak() {
		cases = cases[4:6] // one of each instrument
	}
	for _, c := range cases {
		s := readSurvey(t, filepath.Join(dir, c.File))
		l, o := thin(Builtin(), 3).Without(c.References...), Options{Seed: 1, Trees: 20, InnerTrees: 6}
		if soak() {
			l, o = Builtin().Without(c.References...), Options{Seed: 1}
		}
		r, lost, err := Survey(l, s, nil, o)
		if err != nil || len(lost) > 0 {
			t.Errorf("%s: %v %v", c.File, err, lost)
			continue
		}
		g := r.Groups[0]
		sum := g.NoneOfThese
		for _, k := range g.Classes {
			sum += k.Probability
		}
		if math.Abs(sum-1) > 1e-9 { // twenty terms, each within a few roundings
			t.Errorf("%s: the probabilities sum to %g", c.File, sum)
		}
		if g.BestNextChannel == "" {
			t.Errorf("%s: no channel to measure next", c.File)
		}
		place := slices.IndexFunc(g.Classes, func(k Likely) bool { return k.Class == c.Class })
		t.Logf("%s (%s): place %d, %v, none of these %.2f, next %s", c.File, c.Class, place+1, g.Classes[0], g.NoneOfThese, g.BestNextChannel)
		again, _, _ := Survey(l, s, nil, o)
		a, _ := json.Marshal(r)
		if b, _ := json.Marshal(again); string(a) != string(b) {
			t.Errorf("%s: two runs give different bytes", c.File)
		}
	}
}
