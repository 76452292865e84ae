package fingerprint

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// Compounds of the invented kinds of emitters below, and one that no channel of theirs sees.
var (
	invented  = []string{"108-88-3", "67-64-1", "71-43-2", "64-17-5", "74-85-1", "100-42-5"}
	unseenCAS = "75-09-2"
)

// inventedLibrary: three kinds of emitters, each a compound of its own among common ones, in six studies that scatter by a
// factor of about 1.5; kind A has a compound that the channels lack, the others have not. SYNTHETIC.
func inventedLibrary() *Library {
	l := &Library{Source: "SYNTHETIC", Names: map[string]string{unseenCAS: "Dichloromethane"}}
	for c, class := range []string{"kind a", "kind b", "kind c"} {
		for s := range 6 {
			r := numeric.NewStream(5, uint64(10*c+s))
			for v := range 2 {
				p := Profile{ID: fmt.Sprintf("%s-%d-%d", class, s, v), Class: class, Study: fmt.Sprintf("SYNTHETIC%d%d", c, s)}
				for k, cas := range invented {
					share := 0.05
					switch k {
					case c:
						share = 0.6
					case c + 3:
						share = 0.2
					}
					p.Parts = append(p.Parts, Part{CAS: []string{cas}, Share: share * math.Exp(0.4*r.Normal())})
				}
				if class == "kind a" {
					p.Parts = append(p.Parts, Part{CAS: []string{unseenCAS}, Share: 0.1 * math.Exp(0.3*r.Normal())})
				}
				p.tidy()
				l.Profiles = append(l.Profiles, p)
			}
		}
	}
	return l
}

// inventedComposition of shares by compound, in ppb of a plume of total ppb.
func inventedComposition(total float64, shares ...float64) *Composition {
	c := &Composition{Samples: 100}
	for k, cas := range invented {
		a := Amount{Channel: Channel{fmt.Sprintf("c%d", k), []string{cas}}, Excess: total * shares[k], SE: 0.001 * total}
		if a.Seen = a.Excess > plain*a.SE; !a.Seen {
			a.Bound = max(a.Excess, 0) + 1.645*a.SE
		}
		c.Amounts = append(c.Amounts, a)
	}
	return c
}

var quick = Options{Seed: 1, Trees: 30, InnerTrees: 10}

func classifyInvented(t *testing.T, c *Composition) (*Classifier, *Answer) {
	t.Helper()
	k, a, err := Classify(inventedLibrary(), c, quick)
	if err != nil {
		t.Fatal(err)
	}
	return k, a
}

func TestClassifyKnowsWhatItWasTaught(t *testing.T) {
	for c, want := range []string{"kind a", "kind b", "kind c"} {
		shares := []float64{.05, .05, .05, .05, .05, .05}
		shares[c], shares[c+3] = .6, .2
		k, a := classifyInvented(t, inventedComposition(40, shares...))
		if a.Classes[0].Class != want || a.Classes[0].Probability < 0.5 {
			t.Errorf("the middle of %s is called %v", want, a.Classes)
		}
		if top := a.Balance.Contributions[0]; top.Class != want || top.Share.P05 > 0.9 || top.Share.P95 < 0.5 {
			t.Errorf("the balance of %s is %+v", want, a.Balance)
		}
		if len(k.table.classes) != 4 {
			t.Errorf("classes %v", k.table.classes)
		}
	}
}

// A mixture that no kind resembles is strange, and the more so than the middle of a kind.
func TestAStrangerIsNoneOfThese(t *testing.T) {
	_, known := classifyInvented(t, inventedComposition(40, .6, .05, .05, .2, .05, .05))
	_, strange := classifyInvented(t, inventedComposition(40, 0, 0, .02, 0, 0, .98))
	if known.NoneOfThese > 0.2 || strange.NoneOfThese < 0.5 {
		t.Errorf("none of these: %.2f for the middle of a kind, %.2f for a stranger", known.NoneOfThese, strange.NoneOfThese)
	}
}

