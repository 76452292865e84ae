package klv

import "encoding/hex"

// UL is a SMPTE universal label: the sixteen bytes that name a set, or an item of a universal set (SMPTE ST 298).
type UL [16]byte

// String is the label in 32 hex digits.
func (u UL) String() string { return hex.EncodeToString(u[:]) }

// keyPrefix begins every SMPTE label.
var keyPrefix = [4]byte{0x06, 0x0e, 0x2b, 0x34}

// A Standard is one vocabulary of items: which tags exist, and how each is written.
type Standard struct {
	Name      string // "0601"
	Title     string
	Key       UL    // of the set when it stands alone
	local     table // by tag, for local sets
	universal []universalRow
	// checksum says that item 1 of a set that stands alone is the running 16-bit sum.
	checksum bool
}

// The standards that this package reads.
var (
	ST0601 = &Standard{Name: "0601", Title: "UAS Datalink Local Set", local: st0601, checksum: true,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0, 0, 0}}
	ST0102 = &Standard{Name: "0102", Title: "Security Metadata Local Set", local: st0102,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0, 0, 0}}
	ST0903 = &Standard{Name: "0903", Title: "VMTI Local Set", local: st0903, checksum: true,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x06, 0, 0, 0}}
	EG0104 = &Standard{Name: "0104", Title: "Predator UAV Basic Universal Metadata Set", universal: eg0104,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x02, 0x01, 0x01, 0, 0}}
	// Unlisted reads any other set: its items are found and kept, none is interpreted.
	Unlisted = &Standard{Name: "unknown", Title: "Unknown Set"}
)

// standards are those that may stand alone in a stream, commonest first.
var standards = [...]*Standard{ST0601, EG0104, ST0903, ST0102}

// StandardOf is the standard whose key k is, or Unlisted. Byte 6 of a label (index 5, how the set is coded) and byte 8
// (index 7, the register's version) are not compared, since writers differ in them.
func StandardOf(k UL) *Standard {
	for _, s := range standards {
		if sameLabel(k, s.Key) {
			return s
		}
	}
	return Unlisted
}

func sameLabel(a, b UL) bool {
	a[5], b[5], a[7], b[7] = 0, 0, 0, 0
	return a == b
}
