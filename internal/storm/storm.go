// Package storm runs the body of a fuzz test millions of times in one process. Go's guided fuzzing learns which inputs reach new
// code, at some thousands of executions a second; a storm learns nothing and is ten to a hundred times faster, so the two together
// try both the deep and the many. A fuzz test hands its body to Fuzz in place of testing.F.Fuzz: seeds, corpus files and guided
// fuzzing stay as they are, and where ATALAYA_STORM asks for it, a storm follows the seeds.
//
// Execution number n of a storm is a function of the storm's seed, of n and of the seed inputs alone: not of the machine, of the
// number of processors, or of what came before. So a number names an input, and a storm can be taken up where another ended.
package storm

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a storm holds every input and the whole of its executions to.
const (
	Bound    = 64 << 10         // bytes of one argument
	Heap     = 512 << 20        // bytes by which the heap may grow during the storm
	Patience = 60 * time.Second // an execution that takes longer is taken for one that does not end
)

// Fuzz gives body to f.Fuzz, and storms it where that is asked for. Body is a function as f.Fuzz takes it, save that its first
// parameter is a testing.TB. It must be safe to run on several goroutines at a time, and must neither keep nor change its arguments.
//
//	ATALAYA_STORM=N        executions; none without it, and none while guided fuzzing runs
//	ATALAYA_STORM_FOR=1s   end earlier, after this time; what was reached is told
//	ATALAYA_STORM_SEED=S   another storm (1 without it)
//	ATALAYA_STORM_FROM=N   number of the first execution, to go on, or with ATALAYA_STORM=1 to repeat one
func Fuzz(f *testing.F, body any) {
	f.Helper()
	call := reflect.ValueOf(body)
	var seeds [][]any
	f.Fuzz(native(call, func(seed []any) { seeds = append(seeds, seed) }))
	o, err := asked(os.Getenv)
	if err != nil {
		f.Fatal(err)
	}
	if o.executions == 0 || f.Failed() || len(seeds) == 0 || flag.Lookup("test.fuzz").Value.String() != "" {
		return
	}
	s := storm{options: o, tb: f, body: call, seeds: seeds, heap: Heap, patience: Patience}
	report, found := s.run()
	f.Log(report)
	switch {
	case found != nil:
		f.Fatal(found)
	case report.Executions < report.Asked && o.within == 0:
		f.Fatal("the storm ended early: the body ended its goroutine (runtime.Goexit, or the fuzz test's own FailNow)")
	}
}

// native is body as f.Fuzz wants it: func(*testing.T, ...), which tells note of each input first. While f.Fuzz does not fuzz, those
// are the seeds.
func native(body reflect.Value, note func([]any)) any {
	t := body.Type()
	if t.Kind() != reflect.Func || t.NumIn() < 2 || t.NumOut() != 0 || t.In(0) != reflect.TypeFor[testing.TB]() {
		panic("storm: the body of a fuzz test is a func(testing.TB, ...)")
	}
	in := []reflect.Type{reflect.TypeFor[*testing.T]()}
	for i := 1; i < t.NumIn(); i++ {
		in = append(in, t.In(i))
	}
	fuzzing := flag.Lookup("test.fuzz").Value.String() != ""
	return reflect.MakeFunc(reflect.FuncOf(in, nil, false), func(args []reflect.Value) []reflect.Value {
		if !fuzzing {
			seed := make([]any, len(args)-1)
			for i := range seed {
				if seed[i] = args[i+1].Interface(); in[i+1] == reflect.TypeFor[[]byte]() {
					seed[i] = slices.Clone(seed[i].([]byte))
				}
			}
			note(seed)
		}
		return body.Call(args)
	}).Interface()
}

type options struct {
	executions, from, seed uint64
	within                 time.Duration // 0: without end
}