// Only ratios count: a plume a thousand times as strong, or channels in another order, get the same answer.
func TestStrengthAndOrderDoNotMatter(t *testing.T) {
	shares := []float64{.5, .1, .1, .2, .05, .05}
	_, a := classifyInvented(t, inventedComposition(40, shares...))
	_, b := classifyInvented(t, inventedComposition(40_000, shares...))
	for k := range a.Classes {
		// The same but for rounding in the last places of the shares.
		if d := math.Abs(a.Classes[k].Probability - b.Classes[k].Probability); d > 1e-9 || a.Classes[k].Class != b.Classes[k].Class {
			t.Errorf("forty ppb %v, forty ppm %v", a.Classes[k], b.Classes[k])
		}
	}
	turned := inventedComposition(40, shares...)
	slices.Reverse(turned.Amounts)
	_, c := classifyInvented(t, turned)
	// The forest draws channels by their place, and noise too: the answer is the same within their chance, of which thirty trees
	// leave about a tenth.
	if a.Classes[0].Class != c.Classes[0].Class || math.Abs(a.Classes[0].Probability-c.Classes[0].Probability) > 0.1 {
		t.Errorf("in order %v, turned round %v", a.Classes[0], c.Classes[0])
	}
}

// A channel that stayed below a high limit says little; one below a low limit says that the compound is not there.
func TestChannelsBelowTheirLimit(t *testing.T) {
	blind := inventedComposition(40, .6, .05, .05, 0, .05, .05)
	blind.Amounts[3].SE, blind.Amounts[3].Bound = 10, 16 // 0.2 of 40 ppb may hide in it
	sharp := inventedComposition(40, .6, .05, .05, 0, .05, .05)
	_, a := classifyInvented(t, blind)
	_, b := classifyInvented(t, sharp)
	if a.Classes[0].Class != "kind a" || a.Classes[0].Probability <= b.Classes[0].Probability {
		t.Errorf("a compound of kind a that the instrument could not have seen: %v; that it would have: %v", a.Classes[0], b.Classes[0])
	}
}

// What lies below two standard errors looks like everything else there: at most ln 2 apart, whatever the mixtures.
func TestTheFloorCensors(t *testing.T) {
	floor := Panel{Noise: []float64{0.1, 0}}.floors()
	if floor[0] != 0.2 || floor[1] != leastShare {
		t.Fatalf("floors %v of noise 0.1 and none", floor)
	}
	none, some := logs([]float64{0, 0}, floor), logs([]float64{0.2, 0.2}, floor)
	if d := some[0] - none[0]; d > math.Ln2+1e-12 {
		t.Errorf("a share at two standard errors stands %.2f from none", d)
	}
	if d := some[1] - none[1]; d < 5 { // ln(0.201/0.001) = 5.3
		t.Errorf("where the limit is low, a fifth stands only %.2f from none", d)
	}
}

// The variance of a channel is its own and that of the profiles that are in it (Watson et al. 1984: effective variance).
func TestEffectiveVariance(t *testing.T) {
	b := massBalance{noise: []float64{0.3, 0.1}, sigma: [][]float64{{0.2, 0}, {0, 0.5}}}
	got := b.effective([]float64{2, 0.2})
	for k, want := range []float64{0.5, math.Sqrt(0.02)} { // √(0.3²+(2·0.2)²), √(0.1²+(0.2·0.5)²)
		if math.Abs(got[k]-want) > 1e-12 {
			t.Errorf("channel %d: %.3f, want %.3f", k, got[k], want)
		}
	}
}

