package klv

import (
	"errors"
	"fmt"
	"math"
)

// An SDCC is an ST 1010 pack: the standard deviations of the items before it, and how their errors go together.
type SDCC struct {
	Size int // how many items
	// Mode is 1 where the pack is of one control byte, and the parent's standard says how deviations are written, else 2.
	Mode      int
	Sparse    bool // correlations of zero are left out
	SigmaSize int  // bytes of each deviation; 0 where none are given
	RhoSize   int
	SigmaIMAP bool // ST 1201 integers; else floating point
	RhoIMAP   bool
	// Sigma are the deviations in the order of the items, each in its item's unit; NaN where the range of its ST 1201 integer is not known.
	Sigma []float64
	Rho   []float64 // the correlations of items 1 and 2, 1 and 3, ... 2 and 3, ...: the upper triangle, row by row
}

// Correlation is that of items i and j, counted from 0; 1 for an item with itself, 0 where none is given.
func (c *SDCC) Correlation(i, j int) float64 {
	if i > j {
		i, j = j, i
	}
	switch k := i*(2*c.Size-i-1)/2 + j - i - 1; {
	case i == j:
		return 1
	case i < 0 || k >= len(c.Rho):
		return 0
	default:
		return c.Rho[k]
	}
}

// Covariance is that of items i and j, in the product of their units; NaN where a deviation is not given.
func (c *SDCC) Covariance(i, j int) float64 {
	if i < 0 || j < 0 || i >= len(c.Sigma) || j >= len(c.Sigma) {
		return math.NaN()
	}
	return c.Sigma[i] * c.Sigma[j] * c.Correlation(i, j)
}

// ReadSDCC reads a pack. rows are the items that it is about, in order; one may be nil. They are asked how their deviations are written
// where the pack leaves it to them.
func ReadSDCC(b []byte, rows []*Row) (*SDCC, error) {
	r := &numberReader{b: b}
	c := &SDCC{Size: r.oid()}
	c.control(r, rows)
	pairs := float64(c.Size) * float64(c.Size-1) / 2
	if r.err != nil || c.Size < 1 || c.SigmaSize == 0 && c.RhoSize == 0 {
		return nil, errors.New("deviations of nothing")
	}
	// Every deviation takes a byte or more, every correlation a bit or more: what is announced must fit.
	if c.SigmaSize > 0 && float64(c.Size)*float64(c.SigmaSize) > float64(len(r.b)) || (c.Sparse || c.RhoSize > 0) && pairs > 8*float64(len(r.b)) {
		return nil, fmt.Errorf("deviations of %d items in %d bytes", c.Size, len(b))
	}
	there := r.take(bitVector(c.Sparse, int(pairs)))
	if c.SigmaSize > 0 {
		for i := range c.Size {
			c.Sigma = append(c.Sigma, c.sigma(r.take(c.SigmaSize), row(rows, i)))
		}
	}
	for i := 0; c.RhoSize > 0 && i < int(pairs); i++ {
		rho := 0.0
		if !c.Sparse || r.err == nil && there[i/8]>>(7-i%8)&1 != 0 {
			rho = c.rho(r.take(c.RhoSize))
		}
		c.Rho = append(c.Rho, rho)
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes after the last correlation", len(r.b))
	}
	return c, r.err
}

func row(rows []*Row, i int) *Row {
	if i < len(rows) {
		return rows[i]
	}
	return nil
}

func bitVector(sparse bool, pairs int) int {
	if !sparse {
		return 0
	}
	return (pairs + 7) / 8
}

// control reads the parse control (ST 1010.3 section 7.3): the bits 0sssxrrr in mode 1 (s: size of the
// deviations, x: sparse, r: size of the correlations), 10xfrrrr 000gssss in mode 2 (f, g: ST 1201 integers).
func (c *SDCC) control(r *numberReader, rows []*Row) {
	first := r.take(1)[0]
	if first&0x80 == 0 {
		c.Mode, c.Sparse = 1, first&8 != 0
		c.SigmaSize, c.RhoSize = int(first>>4), int(first&7)
		c.RhoIMAP = true
		c.SigmaIMAP = len(rows) > 0 && rows[0] != nil && rows[0].SigmaHi > 0
		return
	}
	second := r.take(1)[0]
	c.Mode, c.Sparse = 2, first&0x20 != 0
	c.SigmaSize, c.RhoSize = int(second&15), int(first&15)
	c.SigmaIMAP, c.RhoIMAP = second&0x10 != 0, first&0x10 != 0
}

func (c *SDCC) sigma(b []byte, r *Row) float64 {
	if !c.SigmaIMAP {
		return floatOf(b)
	}
	if r == nil || r.SigmaHi == 0 {
		return math.NaN()
	}
	x, _ := DecodeIMAPB(b, 0, r.SigmaHi)
	return x
}

