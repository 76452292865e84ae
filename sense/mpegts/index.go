package mpegts

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	ieee "hash/crc32"
	"io"
	"iter"
	"math"
	"slices"
)

// The layout of an index is told byte by byte in docs/reference/video-index.md. It is derived from the stream alone and can be
// made again; a reader of another version refuses it.
const (
	indexMagic   = "ATVINDEX"
	indexEnd     = "XEDNIVTA"
	indexVersion = 1
	// blockEntries is how many entries a block holds; it is read as a whole.
	blockEntries = 512
	// maxBlock and maxDirectory bound what a reader takes into memory, in bytes. An entry takes at most 47.
	maxBlock     = blockEntries * 64
	maxDirectory = 64 << 20
	trailerSize  = 32
)

// ErrIndex: bytes that are no index, or one that is damaged or of another version. Make it again from the stream.
var ErrIndex = errors.New("mpegts: no index that can be read")

// An Entry is one unit in an index: a picture, a unit of metadata or of sound.
type Entry struct {
	Kind   Kind
	PID    uint16
	Offset int64 // as of Unit
	// PTS is presentation time in 90 kHz ticks, unwrapped. Where the unit has none it is its time of arrival (Unit.Clock) and
	// Arrival is set; Timed is false where it has neither.
	PTS, DTS       int64
	Timed, Arrival bool
	Random, Intra  bool
	Gap            bool
	Discontinuity  bool
	Sync           bool
	Fields         int
}

// EntryOf is what an index keeps of a unit.
func EntryOf(u Unit) Entry {
	e := Entry{Kind: u.Kind, PID: u.PID, Offset: u.Offset, PTS: u.PTS, DTS: u.DTS, Timed: u.HasPTS, Random: u.Random, Intra: u.Intra,
		Gap: u.Gap, Discontinuity: u.Discontinuity, Sync: u.Sync, Fields: u.Fields}
	if !u.HasPTS && u.HasClock {
		e.PTS, e.DTS, e.Timed, e.Arrival = u.Clock, u.Clock, true, true
	}
	return e
}

// class is what is looked for by time.
type class uint8

const (
	randomPoints class = iota
	allPictures
	allMetadata
	classes
)

func (e Entry) in(c class) bool {
	switch c {
	case randomPoints:
		return e.Kind == Pictures && e.Random
	case allPictures:
		return e.Kind == Pictures
	}
	return e.Kind == Metadata
}

// span is the least and the largest time of the entries of a class.
type span struct{ from, to int64 }

var empty = span{math.MaxInt64, math.MinInt64}

// block is what the directory says of one block.
type block struct {
	at, size     int64
	count        int
	check        uint32
	offset, time int64 // from which the first differences are counted
	spans        [classes]span
}

// The flags of an entry, two bytes.
const (
	flagTimed = 1 << (2 + iota) // the kind lies in bits 0 and 1
	flagArrival
	flagDTS // differs from PTS
	flagRandom
	flagIntra
	flagGap
	flagDiscontinuity
	flagSync
	flagFields // two bits
)

func (e Entry) flags() uint16 {
	f := uint16(e.Kind) | uint16(e.Fields)*flagFields
	for _, b := range [...]struct {
		set  bool
		flag uint16
	}{{e.Timed, flagTimed}, {e.Arrival, flagArrival}, {e.Timed && e.DTS != e.PTS, flagDTS}, {e.Random, flagRandom}, {e.Intra, flagIntra},
		{e.Gap, flagGap}, {e.Discontinuity, flagDiscontinuity}, {e.Sync, flagSync}} {
		if b.set {
			f |= b.flag
		}
	}
	return f
}

func (e *Entry) setFlags(f uint16) {
	e.Kind, e.Fields = Kind(f&3), int(f/flagFields&3)
	e.Timed, e.Arrival, e.Random, e.Intra = f&flagTimed != 0, f&flagArrival != 0, f&flagRandom != 0, f&flagIntra != 0
	e.Gap, e.Discontinuity, e.Sync = f&flagGap != 0, f&flagDiscontinuity != 0, f&flagSync != 0
}

// An Indexer writes the index of a stream while it is read: in one pass, with memory for one block and for a line of the
// directory (some 60 bytes) for each block written.
type Indexer struct {
	w      io.Writer
	at     int64
	block  []byte
	now    block
	last   places
	blocks []block
	err    error
}

// places are offset and time of the last entry of each PID in a block, from which the next is counted.
type places struct {
	offset, time int64 // of a PID that had none
	last         []place
}

