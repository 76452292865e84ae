package check

import (
	"fmt"
	"slices"
)

// A Severity says how much a finding weighs.
type Severity uint8

// The severities. A Note is true and allowed; a Warning will trouble some receiver; an Error breaks a rule that must hold.
const (
	Note Severity = iota
	Warning
	Error
)

var severities = [...]string{Note: "note", Warning: "warning", Error: "error"}

// String is the severity in small letters.
func (s Severity) String() string { return severities[min(s, Error)] }

// MarshalText writes the severity as String does.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Class is one kind of fault.
type Class struct {
	Name     string
	Severity Severity // where the profile does not say otherwise
	Standard string   // "MISB ST 0601.19"; "Atalaya" for a limit of our own, which no standard sets
	Item     string   // clause, requirement or item of it
	Limit    float64  // what is held to, in Unit; 0 where the rule has no number
	Unit     string
	Expected string // what should have been found; %g is the limit
	Remedy   string
	// Unreadable says that bytes of the file were not understood, so that what they hold was not checked.
	Unreadable bool
}

// expected is what should have been found, with the limit.
func (c *Class) expected() string {
	if c.Limit == 0 {
		return c.Expected
	}
	return fmt.Sprintf(c.Expected, c.Limit)
}

// Classes lists all classes: first of the transport, then of the carriage of metadata, its coding, its content, its times, of what
// it says twice, and of moving targets.
func Classes() []Class { return slices.Clone(classes[:]) }

type code uint8

const (
	syncLoss code = iota
	cutPacket
	transportError
	continuity
	duplicatePacket
	scrambled
	adaptationField
	patMissing
	patInterval
	patRate
	pmtMissing
	pmtInterval
	pmtRate
	tableCRC
	tableVersion
	pidMissing
	pidUnreferenced
	pcrMissing
	pcrInterval
	pcrJump
	pcrBack
	pcrAccuracy
	ptsInterval
	ptsBack
	pesLength
	pesStart

	klvType
	klvRegistration
	klvDescriptor
	klvSTDDescriptor
	klvStreamID
	klvUntimed
	klvTimed
	klvAlignment
	cellLength
	cellSequence
	cellFragment
	metadataMissing
	videoMissing
	metadataEarly
	metadataLate
	metadataUncovered
	securityTwice
	videoCodec
	videoInterlaced
	videoUntimed
	videoTime

	keyDamaged
	keyUnknown
	bytesBetween
	beginsWithin
	packetLength
	itemLength
	lengthForm
	tagForm
	checksumWrong
	checksumMissing
	checksumPlace
	timeMissing
	timePlace
	versionMissing
	versionOld
	itemRepeated
	itemSize
	itemUnknown
	itemEmpty
	itemOutOfRange
	numberForm
	valueRange
	valueEnum
	valueUnset
	textCoding
	textControl
	textPadding
	nestedValue
	legacySet

	minimumMissing
	minimumStale
	securityMissing
	securityIncomplete
	securityForm

	timeBack
	timeRepeated
	timeJump
	timeDrift
	timeEpoch
	metadataGap
	metadataRate

	slantRange
	centerRay
	centerCorners
	widthFOV
	heightDatum
	twinItems

	vmtiVersion
	vmtiCount
	vmtiFrame
	vmtiPixel
	vmtiID
	vmtiChecksum

	streamsUnchecked
	numClasses
)

const (
	iso    = "ISO/IEC 13818-1"
	tr     = "ETSI TR 101 290"
	st0107 = "MISB ST 0107.5"
	st0601 = "MISB ST 0601.19"
	st0902 = "MISB ST 0902.8"
	st0102 = "MISB ST 0102.12"
	st0903 = "MISB ST 0903.6"
	st1402 = "MISB ST 1402.2"
	st336  = "SMPTE ST 336"
	misp   = "MISP-2019.1"
	own    = "Atalaya"
)

const (
	askRecording = "Ask for the recording as it left the ground station, or record again."
	fixMux       = "Set the multiplexer right, or multiplex the streams again."
	fixWriter    = "Tell the maker of the metadata encoder: the bytes are kept as they came."
	fixSource    = "Ask the operator which of the two is right; do not average them."
)

