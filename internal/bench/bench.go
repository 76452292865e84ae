// Package bench measures the project's own speed beside a plain reference that runs in the same minute on the same machine,
// and gives the ratio: a figure that can be compared between machines, where packets a second cannot. It also measures whether estimates of gas sources mean
// what they say (Calibrate, Metec) and what the planner saves (ComparePlanner), on surveys of simulated truth.
package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A Result is one measurement. Figure and ReferenceFigure are the medians over the rounds, Ratio the median of each round's
// own ratio: what slows the machine for a while slows both.
type Result struct {
	Name            string  `json:"name"`
	Case            string  `json:"case"`
	Figure          float64 `json:"figure"`
	Unit            string  `json:"unit"`
	Reference       string  `json:"reference"`
	ReferenceFigure float64 `json:"reference_figure"`
	Ratio           float64 `json:"ratio"`
	Low             float64 `json:"figure_low"` // of the rounds the least and the greatest; the figure itself where it is measured one time
	High            float64 `json:"figure_high"`
	Along           []Along `json:"along,omitempty"`
}

// An Along places a case on an axis: cases of one benchmark, one series and one axis are one thing that grows.
type Along struct {
	Axis   string  `json:"axis"`
	At     float64 `json:"at"`
	Series string  `json:"series"`
}

// pair is one case: a piece of work and its reference, each saying how many units it did.
type pair struct {
	name, unit, reference string
	ours, theirs          func() (units float64, err error)
	// once stands in the place of ours and theirs where the figure is no rate: it is measured one time.
	once  func() (figure, reference float64, err error)
	close func() error
	along []Along
}

// benchmarks lists them in the order of the work.
var benchmarks = []struct {
	name, does string
	prepare    func(ctx context.Context, o Options) ([]pair, error)
}{
	{"intake", "hash and recognise a file, and keep it", intakeFile},
	{"memory", "how much more is held while a large file is taken in", intakeMemory},
	{"decode", "read whole files of each kind", decodeFiles},
	{"klv", "decode ST 0601 packets, alone and out of a transport stream", klvPackets},
	{"video", "what moves in a video, from the file to tracks", videoMovers},
	{"video", "any place of four hours of video, asked for as the browser does", videoSeek},
	{"gas", "a plume at samples, and sources from them", gasColumns},
	{"forward", "the plume beside the arcs of a field experiment", forwardModels},
	{"live", "a ranking of sites after one more observation, against ground and evidence", liveRankings},
	{"record", "events that are on the disk", recordEvents},
	{"marking", "a text of marked paragraphs, checked", markedText},
}

// Names lists the benchmarks.
func Names() []string {
	var out []string
	for _, b := range benchmarks {
		out = append(out, b.name)
	}
	return slices.Compact(out)
}

// Rounds is how often each case and its reference are measured, in turn.
const Rounds = 5

// Options say how long and where to measure.
type Options struct {
	Each    time.Duration // of each case, its reference included; 0 is two seconds
	Dir     string        // an empty folder on the disk that is meant
	LargeMB int           // size of the large file of memory, of which other files are a sixteenth; 0 is 1000
	Talk    func(string)  // told what is being measured; may be nil
}

// trial is whether only the way is tried, and no figure is wanted that stands.
func (o Options) trial() bool { return o.Each < time.Second }

// Run measures the named benchmarks, all when there is no name.
func Run(ctx context.Context, names []string, o Options) ([]Result, error) {
	for _, n := range names {
		if !slices.Contains(Names(), n) {
			return nil, &atalaya.Error{Op: "bench", Kind: atalaya.BadUse, Err: fmt.Errorf("no benchmark %q", n), Hint: "Give " + strings.Join(Names(), ", ") + ", or none for all"}
		}
	}
	if o.Each <= 0 {
		o.Each = 2 * time.Second
	}
	if o.LargeMB <= 0 {
		o.LargeMB = 1000
	}
	var out []Result
	for _, b := range benchmarks {
		if len(names) > 0 && !slices.Contains(names, b.name) {
			continue
		}
		if o.Talk != nil {
			o.Talk(b.name + ": " + b.does)
		}
		pairs, err := b.prepare(ctx, o)
		if no := (missing{}); errors.As(err, &no) && len(names) == 0 {
			if o.Talk != nil {
				o.Talk(b.name + ": left out: " + no.Error())
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("bench: %s: %w", b.name, err)
		}
		for _, p := range pairs {
			r, err := measure(ctx, p, o)
			if p.close != nil && err == nil {
				err = p.close()
			}
			if err != nil {
				return nil, fmt.Errorf("bench: %s: %w", b.name, err)
			}
			r.Name = b.name
			out = append(out, r)
		}
	}
	return out, nil
}

func measure(ctx context.Context, p pair, o Options) (Result, error) {
	if p.once != nil {
		a, b, err := p.once()
		return Result{Case: p.name, Figure: a, Unit: p.unit, Reference: p.reference, ReferenceFigure: b, Ratio: a / b, Low: a, High: a, Along: p.along}, err
	}
	rounds := Rounds
	if o.trial() {
		rounds = 1
	}
	slice := o.Each / time.Duration(2*rounds)
	var ours, theirs, ratios []float64
	for range rounds {
		a, err := rate(ctx, p.ours, slice)
		if err != nil {
			return Result{}, err
		}
		b, err := rate(ctx, p.theirs, slice)
		if err != nil {
			return Result{}, err
		}
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, a/b)
	}
	return Result{Case: p.name, Figure: numeric.Median(ours), Unit: p.unit, Reference: p.reference, ReferenceFigure: numeric.Median(theirs), Ratio: numeric.Median(ratios),
		Low: slices.Min(ours), High: slices.Max(ours), Along: p.along}, nil
}

// rate is units a second over at least this long and one call.
func rate(ctx context.Context, f func() (float64, error), atLeast time.Duration) (float64, error) {
	var units float64
	for began := time.Now(); ; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := f()
		if err != nil {
			return 0, err
		}
		units += n
		if took := time.Since(began); took >= atLeast {
			return units / took.Seconds(), nil
		}
	}
}
