package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// MetecSchema names the JSON form of a Metec.
const MetecSchema = "atalaya.metec/1"

// A MetecPlan is what was released at a test site, where, and where its fixed sensors stand. It has no concentrations: those are simulated.
type MetecPlan struct {
	Equipment   []Equipment
	Sensors     []Station
	Experiments []Experiment
}

// Equipment is one group of the site, as its plan has it.
type Equipment struct {
	Name string
	At   [3]float64 // metres of the site's frame, height above ground
}

// A Station is a fixed sensor.
type Station struct {
	Name string
	At   [3]float64
}

// An Experiment is one controlled release, from one or more points at once. Points that the plan lists with a rate of 0 emit nothing and are not among its sources.
type Experiment struct {
	Name    string
	Minutes int
	Sources []dispersion.Source
	groups  []int // of each source: its place in Equipment
}

// ReadMetecPlan reads equipment.csv, sensors.csv and experiments.csv of a folder.
func ReadMetecPlan(dir fs.FS) (*MetecPlan, error) {
	p := &MetecPlan{}
	var frame *geodesy.Frame
	place := func(r row) ([3]float64, error) {
		lat, lon := r.number("lat"), r.number("lon")
		at := geodesy.LatLon{Lat: lat, Lon: lon}
		if !at.Valid() {
			return [3]float64{}, r.Fail(r.Line, "lat", "Write decimal degrees", "%g, %g is no place", lat, lon)
		}
		if frame == nil { // the first piece of equipment is the origin
			f := geodesy.NewFrame(geodesy.LatLonHeight{Lat: lat, Lon: lon})
			frame = &f
		}
		xy := frame.GroundENU(at)
		return [3]float64{xy[0], xy[1], r.number("height_agl_m")}, nil
	}
	err := rowsOf(dir, "equipment.csv", []string{"name", "lat", "lon", "height_agl_m"}, func(r row) error {
		at, err := place(r)
		p.Equipment = append(p.Equipment, Equipment{r.text("name"), at})
		return err
	})
	if err != nil {
		return nil, err
	}
	err = rowsOf(dir, "sensors.csv", []string{"name", "lat", "lon", "height_agl_m"}, func(r row) error {
		at, err := place(r)
		p.Sensors = append(p.Sensors, Station{r.text("name"), at})
		return err
	})
	if err != nil {
		return nil, err
	}
	// The plan's groups have codes, its equipment names: a group is the equipment nearest to the middle of its points.
	middle, n, codes := map[string][2]float64{}, map[string]float64{}, []string{}
	type release struct {
		code string
		at   [3]float64
		rate float64
	}
	releases := map[string][]release{}
	err = rowsOf(dir, "experiments.csv", []string{"experiment", "start", "end", "equipment_group", "lat", "lon", "ch4_kg_s"}, func(r row) error {
		at, err := place(r)
		if err != nil {
			return err
		}
		code := r.text("equipment_group")
		if n[code] == 0 {
			codes = append(codes, code)
		}
		m := middle[code]
		middle[code], n[code] = [2]float64{m[0] + at[0], m[1] + at[1]}, n[code]+1
		name := r.text("experiment")
		if len(p.Experiments) == 0 || p.Experiments[len(p.Experiments)-1].Name != name {
			from, err := time.Parse(time.RFC3339, r.text("start"))
			to, err2 := time.Parse(time.RFC3339, r.text("end"))
			if err = errors.Join(err, err2); err != nil {
				return r.Fail(r.Line, "start", "Write RFC 3339", "%v", err)
			}
			p.Experiments = append(p.Experiments, Experiment{Name: name, Minutes: int(to.Sub(from).Minutes())})
		}
		rate := r.number("ch4_kg_s")
		if !(rate >= 0) {
			return r.Fail(r.Line, "ch4_kg_s", "Write kg/s", "%g is no rate", rate)
		}
		releases[name] = append(releases[name], release{code, at, rate})
		return nil
	})
	if err != nil {
		return nil, err
	}
	group := map[string]int{}
	for _, code := range codes {
		group[code] = p.nearest(middle[code][0]/n[code], middle[code][1]/n[code])
	}
	for i := range p.Experiments {
		x := &p.Experiments[i]
		for _, r := range releases[x.Name] {
			if g := group[r.code]; r.rate > 0 {
				x.Sources = append(x.Sources, dispersion.Source{X: r.at[0], Y: r.at[1], Z: p.Equipment[g].At[2], RateKgS: r.rate})
				x.groups = append(x.groups, g)
			}
		}
	}
	return p, nil
}