// A channel that merges compounds is compared with their sum.
func TestAMergedChannelSeesTheSum(t *testing.T) {
	p := Panel{Channels: []Channel{{"sum", []string{invented[0], invented[1]}}, {"one", []string{invented[2]}}}, Noise: []float64{0, 0}}
	of := Profile{Parts: []Part{{CAS: []string{invented[0]}, Share: .2}, {CAS: []string{invented[1]}, Share: .3}, {CAS: []string{invented[2]}, Share: .5}}}
	m, ok := p.sees(of)
	if !ok || math.Abs(m.share[0]-.5) > 1e-15 {
		t.Errorf("%+v", m)
	}
	xylenes := Profile{Parts: []Part{{CAS: []string{"1330-20-7"}, Share: 1}}}
	if r := (Channel{"mp", []string{"106-42-3", "108-38-3"}}).see(xylenes); math.Abs(r.share-2./3) > 1e-15 || r.sigma == 0 {
		t.Errorf("of xylenes without a word on isomers, a channel of two of three sees %+v", r)
	}
}

func TestTwoInstrumentsOfOneCompoundAreOneChannel(t *testing.T) {
	c := inventedComposition(40, .6, .05, .05, .2, .05, .05)
	twin := c.Amounts[0]
	twin.Name, twin.Excess, twin.SE = "again", twin.Excess*1.2, twin.SE*10
	c.Amounts = append(c.Amounts, twin)
	p, m, ok := c.panel()
	if !ok || len(p.Channels) != len(invented) {
		t.Fatalf("%d channels", len(p.Channels))
	}
	if q := m.share[0] * 40; q < 24 || q > 24.3 { // 24 at ±0.04 and 28.8 at ±0.4: by precision 24.05, then shares of the new sum
		t.Errorf("merged %.3f", q)
	}
}

// The compound that parts kind a from the others is the one that only kind a has.
func TestTheNextChannelPartsTheFirstTwo(t *testing.T) {
	_, a := classifyInvented(t, inventedComposition(40, .35, .35, .05, .12, .08, .05))
	if a.Next == nil || a.Next.CAS != unseenCAS || a.Next.Name != "dichloromethane" || a.Next.Separation < 2 {
		t.Errorf("first two %v %v, next %+v", a.Classes[0], a.Classes[1], a.Next)
	}
}

func TestBalanceOfAMixture(t *testing.T) {
	k, _ := classifyInvented(t, inventedComposition(40, .6, .05, .05, .2, .05, .05))
	a, b := k.table.refs[0], k.table.refs[12] // one profile of kind a, one of kind b
	for _, f := range []float64{0.2, 0.5, 0.8} {
		m := mixture{share: make([]float64, len(a.share)), noise: make([]float64, len(a.share))}
		for c := range m.share {
			m.share[c], m.noise[c] = f*a.share[c]+(1-f)*b.share[c], 0.001
		}
		fit := newBalance([]reference{a, b}, m, k.table.floor)
		x := fit.solve(m.share, fit.column)
		// An exact mixture of the two columns has the misfit zero at the truth, whatever the weights.
		if math.Abs(x[0]-f) > 1e-6 || math.Abs(x[1]-1+f) > 1e-6 {
			t.Errorf("mixed %.2f and %.2f, found %v", f, 1-f, x)
		}
		got := k.balance(m)
		for _, c := range got.Contributions {
			truth := map[string]float64{"kind a": f, "kind b": 1 - f}[c.Class]
			if c.Class != "kind c" && (c.Share.P05 > truth+0.05 || c.Share.P95 < truth-0.05) {
				t.Errorf("of %.2f kind a: %s %+v", f, c.Class, c.Share)
			}
		}
	}
}

func TestWeightForATarget(t *testing.T) {
	target := SyntheticTarget().Profile
	target.Parts = nil
	for k, cas := range invented {
		target.Parts = append(target.Parts, Part{CAS: []string{cas}, Share: []float64{.02, .02, .02, .02, .42, .5}[k]})
	}
	is := inventedComposition(40, .02, .02, .02, .02, .42, .5)
	not := inventedComposition(40, .6, .05, .05, .2, .05, .05)
	k, _ := classifyInvented(t, is)
	yes, ok := k.Weight(is, target)
	no, ok2 := k.Weight(not, target)
	if !ok || !ok2 || yes.LnRatio.P05 < 0.5 || no.LnRatio.P95 > 0 {
		t.Errorf("the target itself %+v, another kind %+v", yes, no)
	}
	for _, w := range []Weight{yes, no} {
		if math.Abs(w.LnRatio.P95) > MostWeight+1e-12 || w.LnRatio.P05 > w.LnRatio.P50 || w.LnRatio.P50 > w.LnRatio.P95 {
			t.Errorf("%+v", w)
		}
	}
	if _, ok := k.Weight(is, Profile{Parts: []Part{{CAS: []string{"60-29-7"}, Share: 1}}}); ok {
		t.Error("a target that no channel sees has a weight")
	}
}

