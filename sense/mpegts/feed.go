package mpegts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxDatagram is the largest UDP payload, in bytes.
const maxDatagram = 65507

// maxEarly is how many RTP datagrams are kept that came before one that is missing. At 6 Mb/s and seven packets a datagram
// sixteen take 28 ms.
const maxEarly = 16

// A Feed makes a live stream of datagrams one that a Demuxer reads: transport packets (as a rule seven) alone, or behind an RTP
// header (RFC 3550; payload type 33 of RFC 3551, or any other whose payload is transport packets). RTP datagrams that overtook
// each other are put in order, those that came twice left out.
//
// What comes in is kept up to a bound; where the reader falls behind, the oldest goes, and it is told. Reading ends with the
// error of its context when that is done, and with io.EOF when the source ends.
type Feed struct {
	mu      sync.Mutex
	more    sync.Cond
	waiting [][]byte
	part    []byte // of the first one, what is not read yet
	size    int
	bound   int
	err     error // that ends the feed once waiting is empty
	stopped error // that ends it at once
	stop    func() bool
	said    FeedReport
	order   rtpOrder
}

// A FeedReport counts what came in.
type FeedReport struct {
	Datagrams int64
	Bytes     int64 // of transport packets
	// Missing counts RTP datagrams that never came; Early those that were put in order, Late those that came twice or too late.
	Missing, Early, Late int64
	// Overrun counts datagrams dropped because the reader fell behind; Foreign those that hold no transport packets.
	Overrun, Foreign int64
	// Problems are at most 1000, each with the byte of the stream as it is read (transport packets alone) before which it happened.
	Problems []Problem
	Dropped  int
}

// NewFeed takes datagrams from a source of which each Read gives one, as that of a UDP socket does, and keeps up to bound bytes
// of them (at least a datagram). It reads in a goroutine of its own, which ends when the source fails: close that once ctx is
// done, or let it time out now and then (an error with Timeout() true is no end).
func NewFeed(ctx context.Context, source io.Reader, bound int) *Feed {
	f := &Feed{bound: max(bound, maxDatagram)}
	f.more.L = &f.mu
	f.stop = context.AfterFunc(ctx, func() { f.end(context.Cause(ctx)) })
	go f.receive(source)
	return f
}

// end stops reading at once.
func (f *Feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped == nil {
		f.stopped = err
	}
	f.more.Broadcast()
}

func (f *Feed) receive(source io.Reader) {
	defer f.stop()
	b := make([]byte, maxDatagram)
	for {
		n, err := source.Read(b)
		if !f.take(b[:n], err) {
			return
		}
	}
}

// take gives one datagram to the reader; false when no more is wanted.
func (f *Feed) take(b []byte, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(b) > 0 {
		f.said.Datagrams++
		f.sort(b)
	}
	var late interface{ Timeout() bool }
	if err != nil && (!errors.As(err, &late) || !late.Timeout()) {
		f.order.flush(f)
		f.err = err
	}
	f.more.Broadcast()
	return f.err == nil && f.stopped == nil
}

// sort passes on what a datagram holds, in order.
func (f *Feed) sort(b []byte) {
	if arePackets(b) {
		f.keep(b)
		return
	}
	payload, sequence, ok := rtpPayload(b)
	if !ok || !arePackets(payload) {
		f.said.Foreign++
		f.problem("a datagram of %d bytes that holds no transport packets", len(b))
		return
	}
	f.order.take(f, sequence, payload)
}

func (f *Feed) problem(format string, a ...any) {
	if len(f.said.Problems) == maxProblems {
		f.said.Dropped++
		return
	}
	f.said.Problems = append(f.said.Problems, Problem{f.said.Bytes, fmt.Sprintf(format, a...)})
}

// keep queues transport packets, and drops the oldest where there are too many.
func (f *Feed) keep(b []byte) {
	for f.size+len(b) > f.bound && len(f.waiting) > 0 {
		f.size -= len(f.waiting[0])
		f.said.Bytes -= int64(len(f.waiting[0]))
		f.waiting = f.waiting[1:]
		f.said.Overrun++
		f.problem("the reader fell behind: a datagram is dropped")
	}
	f.waiting = append(f.waiting, append([]byte(nil), b...))
	f.size += len(b)
	f.said.Bytes += int64(len(b))
}

