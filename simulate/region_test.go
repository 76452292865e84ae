package simulate

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/detection"
	"github.com/atalaya-isr/atalaya/sense/ground"
	"github.com/atalaya-isr/atalaya/sense/report"
)

// world of a scenario and seed, with everything flown; worlds that several tests look at are kept.
func flownWorld(t testing.TB, name string, seed uint64) *world {
	t.Helper()
	key := fmt.Sprint(name, seed)
	if w := madeWorlds[key]; w != nil {
		return w
	}
	s, err := FindRegion(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(s, seed)
	if err != nil {
		t.Fatal(err)
	}
	w.registerPermits()
	w.report()
	if err := w.fly(); err != nil {
		t.Fatal(err)
	}
	madeWorlds[key] = w
	return w
}

var madeWorlds = map[string]*world{}

const provinceSeeds = 6 // that the statistics below are taken over

func provinces(t testing.TB) (out []*world) {
	for seed := range uint64(provinceSeeds) {
		out = append(out, flownWorld(t, "province", seed+1))
	}
	return out
}

func regionFiles(t testing.TB, name string, seed uint64) shelf {
	t.Helper()
	s, err := FindRegion(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := RegionCampaign(s, seed)
	if err != nil {
		t.Fatal(err)
	}
	out := shelf{}
	if err := r.Write(out); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Truth.Write(&b); err != nil {
		t.Fatal(err)
	}
	out["truth"] = &b
	return out
}

func TestRegionOfTheSameSeedHasTheSameBytes(t *testing.T) {
	a, b, other := regionFiles(t, "valley", 3), regionFiles(t, "valley", 3), regionFiles(t, "valley", 4)
	if !slices.Equal(slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))) {
		t.Error("two runs of one seed write other files")
	}
	for name := range a {
		if !bytes.Equal(a[name].Bytes(), b[name].Bytes()) {
			t.Errorf("%s differs between two runs of one seed", name)
		}
		if o := other[name]; o != nil && bytes.Equal(a[name].Bytes(), o.Bytes()) {
			t.Errorf("%s is the same for two seeds", name)
		}
	}
}

func TestRegionFilesSaySyntheticAndGiveNothingAway(t *testing.T) {
	for name, b := range regionFiles(t, "valley", 3) {
		if name == "truth" {
			continue
		}
		if !bytes.Contains(b.Bytes(), []byte("SYNTHETIC")) {
			t.Errorf("%s does not say SYNTHETIC", name)
		}
		secrets := []string{"truth", "site-", "decoy", "homestead", "rumour", "mistaken", "quiet"}
		for _, k := range decoyNames() {
			if strings.Contains(k, "-") { // a farm is a class of likeness, too
				secrets = append(secrets, k)
			}
		}
		for _, secret := range secrets {
			if strings.Contains(name, secret) || bytes.Contains(b.Bytes(), []byte(secret)) {
				t.Errorf("%s gives %q away", name, secret)
			}
		}
	}
}

func TestRegionFilesReadBack(t *testing.T) {
	s, _ := FindRegion("valley")
	r, err := RegionCampaign(s, 3)
	if err != nil {
		t.Fatal(err)
	}
	files := shelf{}
	if err := r.Write(files); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Sheets {
		got, problems, err := detection.Read(files.open(sheetFile(s)), "sheet")
		if err != nil || len(problems) > 0 || len(got.Found) != len(s.Found) || len(got.Looks) != len(s.Looks) {
			t.Errorf("%s: %v %v", sheetFile(s), err, problems)
		}
	}
	g, problems, err := ground.Read(files.open(groundFile), groundFile)
	if err != nil || len(problems) > 0 {
		t.Errorf("ground: %v %v", err, problems)
	} else if n := len(r.Ground.Roads) + len(r.Ground.Tracks) + len(r.Ground.Rivers) + len(r.Ground.Shore) + len(r.Ground.Towns); len(g.Shapes) != n {
		t.Errorf("%d shapes of %d", len(g.Shapes), n)
	}
	for _, q := range r.Reports {
		got, err := report.Read(files.open("reports/"+q.ID+".txt"), q.ID)
		if err != nil || len(got.Problems) > 0 {
			t.Fatalf("%s: %v %v", q.ID, err, got.Problems)
		}
		if got.Grade != q.Grade || got.RadiusM != q.RadiusM || got.Language.Code != q.Language || !got.Date.Equal(q.Time) || geodesy.Distance(*got.Place, q.At) > 1 {
			t.Errorf("%s reads back as %+v", q.ID, got)
		}
	}
}

