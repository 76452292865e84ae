package fingerprint

import (
	"cmp"
	"slices"
	"strings"
)

// A Library is a set of reference profiles.
type Library struct {
	// Source says where the profiles come from and under which terms.
	Source   string
	Profiles []Profile
	// Names of compounds by registry number.
	Names map[string]string
}

// A Profile is the composition of one emission as a reference study measured it.
type Profile struct {
	ID   string
	Name string
	// Class is the kind of emitter, "" for a profile that is in no named class.
	Class string
	// Study names the publications behind the profile, joined by ";". Profiles of one study are near twins: they count as one
	// opinion, and a test leaves all of them out together.
	Study string
	// Parts are the compounds, largest share first. Shares are moles, and sum to 1 over all that the study identified.
	Parts []Part
}

// A Part is one compound of a profile, or several that the study could not tell apart.
type Part struct {
	CAS   []string // registry numbers, in ascending order of their text
	Share float64  // mole share
	Sigma float64  // standard deviation of Share as the study states it; 0 where it does not
}

// Classes lists the named classes in order of their names.
func (l *Library) Classes() []string {
	seen := map[string]bool{}
	var out []string
	for _, p := range l.Profiles {
		if p.Class != "" && !seen[p.Class] {
			seen[p.Class] = true
			out = append(out, p.Class)
		}
	}
	slices.Sort(out)
	return out
}

// Named is the library without the profiles that are in no class.
func (l *Library) Named() *Library { return l.Where(func(p Profile) bool { return p.Class != "" }) }

// Where is the library of the profiles that keep keeps.
func (l *Library) Where(keep func(Profile) bool) *Library {
	out := &Library{Source: l.Source, Names: l.Names}
	for _, p := range l.Profiles {
		if keep(p) {
			out.Profiles = append(out.Profiles, p)
		}
	}
	return out
}

// Without leaves out every profile that shares one of the named publications.
func (l *Library) Without(publications ...string) *Library {
	return l.Where(func(p Profile) bool { return !slices.ContainsFunc(publications, p.cites) })
}

// cites reports whether one of the publications behind the profile is the named one.
func (p Profile) cites(publication string) bool {
	return slices.ContainsFunc(strings.Split(p.Study, ";"), func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), strings.TrimSpace(publication)) })
}

// cite reports whether two lists of publications have one in common.
func cite(a, b string) bool {
	return slices.ContainsFunc(strings.Split(b, ";"), func(s string) bool {
		return strings.TrimSpace(s) != "" && Profile{Study: a}.cites(s)
	})
}

// tidy merges parts of the same compounds, turns amounts into shares that sum to 1, and puts the largest first.
func (p *Profile) tidy() {
	at := map[string]int{}
	var parts []Part
	total := 0.0
	for _, q := range p.Parts {
		key := strings.Join(q.CAS, ";")
		total += q.Share
		if i, ok := at[key]; ok {
			parts[i].Share += q.Share
			parts[i].Sigma = max(parts[i].Sigma, q.Sigma)
			continue
		}
		at[key] = len(parts)
		parts = append(parts, q)
	}
	if total > 0 {
		for i := range parts {
			parts[i].Share /= total
			parts[i].Sigma = min(parts[i].Sigma/total, 1) // no share is known less than that
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), slices.Compare(a.CAS, b.CAS))
	})
	p.Parts = parts
}
