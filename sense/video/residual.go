package video

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
)

// maxResiduals bounds what Residuals keep: one value a check of the first so many looks.
const maxResiduals = 1 << 18

// lagLooks is how many looks in a row the attitude's lag is sought in, at most.
const lagLooks = 4096

// Residuals gather over a file what its metadata says twice.
type Residuals struct {
	ray, slant, corners, width, spread []float64
	row                                []Look // in a row, with pointing and reported center
}

// Add takes a look in, in the order of the stream.
func (r *Residuals) Add(l *Look) {
	keep := func(list *[]float64, v float64, ok bool) {
		if ok && len(*list) < maxResiduals {
			*list = append(*list, v)
		}
	}
	d, ok := l.RayToReportedM()
	keep(&r.ray, d, ok)
	d, ok = l.SlantErrorM()
	keep(&r.slant, d, ok)
	d, ok = l.CornersOffM()
	keep(&r.corners, d, ok)
	d, ok = l.WidthRatio()
	keep(&r.width, d, ok)
	d, ok = l.DatumSpreadM()
	keep(&r.spread, d, ok)
	if _, timed := l.clock(); timed && l.HasRay && l.HasReported && !l.Absolute && len(r.row) < lagLooks {
		kept := *l
		kept.Problem, kept.Targets = nil, nil
		r.row = append(r.row, kept)
	}
}

// A Lag is how much later than its packet the platform's attitude fits the reported frame centers best.
type Lag struct {
	Seconds float64
	// As and With are medians of the distance from ray to reported frame center, metres, as sent and with the lag; over every
	// second packet, of which the other half gave the lag.
	As, With float64
	N        int
}

// lagStep and lagMost are how finely and how far a lag is sought, seconds.
const (
	lagStep = 0.005
	lagMost = 0.5
)

// Lag seeks the time by which the platform's attitude is older (positive) or newer than the frame center in the same packet. It
// finds one only where the other half of the packets, not used for the search, confirms it: their median falls by a fifth or
// more. It changes no look.
func (r *Residuals) Lag() (lag Lag, ok bool) {
	if len(r.row) < 50 {
		return lag, false
	}
	best := math.Inf(1)
	seek := func(from, to, step float64) {
		for k := range int(math.Round((to-from)/step)) + 1 {
			t := math.Round((from+float64(k)*step)/lagStep) * lagStep
			if m, n := r.lagged(t, 0); n >= 20 && m < best {
				best, lag.Seconds = m, t
			}
		}
	}
	seek(-lagMost, lagMost, 4*lagStep)
	seek(lag.Seconds-3*lagStep, lag.Seconds+3*lagStep, lagStep)
	lag.As, _ = r.lagged(0, 1)
	lag.With, lag.N = r.lagged(lag.Seconds, 1)
	return lag, lag.N >= 20 && lag.Seconds != 0 && lag.With < 0.8*lag.As
}

// lagged is the median distance from ray to reported center over every second look, with the platform's attitude of t seconds
// later, and of how many.
func (r *Residuals) lagged(t float64, half int) (median float64, n int) {
	var off []float64
	for i := 2 + half; i < len(r.row)-2; i += 2 {
		l, ok := turnedBy(r.row, i, t)
		if !ok {
			continue
		}
		s := l.sight
		s.Sensor, s.HeightM = l.Sensor.geodetic(), l.Reported.HeightM
		if hit := s.Cast(0, 0, farM); hit.Outcome == terrain.Met {
			off = append(off, geodesy.Distance(hit.At.LatLon(), l.Reported.LatLon()))
		}
	}
	if len(off) == 0 {
		return 0, 0
	}
	slices.Sort(off)
	return off[len(off)/2], len(off)
}

// withAttitude is look i of a row, cast with the platform's attitude that stood t seconds later; as it is, and false, where there
// is none.
func withAttitude(row []Look, i int, t float64) (l Look, ok bool) {
	if l, ok = turnedBy(row, i, t); ok {
		l.again()
	}
	return l, ok
}

// turnedBy gives look i the attitude by slerp between the two packets around that time, which must lie within Hold of each other.
func turnedBy(row []Look, i int, t float64) (l Look, ok bool) {
	l = row[i]
	now, ok := l.clock()
	if !ok || !l.HasAxis || l.Absolute {
		return l, false
	}
	at := now + t
	j := i
	clock := func(k int) float64 { c, _ := row[k].clock(); return c }
	for j+1 < len(row) && clock(j+1) <= at {
		j++
	}
	for j > 0 && clock(j) > at {
		j--
	}
	if j+1 >= len(row) || clock(j) > at || clock(j+1) <= at || clock(j+1)-clock(j) > Hold.Seconds() || !row[j].HasAxis || !row[j+1].HasAxis {
		return l, false
	}
	s := (at - clock(j)) / (clock(j+1) - clock(j))
	platform := slerp(row[j].Pointing.platform(), row[j+1].Pointing.platform(), s)
	l.turnTo(earthward(l.Sensor.LatLon()).then(platform).then(l.Pointing.gimbal()), platform)
	return l, true
}