// share counts how often something held and checks that a probability lies in the interval of 99.9 %.
func share(t *testing.T, what string, held, of int, p float64) {
	t.Helper()
	lo, hi := numeric.BinomialInterval(held, of, 0.999)
	t.Logf("%s: %d of %d, %.3f (%.3f to %.3f), %.3f stated", what, held, of, float64(held)/float64(of), lo, hi, p)
	if p < lo || p > hi {
		t.Errorf("%s: %d of %d do not hold %.3f", what, held, of, p)
	}
}

func TestHonestCovariancesCoverAsStated(t *testing.T) {
	// The ellipse of 90 % holds 90 % of normal errors and 90.2 % of the heavy ones, that of 99 % holds 97.0 % of the heavy ones
	// (see smear). Rounding to 1e-6 degrees is 0.1 m, covariances are rounded to 0.1 m².
	var in90, in99, of [senses]int
	for _, w := range provinces(t) {
		for i := range w.looked {
			o := &w.looked[i]
			for _, f := range o.found {
				m := mahalanobis(w, o, f, 1)
				of[o.sense]++
				if m < -2*math.Log(0.1) {
					in90[o.sense]++
				}
				if m < -2*math.Log(0.01) {
					in99[o.sense]++
				}
			}
		}
	}
	for s := range senses {
		p90, p99 := 0.9, 0.99
		if s == senseGas || s == senseSpectral {
			p90, p99 = 0.902, 0.970
		}
		share(t, senseNames[s]+" within 90 %", in90[s], of[s], p90)
		share(t, senseNames[s]+" within 99 %", in99[s], of[s], p99)
	}
}

// mahalanobis is the squared distance of a detection from what it is of, without the flight's shift, in its stated covariance.
func mahalanobis(w *world, o *sheetOf, f foundOf, factor float64) float64 {
	frame := geodesy.NewFrame(geodesy.LatLonHeight{Lat: w.land.latLon(f.at).Lat, Lon: w.land.latLon(f.at).Lon})
	d := frame.GroundENU(geodesy.LatLon{Lat: f.Lat, Lon: f.Lon})
	x, y := d[0]-o.shift[0], d[1]-o.shift[1]
	c := f.CovarianceM2
	return factor * (c[1][1]*x*x - 2*c[0][1]*x*y + c[0][0]*y*y) / (c[0][0]*c[1][1] - c[0][1]*c[0][1])
}

func TestBiasStatesItsShiftsRightAndItsCovariancesTooSmall(t *testing.T) {
	held, of := 0, 0
	sum, n := 0.0, 0
	for seed := range uint64(4) {
		w := flownWorld(t, "bias", seed+1)
		groups := map[string]bool{}
		for i := range w.looked {
			o := &w.looked[i]
			if !groups[o.group] {
				groups[o.group] = true
				sum += (o.shift[0]*o.shift[0] + o.shift[1]*o.shift[1]) / (o.biasM * o.biasM)
				n += 2
			}
			for _, f := range o.found {
				if o.sense == senseSignal { // normal
					of++
					if mahalanobis(w, o, f, 1) < -2*math.Log(0.1) {
						held++
					}
				}
			}
		}
	}
	// Stated standard deviations are 0.8 of the true ones: the ellipse of 90 % holds 1 - 0.1^0.64 = 77.1 %.
	share(t, "signals in the 90 % that bias states", held, of, 0.771)
	// The mean of n squares of standard normals has a standard deviation of √(2/n).
	if mean := sum / float64(n); math.Abs(mean-1) > 4*math.Sqrt(2/float64(n)) {
		t.Errorf("shifts are %.2f of what is stated, in squares, of %d", mean, n)
	}
}