type place struct {
	pid          uint16
	offset, time int64
}

func (p *places) begin(offset, time int64) { p.offset, p.time, p.last = offset, time, p.last[:0] }

func (p *places) of(pid uint16) *place {
	for i := range p.last {
		if p.last[i].pid == pid {
			return &p.last[i]
		}
	}
	p.last = append(p.last, place{pid, p.offset, p.time})
	return &p.last[len(p.last)-1]
}

// NewIndexer writes an index to w. Add every unit of the stream, then call Close.
func NewIndexer(w io.Writer) *Indexer {
	x := &Indexer{w: w}
	x.write(append([]byte(indexMagic), indexVersion, 0, 0, 0, 0, 0, 0, 0))
	return x
}

func (x *Indexer) write(b []byte) {
	if x.err == nil {
		_, x.err = x.w.Write(b)
		x.at += int64(len(b))
	}
}

// Add takes the next unit. An error is the writer's own, and stays.
func (x *Indexer) Add(u Unit) error { return x.add(EntryOf(u)) }

func (x *Indexer) add(e Entry) error {
	if x.now.count == 0 {
		x.now = block{offset: e.Offset, time: e.PTS, spans: [classes]span{empty, empty, empty}}
		x.last.begin(e.Offset, e.PTS)
	}
	p := x.last.of(e.PID)
	b := binary.AppendUvarint(x.block, uint64(e.flags()))
	b = binary.AppendUvarint(b, uint64(e.PID))
	b = binary.AppendVarint(b, e.Offset-p.offset)
	if p.offset = e.Offset; e.Timed {
		b = binary.AppendVarint(b, e.PTS-p.time)
		if p.time = e.PTS; e.DTS != e.PTS {
			b = binary.AppendVarint(b, e.PTS-e.DTS)
		}
		for c := range classes {
			if s := &x.now.spans[c]; e.in(c) {
				s.from, s.to = min(s.from, e.PTS), max(s.to, e.PTS)
			}
		}
	}
	x.block = b
	if x.now.count++; x.now.count == blockEntries {
		x.flush()
	}
	return x.err
}

func (x *Indexer) flush() {
	if x.now.count == 0 {
		return
	}
	x.now.at, x.now.size, x.now.check = x.at, int64(len(x.block)), ieee.ChecksumIEEE(x.block)
	x.write(x.block)
	x.blocks = append(x.blocks, x.now)
	x.block, x.now = x.block[:0], block{}
}

// Close writes the directory: the streams as the demultiplexer knows them at its end, and where the blocks lie.
func (x *Indexer) Close(d *Demuxer) error {
	x.flush()
	b := binary.AppendUvarint(nil, uint64(d.f.at))
	b = binary.AppendUvarint(b, uint64(d.f.stride))
	streams := d.Streams()
	b = binary.AppendUvarint(b, uint64(len(streams)))
	for _, s := range streams {
		b = binary.AppendUvarint(b, uint64(s.PID))
		b = binary.AppendUvarint(b, uint64(s.StreamType))
		b = appendText(b, s.Codec)
		b = appendText(b, s.How)
		b = append(b, boolByte(s.Metadata))
		b = binary.AppendUvarint(b, uint64(s.Width))
		b = binary.AppendUvarint(b, uint64(s.Height))
	}
	b = binary.AppendUvarint(b, uint64(len(x.blocks)))
	for i := range x.blocks {
		b = x.blocks[i].append(b)
	}
	t := append([]byte(nil), indexEnd...)
	t = binary.BigEndian.AppendUint64(t, uint64(x.at))
	t = binary.BigEndian.AppendUint64(t, uint64(len(b)))
	t = binary.BigEndian.AppendUint32(t, ieee.ChecksumIEEE(b))
	t = binary.BigEndian.AppendUint32(t, indexVersion)
	x.write(b)
	x.write(t)
	return x.err
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (k *block) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(k.at))
	b = binary.AppendUvarint(b, uint64(k.size))
	b = binary.AppendUvarint(b, uint64(k.count))
	b = binary.BigEndian.AppendUint32(b, k.check)
	b = binary.AppendUvarint(b, uint64(k.offset))
	b = binary.AppendVarint(b, k.time)
	for _, s := range k.spans {
		if s == empty {
			b = append(b, 0)
			continue
		}
		b = binary.AppendVarint(append(b, 1), s.from-k.time)
		b = binary.AppendUvarint(b, uint64(s.to-s.from))
	}
	return b
}

