package video

import (
	"math"
	"strings"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// declared is what an SDCC-FLP says: standard deviations and correlations of the items that went before it in its packet, which tags
// names.
type declared struct {
	tags []uint32
	*klv.SDCC
}

// declare takes in items 102 of a packet (ST 0601.19, 8.102; there may be several): the N items directly before one are the rows
// of its matrix. What an earlier packet declared stands until one declares anew; one of zero length says "unknown".
func (s *State) declare(p *Packet) {
	if p.Set.Item(102) == nil {
		return
	}
	s.declared = nil
	list, err := p.Set.Deviations()
	wrong := func(why string) {
		p.Problems = append(p.Problems, Problem{p.Offset, "item 102 (SDCC-FLP): " + why})
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			wrong(strings.TrimPrefix(e.Error(), "klv: "))
		}
	}
	for i := range list {
		if why := unfit(&list[i]); why != "" {
			wrong(why)
			continue
		}
		d := &declared{SDCC: list[i].SDCC}
		for _, it := range list[i].Items {
			d.tags = append(d.tags, it.Tag)
		}
		s.declared, s.declaredAt = append(s.declared, d), s.clock
	}
}

// stand are the declarations that hold now.
func (s *State) stand() []*declared {
	if s.clock-s.declaredAt > Expiry.Seconds() {
		return nil
	}
	return s.declared
}

// unfit says why a declaration cannot be used; "" where it can.
func unfit(d *klv.Deviation) string {
	if len(d.Items) < d.Size {
		return "more rows than items before it"
	}
	if d.SigmaIMAP && d.SigmaSize > 0 {
		return "its deviations are mapped integers, for which ST 0601 names no range"
	}
	for _, sigma := range d.Sigma {
		if !(sigma >= 0) || math.IsInf(sigma, 0) {
			return "a standard deviation that is no number from 0 on"
		}
	}
	for _, rho := range d.Rho {
		if !(math.Abs(rho) <= 1) {
			return "a correlation beyond -1 to 1"
		}
	}
	return ""
}