func TestSitesAreNoticedAsOftenAsIsStated(t *testing.T) {
	// Looks at one site depend on each other: how well it is noticed stays, and so do its hours. The spread of the campaigns' sums is measured
	// by the campaigns themselves, twice as many of a scenario that is quick to make as of the province.
	for s := range senses {
		var diffs []float64
		var stated, seen float64
		for _, w := range provinces(t) {
			d := 0.0
			for i := range w.looked {
				o := &w.looked[i]
				if o.sense != s {
					continue
				}
				for k := range w.places[:w.sites] {
					p := &w.places[k]
					best, look := 0.0, -1
					for j := range o.looks {
						if o.looks[j].holds(p.at) && p.open(o.looks[j].from) && p.open(o.looks[j].to) && o.statedP[j] > best {
							best, look = o.statedP[j], j
						}
					}
					if look < 0 {
						continue
					}
					d -= best
					stated += best
					if slices.ContainsFunc(o.found, func(f foundOf) bool { return f.cause == p.id }) {
						d++
						seen++
					}
				}
			}
			diffs = append(diffs, d)
		}
		mean, spread := numeric.Mean(diffs), 0.0
		for _, d := range diffs {
			spread += (d - mean) * (d - mean) / float64(len(diffs)-1)
		}
		z := mean / math.Sqrt(spread/float64(len(diffs)))
		t.Logf("%s: %.1f stated, %.0f seen, t = %.1f", senseNames[s], stated, seen, z)
		// Student's t with five degrees of freedom exceeds 6.9 once in a thousand.
		if math.Abs(z) > 6.9 || seen > 1.6*stated+8 || seen < stated/1.6-8 {
			t.Errorf("%s: %.1f were stated, %.0f seen, t = %.1f", senseNames[s], stated, seen, z)
		}
	}
}

func TestAnalystsAreAsSureAsTheyShouldBe(t *testing.T) {
	var bins [5]struct{ n, real, said float64 }
	for _, w := range provinces(t) {
		for i := range w.looked {
			for _, f := range w.looked[i].found {
				if f.Real == nil {
					continue
				}
				b := &bins[min(4, int(*f.Real*5))]
				b.n++
				b.said += *f.Real
				if f.cause != "" {
					b.real++
				}
			}
		}
	}
	for i, b := range bins {
		t.Logf("bin %d: %.0f said %.3f, true %.3f", i, b.n, b.said/b.n, b.real/b.n)
		// Analysts know the density of things in the country, not under each footprint, and sites are no part of it: 0.1 is allowed for that.
		if b.n > 100 && math.Abs(b.said-b.real)/b.n > 0.1 {
			t.Errorf("of %.0f called %.2f on average, %.2f were", b.n, b.said/b.n, b.real/b.n)
		}
	}
}

func TestLikenessSaysMoreOfTheRightClassAndNotMuchTooMuch(t *testing.T) {
	for s := range senses {
		type bin struct {
			n, sites float64
			like     []float64
		}
		var bins [3]bin
		var all, sites, own, ownN float64
		for _, w := range provinces(t) {
			for i := range w.looked {
				o := &w.looked[i]
				if o.sense != s {
					continue
				}
				for _, f := range o.found {
					b := &bins[0]
					switch l := f.Likeness["site"]; {
					case l > 2:
						b = &bins[2]
					case l > 0.7:
						b = &bins[1]
					}
					b.n++
					b.like = append(b.like, f.Likeness["site"])
					all++
					if strings.HasPrefix(f.cause, "site") {
						b.sites++
						sites++
						own += math.Log(f.Likeness["site"])
						ownN++
					}
				}
			}
		}
		if ownN < 5 {
			t.Fatalf("%s: %.0f detections of sites", senseNames[s], ownN)
		}
		t.Logf("%s: mean ln of a site's likeness to a site %.2f (%.0f)", senseNames[s], own/ownN, ownN)
		if own <= 0 {
			t.Errorf("%s: sites look less like sites than what else is detected", senseNames[s])
		}
		for i, b := range bins {
			// Where n is small, so is what can be said: bins of 25 detections of sites, or of as many expected.
			want := 0.0
			for _, l := range b.like { // odds of a site among these detections, times the likeness
				want += l * sites / (l*sites + all - sites)
			}
			if math.Max(want, b.sites) < 25 {
				continue
			}
			t.Logf("%s bin %d: %.0f sites of %.0f, %.0f expected of their likeness", senseNames[s], i, b.sites, b.n, want)
			if b.sites > 2.5*want || want > 2.5*b.sites {
				t.Errorf("%s: %.0f sites where likeness says %.0f", senseNames[s], b.sites, want)
			}
		}
	}
}