func (c *SDCC) rho(b []byte) float64 {
	if !c.RhoIMAP {
		return floatOf(b)
	}
	x, _ := DecodeIMAPB(b, -1, 1)
	return x
}

// floatOf is an IEEE 754 number of 2, 4 or 8 bytes; NaN for other sizes.
func floatOf(b []byte) float64 {
	it := Item{Row: &Row{Format: Float}, Value: b}
	if len(b) == 0 || !it.real() || it.State != Given {
		return math.NaN()
	}
	return it.Number
}

// AppendTo writes the pack; rows as in ReadSDCC.
func (c *SDCC) AppendTo(b []byte, rows []*Row) ([]byte, error) {
	pairs := c.Size * (c.Size - 1) / 2
	if c.Size < 1 || c.SigmaSize > 0 && len(c.Sigma) != c.Size || c.RhoSize > 0 && len(c.Rho) != pairs {
		return b, fmt.Errorf("%d deviations and %d correlations of %d items", len(c.Sigma), len(c.Rho), c.Size)
	}
	b = appendBEROID(b, uint32(c.Size))
	if c.Mode == 1 {
		b = append(b, byte(c.SigmaSize&7)<<4|bit(c.Sparse)<<3|byte(c.RhoSize&7))
	} else {
		b = append(b, 0x80|bit(c.Sparse)<<5|bit(c.RhoIMAP)<<4|byte(c.RhoSize&15), bit(c.SigmaIMAP)<<4|byte(c.SigmaSize&15))
	}
	b = append(b, c.present(pairs)...)
	var err error
	for i := 0; c.SigmaSize > 0 && i < c.Size; i++ {
		hi := 0.0
		if r := row(rows, i); c.SigmaIMAP && r != nil {
			hi = r.SigmaHi
		}
		if b, err = appendSpread(b, c.Sigma[i], 0, hi, c.SigmaSize, c.SigmaIMAP); err != nil {
			return b, err
		}
	}
	for i := 0; c.RhoSize > 0 && i < pairs; i++ {
		if c.Sparse && c.Rho[i] == 0 {
			continue
		}
		if b, err = appendSpread(b, c.Rho[i], -1, 1, c.RhoSize, c.RhoIMAP); err != nil {
			return b, err
		}
	}
	return b, nil
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// present is the bit vector of a sparse pack: which correlations are written.
func (c *SDCC) present(pairs int) []byte {
	v := make([]byte, bitVector(c.Sparse, pairs))
	for i := 0; i < len(c.Rho) && len(v) > 0; i++ {
		if c.Rho[i] != 0 {
			v[i/8] |= 0x80 >> (i % 8)
		}
	}
	return v
}

func appendSpread(b []byte, x, lo, hi float64, size int, imap bool) ([]byte, error) {
	r := Row{Format: Float, Size: size, Lo: lo, Hi: hi}
	if imap {
		if r.Format = IMAPB; !(lo < hi) {
			return b, errors.New("the range of a deviation as an ST 1201 integer is not known")
		}
	}
	raw, err := r.bytes(Number(0, x))
	return append(b, raw...), err
}

// A Deviation is what an SDCC pack says of the items before it.
type Deviation struct {
	Items []*Item // as many as the pack has deviations of, in its order; fewer where the set does not hold so many before it
	*SDCC
}

// Deviations reads the SDCC packs of the set, each with the items right before it in the packet, which it is about.
func (s *Set) Deviations() (out []Deviation, err error) {
	for i := range s.Items {
		it := &s.Items[i]
		if it.Row == nil || it.Row.Format != SDCCPack || len(it.Value) == 0 {
			continue
		}
		size, _ := berOID(it.Value)
		var d Deviation
		var rows []*Row
		for k := max(0, i-int(min(size, maxItems))); k < i; k++ {
			d.Items, rows = append(d.Items, &s.Items[k]), append(rows, s.Items[k].Row)
		}
		c, e := ReadSDCC(it.Value, rows)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("klv: byte %d: %s: %w", it.At, it.label(), e))
			continue
		}
		d.SDCC = c
		out = append(out, d)
	}
	return out, err
}

func (rd *reading) deviations(n *Node) {
	size, _ := berOID(n.Value)
	rows := rd.before[max(0, len(rd.before)-int(min(size, maxItems))):]
	if len(rows) < int(min(size, maxItems)) {
		rows = nil
	}
	c, err := ReadSDCC(n.Value, rows)
	if err != nil {
		rd.malformed(n, err.Error())
		return
	}
	n.Kind, n.State, n.SDCC = AsSDCC, Given, c
}
