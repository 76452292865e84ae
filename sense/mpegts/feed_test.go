package mpegts_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// socket gives the datagrams that are sent to it, one a Read, until it is closed.
type socket struct {
	in   chan []byte
	once sync.Once
}

func newSocket(datagrams ...[]byte) *socket { return socketOf(1000, datagrams) }

// socketOf has room for so many more.
func socketOf(more int, datagrams [][]byte) *socket {
	s := &socket{in: make(chan []byte, len(datagrams)+more)}
	for _, d := range datagrams {
		s.in <- d
	}
	return s
}

func (s *socket) Read(p []byte) (int, error) {
	d, ok := <-s.in
	if !ok {
		return 0, io.EOF
	}
	return copy(p, d), nil
}

func (s *socket) Close() { s.once.Do(func() { close(s.in) }) }

// sevens are the packets of a stream, seven a datagram.
func sevens(b []byte) (out [][]byte) {
	for len(b) > 0 {
		n := min(7*188, len(b))
		out, b = append(out, b[:n]), b[n:]
	}
	return out
}

// overRTP puts an RTP header before each: with two contributing sources, an extension and padding in turn.
func overRTP(from uint16, datagrams [][]byte) (out [][]byte) {
	for i, d := range datagrams {
		n := from + uint16(i)
		h := []byte{0x80, 33, byte(n >> 8), byte(n), 0, 0, 0, 0, 1, 2, 3, 4}
		switch i % 4 {
		case 1:
			h[0] |= 2
			h = append(h, 1, 1, 1, 1, 2, 2, 2, 2)
		case 2:
			h[0] |= 0x10
			h = append(h, 0xbe, 0xde, 0, 1, 9, 9, 9, 9)
		}
		d = append(h, d...)
		if i%4 == 3 {
			d[0] |= 0x20
			d = append(d, 0, 0, 3)
		}
		out = append(out, d)
	}
	return out
}

func feed(t testing.TB, datagrams ...[]byte) ([]byte, mpegts.FeedReport) {
	t.Helper()
	s := socketOf(0, datagrams)
	s.Close()
	f := mpegts.NewFeed(t.Context(), s, 1<<20)
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b, f.Report()
}

func TestDatagramsAreOneStream(t *testing.T) {
	b := good(t)
	plain := sevens(b)
	shuffled := overRTP(65500, plain) // over the wrap of the sequence number
	for i := 5; i+3 < len(shuffled); i += 9 {
		shuffled[i], shuffled[i+3] = shuffled[i+3], shuffled[i]
	}
	twice := slices.Insert(overRTP(7, plain), 10, overRTP(7, plain)[9])
	for claim, datagrams := range map[string][][]byte{"transport packets": plain, "behind RTP headers": overRTP(65500, plain), "RTP out of order": shuffled, "RTP twice": twice} {
		got, said := feed(t, datagrams...)
		if !bytes.Equal(got, b) || said.Missing+said.Foreign+said.Overrun != 0 || len(said.Problems) != 0 {
			t.Errorf("%s: %d bytes of %d, %+v", claim, len(got), len(b), said)
		}
	}
}

func TestLossOfDatagramsIsTold(t *testing.T) {
	b := good(t)
	d := overRTP(100, sevens(b))
	got, said := feed(t, slices.Delete(slices.Clone(d), 20, 23)...)
	if len(got) != len(b)-3*7*188 || said.Missing != 3 || len(said.Problems) != 1 || said.Problems[0].At != 20*7*188 {
		t.Errorf("%d bytes, %+v", len(got), said)
	}
	got, said = feed(t, slices.Insert(slices.Clone(d), 4, []byte("no transport packets"))...)
	if !bytes.Equal(got, b) || said.Foreign != 1 {
		t.Errorf("%d bytes, %+v", len(got), said)
	}
	events, _, _ := watched(t, slices.Concat(b[:20*7*188], b[23*7*188:]), mpegts.Lost)
	if len(events) == 0 {
		t.Error("the demultiplexer sees the loss too")
	}
}

func TestAFeedWhoseReaderFallsBehindDropsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bytes.Repeat(good(t), 4)
		s := newSocket(sevens(b)...)
		s.Close()
		f := mpegts.NewFeed(t.Context(), s, 100_000)
		synctest.Wait() // all has come, and nobody read
		got, err := io.ReadAll(f)
		said := f.Report()
		if err != nil || len(got) > 100_000 || !bytes.HasSuffix(b, got) || said.Overrun == 0 || int64(len(got)) != said.Bytes {
			t.Errorf("%d bytes, %v, %+v", len(got), err, said.Overrun)
		}
	})
}

// A reader of a silent source is not held for ever: it comes back when its context is done.
func TestAReaderOfASilentSourceComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSocket()
		defer s.Close()
		f := mpegts.NewFeed(ctx, s, 1<<20)
		d := mpegts.NewDemuxer(f)
		done := make(chan error)
		go func() {
			_, err := d.Next()
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("came back before: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// late is an error that is no end.
type late struct{}

func (late) Error() string { return "late" }
func (late) Timeout() bool { return true }

type timing struct {
	socket
	n int
}

func (s *timing) Read(p []byte) (int, error) {
	if s.n++; s.n%2 == 1 {
		return 0, late{}
	}
	return s.socket.Read(p)
}

func TestAFeedLivesOnOverTimeouts(t *testing.T) {
	b := good(t)
	s := &timing{socket: socket{in: newSocket(sevens(b)...).in}}
	s.Close()
	got, err := io.ReadAll(mpegts.NewFeed(t.Context(), s, 1<<20))
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("%d bytes of %d, %v", len(got), len(b), err)
	}
}

// Units come as soon as their bytes are there, not when a buffer is full.
func TestUnitsOfALiveStreamComeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSocket()
		defer s.Close()
		f := mpegts.NewFeed(t.Context(), s, 1<<20)
		d := mpegts.NewDemuxer(f)
		d.Take(func(mpegts.Stream) bool { return true })
		units := make(chan mpegts.Unit, 1000)
		go func() {
			for {
				u, err := d.Next()
				if err != nil {
					return
				}
				units <- u
			}
		}()
		sent := sevens(good(t))
		for _, datagram := range sent[:20] {
			s.in <- datagram
		}
		synctest.Wait()
		got := len(units)
		whole, _ := all(t, bytes.Join(sent[:20], nil))
		// the last picture waits for the beginning of the next
		if got < len(whole)-3 {
			t.Errorf("%d units of %d", got, len(whole))
		}
	})
}

func FuzzFeed(f *testing.F) {
	f.Add(slices.Concat(overRTP(1, sevens(good(f)[:7*188*3]))...), 1328)
	f.Add([]byte(strings.Repeat("G", 188*3)), 188)
	storm.Fuzz(f, func(t testing.TB, b []byte, size int) {
		if size < 1 || size > 65507 {
			return
		}
		var datagrams [][]byte
		for rest := b; len(rest) > 0 && len(datagrams) < 1000; {
			n := min(size, len(rest))
			datagrams, rest = append(datagrams, rest[:n]), rest[n:]
		}
		got, said := feed(t, datagrams...)
		if len(got) > len(b) || int64(len(got)) != said.Bytes {
			t.Fatalf("%d bytes of %d, %+v", len(got), len(b), said)
		}
	})
}
