package mpegts

// maxPES bounds what is gathered of one PES packet or access unit of metadata or sound, in bytes. More is given in pieces.
const maxPES = 8 << 20

// A Kind says what a unit holds.
type Kind uint8

// The kinds of units.
const (
	Metadata Kind = iota
	Pictures
	Sound
)

// A Unit is a run of bytes with one time stamp.
//
// Of metadata it is the payload of an asynchronous PES, or one access unit of a synchronous stream: a KLV packet may span
// units, and a unit may hold several. Of video (MPEG-2, H.264, H.265) it is one frame as the stream has it, with start codes
// and the parameter sets before it; two fields that make a frame are one unit. Of sound, and of video in other codecs, it is
// the payload of one PES.
type Unit struct {
	Kind Kind
	PID  uint16
	Data []byte // valid until the next call of Next
	// Offset is in the file, of the transport packet in which the PES begins in which the unit begins. Reading may start there.
	Offset int64
	// PTS is in 90 kHz ticks, unwrapped over the 33 bits of the header; all streams of a file lie on one time line. Where a PES
	// holds several pictures only the first has one.
	PTS    int64
	HasPTS bool
	// DTS is when it is to be decoded, on the same line; equal to PTS where the header has none.
	DTS int64
	// Clock is when the unit's first packet arrived by the program's clock reference (PCR), in 90 kHz ticks on the line of PTS.
	// Presentation comes later than arrival, by the time that the stream lies in buffers (a tenth of a second to a second). It is
	// the only time of a unit that has no PTS.
	Clock    int64
	HasClock bool
	// Sync says that the bytes came in access-unit cells (stream type 0x15 as MISB ST 1402 has it).
	Sync bool
	// Gap says that bytes were lost on this PID: before the unit, so that what was left unfinished stays so; of pictures, within.
	Gap bool
	// Discontinuity says that the packet in which the unit begins had the discontinuity_indicator: time or data start anew.
	Discontinuity bool
	// Random says that decoding may begin here: an IDR or IRAP picture, a recovery point, or an I picture that the
	// random_access_indicator or a parameter set before it marks. Of codecs that are not read, what the indicator says.
	Random bool
	// Flagged is the random_access_indicator itself.
	Flagged bool
	// Intra says that a picture refers to no other.
	Intra bool
	// Fields is 2 for a frame of two fields coded each for itself, 1 for a field whose other is missing, else 0.
	Fields int
}
