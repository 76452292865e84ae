package fingerprint

import (
	"slices"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// Schema names the form of a Result.
const Schema = "atalaya.emitters/1"

// A Result is what a survey's mixtures resemble.
type Result struct {
	Schema  string        `json:"schema"`
	Groups  []GroupResult `json:"groups"`
	Library LibraryNote   `json:"library"`
	Seed    uint64        `json:"seed"`
}

// A LibraryNote says what the mixtures were compared with.
type LibraryNote struct {
	Source   string   `json:"source"`
	Profiles int      `json:"profiles"`
	Classes  int      `json:"classes"`
	LeftOut  []string `json:"left_out,omitempty"` // studies that were left out on request
}

// A GroupResult is one group of a survey.
type GroupResult struct {
	Group       string   `json:"group"`
	Classes     []Likely `json:"classes"` // all classes, the most probable first
	NoneOfThese float64  `json:"none_of_these"`
	// BestNextChannel is the compound that would best part the first two classes; "" where none is known to.
	BestNextChannel string      `json:"best_next_channel"`
	Parts           *NextResult `json:"best_next_channel_parts,omitempty"`
	Composition     []Reading   `json:"composition"`
	Mixture         Balance     `json:"mixture"`
	// Target is given where a target profile was; NoneWeight is what none_of_these alone may say for a place.
	Target     *TargetResult `json:"target,omitempty"`
	NoneWeight float64       `json:"none_of_these_ln_ratio"`
	Samples    int           `json:"samples"`
	// Notes are warnings in English, Said the same by their codes, one for one.
	Notes []string           `json:"notes,omitempty"`
	Said  []atalaya.Sentence `json:"said,omitempty"`
}

// A NextResult says why a channel is the best next one.
type NextResult struct {
	CAS         string    `json:"cas"`
	Classes     []string  `json:"classes"`
	Shares      []float64 `json:"shares"`
	SeparatedBy float64   `json:"separated_by_sd"`
}

// A Reading is one channel's part of the composition.
type Reading struct {
	Channel string           `json:"channel"`
	CAS     []string         `json:"cas"`
	Excess  atalaya.Interval `json:"excess_ppb"`
	Seen    bool             `json:"seen"`
	Below   *float64         `json:"below_ppb,omitempty"` // with 95 % confidence, where it was not seen
}

// A TargetResult is the weight that the mixture gives a place for the target.
type TargetResult struct {
	Name       string `json:"name"`
	Marking    string `json:"marking"` // as a portion mark
	Provenance string `json:"provenance"`
	// Weight is absent where the channels do not see enough of the target to say anything.
	Weight *Weight `json:"weight,omitempty"`
}

// Survey classifies every group of a survey. The second result names the groups that could not be; when none could, the first of
// these is the error.
func Survey(l *Library, s *gas.Survey, target *Target, o Options) (*Result, []error, error) {
	all, err := Excess(s)
	if err != nil {
		return nil, nil, err
	}
	r := &Result{Schema: Schema, Seed: o.Seed, Library: LibraryNote{Source: l.Source, Profiles: len(l.Profiles), Classes: len(l.Classes())}}
	var lost []error
	say := o.Progress
	for n := range all {
		if say != nil {
			o.Progress = func(done, total int) { say(n*total+done, len(all)*total) }
		}
		c, a, err := Classify(l, &all[n], o)
		if err != nil {
			lost = append(lost, err)
			continue
		}
		r.Groups = append(r.Groups, groupResult(c, a, &all[n], target))
	}
	if len(r.Groups) == 0 && len(lost) > 0 {
		return nil, nil, lost[0]
	}
	return r, lost, nil
}

func groupResult(c *Classifier, a *Answer, comp *Composition, target *Target) GroupResult {
	g := GroupResult{Group: comp.Group, Classes: a.Classes, NoneOfThese: a.NoneOfThese, Mixture: a.Balance, NoneWeight: OfNone(a.NoneOfThese),
		Samples: comp.Samples, Said: slices.Clone(comp.Notes)}
	if a.Next != nil {
		g.BestNextChannel = a.Next.Name
		g.Parts = &NextResult{a.Next.CAS, []string{a.Next.First, a.Next.Second}, []float64{a.Next.FirstShare, a.Next.SecondShare}, a.Next.Separation}
	}
	for _, m := range comp.Amounts {
		const z = 1.6448536269514722 // Φ⁻¹(0.95)
		v := Reading{Channel: m.Name, CAS: m.CAS, Seen: m.Seen, Excess: atalaya.Interval{Mean: m.Excess, P05: m.Excess - z*m.SE, P50: m.Excess, P95: m.Excess + z*m.SE}}
		if !m.Seen {
			v.Below = &m.Bound
		}
		g.Composition = append(g.Composition, v)
	}
	if seen := comp.Seen(); seen < 3 {
		g.Said = append(g.Said, atalaya.Say("mixture-few"))
	}
	for _, s := range g.Said {
		g.Notes = append(g.Notes, s.English())
	}
	if target != nil {
		g.Target = &TargetResult{Name: target.Name, Marking: target.Marking.Portion(), Provenance: target.Provenance}
		if w, ok := c.Weight(comp, target.Profile); ok {
			g.Target.Weight = &w
		}
	}
	return g
}