func TestRegionKeepsItsBounds(t *testing.T) {
	all, err := Regions()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		w := flownWorld(t, s.Name, 1)
		if n := w.sites; s.Sites.MovesDays[1] == 0 && n != s.Sites.Count || len(w.truth().Decoys) != s.Decoys.Count {
			t.Errorf("%s: %d sites, %d decoys", s.Name, n, len(w.truth().Decoys))
		}
		for i := range w.places {
			if !w.land.dry(w.places[i].at) {
				t.Errorf("%s: %s lies in the sea or beyond", s.Name, w.places[i].id)
			}
		}
		if len(w.flown) != s.Sorties.Count {
			t.Errorf("%s: %d sorties", s.Name, len(w.flown))
		}
		for i, f := range w.flown {
			if k := i + s.Sorties.MostAWeek; k < len(w.flown) && w.flown[k].When.From.Sub(f.When.From) < 7*24*time.Hour {
				t.Errorf("%s: more than %d sorties in the week of %s", s.Name, s.Sorties.MostAWeek, f.ID)
			}
			if f.When.From.Before(s.From) || f.Lost == "" && (f.When.From.After(s.To) || len(f.Track) == 0) {
				t.Errorf("%s: %s flies at %v over %d points", s.Name, f.ID, f.When, len(f.Track))
			}
		}
		km2 := map[string]float64{}
		for _, sheet := range w.sheets {
			if len(sheet.Looks) > 60 {
				t.Errorf("%s: %d footprints of %s %s", s.Name, len(sheet.Looks), sheet.Sortie, sheet.Kind)
			}
			for i, l := range sheet.Looks {
				if !(l.PD > 0 && l.PD < 0.95) {
					t.Errorf("%s: a look of %s with a chance of %g", s.Name, sheet.Kind, l.PD)
				}
				for _, c := range l.Ring {
					if d := geodesy.Distance(c, l.Ring[0]); d > 49.9e3 {
						t.Errorf("%s: footprint %d of %s is %.0f km wide", s.Name, i, sheet.Kind, d/1000)
					}
				}
			}
		}
		for i := range w.looked {
			sum := 0.0
			for k := range w.looked[i].looks {
				sum += w.looked[i].looks[k].km2()
			}
			c := w.looked[i].class.name
			km2[c] = math.Max(km2[c], sum)
		}
		if km2["gas-drone"] > 30 || s.km2() > 1e4 && km2["high-altitude"] < 3000 {
			t.Errorf("%s: km² of one flight by class: %v", s.Name, km2)
		}
	}
}

func TestSitesLieByTheirLawAndForTheirTime(t *testing.T) {
	w := flownWorld(t, "moving", 1)
	groups := map[string][]*spotted{}
	for i := range w.places[:w.sites] {
		p := &w.places[i]
		groups[p.group] = append(groups[p.group], p)
		if w.land.siteLikes(p.at) <= 0 {
			t.Errorf("%s lies where no site does", p.id)
		}
		if days := p.to.Sub(p.from).Hours() / 24; days < 4.9 || days > 10.1 {
			t.Errorf("%s stays for %.1f days", p.id, days)
		}
	}
	if len(groups) != 10 {
		t.Errorf("%d laboratories", len(groups))
	}
	for g, stays := range groups {
		for i := 1; i < len(stays); i++ {
			if stays[i].from.Before(stays[i-1].to) || stays[i].at.to(stays[i-1].at) < sitesApartM {
				t.Errorf("%s is at two places at once, or does not move", g)
			}
		}
	}
}

func TestBarrenHasNoSite(t *testing.T) {
	w := flownWorld(t, "barren", 2)
	truth := w.truth()
	if len(truth.Sites) != 0 || len(truth.Causes) == 0 {
		t.Errorf("%d sites, %d causes", len(truth.Sites), len(truth.Causes))
	}
	for id, c := range truth.Causes {
		if strings.HasPrefix(c, "site") {
			t.Errorf("%s is caused by %s", id, c)
		}
	}
	for _, r := range truth.Reports {
		if r.What == "true" {
			t.Errorf("%s is a true report of nothing", r.ID)
		}
	}
}