// Read gives bytes of transport packets as soon as there are any.
func (f *Feed) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.stopped == nil && f.err == nil && len(f.waiting) == 0 && len(f.part) == 0 {
		f.more.Wait()
	}
	if f.stopped != nil {
		return 0, f.stopped
	}
	if len(f.part) == 0 {
		if len(f.waiting) == 0 {
			return 0, f.err
		}
		f.part, f.waiting = f.waiting[0], f.waiting[1:]
		f.size -= len(f.part)
	}
	n := copy(p, f.part)
	f.part = f.part[n:]
	return n, nil
}

// Report says what came in so far.
func (f *Feed) Report() FeedReport {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.said
	r.Problems = append([]Problem(nil), r.Problems...)
	return r
}

// arePackets says that b is transport packets from end to end.
func arePackets(b []byte) bool {
	for _, s := range [...]struct{ stride, sync int }{{packetSize, 0}, {204, 0}, {192, 4}} {
		if len(b) < s.stride || len(b)%s.stride != 0 {
			continue
		}
		ok := true
		for i := s.sync; i < len(b); i += s.stride {
			ok = ok && b[i] == syncByte
		}
		if ok {
			return true
		}
	}
	return false
}

// rtpPayload reads an RTP header (RFC 3550, section 5.1) with its sources, extension and padding.
func rtpPayload(b []byte) (payload []byte, sequence uint16, ok bool) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return nil, 0, false
	}
	from := 12 + 4*int(b[0]&15)
	if b[0]&0x10 != 0 {
		if len(b) < from+4 {
			return nil, 0, false
		}
		from += 4 + 4*(int(b[from+2])<<8|int(b[from+3]))
	}
	to := len(b)
	if b[0]&0x20 != 0 {
		to -= int(b[len(b)-1])
	}
	if from >= to {
		return nil, 0, false
	}
	return b[from:to], uint16(b[2])<<8 | uint16(b[3]), true
}

// rtpOrder puts datagrams in the order of their sequence numbers.
type rtpOrder struct {
	begun bool
	next  uint16
	early []early
}

type early struct {
	sequence uint16
	payload  []byte
}

func (o *rtpOrder) take(f *Feed, sequence uint16, payload []byte) {
	const far = 1000 // further than this the sender began anew
	ahead := int16(sequence - o.next)
	switch {
	case !o.begun || ahead > far || ahead < -far:
		if o.begun {
			o.flush(f)
			f.problem("RTP: sequence number %d where %d is due: the sender began anew", sequence, o.next)
		}
		o.begun, o.next = true, sequence+1
		f.keep(payload)
	case ahead < 0 || o.has(sequence):
		f.said.Late++
	case ahead == 0:
		f.keep(payload)
		o.next++
		o.release(f)
	default:
		o.early = append(o.early, early{sequence, append([]byte(nil), payload...)})
		f.said.Early++
		if len(o.early) > maxEarly {
			o.skip(f)
		}
	}
}

func (o *rtpOrder) has(sequence uint16) bool {
	for _, e := range o.early {
		if e.sequence == sequence {
			return true
		}
	}
	return false
}

// release passes on what was early and is due now.
func (o *rtpOrder) release(f *Feed) {
	for i := 0; i < len(o.early); {
		if o.early[i].sequence != o.next {
			i++
			continue
		}
		f.keep(o.early[i].payload)
		o.early = append(o.early[:i], o.early[i+1:]...)
		o.next++
		i = 0
	}
}

// skip gives up what is missing before the first of those that are early.
func (o *rtpOrder) skip(f *Feed) {
	first := o.early[0].sequence
	for _, e := range o.early {
		if int16(e.sequence-first) < 0 {
			first = e.sequence
		}
	}
	n := int64(first - o.next)
	f.said.Missing += n
	f.problem("RTP: %d datagrams are missing", n)
	o.next = first
	o.release(f)
}

func (o *rtpOrder) flush(f *Feed) {
	for len(o.early) > 0 {
		o.skip(f)
	}
}