// asked reads the options from the environment that get gives.
func asked(get func(string) string) (options, error) {
	o := options{seed: 1}
	for name, to := range map[string]*uint64{"ATALAYA_STORM": &o.executions, "ATALAYA_STORM_FROM": &o.from, "ATALAYA_STORM_SEED": &o.seed} {
		if v := get(name); v != "" {
			n, err := strconv.ParseUint(v, 10, 63)
			if err != nil {
				return o, fmt.Errorf("%s is %q: give a whole number", name, v)
			}
			*to = n
		}
	}
	if v := get("ATALAYA_STORM_FOR"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return o, fmt.Errorf("ATALAYA_STORM_FOR is %q: give a time such as 1s", v)
		}
		o.within = d
	}
	return o, nil
}

// A storm is one body, its seeds and how long it is to go on.
type storm struct {
	options
	tb       testing.TB
	body     reflect.Value
	seeds    [][]any
	heap     uint64
	patience time.Duration

	next    atomic.Uint64 // the first number that no worker has taken
	end     atomic.Uint64 // the first number that is not to be run
	done    atomic.Uint64
	workers []worker
	mu      sync.Mutex
	found   *Finding
}

// A worker is one goroutine of a storm: what it runs now, since when, and the slowest that it ran.
type worker struct {
	number, since atomic.Int64 // since: nanoseconds after the start of the storm; 0 between executions
	slowest       time.Duration
	slowestNumber uint64
	ended         atomic.Bool
}

// A Report says what a storm did.
type Report struct {
	Executions    uint64
	Each          time.Duration // processor time an execution, collection of garbage included
	Took          time.Duration // on the wall
	Slowest       time.Duration // on the wall, what else the machine did included
	SlowestNumber uint64
	HeapGrew      uint64 // bytes
	Asked         uint64
}

func (r Report) String() string {
	s := fmt.Sprintf("storm: %d executions in %.0f s, %.2f µs of processor each, the slowest %.3f ms (number %d), the heap grew by %.1f MiB",
		r.Executions, r.Took.Seconds(), float64(r.Each)/1e3, float64(r.Slowest)/1e6, r.SlowestNumber, float64(r.HeapGrew)/(1<<20))
	if r.Executions < r.Asked {
		s += fmt.Sprintf(", of %d executions asked for", r.Asked)
	}
	return s
}

// A Finding is an execution that went wrong.
type Finding struct {
	Seed, Number uint64
	What         string
	Input        []any
}

// Error is what went wrong and the input as a corpus file, which can be committed as it stands.
func (f *Finding) Error() string {
	return fmt.Sprintf("execution %d of storm %d: %s\nrepeat: ATALAYA_STORM=1 ATALAYA_STORM_SEED=%d ATALAYA_STORM_FROM=%d\ncorpus file:\n%s",
		f.Number, f.Seed, strings.TrimRight(f.What, "\n"), f.Seed, f.Number, corpusFile(f.Input))
}

// stretch is how many numbers a worker takes at a time.
const stretch = 64

