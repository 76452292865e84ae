package outcome

import (
	"math"
	"slices"
	"time"
)

// A Month is how many seizures of a month are reported so far, and how many there will be once all reports are in.
type Month struct {
	Month    string  `json:"month"`
	Reported int     `json:"reported"`
	Share    float64 `json:"share_reported"` // expected to be in by now; 1 where no more comes
	Low      int     `json:"expected_low"`   // 95 % interval
	Median   int     `json:"expected_median"`
	High     int     `json:"expected_high"`
}

// Delay is how long reports take.
type Delay struct {
	N      int `json:"n"` // seizures whose day of report is known
	Median int `json:"median_days"`
	P90    int `json:"p90_days"`
	Most   int `json:"most_days"` // that was seen: later reports are taken not to come
}

// Trend is by month what is reported and what is to be expected, on the day asOf. Only seizures whose day of report is known tell of delays; others
// count as reported. Delays are seen from behind: who has not reported yet cannot be seen, so that recent months would seem quick. The share that is in after
// so many days is the reverse-time product-limit estimate for such truncation (Lagakos, Barraj and De Gruttola 1988, doi:10.1093/biomet/75.3.515); given n
// reported, each of which is in with that share, the number still out is negative binomial (a prior of 1/N). Corrections are no new seizures: give first reports.
// The delay is nil where no day of report is known.
func Trend(entries []Entry, asOf time.Time) ([]Month, *Delay) {
	var delays []delay
	for i := range entries {
		if e := &entries[i]; !e.Reported.IsZero() && !e.Reported.After(asOf) {
			delays = append(delays, delay{days(e.On, e.Reported), days(e.On, asOf)})
		}
	}
	in, told := reportedBy(delays)
	months := map[string]*Month{}
	weight := map[string]float64{}
	var names []string
	for i := range entries {
		e := &entries[i]
		if e.On.After(asOf) || e.Reported.After(asOf) {
			continue
		}
		name := e.On.Format("2006-01")
		if months[name] == nil {
			months[name] = &Month{Month: name}
			names = append(names, name)
		}
		months[name].Reported++
		if e.Reported.IsZero() {
			weight[name]++
			continue
		}
		weight[name] += 1 / in(days(e.On, asOf))
	}
	slices.Sort(names)
	var out []Month
	for _, name := range names {
		m := months[name]
		m.Share = float64(m.Reported) / weight[name]
		m.Low, m.Median, m.High = m.Reported+stillOut(m.Reported, m.Share, 0.025), m.Reported+stillOut(m.Reported, m.Share, 0.5), m.Reported+stillOut(m.Reported, m.Share, 0.975)
		out = append(out, *m)
	}
	return out, told
}

// delay is after how many days something was reported, and how many days it could have been seen.
type delay struct{ after, seen int }

func days(a, b time.Time) int { return int(math.Round(b.Sub(a).Hours() / 24)) }

// reportedBy is the share of reports that are in after so many days, of those that come within the longest delay seen.
func reportedBy(all []delay) (func(days int) float64, *Delay) {
	if len(all) == 0 {
		return func(int) float64 { return 1 }, nil
	}
	after := make([]int, len(all))
	for i, d := range all {
		after[i] = d.after
	}
	slices.Sort(after)
	most := after[len(after)-1]
	// Of each day, how many were reported after so many, and how many by then of those that could have been seen that long.
	at, under := make([]int, most+1), make([]int, most+2)
	for _, d := range all {
		at[d.after]++
		under[d.after]++
		under[min(d.seen, most)+1]--
	}
	for day := 1; day <= most; day++ {
		under[day] += under[day-1]
	}
	share := make([]float64, most+1) // in by that day
	now := 1.0
	for day := most; day >= 0; day-- {
		if share[day] = now; under[day] > 0 {
			now *= 1 - float64(at[day])/float64(under[day])
		}
	}
	quantile := func(p float64) int {
		i, _ := slices.BinarySearch(share, p)
		return min(i, most)
	}
	least := 1 / float64(len(all)) // a day on which nothing was ever in tells nothing
	return func(day int) float64 {
		if day >= most {
			return 1
		}
		return max(share[max(day, 0)], least)
	}, &Delay{len(all), quantile(0.5), quantile(0.9), most}
}

// stillOut is a quantile of how many are not in yet when n are and each is in with this share: negative binomial.
func stillOut(n int, share, p float64) int {
	if n == 0 || share >= 1 {
		return 0
	}
	// P(k) = C(n+k-1, k) share^n (1-share)^k
	mass := math.Exp(float64(n) * math.Log(share))
	if mass == 0 { // far from zero: normal
		mean := float64(n) * (1 - share) / share
		return int(math.Round(mean + normalQuantile(p)*math.Sqrt(mean/share)))
	}
	for k, sum := 0, mass; ; k++ {
		if sum >= p || k > 1_000_000 {
			return k
		}
		mass *= float64(n+k) / float64(k+1) * (1 - share)
		sum += mass
	}
}

func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }
