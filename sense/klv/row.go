package klv

// Format says how a value is written.
type Format uint8

// The formats of items.
const (
	Bytes          Format = iota // not taken apart here: kept as it came
	Opaque                       // kept as it came, never taken apart, named or made (see Withheld)
	Text                         // UTF-8 (or its ISO 646 part)
	TextUTF16                    // UTF-16, big-endian
	Micros                       // unsigned count of microseconds since 1970-01-01
	Unsigned                     // big-endian, as many bytes as come, up to 8
	Signed                       // two's complement, likewise
	Enum                         // Unsigned, with names for its values
	ScaledUint                   // unsigned integer of Size bytes over Lo..Hi: Lo at 0, Hi at the greatest
	ScaledInt                    // two's complement of Size bytes over Lo..Hi = -Hi..Hi; the most negative says "out of range"
	IMAPB                        // ST 1201 integer over Lo..Hi, as many bytes as come; Size is what the encoder writes
	Float                        // IEEE 754, 2, 4 or 8 bytes
	Nested                       // a local set of Row.Set
	List                         // entries one after another, each as Row.Entry says
	ChecksumSum                  // the checksum of the packet
	BEROID                       // whole number, seven bits a byte, the last with a clear top bit (SMPTE ST 336)
	BERLength                    // whole number, written as a BER length
	Pack                         // values one after another without tags: Row.Fields
	Identifier                   // UUID, 16 bytes
	BitList                      // one bit an entry, the least significant bit of the last byte is number 0
	MDArray                      // ST 1303 multidimensional array
	SDCCPack                     // ST 1010 standard deviations and correlation coefficients
	CoreIdentifier               // ST 1204 Motion Imagery Identification System identifier
	BitFields                    // whole number made of Row.Fields, whose Size counts bits, the least significant field first
)

// A Row says one item of a standard: what it is called, its unit, and how it is written.
type Row struct {
	Name   string
	Unit   string
	Format Format
	Size   int // bytes; 0 where the standard lets it vary
	Lo, Hi float64
	Set    *Standard // of a Nested item
	Values []string  // names of an Enum's values, by value
	Bits   []string  // names of the bits of a number made of flags, by bit, the least significant first
	// Fields are the values of a Pack; of an MDArray whose rows differ, how the elements of each row of its first dimension are written.
	Fields []Field
	Entry  *Field // of a List: what its entries are. Of an MDArray: its elements where they are written in their natural form.
	// Counted says that a List begins with the number of its entries, in BER-OID.
	Counted bool
	// Loose says that whole numbers of other sizes are read too, though Size is what is written.
	Loose bool
	// Repeats says that the standard allows the item more than once in a set.
	Repeats bool
	// Legacy is the format of the item in sets of ST 0903 before version 4, where it was another: ScaledUint or ScaledInt over
	// the same range, as many bytes as come up to Size.
	Legacy Format
	// SigmaHi is the greatest standard deviation that an SDCC pack of the same set can give for the item as an ST 1201 integer over
	// 0..SigmaHi; 0 where it is given as a floating-point number.
	SigmaHi float64
	// Twin is, for an item of the universal set, the tag of the ST 0601 item that says the same in the same unit; 0 when none does.
	Twin uint32

	// What the decoder needs at hand, computed once from the above.
	op         opcode
	step, base float64       // Number = Integer*step + base of the scaled formats
	maps       *[9]imapScale // of IMAPB, by size in bytes
	exact      int           // the only number of bytes that is read; 0 where it may vary
	legacyRow  *Row
}

// A Field is one value of a Pack, or an entry of a List.
type Field struct {
	Row
	Ends Ending
	// Optional says that it, and all that follow it, may be left out at the end.
	Optional bool
}

// Ending says how the end of a Field is found.
type Ending uint8

// The endings.
const (
	Fixed   Ending = iota // after Row.Size bytes
	Self                  // the value tells: BER-OID and BER
	Told                  // a BER length stands before it
	AtEnd                 // it takes all that is left
	Halfway               // it takes half of the pack, rounded down
	Parted                // before the next record separator, 0x1e, or at the end
)

// opcode is the branch that reads a value: a format and, where it pays, a size.
type opcode uint8

const (
	opUnread opcode = iota
	opUint8
	opUint16
	opUint32
	opInt16
	opInt32
	opScaled
	opText
	opUTF16
	opInteger
	opReal
	opNested
)

// table is a standard's local set, by tag; a row without a name is a tag that the standard does not list.
type table []Row

func (t table) row(tag uint32) *Row {
	if int64(tag) < int64(len(t)) && t[tag].Name != "" {
		return &t[tag]
	}
	return nil
}

// define makes a standard ready: what its rows say is turned into what the decoder needs.
func define(s Standard) *Standard {
	for i := range s.local {
		s.local[i].compile()
	}
	for i := range s.universal {
		s.universal[i].compile()
	}
	if s.local != nil {
		s.fast = new([128]*Row)
		for tag := range s.fast {
			s.fast[tag] = s.local.row(uint32(tag))
		}
	}
	return &s
}

func (r *Row) compile() {
	r.op = r.opcode()
	if r.exact = r.Size; r.Loose {
		r.exact = 0
	}
	switch full := float64(uint64(1)<<(8*r.Size&63) - 1); r.Format { // 2^n-1
	case ScaledUint:
		r.step, r.base = (r.Hi-r.Lo)/full, r.Lo
	case ScaledInt:
		r.step = (r.Hi - r.Lo) / (full - 1)
	case IMAPB:
		r.maps = new([9]imapScale)
		for n := 1; n <= 8; n++ {
			r.maps[n] = scaleOf(r.Lo, r.Hi, n)
		}
	}
	for i := range r.Fields {
		r.Fields[i].compile()
	}
	if r.Entry != nil {
		r.Entry.compile()
	}
	if r.Legacy != Bytes {
		r.legacyRow = &Row{Name: r.Name, Unit: r.Unit, Format: r.Legacy, Size: r.Size, Lo: r.Lo, Hi: r.Hi}
		r.legacyRow.compile()
	}
}

func (r *Row) opcode() opcode {
	switch r.Format {
	case ScaledUint:
		return map[int]opcode{1: opUint8, 2: opUint16, 4: opUint32, 3: opScaled}[r.Size]
	case ScaledInt:
		return map[int]opcode{2: opInt16, 4: opInt32, 1: opScaled, 3: opScaled}[r.Size]
	case Text:
		return opText
	case TextUTF16:
		return opUTF16
	case Unsigned, Signed, Enum, Micros, ChecksumSum, BEROID, BERLength:
		return opInteger
	case IMAPB, Float:
		return opReal
	case Nested:
		return opNested
	}
	return opUnread
}

// set is the standard of the local set in a Nested item.
func (r *Row) set() *Standard {
	if r.Set == ST1607 { // a child set is written with the items of the set around it
		return ST0601
	}
	return r.Set
}
