package playback

import (
	"bytes"
	"errors"
	"io"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// The bounds of a group that a Reader gives. A stream with fewer random access points is cut between them.
const (
	maxPictures   = 1200
	maxGroupBytes = 64 << 20
)

// A Reader gives the pictures of one stream by groups.
type Reader struct {
	from   interface{ Next() (mpegts.Unit, error) }
	pid    uint16
	held   mpegts.Unit
	holds  bool
	number uint32
	origin int64
	begun  bool
	err    error
}

// NewReader takes the units of a PID from a demultiplexer that was asked for them; others are passed over. Times are counted
// from origin.
func NewReader(from interface{ Next() (mpegts.Unit, error) }, pid uint16, origin int64) *Reader {
	return &Reader{from: from, pid: pid, origin: origin}
}

// Next gives the next group, from a random access point up to the next; pictures before the first of these are passed over. Its
// bytes are its own. It ends with io.EOF.
func (r *Reader) Next() (Group, error) {
	r.number++
	g := Group{Number: r.number, Origin: r.origin}
	size := 0
	if r.holds {
		g.Pictures, r.holds = append(g.Pictures, r.held), false
	}
	for r.err == nil {
		u, err := r.from.Next()
		if err != nil {
			r.err = err
			break
		}
		if u.PID != r.pid || u.Kind != mpegts.Pictures || !r.begun && !u.Random {
			continue
		}
		r.begun = true
		u.Data = bytes.Clone(u.Data)
		if n := len(g.Pictures); n > 0 && (u.Random || n == maxPictures || size > maxGroupBytes) {
			r.held, r.holds = u, true
			g.Next, g.HasNext = u.DTS, u.HasPTS
			return g, nil
		}
		size += len(u.Data)
		g.Pictures = append(g.Pictures, u)
	}
	if len(g.Pictures) > 0 && errors.Is(r.err, io.EOF) {
		return g, nil
	}
	return Group{}, r.err
}