func TestNoneOfTheseAloneSaysLittle(t *testing.T) {
	for p, want := range map[float64]float64{0: 0, 0.5: 0, 0.75: StrangerWeight / 2, 1: StrangerWeight} {
		if got := OfNone(p); math.Abs(got-want) > 1e-15 {
			t.Errorf("OfNone(%g) = %g, want %g", p, got, want)
		}
	}
}

func TestLogisticFindsTheLineThatMadeTheData(t *testing.T) {
	var rows []outcome
	r := numeric.NewStream(2, 0)
	for range 20_000 {
		x := 2 * r.Normal()
		rows = append(rows, outcome{x, 1, r.Float64() < 1/(1+math.Exp(-(0.5+0.8*x)))})
	}
	a, b := logistic(rows)
	// Fisher information of 20,000 rows: p(1-p) is about 0.14 on average, so the errors are near 0.02; four of them.
	if math.Abs(a-0.5) > 0.08 || math.Abs(b-0.8) > 0.08 {
		t.Errorf("intercept %.3f slope %.3f, made with 0.5 and 0.8", a, b)
	}
	for i := range rows {
		rows[i].yes = !rows[i].yes
	}
	if _, b := logistic(rows); b != 0 {
		t.Errorf("a score that speaks the wrong way has slope %g", b)
	}
	if a, b := logistic([]outcome{{-1, 1, false}, {1, 1, true}}); !finite(a) || !(b > 0) || b > 5 {
		t.Errorf("scores that part the two altogether: %g %g", a, b)
	}
}

func TestApartKeepsTheCorners(t *testing.T) {
	var refs []reference
	for _, q := range [][]float64{{1, 0, 0}, {.99, .01, 0}, {.98, .02, 0}, {0, 1, 0}, {0, .99, .01}, {0, 0, 1}} {
		refs = append(refs, reference{share: q})
	}
	kept := apart(refs, 3)
	for i, want := range []int{0, 3, 5} {
		if !slices.ContainsFunc(kept, func(r reference) bool { return slices.Equal(r.share, refs[want].share) }) {
			t.Errorf("corner %d is not among %v", i, kept)
		}
	}
}

// survey of one plume of two compounds and one that stays below its limit, over a background that drifts.
func plumeSurvey(ratio float64) *gas.Survey {
	var b strings.Builder
	b.WriteString("# start: 2026-03-14T17:05:00Z\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,toluene_ppb,Acetone_ppb,benzene_ppb,benzene_flag\n")
	r := numeric.NewStream(8, 0)
	for s := range 200 {
		g := math.Exp(-math.Pow((float64(s)-100)/15, 2) / 2)
		fmt.Fprintf(&b, "%d,%d,0,30,0,4,%.4f,%.4f,0.2,bdl\n", s, 10*s, 1+0.002*float64(s)+20*g+0.05*r.Normal(), 2-0.001*float64(s)+20*ratio*g+0.05*r.Normal())
	}
	s, err := gas.Read(strings.NewReader(b.String()), "SYNTHETIC.csv")
	if err != nil {
		panic(err)
	}
	return s
}

