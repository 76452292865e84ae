package cot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/atalaya-isr/atalaya"
)

// A Form is how an event is written.
type Form uint8

// The forms of an event.
const (
	XML    Form = iota // a document
	Mesh               // a protobuf message behind bf 01 bf, one a datagram
	Stream             // a protobuf message behind bf and its length
)

// magic begins every frame of the TAK protocol.
const magic = 0xbf

// AppendMesh appends a message with the header of a datagram.
func AppendMesh(b, message []byte) []byte { return append(append(b, magic, 1, magic), message...) }

// AppendStream appends a message with the header that it has on a connection.
func AppendStream(b, message []byte) []byte {
	return append(protowire.AppendVarint(append(b, magic), uint64(len(message))), message...)
}

// An Item is an event as it was met, or a place where none could be read.
type Item struct {
	Event Event
	Form  Form
	At    int64 // offset of its first byte
	// Problem says what could not be read, and where reading goes on; Event is then the zero value.
	Problem *atalaya.Error
}

// A Reader reads events one after the other, in any mixture of forms, as connections carry them and as captures of datagrams hold them. What is no
// event is told and passed over, up to where the next one begins. It holds at most one event, and reads no further than it must.
type Reader struct {
	// Controls counts the messages that held no event, as those that tell which versions a sender speaks.
	Controls int
	w        window
	name     string
	// credit is how many bytes may be looked at a second time: a frame that cannot be read is searched for beginnings of others, but an input made of
	// nothing else must not cost more than its length.
	credit, seen int64
	in           *document // what parser reads
	parser       *parser   // nil where the last one met something that it could not read
}

// NewReader reads from r; name is its name in messages.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{w: window{in: r, hold: -1}, name: name, credit: 64 << 10}
}

// Next gives the next event or problem, and io.EOF behind the last. Any other error is of the input, and final.
func (r *Reader) Next() (Item, error) {
	for {
		r.blanks()
		if !r.w.need(1) {
			if r.w.end != io.EOF {
				return Item{}, &atalaya.Error{Op: "cot.read", File: r.name, Place: fmt.Sprintf("byte 0x%x", r.w.offset()), Kind: atalaya.Failed,
					Hint: "Check that the input can be read to its end", Err: r.w.end}
			}
			return Item{}, io.EOF
		}
		it := Item{At: r.w.offset()}
		var fault *atalaya.Error
		switch {
		case r.frame():
			it.Event, it.Form, fault = r.message()
		case r.w.peek(0) == '<':
			it.Event, fault = r.document(it.At)
		default:
			fault = fail(it.At, "Send Cursor on Target as XML, or as frames of TAK protocol version 1", "neither XML nor a frame of the TAK protocol")
			r.w.at++
		}
		switch {
		case fault == nil:
			return it, nil
		case errors.Is(fault, ErrNoEvent):
			r.Controls++
		case r.w.end != nil && r.w.end != io.EOF && fault.Kind == atalaya.Failed:
			fault.File = r.name
			return Item{}, fault
		default:
			r.resume()
			fault.File = r.name
			fault.Err = fmt.Errorf("%w; reading goes on at byte 0x%x", fault.Err, r.w.offset())
			return Item{At: it.At, Problem: fault}, nil
		}
	}
}

// blanks passes over what may stand between events: blanks and byte order marks.
func (r *Reader) blanks() {
	for r.w.need(1) {
		switch c := r.w.peek(0); {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			r.w.at++
		case c == 0xef && r.w.need(3) && r.w.peek(1) == 0xbb && r.w.peek(2) == magic:
			r.w.at += 3
		default:
			return
		}
	}
}

// resume goes on to where an event may begin.
func (r *Reader) resume() {
	for r.w.need(1) {
		switch r.w.peek(0) {
		case magic:
			if r.frame() {
				return
			}
		case '<':
			if r.w.has("<event") || r.w.has("<?xml") {
				return
			}
		}
		r.w.at++
	}
}

// frame reports whether a frame may begin here: its header is whole, and a field of TakMessage follows, or XML in a datagram of version 0.
func (r *Reader) frame() bool {
	head, _, ok := r.header()
	if !ok || !r.w.need(head+1) {
		return false
	}
	switch r.w.peek(head) {
	case 0x0a, 0x12, 0x18, 0x20: // takControl, cotEvent, submissionTime, creationTime
		return true
	case '<':
		return r.w.peek(1) == 0 && head == 3
	}
	return false
}