// WriteTable writes the residuals as a table, a line a check: how many looks have it, its median as signed, and the 95th
// percentile and the greatest of what it is off by.
func (r *Residuals) WriteTable(w io.Writer) error {
	const form = "%-44s %7d %10.3f %10.3f %10.3f\n"
	if _, err := fmt.Fprintf(w, "%-44s %7s %10s %10s %10s\n", "check", "looks", "median", "95 %", "most"); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		v    []float64
		want float64
	}{{"ray to reported frame center, m", r.ray, 0}, {"distance less slant range, m", r.slant, 0}, {"corners by ray to reported ones, m", r.corners, 0},
		{"reported width over field of view's", r.width, 1}, {"if MSL heights are ellipsoid heights, m", r.spread, 0}} {
		if len(c.v) == 0 {
			continue
		}
		median, off := slices.Sorted(slices.Values(c.v))[len(c.v)/2], make([]float64, len(c.v))
		for i, v := range c.v {
			off[i] = math.Abs(v - c.want)
		}
		slices.Sort(off)
		if _, err := fmt.Fprintf(w, form, c.name, len(c.v), median, off[int(0.95*float64(len(off)-1)+0.5)], off[len(off)-1]); err != nil {
			return err
		}
	}
	lag, ok := r.Lag()
	if !ok {
		return nil
	}
	_, err := fmt.Fprintf(w, "The platform's attitude fits the frame centers best %.3f s later than its packet says: on %d packets that did not\n"+
		"tell this, the median is %.3f m with it and %.3f m as sent. Nothing was changed; --attitude-lag %.3f applies it.\n", lag.Seconds, lag.N, lag.With, lag.As, lag.Seconds)
	return err
}

// A delay gives looks the platform's attitude of a while later: it holds each back until that is there.
type delay struct {
	by   float64
	row  map[uint16][]Look
	next map[uint16]int // of the row, the first not yet given
}

// take takes a look in and gives those that are due.
func (d *delay) take(pid uint16, l *Look, give func(uint16, *Look) error) error {
	if d.row == nil {
		d.row, d.next = map[uint16][]Look{}, map[uint16]int{}
	}
	now, ok := l.clock()
	if row := d.row[pid]; len(row) > 0 {
		if last, _ := row[len(row)-1].clock(); !ok || now <= last || now-last > Hold.Seconds() { // a hole, or another recording
			if err := d.flush(pid, give); err != nil {
				return err
			}
		}
	}
	if !ok {
		return give(pid, l)
	}
	d.row[pid] = append(d.row[pid], *l)
	row := d.row[pid]
	for d.next[pid] < len(row)-1 {
		i := d.next[pid]
		if at, _ := row[i].clock(); at+math.Max(0, d.by) >= now {
			break
		}
		shifted, ok := withAttitude(row, i, d.by)
		d.told(&shifted, ok, row[i].Problem)
		d.next[pid]++
		if err := give(pid, &shifted); err != nil {
			return err
		}
	}
	for d.next[pid] > 0 { // what lies more than the lag before the next one is of no use
		first, _ := row[1].clock()
		if at, _ := row[d.next[pid]].clock(); first > at+math.Min(0, d.by)-lagStep {
			break
		}
		row = row[1:]
		d.next[pid]--
	}
	d.row[pid] = row
	return nil
}

// told keeps the problems of the packet, and says where the attitude is as sent.
func (d *delay) told(l *Look, ok bool, of []Problem) {
	if !ok {
		l.Problem = append(slices.Clip(of), Problem{l.Offset, fmt.Sprintf("attitude as sent: there is none of %.3f s later", d.by)})
	}
}

// flush gives what was held back, as it was sent.
func (d *delay) flush(pid uint16, give func(uint16, *Look) error) error {
	row := d.row[pid]
	for i := d.next[pid]; i < len(row); i++ {
		l, ok := withAttitude(row, i, d.by)
		d.told(&l, ok, row[i].Problem)
		if err := give(pid, &l); err != nil {
			return err
		}
	}
	d.row[pid], d.next[pid] = nil, 0
	return nil
}

// end gives all that is held back, stream by stream.
func (d *delay) end(give func(uint16, *Look) error) error {
	pids := make([]uint16, 0, len(d.row))
	for pid := range d.row {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	for _, pid := range pids {
		if err := d.flush(pid, give); err != nil {
			return err
		}
	}
	return nil
}
