package fingerprint

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// An Amount is what one channel has of the plume.
type Amount struct {
	Channel
	// Excess over background in the core of the plume, ppb. Noise may make it negative.
	Excess float64
	// SE is its standard error, ppb. For a channel that never rose above its limit it comes from the limit.
	SE float64
	// Seen: the excess is more than three standard errors. Otherwise Bound is what it is below, with 95 % confidence.
	Seen  bool
	Bound float64
}

// A Composition is what a plume is made of: one amount a channel, all of one and the same plume, so that the unknown
// distance, dilution and strength are the same factor in all of them.
type Composition struct {
	Group     string
	Reference string // the channel that rose most clearly over its noise
	Amounts   []Amount
	Samples   int
	Notes     []atalaya.Sentence
}

// Seen counts the channels that rose clearly over their background.
func (c *Composition) Seen() int {
	n := 0
	for _, a := range c.Amounts {
		if a.Seen {
			n++
		}
	}
	return n
}

// plain is how many standard errors an excess must be above zero to count as seen.
const plain = 3

// Excess measures the composition of each group of a survey. It refuses a survey that no reference profile can be compared
// with: no compound column, or none that says what it responds to.
func Excess(s *gas.Survey) ([]Composition, error) {
	series, notes, err := seriesOf(s)
	if err != nil {
		return nil, err
	}
	var out []Composition
	for _, rows := range s.GroupRows() {
		c := Composition{Samples: len(rows), Notes: slices.Clone(notes)}
		if len(rows) > 0 {
			c.Group = s.GroupName(rows[0])
		}
		newCourse(s, series, rows).compose(&c)
		out = append(out, c)
	}
	return out, nil
}

// A line is one channel's readings in ppb.
type line struct {
	Channel
	value []float64 // one a row of the survey; NaN = not measured
	limit []bool    // the value is an upper bound
}

// kelvin and pascal of samples that do not say: the standard atmosphere at sea level (ICAO).
const (
	standardK  = 288.15
	standardPa = 101325
	gasJ       = 8.314462618 // J/(mol K), CODATA 2018
)

func seriesOf(s *gas.Survey) (out []line, notes []atalaya.Sentence, err error) {
	refuse := func(what, remedy atalaya.Sentence) ([]line, []atalaya.Sentence, error) {
		e := atalaya.Declined("fingerprint.excess", atalaya.BadInput, what, remedy)
		e.File = s.Name
		return nil, nil, e
	}
	if len(s.Compounds) == 0 {
		return refuse(atalaya.Say("mixture-no-compound"), atalaya.Say("mixture-no-compound-remedy"))
	}
	for i := range s.Compounds {
		c := &s.Compounds[i]
		l := line{Channel: Channel{Name: c.Name}, value: make([]float64, s.Len()), limit: make([]bool, s.Len())}
		for _, cas := range c.CAS {
			l.CAS = append(l.CAS, casNumbers(cas)...)
		}
		if len(l.CAS) == 0 {
			l.CAS = casOfName(c.Name)
		}
		if len(l.CAS) == 0 {
			notes = append(notes, atalaya.Say("mixture-unknown", "channel", c.Name))
			continue
		}
		if c.Unit.IsMass() && !(c.MolarMass > 0) {
			return refuse(atalaya.Say("mixture-molar", "channel", c.Name, "unit", c.Unit.String()), atalaya.Say("mixture-molar-remedy", "channel", c.Name))
		}
		for r := range l.value {
			unit := c.Unit.PerUnit() * 1e9 // ppb
			if c.Unit.IsMass() {
				unit *= gasJ * orElse(s.TemperatureC, r, standardK-273.15, 273.15) / (orElse(s.PressureHPa, r, standardPa/100, 0) * 100) / (c.MolarMass / 1000)
			}
			l.value[r], l.limit[r] = c.Value[r]*unit, c.IsBelow(r)
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return refuse(atalaya.Say("mixture-unsaid"), atalaya.Say("mixture-unsaid-remedy"))
	}
	return out, notes, nil
}

// orElse is the value of row r, or the one that stands for it where it was not measured, plus an offset.
func orElse(column []float64, r int, otherwise, plus float64) float64 {
	if column == nil || math.IsNaN(column[r]) {
		return otherwise + plus
	}
	return column[r] + plus
}

// casOfName knows what the commonest column names mean, whatever their case and punctuation: n_butane, N-Butane.
func casOfName(name string) []string {
	plain := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(name))
	if cas, ok := knownNames[plain]; ok {
		return strings.Split(cas, ";")
	}
	return nil
}

