package klv

import (
	"encoding/binary"
	"encoding/hex"
	"iter"
)

// UL is a SMPTE universal label: the sixteen bytes that name a set, or an item of a universal set (SMPTE ST 298).
type UL [16]byte

// String is the label in 32 hex digits.
func (u UL) String() string { return hex.EncodeToString(u[:]) }

// keyPrefix begins every SMPTE label.
var keyPrefix = [4]byte{0x06, 0x0e, 0x2b, 0x34}

// A Standard is one vocabulary of items: which tags exist, and how each is written.
type Standard struct {
	Name      string // "0601"; a set that only lies within others adds its own: "0903 VTarget"
	Title     string
	Version   string // of the standard whose table this is: "19" of ST 0601.19; "" where the standard's own version is that of the set around it
	Key       UL     // of the set when it stands alone; zero for one that never does
	local     table  // by tag, for local sets
	universal []universalRow
	check     checkedBy
	// fast holds the rows of the tags that fit in one byte of BER-OID: it is looked up for every item.
	fast *[128]*Row
}

// checkedBy says which item of a set that stands alone is its checksum, and how it is computed.
type checkedBy struct {
	how checksumKind
	tag uint32
}

// The standards that stand alone in most streams. The others are beside their tables; Standards lists them all.
var (
	ST0601 = define(Standard{Name: "0601", Title: "UAS Datalink Local Set", Version: "19", local: st0601, check: checkedBy{runningSum, 1},
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x01, 0x01, 0, 0, 0}})
	ST0102 = define(Standard{Name: "0102", Title: "Security Metadata Local Set", Version: "12", local: st0102,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x03, 0x01, 0x01, 0x0e, 0x01, 0x03, 0x03, 0x02, 0, 0, 0}})
	ST0102Universal = define(Standard{Name: "0102 universal", Title: "Security Metadata Universal Set", Version: "12", universal: st0102Universal,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x02, 0x08, 0x02, 0, 0, 0, 0, 0}})
	EG0104 = define(Standard{Name: "0104", Title: "Predator UAV Basic Universal Metadata Set", Version: "5", universal: eg0104,
		Key: UL{0x06, 0x0e, 0x2b, 0x34, 0x02, 0x01, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x02, 0x01, 0x01, 0, 0}})
	// Unlisted reads any other set: its items are found and kept, none is interpreted.
	Unlisted = &Standard{Name: "unknown", Title: "Unknown Set"}
)

// standards are those that may stand alone in a stream, commonest first.
var standards = [...]*Standard{ST0601, EG0104, ST0903, ST0102, ST0806, ST0903VTrack, ST1206, ST1107, ST1108, ST0102Universal, ST1002, ST1202, ST1601, ST1602}

// Standards lists every set that this package has a table for: first those that may stand alone, then those that only lie within.
func Standards() []*Standard {
	return append(standards[:], ST1607, ST0806UserDefined, ST0806PointOfInterest, ST0806AreaOfInterest, ST0903VTarget, ST0903VTrackItem, ST0903VMask,
		ST0903VObject, ST0903VFeature, ST0903VTracker, ST0903VChip, ST0903Algorithm, ST0903Ontology, ST1108Metric)
}

// Rows gives the items of a standard's local set by tag, in order.
func (std *Standard) Rows() iter.Seq2[uint32, *Row] {
	return func(yield func(uint32, *Row) bool) {
		for tag := range std.local {
			if r := std.local.row(uint32(tag)); r != nil && !yield(uint32(tag), r) {
				return
			}
		}
	}
}

// UniversalRows gives the items of a standard's universal set by key, in the order of its table.
func (std *Standard) UniversalRows() iter.Seq2[UL, *Row] {
	return func(yield func(UL, *Row) bool) {
		for i := range std.universal {
			if !yield(std.universal[i].key, &std.universal[i].Row) {
				return
			}
		}
	}
}

// StandardOf is the standard whose key k is, or Unlisted. Byte 6 of a label (index 5, how the set is coded) and byte 8
// (index 7, the register's version) are not compared, since writers differ in them, save where they alone tell two sets apart.
func StandardOf(k UL) *Standard {
	found := Unlisted
	for _, s := range standards {
		if sameLabel(k, s.Key) {
			if k[5] == s.Key[5] {
				return s
			}
			if found == Unlisted {
				found = s
			}
		}
	}
	return found
}

func sameLabel(a, b UL) bool {
	const loose = 0x0000_0000_00ff_00ff // indices 5 and 7 of the first eight
	return (binary.BigEndian.Uint64(a[:8])^binary.BigEndian.Uint64(b[:8]))&^loose == 0 && [8]byte(a[8:]) == [8]byte(b[8:])
}