var classes = [numClasses]Class{
	syncLoss: {Name: "sync-loss", Severity: Error, Standard: iso, Item: "2.4.3.2 sync_byte (TR 101 290 1.1, 1.2)", Unreadable: true,
		Expected: "a packet, beginning with 0x47, where the last one ended", Remedy: askRecording},
	cutPacket: {Name: "cut-packet", Severity: Warning, Standard: iso, Item: "2.4.3.2 transport packet of 188 bytes", Unreadable: true,
		Expected: "whole packets up to the end of the file", Remedy: "Copy the file again: its end is missing."},
	transportError: {Name: "transport-error", Severity: Error, Standard: iso, Item: "2.4.3.3 transport_error_indicator (TR 101 290 2.1)",
		Expected: "no packet that the receiver marked as damaged", Remedy: "Improve the reception, or ask for the recording of another receiver."},
	continuity: {Name: "continuity", Severity: Error, Standard: iso, Item: "2.4.3.3 continuity_counter (TR 101 290 1.4)",
		Expected: "counters of a PID that run on by one", Remedy: "Packets were lost on the way: look for loss on the link or the network, and ask for the recording made before it."},
	duplicatePacket: {Name: "duplicate-packet", Severity: Warning, Standard: iso, Item: "2.4.3.3 duplicate packets", Limit: 1, Unit: "duplicates",
		Expected: "a packet sent again no more than %g time", Remedy: fixMux},
	scrambled: {Name: "scrambled", Severity: Error, Standard: iso, Item: "2.4.3.3 transport_scrambling_control, 2.4.3.7 PES_scrambling_control", Unreadable: true,
		Expected: "a payload in the clear", Remedy: "Ask for the stream in the clear: nothing in these packets was checked."},
	adaptationField: {Name: "adaptation-field", Severity: Error, Standard: iso, Item: "2.4.3.3 adaptation_field_control, 2.4.3.5 adaptation_field_length",
		Expected: "a payload or an adaptation field that fits the packet", Remedy: fixMux},
	patMissing: {Name: "pat-missing", Severity: Error, Standard: iso, Item: "2.4.4.3 program association table (TR 101 290 1.3)",
		Expected: "a PAT on PID 0", Remedy: fixMux},
	patInterval: {Name: "pat-interval", Severity: Error, Standard: tr, Item: "5.2.1, 1.3 PAT_error", Limit: 0.5, Unit: "s",
		Expected: "a PAT at least every %g s", Remedy: fixMux},
	patRate: {Name: "pat-rate", Severity: Note, Standard: st1402, Item: "ST 1402-02", Limit: 0.25, Unit: "s",
		Expected: "a PAT more than four times a second: less than %g s apart", Remedy: fixMux},
	pmtMissing: {Name: "pmt-missing", Severity: Error, Standard: iso, Item: "2.4.4.8 program map table (TR 101 290 1.5)",
		Expected: "a program map on each PID that the PAT names", Remedy: fixMux},
	pmtInterval: {Name: "pmt-interval", Severity: Error, Standard: tr, Item: "5.2.1, 1.5 PMT_error", Limit: 0.5, Unit: "s",
		Expected: "each program map at least every %g s", Remedy: fixMux},
	pmtRate: {Name: "pmt-rate", Severity: Note, Standard: st1402, Item: "ST 1402-02", Limit: 0.25, Unit: "s",
		Expected: "each program map more than four times a second: less than %g s apart", Remedy: fixMux},
	tableCRC: {Name: "table-crc", Severity: Error, Standard: iso, Item: "2.4.4 CRC_32 (TR 101 290 2.2)",
		Expected: "tables whose check sum fits", Remedy: askRecording},
	tableVersion: {Name: "table-version", Severity: Warning, Standard: iso, Item: "2.4.4.5, 2.4.4.9 version_number",
		Expected: "another version_number with each change of a table", Remedy: fixMux},
	pidMissing: {Name: "pid-missing", Severity: Warning, Standard: tr, Item: "5.2.1, 1.6 PID_error",
		Expected: "packets of every stream that a program map announces", Remedy: fixMux},
	pidUnreferenced: {Name: "pid-unreferenced", Severity: Warning, Standard: tr, Item: "5.2.3, 3.4 unreferenced_PID",
		Expected: "only PIDs that a table announces", Remedy: fixMux},
	pcrMissing: {Name: "pcr-missing", Severity: Error, Standard: iso, Item: "2.4.4.9 PCR_PID, 2.7.2",
		Expected: "clock references on the PID that the program map names", Remedy: fixMux},
	pcrInterval: {Name: "pcr-interval", Severity: Error, Standard: iso, Item: "2.7.2 (ST 1402.2 7.2; TR 101 290 2.3a)", Limit: 0.1, Unit: "s",
		Expected: "a clock reference at least every %g s", Remedy: fixMux},
	pcrJump: {Name: "pcr-jump", Severity: Error, Standard: iso, Item: "2.4.3.5 discontinuity_indicator (TR 101 290 2.3b)", Limit: 1, Unit: "s",
		Expected: "a clock that runs on, or a discontinuity_indicator where it jumps by more than %g s", Remedy: "Where recordings were joined, set the discontinuity_indicator at the join."},
	pcrBack: {Name: "pcr-back", Severity: Error, Standard: iso, Item: "2.4.3.5 discontinuity_indicator (TR 101 290 2.3b)",
		Expected: "a clock that never goes back unless a discontinuity is announced", Remedy: "Where recordings were joined, set the discontinuity_indicator at the join."},
	pcrAccuracy: {Name: "pcr-accuracy", Severity: Warning, Standard: iso, Item: "2.4.2.2 (TR 101 290 2.4)", Limit: 500, Unit: "ns",
		Expected: "clock references within %g ns of the stream's constant rate", Remedy: "Have clock references restamped where packets were inserted or moved."},
	ptsInterval: {Name: "pts-interval", Severity: Error, Standard: iso, Item: "2.7.4 (ST 1402.2 7.3; TR 101 290 2.5)", Limit: 0.7, Unit: "s",
		Expected: "time stamps of pictures and sound no more than %g s apart", Remedy: fixMux},
	ptsBack: {Name: "pts-back", Severity: Error, Standard: iso, Item: "2.4.3.7 decoding_time_stamp",
		Expected: "decoding times of a stream that never go back", Remedy: fixMux},
	pesLength: {Name: "pes-length", Severity: Error, Standard: iso, Item: "2.4.3.7 PES_packet_length",
		Expected: "as many bytes as the PES header announces", Remedy: "Bytes were lost or added: look at continuity first, then at the multiplexer."},
	pesStart: {Name: "pes-start", Severity: Error, Standard: iso, Item: "2.4.3.7 packet_start_code_prefix",
		Expected: "00 00 01 where a PES begins", Remedy: fixMux},

	klvType: {Name: "klv-type", Severity: Warning, Standard: st1402, Item: "9.4; ISO/IEC 13818-1 table 2-34 stream_type",
		Expected: "stream_type 0x15 for metadata in access-unit cells, 0x06 for metadata without", Remedy: "Announce the stream as what it is."},
	klvRegistration: {Name: "klv-registration", Severity: Warning, Standard: st1402, Item: "ST 1402-03, ST 1402-25",
		Expected: "a registration_descriptor KLVA in the stream's loop of the program map", Remedy: "Register the stream as KLVA: other programs find it by that."},
	klvDescriptor: {Name: "klv-descriptor", Severity: Warning, Standard: st1402, Item: "ST 1402-15, ST 1402-16, ST 1402.1-26",
		Expected: "a metadata_descriptor with the format identifier KLVA in the stream's loop of the program map", Remedy: "Add the metadata_descriptor (0x26)."},
	klvSTDDescriptor: {Name: "klv-std-descriptor", Severity: Warning, Standard: st1402, Item: "ST 1402-17",
		Expected: "one metadata_STD_descriptor of nine bytes in the stream's loop of the program map", Remedy: "Add the metadata_STD_descriptor (0x27)."},
	klvStreamID: {Name: "klv-stream-id", Severity: Warning, Standard: iso, Item: "table 2-22 stream_id",
		Expected: "stream_id 0xfc for stream_type 0x15, 0xbd for 0x06", Remedy: fixMux},
	klvUntimed: {Name: "klv-untimed", Severity: Error, Standard: st1402, Item: "ST 1402-07, ST 1402-08",
		Expected: "a PTS, and no DTS, in each PES of synchronous metadata", Remedy: "Without it no packet can be laid beside its picture: stamp each PES."},
	klvTimed: {Name: "klv-timed", Severity: Note, Standard: st1402, Item: "ST 1402-22",
		Expected: "no PTS in PES of asynchronous metadata", Remedy: "Harmless, and better than none: readers use it. Send metadata that has times as synchronous."},
	klvAlignment: {Name: "klv-alignment", Severity: Note, Standard: st1402, Item: "ST 1402-20, ST 1402-21",
		Expected: "data_alignment_indicator set where a KLV packet begins a PES, and only there", Remedy: fixMux},
	cellLength: {Name: "cell-length", Severity: Error, Standard: iso, Item: "2.12.4.2 AU_cell_data_length (ST 1402-09)",
		Expected: "access-unit cells that fill the PES", Remedy: "Look at continuity first; else tell the maker of the multiplexer."},
	cellSequence: {Name: "cell-sequence", Severity: Warning, Standard: iso, Item: "2.12.4.2 sequence_number",
		Expected: "sequence numbers of cells that run on by one", Remedy: "Where continuity is whole, the multiplexer does not count: loss of cells cannot be seen then."},
	cellFragment: {Name: "cell-fragment", Severity: Warning, Standard: iso, Item: "2.12.4.2 cell_fragment_indication",
		Expected: "whole access units (11), or first (10), middle (00) and last (01) in order", Remedy: "Mark whole access units as 11."},
	metadataMissing: {Name: "metadata-missing", Severity: Warning, Standard: misp, Item: "MISP-2015.1-45, MISP-2015.1-75",
		Expected: "KLV metadata beside the pictures", Remedy: "Ask for the recording with its metadata: some players and converters drop it."},
	videoMissing: {Name: "video-missing", Severity: Warning, Standard: st1402, Item: "ST 1402-14, ST 1402-24",
		Expected: "pictures in the program of the metadata", Remedy: "Ask for the recording with its pictures."},
	metadataEarly: {Name: "metadata-early", Severity: Warning, Standard: st1402, Item: "ST 1402-12; ISO/IEC 13818-1 2.4.2.6", Limit: 1, Unit: "s",
		Expected: "metadata no more than %g s before the pictures of its time", Remedy: "Multiplex metadata and pictures by their times; a player may show them apart."},
	metadataLate: {Name: "metadata-late", Severity: Warning, Standard: st1402, Item: "ST 1402-12; ISO/IEC 13818-1 2.4.2.6", Limit: 1, Unit: "s",
		Expected: "metadata before it is due by the clock, and no more than %g s behind the pictures of its time", Remedy: "Multiplex metadata and pictures by their times; a live player has shown the picture already."},
	metadataUncovered: {Name: "metadata-uncovered", Severity: Warning, Standard: own, Item: "pictures without metadata at an end of the recording", Limit: 1, Unit: "s",
		Expected: "metadata that begins and ends with the pictures, within %g s", Remedy: "These pictures have no place on the ground; ask for a longer recording."},
	securityTwice: {Name: "security-twice", Severity: Warning, Standard: misp, Item: "MISP-2015.1-49",
		Expected: "security metadata in one stream of a program, not in a synchronous and an asynchronous one", Remedy: fixMux},
	videoCodec: {Name: "video-codec", Severity: Warning, Standard: misp, Item: "3.6.3.1 class 1 compression",
		Expected: "H.262 (MPEG-2), H.264 or H.265", Remedy: "Ask for the recording in one of these: others may not play."},
	videoInterlaced: {Name: "video-interlaced", Severity: Warning, Standard: misp, Item: "MISP-2015.1-02",
		Expected: "progressive pictures", Remedy: "Deinterlace before measuring or looking for movers; two fields are two times."},
	videoUntimed: {Name: "video-untimed", Severity: Note, Standard: misp, Item: "MISP-2018.3-116, MISB ST 0604",
		Expected: "the time of each picture in the picture (MISB ST 0604)", Remedy: "Times of pictures then rest on the metadata beside them."},
	videoTime: {Name: "video-time", Severity: Warning, Standard: own, Item: "time in the pictures (ST 0604) against item 2 (ST 0601)", Limit: 0.1, Unit: "s",
		Expected: "one time for a picture and for the metadata with its PTS, within %g s", Remedy: "Metadata and pictures are apart: find the constant, and say it where you use them together."},

	keyDamaged: {Name: "key-damaged", Severity: Error, Standard: st0601, Item: "6.2 key (ST 0601.8-19); SMPTE ST 336",
		Expected: "a key of 16 bytes", Remedy: "A converter took the first bytes for the header of an access-unit cell and dropped them: ask for the original."},
	keyUnknown: {Name: "key-unknown", Severity: Warning, Standard: st336, Item: "key; MISB ST 0807 registry",
		Expected: "the key of a set that is known here", Remedy: "The packet is kept, not read. Tell the project which set it is."},
	bytesBetween: {Name: "bytes-between", Severity: Error, Standard: st336, Item: "key, length, value", Unreadable: true,
		Expected: "one packet after another", Remedy: askRecording},
	beginsWithin: {Name: "begins-within", Severity: Note, Standard: st336, Item: "key, length, value",
		Expected: "a stream that begins with the key of a packet", Remedy: "A recording that was joined while it ran: the first packet is lost, the rest is whole."},
	packetLength: {Name: "packet-length", Severity: Error, Standard: st336, Item: "length", Unreadable: true,
		Expected: "as many bytes as the packet's BER length says", Remedy: "Bytes were lost, or the length is wrong: look at continuity first, then tell the maker of the encoder."},
	itemLength: {Name: "item-length", Severity: Error, Standard: st0107, Item: "ST 0107.3-03 tag, length, value", Unreadable: true,
		Expected: "items that fill the set", Remedy: fixWriter},
	lengthForm: {Name: "length-form", Severity: Warning, Standard: st0107, Item: "6.3.2 (ST 0107.3-05)",
		Expected: "BER lengths in the fewest bytes", Remedy: fixWriter},
	tagForm: {Name: "tag-form", Severity: Warning, Standard: st0107, Item: "6.3.1 BER-OID; ISO/IEC 8825-1 8.19.2",
		Expected: "tags in the fewest bytes", Remedy: fixWriter},
	checksumWrong: {Name: "checksum-wrong", Severity: Error, Standard: st0601, Item: "6.6 (ST 0601.8-08), item 1",
		Expected: "a checksum that is that of the bytes", Remedy: "The packet was changed after it was made, or on the way: do not rely on it alone."},
	checksumMissing: {Name: "checksum-missing", Severity: Error, Standard: st0601, Item: "6.6 (ST 0601.8-11), item 1",
		Expected: "a checksum", Remedy: fixWriter},
	checksumPlace: {Name: "checksum-place", Severity: Error, Standard: st0601, Item: "6.6 (ST 0601.8-11), item 1",
		Expected: "the checksum as the last item", Remedy: fixWriter},
	timeMissing: {Name: "time-missing", Severity: Error, Standard: st0601, Item: "6.4 (ST 0601.8-09), item 2",
		Expected: "a time stamp in each packet", Remedy: "Without it the packet belongs to no moment: only its PTS, if there is one."},
	timePlace: {Name: "time-place", Severity: Error, Standard: st0601, Item: "6.4 (ST 0601.8-09), item 2",
		Expected: "the time stamp as the first item", Remedy: fixWriter},
	versionMissing: {Name: "version-missing", Severity: Error, Standard: st0601, Item: "8.65 (ST 0601.8-12), item 65",
		Expected: "the version of ST 0601 in each packet", Remedy: fixWriter},
	versionOld: {Name: "version-old", Severity: Note, Standard: st0601, Item: "8.65, item 65", Limit: 19,
		Expected: "version %g, by whose table it is read here", Remedy: "Items that changed their meaning since may read otherwise; before version 4 the time stamp need not be UTC."},
	itemRepeated: {Name: "item-repeated", Severity: Error, Standard: st0601, Item: "6.1 (ST 0601.13-24)",
		Expected: "each item once, save those that may repeat", Remedy: "The last one counts here; others may take the first."},
	itemSize: {Name: "item-size", Severity: Error, Standard: st0107, Item: "6.3.3 (ST 0107.3-06, -07; ST 0601.13-29)",
		Expected: "the number of bytes that the item has in its standard", Remedy: "The bytes are kept, not read. Tell the maker of the encoder."},
	itemUnknown: {Name: "item-unknown", Severity: Note, Standard: st0107, Item: "6.3 (ST 0107.3-04)",
		Expected: "items that the standard lists", Remedy: "The bytes are kept. It may be an item of a later edition, or of the maker."},
	itemEmpty: {Name: "item-empty", Severity: Warning, Standard: st0107, Item: "6.3.4 (ST 0107.4-16, -19)",
		Expected: "a value: zero length means unknown, which this item cannot be", Remedy: fixWriter},
	itemOutOfRange: {Name: "item-out-of-range", Severity: Note, Standard: st0601, Item: "7.5 (ST 0601.13-27)",
		Expected: "a value, or this code where the sensor's is out of range", Remedy: "There is no number: nothing was taken from it."},
	numberForm: {Name: "number-form", Severity: Note, Standard: st0107, Item: "6.3.3.1 (ST 0107.3-10)",
		Expected: "whole numbers of variable length in the fewest bytes", Remedy: fixWriter},
	valueRange: {Name: "value-range", Severity: Warning, Standard: st0601, Item: "8, range of the item",
		Expected: "a value within the item's range", Remedy: "Do not use the value. Tell the maker of the encoder."},
	valueEnum: {Name: "value-enum", Severity: Warning, Standard: st0601, Item: "8, values of the item",
		Expected: "one of the values that the standard lists", Remedy: fixWriter},
	valueUnset: {Name: "value-unset", Severity: Note, Standard: own, Item: "ranges and widths of zero",
		Expected: "a length, or zero length where it is unknown", Remedy: "Zero stands for unknown here, and is not used as a length."},
	textCoding: {Name: "text-coding", Severity: Error, Standard: st0107, Item: "6.3.3.2 UTF-8",
		Expected: "text in UTF-8", Remedy: fixWriter},
	textControl: {Name: "text-control", Severity: Warning, Standard: st0107, Item: "6.3.3.2 (ST 0107.3-13)",
		Expected: "text without control characters", Remedy: fixWriter},
	textPadding: {Name: "text-padding", Severity: Warning, Standard: st0107, Item: "6.3.3.2 (ST 0107.3-12)",
		Expected: "text without blanks or zero bytes at its ends", Remedy: fixWriter},
	nestedValue: {Name: "nested-value", Severity: Error, Standard: st0107, Item: "ST 0107.3-03; the standard of the item",
		Expected: "sets, packs and lists within an item that can be taken apart", Remedy: "The bytes are kept, not read. Tell the maker of the encoder."},
	legacySet: {Name: "legacy-set", Severity: Warning, Standard: "MISB EG 0104.5", Item: "superseded by MISB ST 0601",
		Expected: "ST 0601 metadata", Remedy: "It is read; it lacks what ST 0601 has since. Ask for ST 0601 where the station can make it."},

	minimumMissing: {Name: "minimum-missing", Severity: Warning, Standard: st0902, Item: "6, table 1 (ST 0902.3-03)",
		Expected: "each item of the minimum set at least once", Remedy: "Ask the operator to fill the item: what rests on it cannot be told."},
	minimumStale: {Name: "minimum-stale", Severity: Warning, Standard: st0902, Item: "6 (ST 0902.3-04); ST 0107.4-18", Limit: 30, Unit: "s",
		Expected: "each item of the minimum set again within %g s", Remedy: "What was said before no longer stands: the item is taken as unknown."},
	securityMissing: {Name: "security-missing", Severity: Warning, Standard: misp, Item: "MISP-2015.1-73; MISB ST 0102",
		Expected: "a security set (item 48)", Remedy: "No marking is no permission: ask for the marking before you hand anything on."},
	securityIncomplete: {Name: "security-incomplete", Severity: Warning, Standard: st0102, Item: "6.1 (ST 0102.10-03 to -05, -23, -56), table 2",
		Expected: "classification, country coding methods, classifying country, object countries and version in each security set", Remedy: "Ask for the whole marking before you hand anything on."},
	securityForm: {Name: "security-form", Severity: Warning, Standard: st0102, Item: "6.1.3, 6.1.10 (ST 0102.10-05, -22)",
		Expected: "a classifying country that begins with //, a date as YYYYMMDD", Remedy: fixWriter},

	timeBack: {Name: "time-back", Severity: Error, Standard: st0601, Item: "6.4, item 2; MISP-2018.1-98",
		Expected: "times that go on", Remedy: "Packets are out of order, or the clock was set: take the order of the PTS if there is one."},
	timeRepeated: {Name: "time-repeated", Severity: Warning, Standard: st0601, Item: "6.4, item 2",
		Expected: "another time in each packet", Remedy: "Packets of one time were sent again, or the clock is coarse."},
	timeJump: {Name: "time-jump", Severity: Warning, Standard: own, Item: "item 2 against PTS", Limit: 0.5, Unit: "s",
		Expected: "times that go on as the PTS does, within %g s", Remedy: "The clock was set, or recordings were joined: treat each part as its own."},
	timeDrift: {Name: "time-drift", Severity: Warning, Standard: own, Item: "item 2 against PTS", Limit: 0.1, Unit: "s",
		Expected: "times that stay with the PTS, within %g s over the recording", Remedy: "The clock of the metadata and that of the stream run at different paces: pair by item 2 and the times in the pictures."},
	timeEpoch: {Name: "time-epoch", Severity: Warning, Standard: own, Item: "item 2",
		Expected: "a time from the year 2000 on and before 2100", Remedy: "The clock of the aircraft was not set: only differences of these times mean anything."},
	metadataGap: {Name: "metadata-gap", Severity: Warning, Standard: own, Item: "time between packets", Limit: 1, Unit: "s",
		Expected: "a packet at least every %g s", Remedy: "Nothing is laid between packets further apart: pictures there have no place on the ground."},
	metadataRate: {Name: "metadata-rate", Severity: Warning, Standard: own, Item: "packets a second", Limit: 1, Unit: "Hz",
		Expected: "at least %g packet a second", Remedy: "Ask the station for a higher rate of metadata."},

	slantRange: {Name: "slant-range", Severity: Warning, Standard: own, Item: "ST 0601 item 21 against items 13-15 and 23-25", Limit: 50, Unit: "m",
		Expected: "a slant range that is the distance from sensor to frame center, within %g m and 2 %%", Remedy: fixSource},
	centerRay: {Name: "center-ray", Severity: Warning, Standard: own, Item: "ST 0601 items 23-25 against items 5-7 and 18-20",
		Expected: "a frame center where attitude and gimbal look, within five times the error ellipse", Remedy: fixSource},
	centerCorners: {Name: "center-corners", Severity: Warning, Standard: own, Item: "ST 0601 items 23, 24 against items 26-33 or 82-89",
		Expected: "a frame center within its corners", Remedy: fixSource},
	widthFOV: {Name: "width-fov", Severity: Warning, Standard: own, Item: "ST 0601 item 22 or 96 against items 16 and 21", Limit: 20, Unit: "%",
		Expected: "a width that is the field of view at the slant range, within %g %%", Remedy: fixSource},
	heightDatum: {Name: "height-datum", Severity: Warning, Standard: own, Item: "ST 0601 items 15, 25, 69 against 75 or 104, 78, 76 or 105",
		Expected: "heights above the ellipsoid and above the sea that differ by -107 m to 86 m, as the geoid does (EGM96)", Remedy: fixSource},
	twinItems: {Name: "twin-items", Severity: Warning, Standard: st0601, Item: "6.1 (ST 0601.8-16, ST 0601.9-20)",
		Expected: "an item and its twin of greater range that say the same to the last step", Remedy: "The one of greater range counts here."},

	vmtiVersion: {Name: "vmti-version", Severity: Warning, Standard: st0903, Item: "ST 0903.5-99, item 4",
		Expected: "the version of ST 0903 in each VMTI set", Remedy: "Places of targets are read wrongly where it is guessed: ask for the version."},
	vmtiCount: {Name: "vmti-count", Severity: Warning, Standard: st0903, Item: "10.1.14 (ST 0903.4-18, -19), items 5, 6, 101",
		Expected: "a reported number of targets that is that of the series and no more than the total", Remedy: fixWriter},
	vmtiFrame: {Name: "vmti-frame", Severity: Warning, Standard: st0903, Item: "ST 0903.6-121, item 8",
		Expected: "the frame's width where targets are given by pixel numbers", Remedy: "Without it a pixel number is no place: ask for the frame's size."},
	vmtiPixel: {Name: "vmti-pixel", Severity: Warning, Standard: st0903, Item: "9.2.3, 10.2 items 1 to 3, 19, 20",
		Expected: "pixels within the frame, and boxes whose corners are in order", Remedy: "Do not use the target's place. Tell the maker of the detector."},
	vmtiID: {Name: "vmti-id", Severity: Warning, Standard: st0903, Item: "ST 0903.6-126",
		Expected: "each target once in a series", Remedy: fixWriter},
	vmtiChecksum: {Name: "vmti-checksum", Severity: Note, Standard: st0903, Item: "ST 0903.6-120, item 1",
		Expected: "no checksum in a VMTI set within another", Remedy: "Harmless: that of the outer packet counts."},

	streamsUnchecked: {Name: "streams-unchecked", Severity: Warning, Standard: own, Item: "bounds of this check", Limit: maxLanes, Unreadable: true,
		Expected: "at most %g streams of metadata", Remedy: "Split the file by PID and check the parts."},
}
