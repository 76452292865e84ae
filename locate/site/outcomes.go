package site

import "math"

// An Outcome is one candidate of an assessment, and what became of it.
type Outcome struct {
	LogOdds float64 // before any calibration
	Visited bool
	Site    bool // a working site was found; of a candidate that was not visited it says nothing
	// Chance is the probability with which such a candidate is visited, as the plan of visits had it. 0 takes the share of visited ones in its
	// Stratum: those that were, for all that is known, as likely to be visited as each other (an area, a rank, a means of getting there).
	Chance  float64
	Stratum string
}

// LeastChance is the smallest chance of a visit that is believed: one case then stands for at most twenty. Clipping costs a little bias where visits
// are rarer than that, and keeps a single lucky visit from speaking for a whole area.
const LeastChance = 0.05

// FitOutcomes is Fit on what came back from the ground, on top of a calibration that was fitted to simulation. Candidates that nobody visited are
// censored: what they are is not known, and taking them for empty would make every word too weak. The visited ones were chosen, and rarely by their
// log-odds alone; so each weighs the inverse of its chance of having been visited (D. G. Horvitz and D. J. Thompson 1952,
// doi:10.1080/01621459.1952.10483446), clipped at LeastChance, and all are scaled so that together they count as many as they are worth, (Σw)²/Σw²
// (L. Kish, Survey Sampling, 1965, section 11.7). That mends choice by what Stratum or Chance knows, and nothing else. Each knot of the earlier calibration
// counts as at most LeastCases cases, so that outcomes replace it where there are many, and it stands where there are none.
func FitOutcomes(simulated Calibration, outcomes []Outcome) Calibration {
	var cases []Case
	for _, k := range simulated.Knots {
		scale := math.Min(1, LeastCases/k.Cases)
		cases = append(cases, Case{k.LogOdds, true, k.Sites * scale}, Case{k.LogOdds, false, (k.Cases - k.Sites) * scale})
	}
	back, unvisited := visited(outcomes)
	c := Fit(append(cases, back...))
	c.Version, c.From, c.Unvisited = simulated.Version, simulated.From, unvisited
	for _, k := range back {
		c.Outcomes += k.Weight
	}
	return c
}

// visited are the outcomes that somebody saw, weighted, and how many nobody did.
func visited(outcomes []Outcome) (cases []Case, unvisited int) {
	seen, all := map[string]float64{}, map[string]float64{}
	for _, o := range outcomes {
		all[o.Stratum]++
		if o.Visited {
			seen[o.Stratum]++
		}
	}
	var sum, squares float64
	for _, o := range outcomes {
		if !o.Visited {
			unvisited++
			continue
		}
		chance := o.Chance
		if chance == 0 {
			chance = seen[o.Stratum] / all[o.Stratum]
		}
		w := 1 / math.Min(1, math.Max(LeastChance, chance))
		sum, squares = sum+w, squares+w*w
		cases = append(cases, Case{o.LogOdds, o.Site, w})
	}
	for i := range cases {
		cases[i].Weight *= sum / squares
	}
	return cases, unvisited
}