var knownNames = map[string]string{
	"ch4": "74-82-8", "methane": "74-82-8", "c2h6": "74-84-0", "ethane": "74-84-0", "c3h8": "74-98-6", "propane": "74-98-6", "npropane": "74-98-6",
	"butane": "106-97-8", "nbutane": "106-97-8", "isobutane": "75-28-5", "pentane": "109-66-0", "npentane": "109-66-0", "isopentane": "78-78-4",
	"hexane": "110-54-3", "nhexane": "110-54-3", "heptane": "142-82-5", "nheptane": "142-82-5", "octane": "111-65-9", "noctane": "111-65-9",
	"nonane": "111-84-2", "nnonane": "111-84-2", "decane": "124-18-5", "ndecane": "124-18-5", "undecane": "1120-21-4", "nundecane": "1120-21-4",
	"cyclohexane": "110-82-7", "cyclopentane": "287-92-3", "methylcyclohexane": "108-87-2", "methylcyclopentane": "96-37-7",
	"2methylpentane": "107-83-5", "3methylpentane": "96-14-0", "2methylhexane": "591-76-4", "3methylhexane": "589-34-4", "2methylheptane": "592-27-8",
	"22dimethylbutane": "75-83-2", "23dimethylbutane": "79-29-8", "23dimethylpentane": "565-59-3", "224trimethylpentane": "540-84-1", "234trimethylpentane": "565-75-3",
	"c2h4": "74-85-1", "ethylene": "74-85-1", "ethene": "74-85-1", "c2h2": "74-86-2", "acetylene": "74-86-2", "ethyne": "74-86-2", "propylene": "115-07-1", "propene": "115-07-1",
	"1butene": "106-98-9", "cis2butene": "590-18-1", "trans2butene": "624-64-6", "13butadiene": "106-99-0", "butadiene": "106-99-0", "cis2pentene": "627-20-3", "trans2pentene": "646-04-8",
	"isoprene": "78-79-5", "benzene": "71-43-2", "toluene": "108-88-3", "ethylbenzene": "100-41-4", "styrene": "100-42-5", "naphthalene": "91-20-3",
	"oxylene": "95-47-6", "mxylene": "108-38-3", "pxylene": "106-42-3", "mpxylene": "106-42-3;108-38-3", "xylene": "106-42-3;108-38-3;95-47-6", "xylenes": "106-42-3;108-38-3;95-47-6",
	"124trimethylbenzene": "95-63-6", "135trimethylbenzene": "108-67-8", "123trimethylbenzene": "526-73-8", "npropylbenzene": "103-65-1", "isopropylbenzene": "98-82-8",
	"oethyltoluene": "611-14-3", "methyltoluene": "620-14-4", "pethyltoluene": "622-96-8", "mdiethylbenzene": "141-93-5",
	"formaldehyde": "50-00-0", "hcho": "50-00-0", "acetaldehyde": "75-07-0", "acetone": "67-64-1", "mek": "78-93-3", "2butanone": "78-93-3", "mibk": "108-10-1",
	"methanol": "67-56-1", "ethanol": "64-17-5", "isopropanol": "67-63-0", "2propanol": "67-63-0", "aceticacid": "64-19-7", "formicacid": "64-18-6", "phenol": "108-95-2",
	"ethylacetate": "141-78-6", "butylacetate": "123-86-4", "nbutylacetate": "123-86-4", "ethyleneoxide": "75-21-8", "diethylether": "60-29-7",
	"dichloromethane": "75-09-2", "methylenechloride": "75-09-2", "chloroform": "67-66-3", "trichloroethylene": "79-01-6", "tce": "79-01-6", "tetrachloroethylene": "127-18-4", "pce": "127-18-4",
	"nh3": "7664-41-7", "ammonia": "7664-41-7", "h2s": "7783-06-4", "hydrogensulfide": "7783-06-4", "dms": "75-18-3",
}