// WriteIndex reads a stream to its end and writes its index.
func WriteIndex(w io.Writer, r io.Reader) error {
	d := NewDemuxer(r)
	d.TakeOutline(func(Stream) bool { return true })
	x := NewIndexer(w)
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			return x.Close(d)
		}
		if err != nil {
			return err
		}
		if err := x.Add(u); err != nil {
			return err
		}
	}
}

// cursor reads the numbers of an index; past the end, or where one is out of its range, it gives zeros and remembers.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > most {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) bytes(n int) []byte {
	if n > len(c.b) {
		c.bad, c.b = true, nil
		return make([]byte, n)
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) text() string { return string(c.bytes(int(c.uvarint(64)))) }

// An Index answers where things lie in a stream. It holds the directory; blocks are read when they are needed, so that an index
// in a blob is read by ranges. It is not safe for concurrent use.
type Index struct {
	// Streams are those of the stream at its end: PID, type, codec, how metadata were known, and size of the picture.
	Streams []Stream
	// Size is that of the stream in bytes; Entries counts units.
	Size    int64
	Entries int64

	r      io.ReaderAt
	stride int
	blocks []block
	held   int // the block in entries, -1 for none
	have   []Entry
}

// OpenIndex reads the directory of an index of size bytes.
func OpenIndex(r io.ReaderAt, size int64) (*Index, error) {
	var head [16]byte
	var tail [trailerSize]byte
	if size < int64(len(head)+len(tail)) {
		return nil, ErrIndex
	}
	if err := errors.Join(readAt(r, head[:], 0), readAt(r, tail[:], size-trailerSize)); err != nil {
		return nil, err
	}
	at, n := binary.BigEndian.Uint64(tail[8:]), binary.BigEndian.Uint64(tail[16:])
	switch {
	case !bytes.HasPrefix(head[:], []byte(indexMagic)) || !bytes.HasPrefix(tail[:], []byte(indexEnd)):
		return nil, ErrIndex
	case head[8] != indexVersion || binary.BigEndian.Uint32(tail[28:]) != indexVersion:
		return nil, fmt.Errorf("%w: version %d, not %d", ErrIndex, head[8], indexVersion)
	case n > maxDirectory || at < uint64(len(head)) || at > uint64(size) || n != uint64(size-trailerSize)-at:
		return nil, fmt.Errorf("%w: the directory lies at %d, %d bytes", ErrIndex, at, n)
	}
	b := make([]byte, n)
	if err := readAt(r, b, int64(at)); err != nil {
		return nil, err
	}
	if ieee.ChecksumIEEE(b) != binary.BigEndian.Uint32(tail[24:]) {
		return nil, fmt.Errorf("%w: the directory is damaged", ErrIndex)
	}
	x := &Index{r: r, held: -1}
	return x, x.directory(&cursor{b: b}, int64(at))
}

// readAt is ReadAt, for which the end of the file after the last byte is none.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends within byte %d", ErrIndex, at)
	}
	return err
}

func (x *Index) directory(c *cursor, end int64) error {
	x.Size, x.stride = int64(c.uvarint(math.MaxInt64)), int(c.uvarint(204))
	if x.stride < packetSize {
		c.bad = true
	}
	for n := c.uvarint(8192); n > 0 && !c.bad; n-- {
		s := Stream{PID: uint16(c.uvarint(nullPID)), StreamType: uint8(c.uvarint(255))}
		s.Codec, s.How, s.Metadata = c.text(), c.text(), c.bytes(1)[0] == 1
		s.Width, s.Height = int(c.uvarint(1<<16)), int(c.uvarint(1<<16))
		x.Streams = append(x.Streams, s)
	}
	next := int64(len(indexMagic) + 8)
	for n := c.uvarint(maxDirectory); n > 0 && !c.bad; n-- {
		k := block{at: int64(c.uvarint(uint64(end))), size: int64(c.uvarint(maxBlock)), count: int(c.uvarint(blockEntries))}
		k.check = binary.BigEndian.Uint32(c.bytes(4))
		k.offset, k.time = int64(c.uvarint(math.MaxInt64)), c.varint()
		for i := range k.spans {
			if k.spans[i] = empty; c.uvarint(1) == 1 {
				from := k.time + c.varint()
				k.spans[i] = span{from, from + int64(c.uvarint(math.MaxInt64))}
			}
		}
		if k.at != next || k.size > end-k.at || k.count == 0 || k.size < int64(3*k.count) { // an entry takes three bytes or more
			c.bad = true
		}
		next += k.size
		x.blocks = append(x.blocks, k)
		x.Entries += int64(k.count)
	}
	if c.bad || len(c.b) > 0 {
		return fmt.Errorf("%w: the directory contradicts itself", ErrIndex)
	}
	return nil
}

