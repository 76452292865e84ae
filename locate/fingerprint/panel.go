package fingerprint

import (
	"math"
	"slices"
)

// A Panel is a set of channels and how well they measured one plume.
type Panel struct {
	Channels []Channel
	// Noise is the standard error of each channel, as a share of the sum of all channels.
	Noise []float64
}

// A mixture is a composition as a classifier takes it: shares of the sum of the channels that rose, 0 for the others.
type mixture struct {
	share []float64
	noise []float64
}

// panel gives the channels of a composition, those that see the same compounds merged into one, and its shares. It reports
// false where no channel rose: there is no mixture then.
func (c *Composition) panel() (Panel, mixture, bool) {
	var merged []Amount
	at := map[string]int{}
	for _, a := range c.Amounts {
		if !finite(a.Excess) || !(a.SE >= 0) || !finite(a.SE) {
			continue
		}
		i, twice := at[a.key()]
		if !twice {
			at[a.key()] = len(merged)
			merged = append(merged, a)
			continue
		}
		merged[i] = merged[i].with(a)
	}
	p := Panel{Noise: make([]float64, len(merged))}
	m := mixture{share: make([]float64, len(merged)), noise: p.Noise}
	total := 0.0
	for i, a := range merged {
		p.Channels = append(p.Channels, a.Channel)
		if a.Seen && a.Excess > 0 {
			m.share[i] = a.Excess
			total += a.Excess
		}
	}
	if !(total > 0) {
		return p, m, false
	}
	for i, a := range merged {
		m.share[i] /= total
		m.noise[i] = a.SE / total
	}
	return p, m, true
}

// with is the mean of two amounts of the same compounds, each weighted by its precision.
func (a Amount) with(b Amount) Amount {
	least := 1e-9 * (math.Abs(a.Excess) + math.Abs(b.Excess) + a.SE + b.SE) // an error of zero is one that was not stated
	if least == 0 {
		return a
	}
	wa, wb := 1/math.Pow(max(a.SE, least), 2), 1/math.Pow(max(b.SE, least), 2)
	a.Excess, a.SE = (wa*a.Excess+wb*b.Excess)/(wa+wb), 1/math.Sqrt(wa+wb)
	a.Seen = a.Excess > plain*a.SE
	if a.Bound = 0; !a.Seen {
		a.Bound = max(a.Excess, 0) + 1.645*a.SE
	}
	return a
}

// leastShare is the floor of every channel: below a thousandth of the mixture, studies differ by what they looked for and not
// by what was there.
const leastShare = 0.001

// floors are the shares below which a channel tells nothing: at least two standard errors, so that what is below the limit
// looks like every other mixture that would be.
func (p Panel) floors() []float64 {
	out := make([]float64, len(p.Noise))
	for k, n := range p.Noise {
		out[k] = max(leastShare, 2*n)
	}
	return out
}

// logs turns shares into logarithms above the floor.
func logs(share, floor []float64) []float64 {
	x := make([]float64, len(share))
	for k, q := range share {
		x[k] = math.Log(max(q, 0) + floor[k])
	}
	return x
}

// sees are the shares of a profile among the channels, with their stated errors, and false where none sees anything of it.
func (p Panel) sees(of Profile) (m mixture, ok bool) {
	m = mixture{share: make([]float64, len(p.Channels)), noise: make([]float64, len(p.Channels))}
	total := 0.0
	for k, c := range p.Channels {
		r := c.see(of)
		m.share[k], m.noise[k] = r.share, r.sigma
		total += r.share
	}
	if !(total > 0) {
		return m, false
	}
	for k := range m.share {
		m.share[k] /= total
		m.noise[k] /= total
	}
	return m, true
}

// calibrationSD is the logarithmic error of a channel's calibration, one to another, where nothing better is known: reference
// mixtures and humidity leave ten to thirty percent between compounds.
const calibrationSD = 0.2

// names of the channels.
func (p Panel) names() []string {
	out := make([]string, len(p.Channels))
	for i, c := range p.Channels {
		out[i] = c.Name
	}
	return slices.Clip(out)
}