// A course is the time course of one plume as all channels saw it together, and how each follows it:
//
//	reading of channel k at row i = background of k (a broken line in time, and a level for each instrument) + slope k · g(i) + noise
//
// The course g, the slopes and the backgrounds are fitted in turn (alternating least squares); a reading below the limit is
// replaced by its mean given the limit and the fit (expectation-maximisation for censored normal data; Dempster, Laird, Rubin
// 1977, J. R. Stat. Soc. B 39, 1-38, section 4.1). Only the ratios of slopes are meant: the plume's geometry is in g.
type course struct {
	lines []line
	rows  []int
	event []int // of each row: rows of one time and place are one event and see the same plume
	base  *mat.Dense
	g     []float64 // one an event
	fit   []follow
}

// follow is how one channel follows the course.
type follow struct {
	use      []int     // positions in rows where it was measured
	y        []float64 // readings, those below the limit as their mean given the fit
	level    []float64 // the background at each
	slope    float64
	se       float64
	noise    float64 // standard deviation of one reading
	censored float64 // share of readings below the limit
	top      float64 // largest limit among them
}

// rounds of the alternating fit. The survey of a plume that stands ten times out of its noise settles to four digits in ten.
const rounds = 25

func newCourse(s *gas.Survey, lines []line, rows []int) *course {
	c := &course{lines: lines, rows: rows}
	type when struct{ t, x, y, z float64 }
	seen := map[when]int{}
	for _, r := range rows {
		w := when{t: s.T[r], z: s.At.Z[r]}
		if s.Geographic() {
			w.x, w.y = s.At.Lon[r], s.At.Lat[r]
		} else {
			w.x, w.y = s.At.X[r], s.At.Y[r]
		}
		e, ok := seen[w]
		if !ok || s.SensorOf == nil { // without a column sensor a repeated row is another event
			e = len(c.g)
			c.g = append(c.g, 0)
			seen[w] = e
		}
		c.event = append(c.event, e)
	}
	c.background(s)
	for k := range lines {
		var f follow
		for i, r := range rows {
			if v := lines[k].value[r]; !math.IsNaN(v) {
				f.use = append(f.use, i)
				f.y = append(f.y, v)
				if lines[k].limit[r] {
					f.censored++
					f.top = max(f.top, v)
				}
			}
		}
		f.censored /= max(float64(len(f.use)), 1)
		f.level = make([]float64, len(f.use))
		c.fit = append(c.fit, f)
	}
	return c
}

// background columns: a level for each instrument, and a broken line in time with a knot every ten minutes.
func (c *course) background(s *gas.Survey) {
	const knotS = 600
	sensors := map[string]int{}
	for _, r := range c.rows {
		if _, ok := sensors[s.SensorName(r)]; !ok {
			sensors[s.SensorName(r)] = len(sensors)
		}
	}
	first, last := math.Inf(1), math.Inf(-1)
	for _, r := range c.rows {
		first, last = min(first, s.T[r]), max(last, s.T[r])
	}
	bends := 0
	if last > first {
		bends = min(1+int((last-first)/knotS), 20)
	}
	c.base = mat.NewDense(max(len(c.rows), 1), len(sensors)+bends, nil)
	for i, r := range c.rows {
		c.base.Set(i, sensors[s.SensorName(r)], 1)
		for b := range bends {
			start := first + (last-first)*float64(b)/float64(bends)
			c.base.Set(i, len(sensors)+b, max(0, s.T[r]-start)/(last-first))
		}
	}
}

// compose fits the course and writes the amounts.
func (c *course) compose(out *Composition) {
	lead := c.start()
	if lead < 0 {
		out.Notes = append(out.Notes, atalaya.Say("mixture-flat"))
		for k := range c.lines {
			out.Amounts = append(out.Amounts, c.amount(k, 1))
		}
		return
	}
	for range rounds {
		for k := range c.fit {
			c.follow(k)
		}
		c.retrace()
	}
	for k := range c.fit {
		c.follow(k)
	}
	out.Reference = c.lines[lead].Name
	core := top(c.g) - numeric.Quantile(c.g, 0.1)
	if !(core > 0) {
		core = 1
	}
	stands := c.stands(lead)
	if !stands {
		out.Notes = append(out.Notes, atalaya.Say("mixture-no-plume"))
	}
	for k := range c.lines {
		if len(c.fit[k].use) == 0 {
			continue
		}
		if !c.meets(k, lead) {
			out.Notes = append(out.Notes, atalaya.Say("mixture-passed-over", "channel", c.lines[k].Name, "reference", out.Reference))
			continue
		}
		a := c.amount(k, core)
		if a.Seen && !stands {
			a.Seen, a.Bound = false, a.Excess+1.645*a.SE
		}
		out.Amounts = append(out.Amounts, a)
	}
}