// nearest is the piece of equipment nearest to a place.
func (p *MetecPlan) nearest(x, y float64) int {
	best := 0
	d := func(i int) float64 { return math.Hypot(p.Equipment[i].At[0]-x, p.Equipment[i].At[1]-y) }
	for i := range p.Equipment {
		if d(i) < d(best) {
			best = i
		}
	}
	return best
}

// row is one row of a table, by the names of its columns.
type row struct {
	*delimited.Reader
	fields []string
	bad    *error
}

func (r row) text(column string) string {
	if i := slices.Index(r.Header, column); i >= 0 && i < len(r.fields) {
		return strings.TrimSpace(r.fields[i])
	}
	return ""
}

// number is NaN where there is none; a column that the table lacks is 0.
func (r row) number(column string) float64 {
	if !slices.Contains(r.Header, column) {
		return 0
	}
	v, _, hint, err := r.Number(r.text(column))
	if err != nil && *r.bad == nil {
		*r.bad = r.Fail(r.Line, column, hint, "%v", err)
	}
	return v
}

// rowsOf reads a table that must be whole: it is a plan, not a measurement.
func rowsOf(dir fs.FS, name string, columns []string, f func(row) error) error {
	file, err := dir.Open(name)
	if err != nil {
		return &atalaya.Error{Op: "bench.metec", File: name, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name the folder that holds equipment.csv, sensors.csv and experiments.csv"}
	}
	defer file.Close()
	r := delimited.NewReader(file, name, "bench.metec")
	if err := r.ReadHeader(); err != nil {
		return err
	}
	for _, c := range columns {
		if !slices.Contains(r.Header, c) {
			return r.Fail(r.Line, c, "Add it", "the table has no such column")
		}
	}
	for {
		fields, err := r.Row()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var bad error
		if err := f(row{r, fields, &bad}); err != nil {
			return err
		}
		if bad != nil {
			return bad
		}
	}
}

// What the site's air and instruments are like, which the plan does not say: assumptions, drawn anew for every experiment.
const (
	stepSeconds   = 2      // of the puffs and of the wind
	settleMinutes = 5      // before the first minute that is logged
	leastMinutes  = 10     // shorter experiments hold too few one-minute means
	ppmNoise      = 0.03   // ppm, of a one-minute mean of methane
	ppmOffset     = 0.02   // ppm, deviation of a sensor's own offset
	ppmDrift      = 0.02   // ppm, deviation of the background that all share
	driftMinutes  = 30.0   // over which it wanders
	ppmBackground = 2.0    // ppm
	methaneG      = 16.043 // g/mol
	mastM         = 2.4    // height of the anemometer, in the middle of the sensors
	turnDeg       = 40.0   // the wind turns by this, over an hour
	gustShare     = 0.25   // and gusts by this share, over twenty minutes
	siteRoughness = 0.03
)

const blockMetec = 1 << 44

// site simulates one experiment: puffs in a wind that wanders, eight sensors, one anemometer that stands in other eddies than the plume.
func (p *MetecPlan) site(n int, minutes int, seed uint64) source.Input {
	x := p.Experiments[n]
	block := uint64(blockMetec + 4*n)
	day, air, instrument := numeric.NewStream(seed, block), numeric.NewStream(seed, block+1), numeric.NewStream(seed, block+2)
	toward, speed := 2*math.Pi*day.Float64(), 1.5*math.Exp(day.Float64()*math.Log(7/1.5))
	across := between(day, 0.12, 0.3)
	up := between(day, 0.4, 0.7) * across
	ground := dispersion.Surface{RoughnessM: siteRoughness}
	puffs := dispersion.NewPuffs(dispersion.PuffSettings{Sources: x.Sources, Surface: ground, EveryS: stepSeconds, SigmaV: across * speed, SigmaW: up * speed,
		TimescaleS: between(day, 20, 60), Intermittency: between(day, 0.2, 0.5)}, air)
	perPPM := dispersion.StandardAir.MassPerPPM(methaneG)
	offset := make([]float64, len(p.Sensors))
	for k := range offset {
		offset[k] = ppmOffset * day.Normal()
	}
	turn, gust, drift := day.Normal(), day.Normal(), day.Normal()
	var eddy [2]float64
	ratio := ground.WindRatio(mastM, 10)
	g := source.Survey{Compounds: []string{"ch4"}, Surface: ground}
	for minute := -settleMinutes; minute < minutes; minute++ {
		sum := make([]float64, len(p.Sensors))
		var u, v, c, s, looks float64
		for range 60 / stepSeconds {
			turn, gust = wanderOver(turn, stepSeconds, 3600, air), wanderOver(gust, stepSeconds, 1200, air)
			now := speed * math.Exp(gustShare*gust-gustShare*gustShare/2)
			sin, cos := math.Sincos(toward + turnDeg*math.Pi/180*turn)
			puffs.Step(stepSeconds, dispersion.Wind{U: now * cos, V: now * sin, HeightM: 10})
			for i := range eddy {
				eddy[i] = wanderOver(eddy[i], stepSeconds, 10, instrument)
			}
			mu, mv := ratio*now*cos+across*speed*eddy[0], ratio*now*sin+across*speed*eddy[1]
			l := math.Hypot(mu, mv)
			u, v, c, s, looks = u+mu, v+mv, c+mu/l, s+mv/l, looks+1
			if minute >= 0 {
				for k, at := range p.Sensors {
					sum[k] += puffs.At(at.At[0], at.At[1], at.At[2])
				}
			}
		}
		drift = wanderOver(drift, 1, driftMinutes, instrument)
		if minute < 0 {
			continue
		}
		e := math.Sqrt(max(0, 1-(c*c+s*s)/(looks*looks))) // Yamartino 1984, as loggers do
		wind := dispersion.Wind{U: u / looks, V: v / looks, HeightM: mastM, AveragingS: 60, SigmaTheta: math.Asin(min(e, 1)) * (1 + 0.1547*e*e*e)}
		for k, at := range p.Sensors {
			ppm := ppmBackground + ppmDrift*drift + offset[k] + ppmNoise*instrument.Normal()
			g.Samples = append(g.Samples, source.Sample{TimeS: float64(60 * minute), At: at.At, Sensor: at.Name, Wind: wind,
				Values: []source.Value{{Amount: ppm*perPPM + sum[k]/looks, SD: ppmNoise * perPPM}}})
		}
	}
	return source.Input{Local: true, Groups: []source.Survey{g}}
}

// wanderOver is a step of an Ornstein-Uhlenbeck process of unit deviation, exact for any length.
func wanderOver(v, step, timescale float64, chance *numeric.Stream) float64 {
	k := math.Exp(-step / timescale)
	return k*v + math.Sqrt(1-k*k)*chance.Normal()
}

// MetecOptions say how much is simulated.
type MetecOptions struct {
	Experiments int // of the plan, evenly spread over it; 0 is all
	Minutes     int // of each experiment, from its beginning; 0 is 60
	Seed        uint64
	Progress    func(what string, done, total int)
}

// A Metec is how well the releases of the plan are found again.
type Metec struct {
	Schema      string     `json:"schema"`
	Seed        uint64     `json:"seed"`
	Minutes     int        `json:"minutes"`
	Experiments []MetecOne `json:"experiments"`
	Skipped     []Skipped  `json:"skipped"`
	Single      MetecSet   `json:"single"`
	Several     MetecSet   `json:"several"`
	// Rates are those of single sources: of all, and of those above 1 kg/h.
	Rates     []RateBand `json:"rates"`
	Published Published  `json:"published"`
}

// Skipped is an experiment that was left out, and why.
type Skipped struct {
	Experiment string `json:"experiment"`
	Why        string `json:"why"`
}

// Published are the figures of others for the real releases of this plan.
type Published struct {
	By    string  `json:"by"`
	Right float64 `json:"right_equipment"`
	False float64 `json:"false_positives"`
	P05   float64 `json:"rate_error_p05"`
	P95   float64 `json:"rate_error_p95"`
}

// MetecOne is one experiment. Equipment names the group nearest to a place.
type MetecOne struct {
	Experiment string        `json:"experiment"`
	Minutes    int           `json:"minutes"`
	Truth      []MetecSource `json:"truth"`
	Named      []MetecSource `json:"named"`
	// Mass is the posterior's mass of sources nearest to equipment that emits, as a share of all its sources; 0 where it has none.
	Mass      float64 `json:"mass_at_emitting_equipment"`
	RateIn    bool    `json:"total_rate_in_90_interval"`
	Total     float64 `json:"total_rate_kg_s"`
	TotalTrue float64 `json:"true_total_rate_kg_s"`
	Refused   string  `json:"refused,omitempty"` // why the estimator gave no answer
}

// MetecSource is one source, true or named.
type MetecSource struct {
	Equipment string  `json:"equipment"`
	XM        float64 `json:"x_m"`
	YM        float64 `json:"y_m"`
	RateKgS   float64 `json:"rate_kg_s"`
}

// MetecSet counts experiments of one kind.
type MetecSet struct {
	Experiments int     `json:"experiments"`
	Found       int     `json:"found"` // experiments in which any source was named
	CountRight  int     `json:"count_right"`
	Right       Covered `json:"right_equipment"`          // the strongest source named lies nearest to equipment that emits; of all experiments
	RightFound  Covered `json:"right_equipment_of_found"` // of those in which any was named
	Mass        float64 `json:"mean_mass_at_emitting_equipment"`
	Groups      Covered `json:"emitting_equipment_named"`  // of all pieces of equipment that emit
	False       Covered `json:"false_positives"`           // of the sources named: nearest to equipment that does not emit, or one more there than emit
	RateIn      Covered `json:"total_rate_in_90_interval"` // of experiments in which any was named
}

// A RateBand is the relative error of total rates, (estimate - truth)/truth, of experiments in which any source was named.
type RateBand struct {
	Of  string  `json:"of"`
	N   int     `json:"n"`
	P05 float64 `json:"p05"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Metec simulates the plan's releases, locates them blind and scores.
func (p *MetecPlan) Metec(ctx context.Context, o MetecOptions) (*Metec, error) {
	if o.Minutes <= 0 {
		o.Minutes = 60
	}
	m := &Metec{Schema: MetecSchema, Seed: o.Seed, Minutes: o.Minutes, Skipped: []Skipped{}, Published: Published{"DLQ and MDLQ, of real readings; rates above 1 kg/h", 0.82, 0.055, -0.49, 0.79}}
	var pick []int
	for i, x := range p.Experiments {
		switch {
		case x.Minutes < leastMinutes:
			m.Skipped = append(m.Skipped, Skipped{x.Name, fmt.Sprintf("%d minutes long; %d are needed", x.Minutes, leastMinutes)})
		case len(x.Sources) == 0:
			m.Skipped = append(m.Skipped, Skipped{x.Name, "nothing is released"})
		default:
			pick = append(pick, i)
		}
	}
	if n := o.Experiments; n > 0 && n < len(pick) {
		some := make([]int, n)
		for k := range some {
			some[k] = pick[k*len(pick)/n]
		}
		pick = some
	}
	var err error
	m.Experiments, err = many(ctx, CalibrationOptions{Progress: o.Progress}, "experiments", len(pick), func(k int) (MetecOne, error) {
		return p.one(ctx, pick[k], o)
	})
	if err != nil {
		return nil, err
	}
	m.score()
	return m, nil
}

func (p *MetecPlan) one(ctx context.Context, n int, o MetecOptions) (MetecOne, error) {
	x := p.Experiments[n]
	r := MetecOne{Experiment: x.Name, Minutes: min(x.Minutes, o.Minutes), Named: []MetecSource{}}
	for i, s := range x.Sources {
		r.Truth = append(r.Truth, MetecSource{p.Equipment[x.groups[i]].Name, s.X, s.Y, s.RateKgS})
		r.TotalTrue += s.RateKgS
	}
	b, _, err := believe(ctx, p.site(n, r.Minutes, o.Seed), o.Seed)
	if atalaya.KindOf(err) == atalaya.BadInput {
		r.Refused = err.Error()
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("experiment %s: %w", x.Name, err)
	}
	var totals []float64
	var all, right float64
	for _, d := range b.draws {
		var total float64
		for _, s := range d.Sources {
			total, all = total+s.RateKgS, all+1
			if slices.Contains(x.groups, p.nearest(s.X, s.Y)) {
				right++
			}
		}
		if len(d.Sources) == len(b.named) {
			totals = append(totals, total)
		}
	}
	if all > 0 {
		r.Mass = right / all
	}
	for _, s := range b.named { // the strongest comes first
		r.Named = append(r.Named, MetecSource{p.Equipment[p.nearest(s.x, s.y)].Name, s.x, s.y, s.p50})
	}
	if len(b.named) > 0 {
		r.Total = numeric.Median(totals)
		r.RateIn = numeric.Quantile(totals, 0.05) <= r.TotalTrue && r.TotalTrue <= numeric.Quantile(totals, 0.95)
	}
	return r, nil
}

// falseOnes counts the sources named that stand nearest to equipment that does not emit, or there are more of there than emit.
func (r *MetecOne) falseOnes() (n int) {
	left := map[string]int{}
	for _, t := range r.Truth {
		left[t.Equipment]++
	}
	for _, s := range r.Named {
		if left[s.Equipment]--; left[s.Equipment] < 0 {
			n++
		}
	}
	return n
}

func (m *Metec) score() {
	var single, several []MetecOne
	for _, r := range m.Experiments {
		if len(r.Truth) == 1 {
			single = append(single, r)
		} else {
			several = append(several, r)
		}
	}
	m.Single, m.Several = metecSet(single), metecSet(several)
	m.Rates = []RateBand{rateBand("single sources", single, 0), rateBand("single sources above 1 kg/h", single, 1./3600)}
}

func metecSet(of []MetecOne) MetecSet {
	s := MetecSet{Experiments: len(of)}
	var right, groups, emitting, named, wrong, in int
	for _, r := range of {
		emits := map[string]bool{}
		for _, t := range r.Truth {
			emits[t.Equipment] = true
		}
		emitting += len(emits)
		s.Mass += r.Mass / float64(len(of))
		if len(r.Named) == len(r.Truth) {
			s.CountRight++
		}
		if len(r.Named) == 0 {
			continue
		}
		s.Found++
		if emits[r.Named[0].Equipment] {
			right++
		}
		if r.RateIn {
			in++
		}
		named, wrong = named+len(r.Named), wrong+r.falseOnes()
		for _, n := range r.Named {
			if emits[n.Equipment] {
				groups++
				emits[n.Equipment] = false // once each
			}
		}
	}
	s.Right, s.RightFound = covered("right equipment", 0, right, len(of)), covered("right equipment, where a source was named", 0, right, s.Found)
	s.Groups, s.False = covered("emitting equipment named", 0, groups, emitting), covered("false positives among the sources named", 0, wrong, named)
	s.RateIn = covered("total rate in its 90 % interval", 0.9, in, s.Found)
	return s
}

func rateBand(name string, of []MetecOne, above float64) RateBand {
	b := RateBand{Of: name}
	var errs []float64
	for _, r := range of {
		if len(r.Named) > 0 && r.TotalTrue > above {
			errs = append(errs, r.Total/r.TotalTrue-1)
		}
	}
	if b.N = len(errs); b.N > 0 {
		b.P05, b.P50, b.P95 = numeric.Quantile(errs, 0.05), numeric.Median(errs), numeric.Quantile(errs, 0.95)
	}
	return b
}

// Print writes the tables for eyes.
func (m *Metec) Print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	refused := 0
	for _, r := range m.Experiments {
		if r.Refused != "" {
			refused++
		}
	}
	fmt.Fprintf(w, "%d experiments, at most %d minutes of each, seed %d; %d skipped, %d answered by no estimate\n\n", len(m.Experiments), m.Minutes, m.Seed, len(m.Skipped), refused)
	fmt.Fprintln(w, "\tSINGLE SOURCE\tSEVERAL SOURCES\tPUBLISHED")
	share := func(c Covered) string {
		if c.Of == 0 {
			return "-"
		}
		return fmt.Sprintf("%d of %d, %.0f %% (%.0f to %.0f %%)", c.Inside, c.Of, 100*float64(c.Inside)/float64(c.Of), 100*c.Low, 100*c.High)
	}
	a, b, pub := m.Single, m.Several, m.Published
	fmt.Fprintf(w, "a source was named\t%d of %d\t%d of %d\t\n", a.Found, a.Experiments, b.Found, b.Experiments)
	fmt.Fprintf(w, "right number of sources\t%d of %d\t%d of %d\t\n", a.CountRight, a.Experiments, b.CountRight, b.Experiments)
	fmt.Fprintf(w, "right equipment\t%s\t%s\t%.0f %%\n", share(a.Right), share(b.Right), 100*pub.Right)
	fmt.Fprintf(w, "the same, where a source was named\t%s\t%s\t\n", share(a.RightFound), share(b.RightFound))
	fmt.Fprintf(w, "mean posterior mass at emitting equipment\t%.2f\t%.2f\t\n", a.Mass, b.Mass)
	fmt.Fprintf(w, "emitting equipment named\t%s\t%s\t\n", share(a.Groups), share(b.Groups))
	fmt.Fprintf(w, "false positives among sources named\t%s\t%s\t%.1f %%\n", share(a.False), share(b.False), 100*pub.False)
	fmt.Fprintf(w, "total rate in its 90 %% interval\t%s\t%s\t\n", share(a.RateIn), share(b.RateIn))
	for _, r := range m.Rates {
		published := ""
		if r.Of == "single sources above 1 kg/h" {
			published = fmt.Sprintf("%+.0f to %+.0f %%", 100*pub.P05, 100*pub.P95)
		}
		fmt.Fprintf(w, "error of the rate, %s (%d)\t%+.0f to %+.0f %%, median %+.0f %%\t\t%s\n", r.Of, r.N, 100*r.P05, 100*r.P95, 100*r.P50, published)
	}
	return w.Flush()
}
