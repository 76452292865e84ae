package source

import (
	"math"

	"github.com/atalaya-isr/atalaya/numeric"
)

// ShowsSNR2 is from where on a source shows: the sum, over the samples, of the square of what it raises them by in units of their errors, as of three
// samples raised by three errors. What is counted are the sources that show. One that is too weak, or too far aside, is not a source that a survey
// could deny, and the map of what could not have been missed speaks of it; were it counted, no survey could ever say that there is one
// source, or none. So the prior of a source is what Priors says of it, given that its mean plume shows.
const ShowsSNR2 = 27.0

// known2 is the square of the error of sample i as it is known beforehand.
func (sc *scene) known2(i int) float64 {
	sd := known(sc.obs[i].SD)
	return sc.noise*sc.noise + sd*sd
}

// allShow reports whether every source of the explanation in w shows.
func (sc *scene) allShow(w *work) bool {
	for k, rate := range w.rates {
		snr2 := 0.0
		for i := range sc.s {
			var c float64
			if sc.s[i].IsPath {
				c = rate * w.paths[k][i].C
			} else if w.cuts[k][i].Axis != 0 {
				c = rate * w.cuts[k][i].At(0, 1).C
			}
			if c > 0 {
				if snr2 += c * c / sc.known2(i); snr2 >= ShowsSNR2 {
					break
				}
			}
		}
		if snr2 < ShowsSNR2 {
			return false
		}
	}
	return true
}

// snr2 is by how much a unit rate in a cell raises the samples: the sum of squares in units of their errors.
func (g *grid) snr2(c cell) float64 {
	column, _ := g.unit(c, asMeasured)
	return g.raises(column)
}

// raises is snr2 of a column.
func (g *grid) raises(column []float64) (sum float64) {
	for k, v := range column {
		sum += v * v / g.sc.known2(g.rows[k])
	}
	return sum * float64(len(g.sc.s)) / float64(len(g.rows)) // the grid looks at every n-th sample
}

// shown is the share of the sources in a cell of this snr2 that show: whose rate is at least what raises the samples as far.
func shown(snr2 float64) float64 {
	if snr2 == 0 {
		return 0
	}
	return 0.5 * math.Erfc((math.Log(ShowsSNR2/snr2)/2-priorLnQ[0])/(priorLnQ[1]*math.Sqrt2))
}

// weigh finds the share of the sources on the domain that show.
func (d *domain) weigh(g *grid) {
	share := make([]float64, len(d.cells))
	numeric.Each(len(d.cells), func(i int) {
		var snr2 float64
		if g.ground != nil {
			snr2 = g.ground[i].snr2
		} else {
			snr2 = g.snr2(d.cells[i])
		}
		share[i] = shown(snr2) * d.cells[i].area() / d.area
	})
	for _, v := range share {
		d.show += v
	}
	d.show = max(d.show, 1e-6) // where nothing would show no source is found either
}