// top is the third highest value: the core of a plume, however narrow, but not one spike.
func top(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[max(0, len(s)-3)]
}

// stands reports whether there is a plume at all. The leading channel follows a course that was made of itself, so its own
// slope shows nothing. Either it peaks eight times its noise above its background (a normal reading does so once in 10¹⁵), or
// another channel follows it by more than four and a half standard errors (of a hundred channels of noise, one in three
// thousand surveys has such).
func (c *course) stands(lead int) bool {
	for k := range c.fit {
		if f := &c.fit[k]; k != lead && f.censored <= 0.95 && f.slope > 4.5*f.se && f.se > 0 {
			return true
		}
	}
	f := &c.fit[lead]
	above := make([]float64, len(f.y))
	for j := range above {
		above[j] = f.y[j] - f.level[j]
	}
	return top(above) > 8*jitter(f.y)
}

func (c *course) amount(k int, core float64) Amount {
	f := c.fit[k]
	a := Amount{Channel: c.lines[k].Channel, Excess: f.slope * core, SE: f.se * core}
	a.Seen = a.Excess > plain*a.SE
	if !a.Seen {
		a.Bound = max(a.Excess, 0) + 1.645*a.SE // one-sided 95 % of a normal
	}
	return a
}

// meets reports whether channel k was read at enough events where channel lead was read too.
func (c *course) meets(k, lead int) bool {
	at := map[int]bool{}
	for _, i := range c.fit[lead].use {
		at[c.event[i]] = true
	}
	n := 0
	for _, i := range c.fit[k].use {
		if at[c.event[i]] {
			n++
		}
	}
	return n >= 5 || n == len(c.fit[k].use)
}

// start takes as first course the channel whose peak stands highest above its noise, and gives its index.
func (c *course) start() int {
	best, most := -1, 0.0
	for k := range c.fit {
		f := &c.fit[k]
		f.noise = jitter(f.y)
		if f.censored > 0 {
			f.noise = max(f.noise, f.top/10)
		}
		if len(f.y) < 5 || !(f.noise > 0) || f.censored > 0.95 {
			continue
		}
		if rise := (top(f.y) - numeric.Quantile(f.y, 0.3)) / f.noise; rise > most {
			best, most = k, rise
		}
	}
	if best < 0 {
		return -1
	}
	f := c.fit[best]
	level := numeric.Quantile(f.y, 0.1)
	for n, i := range f.use {
		c.g[c.event[i]] = f.y[n] - level
	}
	for k := range c.fit { // channels that are read where the first is not wait for the second round
		c.fit[k].slope = 0
	}
	return best
}

// jitter is the noise of one reading from the differences of neighbours: robust, and blind to what is slow.
func jitter(y []float64) float64 {
	d := make([]float64, 0, len(y))
	for i := 1; i < len(y); i++ {
		d = append(d, math.Abs(y[i]-y[i-1]))
	}
	if len(d) == 0 {
		return 0
	}
	return numeric.Median(d) / (0.6745 * math.Sqrt2) // median of |N(0,2σ²)|
}