// header reads the header of a frame: its length, and that of the message, which is -1 for a datagram.
func (r *Reader) header() (head, length int, ok bool) {
	if !r.w.need(3) || r.w.peek(0) != magic {
		return 0, 0, false
	}
	if v := r.w.peek(1); v < 2 && r.w.peek(2) == magic {
		return 3, -1, true
	}
	for head = 1; ; head++ {
		if head > 5 || !r.w.need(head+1) {
			return 0, 0, false
		}
		c := int(r.w.peek(head))
		length |= c & 0x7f << (7 * (head - 1))
		if c < 0x80 {
			break
		}
	}
	return head + 1, length, length > 0 && length <= MaxEvent
}

// message reads a frame.
func (r *Reader) message() (Event, Form, *atalaya.Error) {
	head, length, _ := r.header()
	begin := r.w.offset()
	datagram, xml := length < 0, r.w.peek(1) == 0
	r.w.at += head
	if datagram && xml {
		e, fault := r.document(begin)
		return e, XML, fault
	}
	if datagram {
		n, fault := r.datagram()
		var e Event
		if fault == nil {
			e, fault = parseProto(r.w.left()[:n], r.w.offset())
		}
		r.pass(n, fault)
		return e, Mesh, fault
	}
	if !r.w.need(length) { // go on behind the header: that the length is right is anything but sure
		return Event{}, Stream, fail(begin, whole, "a frame of %d bytes breaks off after %d", length, len(r.w.left()))
	}
	e, fault := parseProto(r.w.left()[:length], r.w.offset())
	if fault == nil || fault.Err == ErrNoEvent || r.begins(length) {
		r.w.at += length
		return e, Stream, fault
	}
	var f flaw
	errors.As(fault, &f)
	r.pass(int(min(max(f.at-r.w.offset(), 0), int64(length))), fault)
	return Event{}, Stream, fault
}

// pass goes on behind n bytes of a message that were looked at. Where they cannot be read they are searched, as far as the credit reaches: a frame
// that was cut off has others in it.
func (r *Reader) pass(n int, fault *atalaya.Error) {
	r.credit = min(r.credit+16*(r.w.offset()-r.seen), 1<<20)
	r.seen = r.w.offset()
	if fault != nil && fault.Err != ErrNoEvent && int64(n) <= r.credit {
		r.credit -= int64(n)
		return
	}
	r.w.at += n
}

// begins reports whether an event may begin n bytes further, or the input ends there.
func (r *Reader) begins(n int) bool {
	if !r.w.need(n + 1) {
		return true
	}
	c := r.w.peek(n)
	return c == magic || c == '<' || c == '\n' || c == '\r' || c == ' '
}

// datagram gives the length of a message that nothing else says: it ends with the input, or where no field can begin but an event can, since the
// first byte of a frame and of XML are tags of wire types that a message does not have. With a fault it is what was looked at.
func (r *Reader) datagram() (n int, fault *atalaya.Error) {
	for r.w.need(n + 1) {
		if c := r.w.peek(n); c == magic || c == '<' {
			break
		}
		size, fault := r.field(n)
		if fault != nil {
			return n, fault
		}
		if n += size; n > MaxEvent {
			return n, fail(r.w.offset(), "Split it", "an event of more than %d bytes", MaxEvent)
		}
	}
	return n, nil
}

// field is the length of the field that begins n bytes further.
func (r *Reader) field(n int) (int, *atalaya.Error) {
	at := r.w.offset() + int64(n)
	r.w.need(n + 2*protowire.SizeVarint(1<<63)) // tag and length, as far as they are there
	b := r.w.left()[n:]
	num, typ, size := protowire.ConsumeTag(b)
	if size < 0 {
		return 0, fail(at, whole, "no protobuf field: %v", protowire.ParseError(size))
	}
	var length uint64
	switch typ {
	case protowire.BytesType:
		v, m := protowire.ConsumeVarint(b[size:])
		if m < 0 {
			return 0, fail(at, whole, "field %d breaks off: %v", num, protowire.ParseError(m))
		}
		size, length = size+m, v
	case protowire.VarintType:
		_, m := protowire.ConsumeVarint(b[size:])
		if m < 0 {
			return 0, fail(at, whole, "field %d breaks off: %v", num, protowire.ParseError(m))
		}
		length = uint64(m)
	case protowire.Fixed64Type:
		length = 8
	case protowire.Fixed32Type:
		length = 4
	default:
		return 0, fail(at, whole, "a field of wire type %d, which no message has", typ)
	}
	if length > MaxEvent {
		return 0, fail(at, whole, "a field of %d bytes", length)
	}
	size += int(length)
	if !r.w.need(n + size) {
		return 0, fail(at, whole, "a field of %d bytes breaks off", length)
	}
	return size, nil
}

