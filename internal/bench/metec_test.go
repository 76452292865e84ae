package bench

import (
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// plain is a site of two pieces of equipment 60 m apart and four sensors about them. SYNTHETIC.
func plain(experiments string) fstest.MapFS {
	return fstest.MapFS{
		"equipment.csv":   {Data: []byte("name,lat,lon,height_agl_m\nTank SYNTHETIC,40,-105,4\nWell SYNTHETIC,40,-104.9993,2\n")},
		"sensors.csv":     {Data: []byte("name,lat,lon,height_agl_m\nN,40.0003,-104.99965,2.4\nS,39.9997,-104.99965,2.4\nE,40,-104.9988,2.4\nW,40,-105.0005,2.4\n")},
		"experiments.csv": {Data: []byte("experiment,start,end,equipment_group,lat,lon,ch4_kg_s\n" + experiments)},
	}
}

const threeReleases = `a,2022-02-01T10:00:00Z,2022-02-01T10:30:00Z,1T,40.00002,-105.00002,0.0008
b,2022-02-01T12:00:00Z,2022-02-01T12:05:00Z,1T,40.00002,-105.00002,0.0008
c,2022-02-01T14:00:00Z,2022-02-01T16:00:00Z,1T,40.00002,-105.00002,0.0005
c,2022-02-01T14:00:00Z,2022-02-01T16:00:00Z,2W,40.00001,-104.9993,0.0004
d,2022-02-01T18:00:00Z,2022-02-01T19:00:00Z,2W,40.00001,-104.9993,0
`

func TestAPlanIsRead(t *testing.T) {
	p, err := ReadMetecPlan(plain(threeReleases))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Equipment) != 2 || len(p.Sensors) != 4 || len(p.Experiments) != 4 {
		t.Fatalf("%+v", p)
	}
	// A degree of longitude at 40° is 85.39 km (WGS 84): 0.0007° are 59.8 m.
	if e := p.Equipment[1]; math.Abs(e.At[0]-59.8) > 0.1 || math.Abs(e.At[1]) > 0.1 || e.At[2] != 2 {
		t.Errorf("%+v", e)
	}
	if x := p.Experiments[2]; x.Minutes != 120 || !reflect.DeepEqual(x.groups, []int{0, 1}) || x.Sources[0].Z != 4 || x.Sources[1].RateKgS != 0.0004 {
		t.Errorf("%+v", x)
	}
	if x := p.Experiments[3]; len(x.Sources) != 0 {
		t.Errorf("a point that emits nothing is a source: %+v", x)
	}
}

