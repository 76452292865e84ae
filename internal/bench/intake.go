package bench

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"

	"github.com/atalaya-isr/atalaya/intake"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/store/blob"
)

// smallMB is the size of the file that intake reads again and again: far more than is buffered, less than a second of hashing.
func smallMB(o Options) int { return max(1, o.LargeMB/16) }

func intakeFile(ctx context.Context, o Options) ([]pair, error) {
	bare, name := filepath.Join(o.Dir, "bare.ts"), filepath.Join(o.Dir, "intake.ts")
	if err := errors.Join(transportFile(bare, int64(smallMB(o))*1e6, 0), transportFile(name, int64(smallMB(o))*1e6, videoPackets)); err != nil {
		return nil, err
	}
	buf := make([]byte, 1<<20)
	probe := func(name string) func() (float64, error) {
		return func() (float64, error) {
			f, err := intake.Probe(ctx, name, nil)
			if err == nil && (f.Kind != intake.MPEGTS || len(f.Problems) > 0) {
				err = fmt.Errorf("the stream was taken for %s, %v", f.Kind, f.Problems)
			}
			return float64(f.Bytes) / 1e6, err
		}
	}
	hash := func(name string) func() (float64, error) {
		return func() (n float64, err error) {
			h := sha256.New()
			err = reading(name, func(f io.Reader) error {
				k, err := io.CopyBuffer(h, f, buf)
				n = float64(k) / 1e6
				return err
			})
			return n, err
		}
	}
	blobs, copied := filepath.Join(o.Dir, "blobs"), filepath.Join(o.Dir, "copied")
	return []pair{
		{name: "video at 5 Mbit/s, metadata at 10 Hz", unit: "MB/s", reference: "SHA-256 of the same file", ours: probe(name), theirs: hash(name)},
		{name: "metadata packets and nothing else", unit: "MB/s", reference: "SHA-256 of the same file", ours: probe(bare), theirs: hash(bare)},
		{name: "the video, kept among the blobs and synced", unit: "MB/s", reference: "a copy of the same file, synced",
			ours: func() (float64, error) {
				if err := os.RemoveAll(blobs); err != nil { // what is there already would not be written again
					return 0, err
				}
				d, err := blob.Open(blobs, nil)
				if err != nil {
					return 0, err
				}
				var n int64
				err = reading(name, func(f io.Reader) error { _, n, err = d.Put(f); return err })
				return float64(n) / 1e6, err
			},
			theirs: func() (n float64, err error) {
				to, err := os.Create(copied)
				if err != nil {
					return 0, err
				}
				err = reading(name, func(f io.Reader) error {
					k, err := io.CopyBuffer(struct{ io.Writer }{to}, f, buf)
					n = float64(k) / 1e6
					return err
				})
				return n, errors.Join(err, to.Sync(), to.Close())
			},
			close: func() error {
				return errors.Join(os.Remove(name), os.Remove(bare), os.Remove(copied), os.RemoveAll(blobs))
			}},
	}, nil
}

// intakeMemory measures a small and a large file: what is held must not grow with the file.
func intakeMemory(ctx context.Context, o Options) ([]pair, error) {
	var out []pair
	for _, mb := range []int{smallMB(o), o.LargeMB} {
		out = append(out, pair{name: fmt.Sprintf("peak over a file of %d MB", mb), unit: "MB", reference: "size of the file", once: func() (float64, float64, error) {
			name := filepath.Join(o.Dir, "large.ts")
			if err := transportFile(name, int64(mb)*1e6, videoPackets); err != nil {
				return 0, 0, err
			}
			debug.FreeOSMemory()
			before := heldBytes()
			peak := before
			f, err := intake.Probe(ctx, name, func(string, int64, int64) { peak = max(peak, heldBytes()) })
			return max(float64(peak-before), 1) / 1e6, float64(f.Bytes) / 1e6, errors.Join(err, os.Remove(name))
		}})
	}
	return out, nil
}

// heldBytes is what the program holds of the machine's memory: all that the runtime took and did not give back.
func heldBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}

func reading(name string, do func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(struct{ io.Reader }{f}) // a reader and nothing else, so that both sides copy through a buffer
}

// videoPackets is how many transport packets of a video of 5 Mbit/s lie between two metadata packets that come at 10 Hz.
const videoPackets = 5_000_000 / 8 / 10 / 188

func transportFile(name string, bytes int64, video int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	return errors.Join(transportStream(b, bytes, video), b.Flush(), f.Close())
}

// transportStream writes metadata packets in a transport stream, at least so many bytes, with so many packets of another
// stream, which stands for the pictures, between each two.
func transportStream(w io.Writer, bytes int64, video int) error {
	all, err := packets(256)
	if err != nil {
		return err
	}
	count := &counted{w: w}
	ts := mpegts.NewWriter(count)
	picture := [188]byte{0x47, 0x01, 0x30} // PID 0x130
	for i, n := 0, 0; count.n < bytes; i++ {
		if err := ts.WriteKLV(int64(9000*i), all[i%len(all)]); err != nil {
			return err
		}
		for range video {
			picture[3] = 0x10 | byte(n&15) // payload only; continuity counter
			n++
			if _, err := count.Write(picture[:]); err != nil {
				return err
			}
		}
	}
	return nil
}

type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