func TestExcessMeasuresRatiosOverADriftingBackground(t *testing.T) {
	inside := 0
	for _, ratio := range []float64{0.1, 0.5, 1, 3} {
		all, err := Excess(plumeSurvey(ratio))
		if err != nil {
			t.Fatal(err)
		}
		a := all[0].Amounts
		got := a[1].Excess / a[0].Excess
		se := got * math.Hypot(a[0].SE/a[0].Excess, a[1].SE/a[1].Excess)
		if math.Abs(got-ratio) < 3*se {
			inside++
		}
		if math.Abs(got/ratio-1) > 0.03 { // 0.05 of 20 ppb over some 50 rows in the plume is 0.04 %, of the weakest 0.4 %; the drift takes the rest
			t.Errorf("ratio %.2f measured as %.4f ± %.4f", ratio, got, se)
		}
		if a[2].Seen || !(a[2].Bound > 0 && a[2].Bound < 0.5) {
			t.Errorf("a channel that never rose over 0.2 ppb: %+v", a[2])
		}
	}
	if inside < 3 { // four ratios, three standard errors
		t.Errorf("%d of 4 ratios within three standard errors", inside)
	}
}

// Surveys of noise alone are not plumes: the channel that leads is made of itself.
func TestNoiseIsNoPlume(t *testing.T) {
	found := 0
	const surveys = 200
	for n := range surveys {
		var b strings.Builder
		b.WriteString("# start: 2026-03-14T17:05:00Z\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,toluene_ppb,acetone_ppb,benzene_ppb,ethane_ppb,mek_ppb\n")
		r := numeric.NewStream(21, uint64(n))
		for s := range 120 {
			fmt.Fprintf(&b, "%d,%d,0,30,0,4", s, 10*s)
			for range 5 {
				fmt.Fprintf(&b, ",%.4f", 2+0.1*r.Normal())
			}
			b.WriteString("\n")
		}
		s, err := gas.Read(strings.NewReader(b.String()), "SYNTHETIC.csv")
		if err != nil {
			t.Fatal(err)
		}
		all, err := Excess(s)
		if err != nil {
			t.Fatal(err)
		}
		if all[0].Seen() > 0 {
			found++
		}
	}
	// One percent is the rate of false sources that is allowed; of 200 surveys that is two, and twice its standard error more.
	if found > 5 {
		t.Errorf("a plume in %d of %d surveys of noise", found, surveys)
	}
}

func TestSurveysThatHoldNoMixture(t *testing.T) {
	flat := "t_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,toluene_ppb,acetone_ppb\n"
	for s := range 30 {
		flat += fmt.Sprintf("%d,%d,0,30,0,4,1,2\n", s, s)
	}
	one := strings.ReplaceAll(flat, ",toluene_ppb", "")
	one = strings.ReplaceAll(one, ",1,2\n", ",2\n")
	for _, c := range []struct{ name, text, says string }{
		{"nothing varies", flat, "no channel rises"},
		{"one channel", one, ""},
		{"channels of unknown names", strings.NewReplacer("toluene", "foo", "acetone", "bar").Replace(flat), "no channel says what it responds to"},
	} {
		s, err := gas.Read(strings.NewReader("# start: 2026-03-14T17:05:00Z\n"+c.text), c.name)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if _, _, err = Survey(inventedLibrary(), s, nil, quick); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNamesOfColumnsAreKnown(t *testing.T) {
	for name, want := range map[string]string{"n_butane": "106-97-8", "N-Butane": "106-97-8", "224-trimethylpentane": "540-84-1", "m_p-xylene": "106-42-3", "m-ethyltoluene": "620-14-4"} {
		if got := casOfName(name); len(got) == 0 || got[0] != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	for name, cas := range knownNames {
		for _, c := range strings.Split(cas, ";") {
			if !IsCAS(c) {
				t.Errorf("%s: %s is no registry number", name, c)
			}
		}
	}
}

func TestTheSameBytesTwice(t *testing.T) {
	run := func() []byte {
		r, _, err := Survey(inventedLibrary(), plumeSurvey(3), nil, quick)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if string(run()) != string(run()) {
		t.Error("two runs of one seed differ")
	}
}