// follow fits background and slope of channel k to the course.
func (c *course) follow(k int) {
	f := &c.fit[k]
	n, p := len(f.use), c.base.RawMatrix().Cols+1
	if n == 0 {
		return
	}
	if f.censored > 0.95 { // the limit is all that it says: at the peaks too the excess is below it
		var g []float64
		for _, i := range f.use {
			g = append(g, c.g[c.event[i]])
		}
		f.slope, f.se = 0, f.top/max(top(g)-numeric.Quantile(g, 0.1), 1e-12*f.top)/1.645
		return
	}
	x := mat.NewDense(n, p, nil)
	for j, i := range f.use {
		for q := range p - 1 {
			x.Set(j, q, c.base.At(i, q))
		}
		x.Set(j, p-1, c.g[c.event[i]])
	}
	beta, inverse := ridge(x, f.y)
	f.slope = beta.AtVec(p - 1)
	var back mat.VecDense
	back.MulVec(x, beta)
	extra := c.impute(k, back.RawVector().Data)
	sum := extra
	residual := make([]float64, n)
	for j, i := range f.use {
		residual[j] = f.y[j] - back.AtVec(j)
		sum += residual[j] * residual[j]
		f.level[j] = back.AtVec(j) - f.slope*c.g[c.event[i]]
	}
	f.noise = math.Sqrt(sum / float64(max(n-p, 1)))
	// The slope's error by the residuals themselves (White 1980, Econometrica 48, 817-838, eq. 4), which are larger within
	// the plume; neighbours in time are not independent.
	white := 0.0
	for j := range n {
		h := 0.0
		for q := range p {
			h += inverse.At(p-1, q) * x.At(j, q)
		}
		white += h * h * (residual[j]*residual[j] + extra/float64(n))
	}
	share := max(numeric.EffectiveShare([][]float64{residual}), 0.05)
	f.se = math.Sqrt(white * float64(n) / float64(max(n-p, 1)) / share)
}

// ridge solves least squares with a trace of a penalty, so that a column that says nothing does no harm.
func ridge(x *mat.Dense, y []float64) (*mat.VecDense, *mat.SymDense) {
	_, p := x.Dims()
	var gram mat.SymDense
	gram.SymOuterK(1, x.T())
	for q := range p {
		gram.SetSym(q, q, gram.At(q, q)*(1+1e-9)+1e-9) // a billionth of the column, far below the error of any reading
	}
	var right mat.VecDense
	right.MulVec(x.T(), mat.NewVecDense(len(y), y))
	beta, inverse := mat.NewVecDense(p, nil), mat.NewSymDense(p, nil)
	var ch mat.Cholesky
	if !ch.Factorize(&gram) {
		return beta, inverse
	}
	if ch.SolveVecTo(beta, &right) != nil || ch.InverseTo(inverse) != nil {
		return mat.NewVecDense(p, nil), mat.NewSymDense(p, nil)
	}
	return beta, inverse
}

// impute replaces the readings below their limit by their mean given the limit and the fit, and gives the sum of the
// variances that this leaves out.
func (c *course) impute(k int, fitted []float64) (extra float64) {
	f := &c.fit[k]
	if f.censored == 0 {
		return 0
	}
	sd := max(f.noise, f.top/20)
	for j, i := range f.use {
		r := c.rows[i]
		if !c.lines[k].limit[r] {
			continue
		}
		limit := c.lines[k].value[r]
		a := (limit - fitted[j]) / sd
		m := mills(a)
		f.y[j] = fitted[j] - sd*m
		extra += sd * sd * max(0, 1-a*m-m*m)
	}
	return extra
}

// mills is φ(a)/Φ(a); far below zero its asymptote -a.
func mills(a float64) float64 {
	if a < -8 {
		return -a
	}
	return math.Exp(-a*a/2) / math.Sqrt(2*math.Pi) / (math.Erfc(-a/math.Sqrt2) / 2)
}

// retrace makes the course of what all channels say, each weighted by its noise.
func (c *course) retrace() {
	up, down := make([]float64, len(c.g)), make([]float64, len(c.g))
	for k := range c.fit {
		f := &c.fit[k]
		if f.censored > 0.95 || !(f.noise > 0) || f.slope <= plain*f.se {
			continue
		}
		w := f.slope / (f.noise * f.noise)
		for j, i := range f.use {
			e := c.event[i]
			up[e] += w * (f.y[j] - f.level[j])
			down[e] += w * f.slope
		}
	}
	for e := range c.g {
		if down[e] > 0 {
			c.g[e] = up[e] / down[e]
		}
	}
}

func quote(group string) string {
	if group == "" {
		return ""
	}
	return "group " + strconv.Quote(group)
}
