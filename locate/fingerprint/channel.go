package fingerprint

import (
	"math"
	"slices"
	"strings"
)

// A Channel is one column of an instrument: it responds to the sum of some compounds.
type Channel struct {
	Name string
	CAS  []string
}

// isomers are the registry numbers that stand for a mixture of isomers, with the numbers of those isomers.
var isomers = map[string][]string{
	"1330-20-7":  {"106-42-3", "108-38-3", "95-47-6"},                          // xylenes
	"25551-13-7": {"108-67-8", "526-73-8", "95-63-6"},                          // trimethylbenzenes
	"25550-14-5": {"611-14-3", "620-14-4", "622-96-8"},                         // ethyltoluenes
	"25167-67-3": {"106-98-9", "107-01-7", "115-11-7", "590-18-1", "624-64-6"}, // butenes
	"1319-77-3":  {"106-44-5", "108-39-4", "95-48-7"},                          // cresols
	"107-01-7":   {"590-18-1", "624-64-6"},                                     // 2-butenes
}

// spread gives the single compounds that a part may consist of.
func (p Part) spread() []string {
	mixed := slices.ContainsFunc(p.CAS, func(c string) bool { return isomers[c] != nil })
	if !mixed {
		return p.CAS
	}
	var out []string
	for _, c := range p.CAS {
		if of := isomers[c]; of != nil {
			out = append(out, of...)
		} else {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// responds reports whether the channel sees the compound.
func (c Channel) responds(cas string) bool {
	return slices.Contains(c.CAS, cas)
}

// A response is what one channel would see of one profile, in moles for each mole that the study identified.
type response struct {
	share float64
	sigma float64 // what the study says of its error, and what is not known of the shares within a part
}

// see is the response of the channel to a profile. Of a part that it sees in part, say m- and p-xylene with a little of
// something else, it is taken to see as many shares as it sees compounds, with an error of as much as it may be wrong by.
func (c Channel) see(p Profile) response {
	var r response
	variance := 0.0
	for _, q := range p.Parts {
		compounds := q.spread()
		seen := 0
		for _, cas := range compounds {
			if c.responds(cas) {
				seen++
			}
		}
		if seen == 0 {
			continue
		}
		f := float64(seen) / float64(len(compounds))
		r.share += f * q.Share
		variance += f*f*q.Sigma*q.Sigma + f*(1-f)*q.Share*q.Share // of a part that is all one compound or all another
	}
	r.sigma = math.Sqrt(variance)
	return r
}

// key tells channels apart by what they see.
func (c Channel) key() string {
	s := slices.Clone(c.CAS)
	slices.Sort(s)
	return strings.Join(s, ";")
}
