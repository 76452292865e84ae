package klv

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A UUID is a universally unique identifier (RFC 9562).
type UUID [16]byte

// String is the identifier in its usual form, 8-4-4-4-12 hex digits.
func (u UUID) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// quads is the identifier in groups of four capital hex digits, as ST 1204 writes it.
func (u UUID) quads() string {
	h := strings.ToUpper(hex.EncodeToString(u[:]))
	var groups []string
	for ; h != ""; h = h[4:] {
		groups = append(groups, h[:4])
	}
	return strings.Join(groups, "-")
}

// IDKind says how well an identifier of ST 1204 tells its device from all others.
type IDKind uint8

// The kinds (ST 1204.3 section 6.2.2).
const (
	NoID     IDKind = iota
	Managed         // handed out by an authority
	Virtual         // made for the purpose
	Physical        // of the device itself
)

var idKinds = []string{"None", "Managed", "Virtual", "Physical"}

// A CoreID is an ST 1204.3 Core Identifier: which sensor on which platform a motion imagery stream is from.
type CoreID struct {
	Version      int
	SensorKind   IDKind // NoID without a sensor identifier
	PlatformKind IDKind
	Sensor       UUID
	Platform     UUID
	HasWindow    bool
	Window       UUID // part of the image that this stream shows
	HasMinor     bool
	Minor        UUID // stands alone: of a stream whose devices cannot be told
}

// ReadCoreID reads the binary form.
func ReadCoreID(b []byte) (id CoreID, err error) {
	version, k := berOID(b)
	if k <= 0 || len(b) == k {
		return id, fmt.Errorf("klv: core identifier of %d bytes: version and usage are not there", len(b))
	}
	id.take(int(version), b[k])
	parts := id.parts()
	if want := k + 1 + 16*len(parts); len(b) != want {
		return id, fmt.Errorf("klv: core identifier of %d bytes where its usage %02x asks for %d", len(b), b[k], want)
	}
	for i, p := range parts {
		copy(p[:], b[k+1+16*i:])
	}
	return id, nil
}

// take sets what version and usage byte say (ST 1204.3 table 3).
func (id *CoreID) take(version int, usage byte) {
	id.Version = version
	id.SensorKind, id.PlatformKind = IDKind(usage>>5&3), IDKind(usage>>3&3)
	id.HasWindow, id.HasMinor = usage&4 != 0, usage&2 != 0
}

func (id *CoreID) usage() byte {
	u := byte(id.SensorKind)<<5 | byte(id.PlatformKind)<<3
	if id.HasWindow {
		u |= 4
	}
	if id.HasMinor {
		u |= 2
	}
	return u
}

// parts are the identifiers that are there, in their order.
func (id *CoreID) parts() (out []*UUID) {
	for _, p := range []struct {
		there bool
		id    *UUID
	}{{id.SensorKind != NoID, &id.Sensor}, {id.PlatformKind != NoID, &id.Platform}, {id.HasWindow, &id.Window}, {id.HasMinor, &id.Minor}} {
		if p.there {
			out = append(out, p.id)
		}
	}
	return out
}

// AppendTo writes the binary form.
func (id CoreID) AppendTo(b []byte) []byte {
	b = append(appendBEROID(b, uint32(id.Version)), id.usage())
	for _, p := range id.parts() {
		b = append(b, p[:]...)
	}
	return b
}

// String is the textual form of ST 1204.3 section 6.3: version and usage, the identifiers, and the check value.
func (id CoreID) String() string {
	var parts []string
	for _, p := range id.parts() {
		parts = append(parts, p.quads())
	}
	s := fmt.Sprintf("%02X%02X:%s", id.Version, id.usage(), strings.Join(parts, "/"))
	return fmt.Sprintf("%s:%02X", s, coreCheck(s))
}

