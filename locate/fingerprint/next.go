package fingerprint

import (
	"math"
	"slices"
	"strings"
)

// A Channel to add: the compound that would best part the two most probable classes.
type Next struct {
	Name string `json:"name"`
	CAS  string `json:"cas"`
	// First and Second are the classes that it would part, and the shares that it has in each against what the channels
	// already see: the median over studies.
	First, Second           string
	FirstShare, SecondShare float64
	// Separation is the distance of the classes in this compound, in units of the scatter between studies.
	Separation float64
}

// next looks at every compound that no channel responds to, and takes the one in whose log share the studies of class a lie
// farthest from those of class b, against their scatter. It reports false where no compound is known of both.
func (c *Classifier) next(a, b int) (Next, bool) {
	var best, seldom Next
	seen := make([]float64, len(c.table.refs)) // share of each profile that the channels see
	for i := range seen {
		for _, ch := range c.table.panel.Channels {
			seen[i] += ch.see(c.table.refs[i].profile).share
		}
	}
	for _, cas := range c.compounds(a, b) {
		if c.sees(cas) {
			continue
		}
		la, lookedA := c.studyLogs(a, cas, seen)
		lb, lookedB := c.studyLogs(b, cas, seen)
		ma, va := moments(la)
		mb, vb := moments(lb)
		// Few studies show little scatter by chance: one more is added that is off by the scale of the kernel.
		scatter := func(v float64, n int) float64 { return (v*v*float64(n) + within*within) / float64(n+1) }
		s := math.Abs(ma-mb) / math.Sqrt((scatter(va, len(la))+scatter(vb, len(lb)))/2+calibrationSD*calibrationSD)
		// A compound that hardly any study of either class looked for parts laboratories more than emitters: it comes second.
		into := &best
		if max(lookedA, lookedB) < 0.5 {
			into = &seldom
		}
		if s > into.Separation {
			*into = Next{Name: c.nameOf(cas), CAS: cas, First: c.table.classes[a], Second: c.table.classes[b],
				FirstShare: medianShare(la), SecondShare: medianShare(lb), Separation: s}
		}
	}
	if best.CAS == "" {
		best = seldom
	}
	return best, best.CAS != ""
}

func medianShare(logs []float64) float64 {
	s := slices.Clone(logs)
	slices.Sort(s)
	return max(0, math.Exp(s[len(s)/2])-leastShare)
}

// compounds of the classes, in order of their numbers.
func (c *Classifier) compounds(classes ...int) []string {
	seen := map[string]bool{}
	var out []string
	for i := range c.table.refs {
		if r := &c.table.refs[i]; slices.Contains(classes, r.class) {
			for _, p := range r.profile.Parts {
				if len(p.CAS) == 1 && !seen[p.CAS[0]] {
					seen[p.CAS[0]] = true
					out = append(out, p.CAS[0])
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// sees reports whether a channel responds to the compound, alone or with others.
func (c *Classifier) sees(cas string) bool {
	return slices.ContainsFunc(c.table.panel.Channels, func(ch Channel) bool { return ch.responds(cas) })
}

// studyLogs is the mean log share of the compound in each study of the class, against all that the channels see of each
// profile, and the share of studies that have it at all.
func (c *Classifier) studyLogs(class int, cas string, seen []float64) (out []float64, looked float64) {
	one := Channel{CAS: []string{cas}}
	at := map[int]int{}
	var n []float64
	var has []bool
	for i := range c.table.refs {
		r := &c.table.refs[i]
		if r.class != class {
			continue
		}
		k, known := at[r.study]
		if !known {
			k = len(out)
			at[r.study] = k
			out, n, has = append(out, 0), append(n, 0), append(has, false)
		}
		share := one.see(r.profile).share
		out[k] += math.Log(share/seen[i] + leastShare)
		n[k]++
		has[k] = has[k] || share > 0
	}
	for k := range out {
		out[k] /= n[k]
		if has[k] {
			looked += 1 / float64(len(out))
		}
	}
	return out, looked
}

func (c *Classifier) nameOf(cas string) string {
	name, _, _ := strings.Cut(c.names[cas], " (or ") // SPECIATE gives other names so
	if name = strings.TrimSpace(name); name != "" {
		return strings.ToLower(name)
	}
	return cas
}
