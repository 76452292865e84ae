package video

import (
	"encoding/binary"
	"math"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// declared is what an SDCC-FLP says: standard deviations and correlations of the items that went before it in its packet.
type declared struct {
	tags  []uint32
	sigma []float64 // in the items' units; NaN where only a correlation is told
	rho   []float64 // the upper triangle, row by row: (0,1), (0,2), ... (1,2), ...
}

// maxDeclared bounds the matrix: ST 0601 has fewer items than this.
const maxDeclared = 64

// declare takes in items 102 of a packet (ST 0601.19, 8.102; there may be several): the N items directly before one are the rows
// of its matrix. What an earlier packet declared stands until one declares anew.
func (s *State) declare(p *Packet) {
	anew := false
	for i := range p.Set.Items {
		it := &p.Set.Items[i]
		if it.Tag != 102 {
			continue
		}
		if !anew {
			s.declared, anew = nil, true
		}
		if len(it.Value) == 0 { // "unknown"
			continue
		}
		d, why := readSDCC(it.Value)
		if why == "" && len(d.sigma) > i {
			why = "more rows than items before it"
		}
		if why != "" {
			p.Problems = append(p.Problems, Problem{p.Offset, "item 102 (SDCC-FLP): " + why})
			continue
		}
		for k := range d.sigma {
			d.tags = append(d.tags, p.Set.Items[i-len(d.sigma)+k].Tag)
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

// readSDCC reads a variance-covariance floating length pack (MISB ST 1010.3, section 7): the size of the matrix (BER-OID), the
// parse control, for sparse matrices a bit for each correlation, standard deviations, correlations. In one byte of control bits
// 6 to 4 are the length of a deviation, 3 says sparse, 2 to 0 are the length of a correlation; deviations are IEEE floats,
// correlations IMAPB over -1 to 1. In two bytes (BER-OID, 14 bits), from the top: sparse; correlations as IMAPB or float; their
// length (4 bits); two reserved; deviations as IMAPB or float; their length (4). IMAPB deviations need a range that ST 0601
// does not give, and are not read. why says what is wrong.
func readSDCC(b []byte) (d *declared, why string) {
	n, b, ok := oid(b)
	if !ok || n < 1 || n > maxDeclared {
		return nil, "no matrix of 1 to 64 rows"
	}
	before := len(b)
	control, b, ok := oid(b)
	if !ok {
		return nil, "no parse control"
	}
	sigmaLen, sparse, rhoLen, rhoMapped := int(control>>4&7), control>>3&1 == 1, int(control&7), true
	if before-len(b) > 1 {
		if control>>4&1 == 1 {
			return nil, "its deviations are mapped integers, for which ST 0601 names no range"
		}
		sigmaLen, rhoLen, rhoMapped, sparse = int(control&15), int(control>>7&15), control>>11&1 == 1, control>>12&1 == 1
	}
	if sigmaLen != 0 && sigmaLen != 2 && sigmaLen != 4 && sigmaLen != 8 || rhoLen > 8 || !rhoMapped && rhoLen != 0 && rhoLen != 2 && rhoLen != 4 && rhoLen != 8 {
		return nil, "numbers of a length that none has"
	}
	pairs := int(n * (n - 1) / 2)
	var has []byte
	if sparse {
		if k := (pairs + 7) / 8; len(b) >= k {
			has, b = b[:k], b[k:]
		} else {
			return nil, "cut short"
		}
	}
	d = &declared{sigma: make([]float64, n), rho: make([]float64, pairs)}
	for i := range d.sigma {
		if d.sigma[i] = math.NaN(); sigmaLen == 0 {
			continue
		}
		if len(b) < sigmaLen {
			return nil, "cut short"
		}
		if d.sigma[i] = ieee(b[:sigmaLen]); !(d.sigma[i] >= 0) || math.IsInf(d.sigma[i], 0) {
			return nil, "a standard deviation that is no number from 0 on"
		}
		b = b[sigmaLen:]
	}
	for i := range d.rho {
		if rhoLen == 0 || sparse && has[i/8]&(0x80>>(i%8)) == 0 {
			continue
		}
		if len(b) < rhoLen {
			return nil, "cut short"
		}
		r := 0.0
		if rhoMapped {
			r, _ = klv.DecodeIMAPB(b[:rhoLen], -1, 1)
		} else {
			r = ieee(b[:rhoLen])
		}
		if !(math.Abs(r) <= 1) {
			return nil, "a correlation beyond -1 to 1"
		}
		d.rho[i], b = r, b[rhoLen:]
	}
	if len(b) > 0 {
		return nil, "bytes after its end"
	}
	return d, ""
}

// between is the correlation of rows i < j.
func (d *declared) between(i, j int) float64 {
	n := len(d.sigma)
	return d.rho[i*(2*n-i-1)/2+j-i-1]
}

// oid reads a BER-OID number of at most four bytes.
func oid(b []byte) (n uint64, rest []byte, ok bool) {
	for i := range min(4, len(b)) {
		n = n<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}

// ieee is a big-endian float of 2, 4 or 8 bytes.
func ieee(b []byte) float64 {
	switch len(b) {
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	}
	v := binary.BigEndian.Uint16(b)
	exp, frac, sign := int(v>>10&31), float64(v&1023), 1-2*float64(v>>15)
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}