// ParseCoreID reads the textual form, in capital or small digits, and verifies its check value.
func ParseCoreID(s string) (id CoreID, err error) {
	head, rest, ok := strings.Cut(s, ":")
	body, check, ok2 := strings.Cut(rest, ":")
	h, err := hex.DecodeString(head)
	c, err2 := hex.DecodeString(check)
	if !ok || !ok2 || err != nil || err2 != nil || len(h) != 2 || len(c) != 1 {
		return id, fmt.Errorf("klv: %q is no core identifier: want VVUU:IDENTIFIERS:CC", s)
	}
	id.take(int(h[0]), h[1])
	texts, parts := strings.Split(body, "/"), id.parts()
	if len(texts) != len(parts) {
		return id, fmt.Errorf("klv: %q has %d identifiers, its usage %02X asks for %d", s, len(texts), h[1], len(parts))
	}
	for i, t := range texts {
		b, err := hex.DecodeString(strings.ReplaceAll(t, "-", ""))
		if err != nil || len(b) != 16 || len(t) != 39 {
			return id, fmt.Errorf("klv: %q in a core identifier is not eight groups of four hex digits", t)
		}
		copy(parts[i][:], b)
	}
	if want := coreCheck(head + body); want != c[0] {
		return id, fmt.Errorf("klv: the check value of %q is %02X, should be %02X", s, c[0], want)
	}
	return id, nil
}

// coreCheck is the check value of ST 1204.3 appendix B: two 4-bit sums over the hex digits, each digit sent through a permutation of
// the 16 digits as many times as its place tells, modulo 15..
func coreCheck(s string) byte {
	var p, q byte
	place := 0
	for _, c := range strings.ToLower(s) {
		v := strings.IndexRune("0123456789abcdef", c)
		if v < 0 {
			continue
		}
		place++
		x, y := byte(v), byte(v)
		for range place % 15 {
			x, y = checkP(x), checkQ(y)
		}
		p, q = p^x, q^y
	}
	return p<<4 | q
}

// checkP and checkQ map the bits abcd of a digit to (a^b)cda and d(a^d)bc.
func checkP(v byte) byte { return (v>>3^v>>2&1)<<3 | v<<1&6 | v>>3 }

func checkQ(v byte) byte { return v&1<<3 | (v>>3^v&1)<<2 | v>>1&3 }

func (rd *reading) coreIdentifier(n *Node) {
	id, err := ReadCoreID(n.Value)
	if err != nil {
		rd.malformed(n, strings.TrimPrefix(err.Error(), "klv: "))
		return
	}
	n.Kind, n.State, n.Text = AsPack, Given, id.String()
	_, k := berOID(n.Value)
	b, at := n.Value, n.At+n.lead
	part := func(r *Row, size int, v int64, text string) {
		c := Node{Row: r, Kind: AsInteger, State: Given, At: at, Raw: b[:size:size], Value: b[:size:size], Integer: v, Number: float64(v), Text: text}
		if r.Format == Identifier {
			c.Kind = AsText
		}
		n.Nodes = append(n.Nodes, c)
		b, at = b[size:], at+size
	}
	part(&coreRows[0], k, int64(id.Version), "")
	part(&coreRows[1], 1, int64(id.usage()), fmt.Sprintf("sensor %s, platform %s", strings.ToLower(idKinds[id.SensorKind]), strings.ToLower(idKinds[id.PlatformKind])))
	for i, p := range []bool{id.SensorKind != NoID, id.PlatformKind != NoID, id.HasWindow, id.HasMinor} {
		if p {
			part(&coreRows[2+i], 16, 0, UUID(b[:16]).String())
		}
	}
}

// coreRows are the parts of a core identifier.
var coreRows = [...]Row{
	{Name: "Version", Format: BEROID}, {Name: "Usage", Format: Unsigned, Size: 1}, {Name: "Sensor Identifier", Format: Identifier, Size: 16},
	{Name: "Platform Identifier", Format: Identifier, Size: 16}, {Name: "Window Identifier", Format: Identifier, Size: 16}, {Name: "Minor Identifier", Format: Identifier, Size: 16},
}