func TestAPlanThatIsNotOneSaysWhere(t *testing.T) {
	for says, dir := range map[string]fstest.MapFS{
		"line 2, column ch4_kg_s": plain("a,2022-02-01T10:00:00Z,2022-02-01T10:30:00Z,1T,40,-105,-1\n"),
		"line 2, column start":    plain("a,noon,2022-02-01T10:30:00Z,1T,40,-105,1\n"),
		"line 2, column lat":      plain("a,2022-02-01T10:00:00Z,2022-02-01T10:30:00Z,1T,north,-105,1\n"),
		"equipment.csv":           {},
		"column lon":              {"equipment.csv": {Data: []byte("name,lat\nTank SYNTHETIC,40\n")}},
	} {
		if _, err := ReadMetecPlan(dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// What the sensors say is background, noise, and above that what is released: only downwind.
func TestTheSiteIsFilledByItsRelease(t *testing.T) {
	p, err := ReadMetecPlan(plain(threeReleases))
	if err != nil {
		t.Fatal(err)
	}
	in, again := p.site(0, 12, 4), p.site(0, 12, 4)
	if !reflect.DeepEqual(in, again) {
		t.Error("the same seed makes other readings the second time")
	}
	quiet := *p
	quiet.Experiments = append([]Experiment(nil), p.Experiments...)
	quiet.Experiments[0].Sources = nil
	off := quiet.site(0, 12, 4)
	if n := len(in.Groups[0].Samples); n != 12*4 {
		t.Fatalf("%d samples of 4 sensors over 12 minutes", n)
	}
	risen := 0
	for i, s := range in.Groups[0].Samples {
		d := s.Values[0].Amount - off.Groups[0].Samples[i].Values[0].Amount // the same air and noise, without the gas
		if d < -1e-20 {
			t.Errorf("sample %d is %g below the one without gas", i, d)
		}
		if d > 0.1*s.Values[0].SD {
			risen++
		}
	}
	// Four sensors about a source see a plume of some tens of degrees now and then, not all of them all the time.
	if risen == 0 || risen == len(in.Groups[0].Samples) {
		t.Errorf("%d of %d samples rise", risen, len(in.Groups[0].Samples))
	}
}

func TestTheScoreCountsWhatItSays(t *testing.T) {
	tank, well := MetecSource{Equipment: "Tank", RateKgS: 1e-3}, MetecSource{Equipment: "Well", RateKgS: 1e-4}
	m := &Metec{Experiments: []MetecOne{
		{Truth: []MetecSource{tank}, Named: []MetecSource{tank}, Total: 1.5e-3, TotalTrue: 1e-3, RateIn: true, Mass: 1},
		{Truth: []MetecSource{tank}, Named: []MetecSource{well, tank}, Total: 5e-4, TotalTrue: 1e-3, Mass: 0.5}, // the stronger one is elsewhere: false, and one too many
		{Truth: []MetecSource{well}, Named: []MetecSource{}, TotalTrue: 1e-4},
		{Truth: []MetecSource{well}, Named: []MetecSource{well, well}, Total: 1e-4, TotalTrue: 1e-4, RateIn: true, Mass: 1}, // one more at the same place is false too
		{Truth: []MetecSource{tank, well}, Named: []MetecSource{well}, Total: 1e-4, TotalTrue: 1.1e-3, Mass: 1},
	}}
	m.score()
	for name, row := range map[string]struct {
		c          Covered
		inside, of int
	}{
		"right equipment":              {m.Single.Right, 2, 4},
		"right equipment of the found": {m.Single.RightFound, 2, 3},
		"false positives":              {m.Single.False, 2, 5},
		"equipment named":              {m.Single.Groups, 3, 4},
		"rates held":                   {m.Single.RateIn, 2, 3},
		"equipment of several":         {m.Several.Groups, 1, 2},
		"false positives of several":   {m.Several.False, 0, 1},
	} {
		if row.c.Inside != row.inside || row.c.Of != row.of {
			t.Errorf("%s: %d of %d, want %d of %d", name, row.c.Inside, row.c.Of, row.inside, row.of)
		}
	}
	if m.Single.CountRight != 1 || m.Several.CountRight != 0 || m.Single.Mass != 0.625 {
		t.Errorf("%+v", m.Single)
	}
	if all, big := m.Rates[0], m.Rates[1]; all.N != 3 || math.Abs(all.P50) > 1e-12 || big.N != 2 || math.Abs(big.P50) > 1e-12 {
		t.Errorf("%+v", m.Rates)
	}
}

// One experiment of the small site, the whole way: what lies within reach of the plan is answered, what does not is skipped with its reason.
func TestMetecAnswersForEveryExperiment(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no release was simulated")
	}
	p, err := ReadMetecPlan(plain(threeReleases))
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Metec(t.Context(), MetecOptions{Experiments: 1, Minutes: 15, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Experiments) != 1 || m.Experiments[0].Experiment != "a" || m.Experiments[0].Minutes != 15 || len(m.Skipped) != 2 || m.Single.Experiments != 1 {
		t.Errorf("%+v", m)
	}
	if x := m.Experiments[0]; x.Mass < 0 || x.Mass > 1 || len(x.Named) > 0 && !(x.Total > 0) {
		t.Errorf("%+v", x)
	}
	var table strings.Builder
	if err := m.Print(&table); err != nil || !strings.Contains(table.String(), "right equipment") {
		t.Error(err, table.String())
	}
}

// The plan in the shared data folder: what its README counts, and groups that are the equipment they are named after (4 and 5 are west and east, T, S, W tank,
// separator, wellhead).
func TestTheMetecPlanIsWhole(t *testing.T) {
	p, err := ReadMetecPlan(os.DirFS(fixture.Shared(t, "gas/metec-plan")))
	if err != nil {
		t.Fatal(err)
	}
	sources := 0
	for _, x := range p.Experiments {
		sources += len(x.Sources)
	}
	// 596 rows, 17 of them with a rate of 0.
	if len(p.Equipment) != 5 || len(p.Sensors) != 8 || len(p.Experiments) != 349 || sources != 579 {
		t.Errorf("%d pieces of equipment, %d sensors, %d experiments, %d sources", len(p.Equipment), len(p.Sensors), len(p.Experiments), sources)
	}
	x := p.Experiments[0] // 4S-22 and 5S-21
	if len(x.groups) != 2 || p.Equipment[x.groups[0]].Name != "Separator.West" || p.Equipment[x.groups[1]].Name != "Separator.East" {
		t.Errorf("%+v", x)
	}
	if _, err := ReadMetecPlan(os.DirFS(t.TempDir())); atalaya.KindOf(err) != atalaya.NotFound {
		t.Errorf("an empty folder: %v", err)
	}
}