// load reads a block.
func (x *Index) load(i int) error {
	if x.held == i {
		return nil
	}
	k := &x.blocks[i]
	b := make([]byte, k.size)
	if err := readAt(x.r, b, k.at); err != nil {
		return err
	}
	if ieee.ChecksumIEEE(b) != k.check {
		return fmt.Errorf("%w: the block at byte %d is damaged", ErrIndex, k.at)
	}
	x.held, x.have = -1, x.have[:0]
	c := &cursor{b: b}
	var last places
	last.begin(k.offset, k.time)
	for range k.count {
		x.have = append(x.have, readEntry(c, &last))
	}
	if c.bad || len(c.b) > 0 {
		return fmt.Errorf("%w: the block at byte %d contradicts itself", ErrIndex, k.at)
	}
	x.held = i
	return nil
}

func readEntry(c *cursor, last *places) (e Entry) {
	f := uint16(c.uvarint(math.MaxUint16))
	e.setFlags(f)
	e.PID = uint16(c.uvarint(nullPID))
	if e.Kind > Sound {
		c.bad = true
	}
	p := last.of(e.PID)
	p.offset += c.varint()
	if e.Offset = p.offset; e.Offset < 0 {
		c.bad = true
	}
	if !e.Timed {
		return e
	}
	p.time += c.varint()
	if e.PTS, e.DTS = p.time, p.time; f&flagDTS != 0 {
		e.DTS -= c.varint()
	}
	return e
}

// All gives every entry, in the order in which the units were complete. It ends with the first error.
func (x *Index) All() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for i := range x.blocks {
			if err := x.load(i); err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range append([]Entry(nil), x.have...) {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// RandomAccess gives the last random access point shown at or before a presentation time; false where there is none. A stream
// of PID 0 is any.
func (x *Index) RandomAccess(pts int64, pid uint16) (Entry, bool, error) {
	return x.before(pts, pid, randomPoints)
}

// Picture gives the last picture shown at or before a presentation time.
func (x *Index) Picture(pts int64, pid uint16) (Entry, bool, error) {
	return x.before(pts, pid, allPictures)
}

// MetadataAt gives the last unit of metadata at or before a presentation time. Of units without a time stamp their arrival
// counts, which lies before the picture that they belong to.
func (x *Index) MetadataAt(pts int64, pid uint16) (Entry, bool, error) {
	return x.before(pts, pid, allMetadata)
}

// before looks through the blocks that may hold the entry, the most promising first. Time may go back in a stream: every block
// is asked, by its span.
func (x *Index) before(pts int64, pid uint16, c class) (best Entry, ok bool, err error) {
	type candidate struct {
		block   int
		promise int64
	}
	var list []candidate
	for i := range x.blocks {
		if s := x.blocks[i].spans[c]; s != empty && s.from <= pts {
			list = append(list, candidate{i, min(s.to, pts)})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.promise, a.promise) })
	for _, k := range list {
		if ok && k.promise <= best.PTS {
			break
		}
		if err := x.load(k.block); err != nil {
			return Entry{}, false, err
		}
		for _, e := range x.have {
			if e.Timed && e.PTS <= pts && e.in(c) && (pid == 0 || e.PID == pid) && (!ok || e.PTS > best.PTS) {
				best, ok = e, true
			}
		}
	}
	return best, ok, nil
}

// ReadFrom gives a demultiplexer of the stream that begins at an entry. It knows the streams without having met their tables,
// and its times lie on the line of the index. Call Take before the first Next for more than metadata. Pictures want a random
// access point to begin at: without the parameter sets that lie there, fields are not known as such.
func (x *Index) ReadFrom(file io.ReaderAt, e Entry) *Demuxer {
	d := NewDemuxer(io.NewSectionReader(file, e.Offset, math.MaxInt64-e.Offset))
	d.f.at, d.f.stride, d.f.begun = e.Offset, x.stride, true
	d.line, d.hasLine = e.PTS, e.Timed
	for _, s := range x.Streams {
		if s.PID < firstStream {
			continue
		}
		p := d.pid(s.PID)
		p.StreamType, p.Codec, p.How, p.Width, p.Height, p.joining = s.StreamType, s.Codec, s.How, s.Width, s.Height, true
		if s.Metadata {
			p.kind = metadataPID
		}
	}
	return d
}