// run executes the storm on all processors. Of several findings it gives the one with the lowest number.
func (s *storm) run() (Report, *Finding) {
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	s.next.Store(s.from)
	s.end.Store(s.from + s.executions)
	s.workers = make([]worker, runtime.GOMAXPROCS(0))
	// Garbage is collected less often than usual: most executions leave little, and the bound of the heap has room for it.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	start, had := time.Now(), processor()
	all := make(chan struct{})
	var wg sync.WaitGroup
	for i := range s.workers {
		wg.Go(func() { s.work(&s.workers[i], start) })
	}
	go func() { wg.Wait(); close(all) }()
	grew := s.watch(start, before.HeapSys, all)

	r := Report{Executions: s.done.Load(), HeapGrew: grew, Asked: s.executions, Took: time.Since(start)}
	if r.Executions > 0 {
		r.Each = (processor() - had) / time.Duration(r.Executions)
	}
	for i := range s.workers {
		if w := &s.workers[i]; w.ended.Load() && w.slowest >= r.Slowest {
			r.Slowest, r.SlowestNumber = w.slowest, w.slowestNumber
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return r, s.found
}

// work runs stretches of numbers until there are none left. The numbers below a finding are run to their end, so that the lowest is
// found whatever the number of workers.
func (s *storm) work(w *worker, start time.Time) {
	defer w.ended.Store(true)
	h := newHand(s.seed, s.seeds)
	e := newExecution(s.tb, s.body)
	since := time.Since(start)
	for {
		first := s.next.Add(stretch) - stretch
		if first >= s.end.Load() {
			return
		}
		for n := first; n < first+stretch && n < s.end.Load(); n++ {
			input := h.input(n)
			w.number.Store(int64(n))
			w.since.Store(int64(since) + 1)
			fault := e.run(input)
			s.done.Add(1)
			now := time.Since(start)
			if took := now - since; took > w.slowest {
				w.slowest, w.slowestNumber = took, n
			}
			if since = now; fault != "" {
				s.find(n, fault)
			}
		}
		w.since.Store(0)
	}
}

// find keeps a finding where it has the lowest number so far, and lets nothing above it be run.
func (s *storm) find(n uint64, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil || n < s.found.Number {
		s.found = &Finding{s.seed, n, what, newHand(s.seed, s.seeds).input(n)}
		s.end.Store(n)
	}
}

// watch waits for all workers, and looks now and then at the heap and for an execution that does not end. It gives the bytes by
// which the heap was ever larger than at the start, which is what HeapSys tells: it does not shrink.
func (s *storm) watch(start time.Time, heapBefore uint64, all <-chan struct{}) uint64 {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var m runtime.MemStats
	lowest := s.from // all numbers below it were run when the heap was last found small
	for {
		ended := false
		select {
		case <-all:
			ended = true
		case <-tick.C:
		}
		if s.within > 0 && time.Since(start) > s.within {
			s.stop()
		}
		running := s.lowestRunning()
		runtime.ReadMemStats(&m)
		grew := m.HeapSys - min(m.HeapSys, heapBefore)
		if grew > s.heap {
			upTo := min(s.next.Load(), s.from+s.executions)
			s.stop()
			<-all
			s.hungriest(lowest, upTo, grew)
			return grew
		}
		if ended {
			return grew
		}
		lowest = running
		if n, stuck := s.stuck(time.Since(start)); stuck {
			s.find(n, fmt.Sprintf("it does not end within %v\n%s", s.patience, stacks()))
			return grew // the worker is lost
		}
	}
}

// stop lets no further number be run.
func (s *storm) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end.Store(0)
}

func (s *storm) lowestRunning() uint64 {
	lowest := s.next.Load()
	for i := range s.workers {
		if w := &s.workers[i]; w.since.Load() != 0 {
			lowest = min(lowest, uint64(w.number.Load()))
		}
	}
	return lowest
}

// stuck gives the number of an execution that has been running for longer than patience.
func (s *storm) stuck(now time.Duration) (uint64, bool) {
	for i := range s.workers {
		w := &s.workers[i]
		if since := w.since.Load(); since != 0 && !w.ended.Load() && now-time.Duration(since) > s.patience {
			return uint64(w.number.Load()), true
		}
	}
	return 0, false
}

// hungriest runs the numbers during which the heap grew beyond its bound once more, and finds the one that allocates most.
func (s *storm) hungriest(from, to, grew uint64) {
	h := newHand(s.seed, s.seeds)
	e := newExecution(s.tb, s.body)
	var before, after runtime.MemStats
	most, number := uint64(0), from
	for n := from; n < to; n++ {
		input := h.input(n)
		runtime.ReadMemStats(&before)
		e.run(input)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > most {
			most, number = took, n
		}
	}
	s.find(number, fmt.Sprintf("the heap grew by %d bytes, more than %d, while numbers %d to %d ran, of which this one takes most: %d bytes",
		grew, s.heap, from, to-1, most))
}

func stacks() string {
	b := make([]byte, 64<<10)
	return string(b[:runtime.Stack(b, true)])
}
