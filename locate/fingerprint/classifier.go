package fingerprint

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
)

// Options of training.
type Options struct {
	// Seed: the same library, panel and seed give the same bytes on any number of cores.
	Seed uint64
	// Trees of the forest, and of each forest of the inner leaving-out; 0 is 100 and 30.
	Trees, InnerTrees int
	// Progress is told steps done and steps in all, from several goroutines; nil is silence.
	Progress func(done, total int)
}

func (o Options) trees() int      { return cmp.Or(o.Trees, 100) }
func (o Options) innerTrees() int { return cmp.Or(o.InnerTrees, 30) }

// ticker counts steps from many goroutines.
func ticker(say func(done, total int), total int) func() {
	var done atomic.Int64
	return func() {
		if n := done.Add(1); say != nil {
			say(int(n), total)
		}
	}
}

// A Classifier knows the library as one panel of channels sees it. It is safe for concurrent use.
type Classifier struct {
	table *table
	model *model
	calibration
	names map[string]string
	seed  uint64
}

// Train makes a classifier for the panel, calibrated by leaving out studies and classes of the library.
func Train(l *Library, p Panel, o Options) (*Classifier, error) {
	if len(p.Channels) != len(p.Noise) {
		panic("fingerprint: Train: a panel needs the noise of each channel")
	}
	t, ok := newTable(l, p, o.Seed)
	if !ok {
		return nil, atalaya.Declined("fingerprint.train", atalaya.BadInput, atalaya.Say("mixture-strange"), atalaya.Say("mixture-strange-remedy"))
	}
	keep := make([]bool, len(t.refs))
	for i := range keep {
		keep[i] = true
	}
	tick := ticker(o.Progress, folds+len(t.classes))
	c := &Classifier{table: t, names: l.Names, seed: o.Seed}
	c.calibration = t.calibrate(keep, o.innerTrees(), o.Seed+1, tick)
	c.model = t.learn(keep, o.trees(), o.Seed+2)
	tick()
	return c, nil
}

// Likely is a class with its probability.
type Likely struct {
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
}

// An Answer says what a mixture resembles.
type Answer struct {
	Classes     []Likely // every class of the library that the channels see, the most probable first
	NoneOfThese float64  // with the classes it sums to 1
	Next        *Next    // what to measure to part the first two; nil where no compound would
	Balance     Balance
}

// posteriorDraws of a mixture within its error, over which probabilities are the mean.
const posteriorDraws = 24

// Classify judges the shares of a mixture.
func (c *Classifier) classify(m mixture) Answer {
	classes := len(c.table.classes) - 1
	p := make([]float64, classes)
	var a Answer
	for d := range posteriorDraws {
		r := numeric.NewStream(c.seed+4, uint64(d))
		drawn, none := c.judge(c.model.opine(logs(m.redrawn(r), c.table.floor)))
		for k, v := range drawn {
			p[k] += v / posteriorDraws
		}
		a.NoneOfThese += none / posteriorDraws
	}
	var order []int
	for k := range p {
		if c.model.studies[k] > 0 {
			order = append(order, k)
			a.Classes = append(a.Classes, Likely{c.table.classes[k], p[k]})
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(p[y], p[x]) })
	slices.SortStableFunc(a.Classes, func(x, y Likely) int { return cmp.Compare(y.Probability, x.Probability) })
	if len(order) > 1 {
		if n, ok := c.next(order[0], order[1]); ok {
			a.Next = &n
		}
	}
	a.Balance = c.balance(m)
	return a
}

// redrawn is the mixture as it might have been measured.
func (m mixture) redrawn(r *numeric.Stream) []float64 {
	out := make([]float64, len(m.share))
	total := 0.0
	for k, v := range m.share {
		if v > 0 {
			out[k] = max(0, v+m.noise[k]*r.Normal())
			total += out[k]
		}
	}
	if !(total > 0) {
		return m.share
	}
	for k := range out {
		out[k] /= total
	}
	return out
}

// Classify says what kind of emitter a composition resembles. A composition in which nothing rose is refused: there is no
// mixture to compare.
func Classify(l *Library, c *Composition, o Options) (*Classifier, *Answer, error) {
	decline := func(what, remedy atalaya.Sentence) (*Classifier, *Answer, error) {
		e := atalaya.Declined("fingerprint.classify", atalaya.BadInput, what, remedy)
		e.Place = quote(c.Group)
		return nil, nil, e
	}
	p, m, ok := c.panel()
	if !ok {
		return decline(atalaya.Say("mixture-none-rise"), atalaya.Say("mixture-none-rise-remedy"))
	}
	if len(p.Channels) < 2 {
		return decline(atalaya.Say("mixture-one", "channel", p.Channels[0].Name), atalaya.Say("mixture-one-remedy"))
	}
	k, err := Train(l, p, o)
	if err != nil {
		return nil, nil, err
	}
	a := k.classify(m)
	return k, &a, nil
}