// document reads XML; begin is where it or its frame begins. Where it cannot be read, it goes to where the next event begins in it, or to just before
// the first byte that is wrong, which may begin another.
func (r *Reader) document(begin int64) (Event, *atalaya.Error) {
	r.w.hold = begin
	defer func() { r.w.hold = -1 }()
	if r.parser == nil {
		r.in = &document{w: &r.w}
		r.parser = newParser(r.in, 0)
		r.parser.stream = true
	}
	r.in.begin, r.in.valid = r.w.offset(), r.w.offset()
	r.parser.again(r.w.offset())
	e, fault := r.parser.event()
	if fault == nil {
		return e, nil
	}
	next := r.parser.next
	r.parser = nil
	if next == 0 {
		next = r.w.offset() - behind
	}
	r.w.at = int(max(next, begin+1) - r.w.start)
	return Event{}, fault
}

// document is the window as the XML decoder reads it: an event at most, and UTF-8 alone.
type document struct {
	w            *window
	begin, valid int64 // valid is up to where it is known to be UTF-8
}

func (d *document) ReadByte() (byte, error) {
	if d.w.offset() >= d.valid {
		if err := d.more(); err != nil {
			return 0, err
		}
	}
	d.w.at++
	return d.w.buf[d.w.at-1], nil
}

// Read reads one byte, so that nothing is taken that the decoder does not ask for.
func (d *document) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := d.ReadByte()
	if err != nil {
		return 0, err
	}
	b[0] = c
	return 1, nil
}

func (d *document) more() error {
	if d.w.offset()-d.begin >= MaxEvent {
		return errLong
	}
	if !d.w.need(1) {
		return d.w.end
	}
	left := d.w.left()
	for !utf8.FullRune(left) && d.w.need(len(left)+1) {
		left = d.w.left()
	}
	n := len(left)
	if !utf8.Valid(left) {
		n = invalid(left)
	}
	if n == 0 {
		return errUTF8
	}
	d.valid = min(d.w.offset()+int64(n), d.begin+MaxEvent)
	return nil
}

// behind are the bytes before the next one that a window keeps: more than `<?xml` and `<event` have.
const behind = 8

// A window is the part of the input that is being looked at.
type window struct {
	in    io.Reader
	buf   []byte
	at    int   // index in buf of the next byte
	start int64 // offset of buf[0]
	hold  int64 // from here on nothing is dropped; -1 when nothing is held
	end   error // what the input ended with
}

func (w *window) offset() int64   { return w.start + int64(w.at) }
func (w *window) left() []byte    { return w.buf[w.at:] }
func (w *window) peek(i int) byte { return w.buf[w.at+i] }
func (w *window) has(s string) bool {
	return w.need(len(s)) && bytes.HasPrefix(w.left(), []byte(s))
}

// need reports whether n more bytes are there, and reads until they are.
func (w *window) need(n int) bool {
	for len(w.buf)-w.at < n {
		if w.end != nil {
			return false
		}
		w.room()
		for tries := 0; w.end == nil; tries++ {
			m, err := w.in.Read(w.buf[len(w.buf):cap(w.buf)])
			w.buf = w.buf[:len(w.buf)+m]
			if w.end = err; m > 0 {
				break
			}
			if err == nil && tries > 100 {
				w.end = io.ErrNoProgress
			}
		}
	}
	return true
}

// room makes room for another piece. What was passed is dropped only where it is at least as much as what stays, so that all moving together costs no
// more than the reading.
func (w *window) room() {
	if cap(w.buf)-len(w.buf) >= 4<<10 {
		return
	}
	drop := max(w.at-behind, 0)
	if w.hold >= 0 {
		drop = min(drop, int(w.hold-w.start))
	}
	stays := w.buf[drop:]
	into := w.buf
	if drop < len(stays) || cap(into) < 32<<10 {
		into = make([]byte, max(32<<10, 2*len(stays)))
	}
	w.buf = into[:copy(into, stays)]
	w.at, w.start = w.at-drop, w.start+int64(drop)
}
