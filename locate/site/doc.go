// Package site turns evidence about ground into candidate sites: for each place a probability that a site is there, with a
// ledger of what speaks for and against it.
//
// # The question
//
// Sites are rare and independent of each other: before any evidence there are λ of them per square kilometre (a stated
// prior, DefaultPriorPerKm2). The hypothesis "a site is here" means: within a Gaussian window of standard deviation ScaleM
// around here, whose area is A = 2π·ScaleM². Its prior is 1 - exp(-λA). Asking it of a window and not of a grid cell keeps
// the answer free of the grid: a place on the corner of four cells is no less probable than one in the middle, and S2 cells,
// whose areas differ by a factor of two over the globe, only sample the field.
//
// # Evidence
//
// Each item is a field of log likelihood ratios, natural logarithms, sampled on S2 cells. Given site or no site the items
// are taken as independent, so that
//
//	log-odds(here) = logit(1 - exp(-λA)) + Σ log [ p(item | site here) / p(item | no site here) ]
//
// with the sum in the order of the evidence's names: neither the order of arrival nor the number of cores changes a byte,
// and an item that is taken back leaves no trace.
//
// A detection (a gas source, an emitter) comes from a site with probability pd, spread over ground as its own posterior f,
// or from anything else, of which there are λc per square kilometre. With a = pd/λc, an area, its likelihood ratio is
//
//	1 + a·(f * window)(here)
//
// (the density of a detection over that of clutter: D. Musicki and R. Evans, IEEE Transactions on Aerospace and Electronic
// Systems 40(2), 2004, track existence, without the term of the missed detection, which is a look of its own). For a
// detection as sharp as can be, odds become λ·a = λ·pd/λc, whatever the window: the share of such detections that sites cause.
//
// A look that saw nothing is log(1 - Pd·seen), seen being the share of the window that was looked at.
//
// A report of an area of B km², whose grade says a likelihood ratio R for "there is a site in this area", says at each place
// in it R / (1 + (R-1)(1 - exp(-λB))): the wider the area, the likelier that the report means another site in it.
//
// # Alternatives
//
// An item that holds Others states its ratio of a site against nothing at all, and for each class of other things the ratio of that class
// less one as a share of the site's less one: 1 + a·f and 1 - Pd·seen both scale so. With the classes' densities as weights π, nothing among them,
// the odds of a place are
//
//	λ · Π LR(item) / Σ π(class) · Π LR(item | class)
//
// A paint shop explains gas, heat, vehicles and a permit together; as items by themselves they would add up to a site. The row of an item is its
// ratio against the mixture Σ π·LR by itself; what is left of the sum is a row of dependence.
//
// # Time
//
// A site works or does not: it opens and closes at constant rates, so that an item says less about now the older it is. Items act in
// the order of their time; alternatives stay. The difference from a site that stays is the row time.
//
// # Dependence
//
// Items that share a lineage key (one rumour, one source) are one item: the strongest counts at each place, the others
// stand in the ledger with zero. (Where they are of two kinds, one may so take the place of the other; an item without
// lineage that speaks for a site never lowers it.) Gas sources and emitters near each other may be one innocent thing seen
// twice, a paint shop on two days: of what speaks for a place without naming alternatives, the strongest of each of these kinds counts; of what names
// them, n items of one kind count as fewer, see alikeSeen. A sense that finds more than its table foretells for the ground that it looked at has less say.
// Independent people add up. All of one kind together are bounded, see Bounds, and a row of the ledger says what was taken off.
// No kind alone can make a site probable: a gas is not a laboratory.
//
// Without a Calibration probabilities are computed from these stated numbers alone, and no word of estimative probability is given. A difference of position below ScaleM says nothing here; the region of a candidate comes from the
// continuous posteriors of the items, not from the cells.
package site

import "math"

// ScaleM is the standard deviation of the window, metres: an installation with its yard and approach. Detections nearer to
// each other than about 1.4 of it belong to one candidate.
const ScaleM = 150.0

// AreaKm2 is the area of the window, 2π·ScaleM².
const AreaKm2 = 2 * math.Pi * ScaleM * ScaleM / 1e6

// DefaultPriorPerKm2 is the prior density of sites: one in 10,000 km², an assumption that a mission should replace.
const DefaultPriorPerKm2 = 1e-4

// kinds are the kinds of evidence: whether only the strongest item for a site counts, and the least and the most that all
// items of one kind add together, natural logarithms, but for the likeness of what was measured (likenessMost). With the default prior (logit -11.2)
// the most that one kind alone can do is a probability of 1.6 %, and of 24 % where what was measured is as like a site's as can be; what no sensor saw is
// never excluded further than e^-2, since work may go on indoors, and what a permit explains not further than e^-4.
var kinds = [...]struct {
	name        string
	least, most float64
	strongest   bool
}{
	{"gas", -2, 7, true},
	{"signal", -1, 5, true},
	{"video", -2, 6, false},
	{"report", -1.5, 5, false},
	{"spectral", -1.5, 6, true},
	{"thermal", -1, 6, true},
	{"mover", -1.5, 6, true},
	{"permit", -4, 0.5, true},
}

// Bounds are the least and the most log-odds that all evidence of a kind together may add to a place; unknown kinds add
// between -1 and 2.
func Bounds(kind string) (least, most float64) {
	for _, k := range kinds {
		if k.name == kind {
			return k.least, k.most
		}
	}
	return -1, 2
}

// onlyStrongest reports whether of all items of a kind only the strongest speaks for a place.
func onlyStrongest(kind string) bool {
	for _, k := range kinds {
		if k.name == kind {
			return k.strongest
		}
	}
	return true
}

// priorLogOdds of a window, for a density of sites per km².
func priorLogOdds(perKm2 float64) float64 {
	return math.Log(math.Expm1(perKm2 * AreaKm2)) // odds p/(1-p) of p = 1-exp(-λA)
}

// probability of log-odds l.
func probability(l float64) float64 { return 1 / (1 + math.Exp(-l)) }