// plain is a text without case, digits and punctuation.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) }), " ")
}

func TestRumourIsToldSoThatItsOriginCanBeTold(t *testing.T) {
	w := flownWorld(t, "rumour", 1)
	guises := map[string]int{}
	var first *RegionReport
	for i, r := range w.about {
		if r.Guise == "first" {
			first = &w.said[i]
		}
	}
	if first == nil || len(first.Lineage) != 1 {
		t.Fatal("no first telling with an origin")
	}
	for i, r := range w.about {
		if r.What != "rumour" {
			continue
		}
		q := w.said[i]
		guises[r.Guise]++
		switch r.Guise {
		case "first", "named":
			if !slices.Equal(q.Lineage, first.Lineage) {
				t.Errorf("%s names %v", q.ID, q.Lineage)
			}
		case "same", "dressed":
			if len(q.Lineage) > 0 || plain(q.Text) != plain(first.Text) || r.Guise == "dressed" && q.Text == first.Text {
				t.Errorf("%s %s: %q", q.ID, r.Guise, q.Text)
			}
		default:
			t.Errorf("%s is %s", q.ID, r.Guise)
		}
		if q.Time.Before(first.Time) {
			t.Errorf("%s is told before the first", q.ID)
		}
	}
	if n := guises["named"] + guises["same"] + guises["dressed"]; n != 99 || guises["same"] < 10 || guises["dressed"] < 8 {
		t.Errorf("told as %v", guises)
	}
}

func TestIndependentReportsDifferInTheirWords(t *testing.T) {
	seen := map[string]string{}
	n := 0
	for _, w := range provinces(t) {
		for i, r := range w.about {
			if r.What == "rumour" {
				continue
			}
			n++
			text := plain(w.said[i].Text)
			if other, ok := seen[text]; ok {
				t.Errorf("%s and %s have the same words", other, r.ID)
			}
			seen[text] = r.ID
		}
	}
	if n < 100 {
		t.Errorf("%d reports", n)
	}
}

func TestTrueReportsMeanTheirSiteAsOftenAsTheySay(t *testing.T) {
	held, of := 0, 0
	better, n := 0.0, 0.0
	worse, m := 0.0, 0.0
	for _, w := range provinces(t) {
		for i, r := range w.about {
			q := w.said[i]
			if q.Grade[0] != 'F' {
				switch g := float64(q.Grade[1] - '0'); r.What {
				case "true":
					better, n = better+g, n+1
				case "mistaken", "rumour":
					worse, m = worse+g, m+1
				}
			}
			if r.What != "true" {
				continue
			}
			for k := range w.places[:w.sites] {
				if p := &w.places[k]; p.id == r.About {
					of++
					if geodesy.Distance(w.land.latLon(p.at), q.At) <= q.RadiusM+12 { // four decimals of a degree
						held++
					}
					if q.Time.Before(p.from.Add(24 * time.Hour)) {
						t.Errorf("%s is told before there was time", q.ID)
					}
				}
			}
		}
	}
	share(t, "sites in the area that a true report tells", held, of, 0.85)
	if better/n > worse/m-0.3 {
		t.Errorf("credibility of true reports %.2f, of wrong ones %.2f", better/n, worse/m)
	}
}

func TestFollowUpsKnowNoTruth(t *testing.T) {
	// A plan is drawn from what was brought home before: with the places of the truth moved after the first half, what is planned next would
	// differ only through later finds. Hints at the middle of a campaign use nothing that came after.
	w := flownWorld(t, "province", 1)
	middle := w.From.Add(w.To.Sub(w.From) / 2)
	want := w.hints(middle)
	early := *w
	early.seen = slices.DeleteFunc(slices.Clone(w.seen), func(c clue) bool { return c.time.After(middle) })
	early.places = nil
	if got := early.hints(middle); !slices.Equal(got, want) {
		t.Error("hints change with what came later, or with the truth")
	}
	if len(want) < 20 {
		t.Errorf("%d hints", len(want))
	}
}

func BenchmarkRegionProvince(b *testing.B) {
	s, err := FindRegion("province")
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		r, err := RegionCampaign(s, uint64(i))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, sheet := range r.Sheets {
			n += len(sheet.Found)
		}
		b.ReportMetric(float64(n), "detections")
	}
}
