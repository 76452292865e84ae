package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/atalaya-isr/atalaya/detect/mover/movertest"
	"github.com/atalaya-isr/atalaya/external/ffmpeg"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// missing is why a benchmark cannot be measured here: left out of all, an error where it was asked for by name.
type missing struct{ error }

func (m missing) Unwrap() error { return m.error }

// videoMovers is the whole way from a file of 1920 x 1080 H.264 to tracks, beside the decoder's part of it alone: decoding and
// scaling to the same grey frames, looked at by nobody.
func videoMovers(ctx context.Context, o Options) ([]pair, error) {
	program, err := ffmpeg.Find(ctx)
	if err != nil {
		return nil, missing{err}
	}
	s := movertest.Usual(1)
	s.Width, s.Height, s.Frames, s.Targets, s.SizeLo, s.SizeHi = 1920, 1080, 240, 12, 12, 28
	if o.trial() {
		s.Width, s.Height, s.Frames = 960, 540, 40
	}
	path := filepath.Join(o.Dir, "film.ts")
	if _, err := movertest.Encode(ctx, s, path, 6e6); err != nil {
		return nil, missing{err}
	}
	info, err := program.Probe(ctx, path)
	if err != nil {
		return nil, err
	}
	return []pair{{
		name: fmt.Sprintf("movers in %d frames of %dp H.264", s.Frames, s.Height), unit: "frames/s", reference: "the same frames decoded to 960 x 540 grey, looked at by nobody",
		ours: func() (float64, error) {
			m, err := app.FindMovers(ctx, path, app.MoverOptions{})
			if err == nil && (len(m.Frames) != s.Frames || len(m.Tracks) == 0) {
				err = fmt.Errorf("%d tracks in %d of %d frames", len(m.Tracks), len(m.Frames), s.Frames)
			}
			return float64(s.Frames), err
		},
		theirs: func() (float64, error) {
			n, err := program.Drain(ctx, path, info, ffmpeg.Options{Width: 960, Height: 540})
			return float64(n), err
		},
	}}, nil
}

// klvTree takes packets apart all the way down: the usual one with a VMTI set of eight targets in it.
func klvTree(all [][]byte) (pair, error) {
	targets := make([]klv.Value, 8)
	for i := range targets {
		f := float64(i)
		targets[i] = klv.VTargetOf(int64(i+1), klv.Integer(1, 409600+int64(i)), klv.Integer(2, 400000), klv.Integer(3, 420000), klv.Integer(5, 80),
			klv.LocationPack(17, klv.Location{Lat: 24.9 + f/1000, Lon: -106.9, HAE: 1850, HasSigma: true, Sigma: [3]float64{9, 7, 5}, HasRho: true}), klv.Integer(23, 1))
	}
	vmti := klv.SetOf(74, klv.Integer(4, 6), klv.Integer(5, 8), klv.Integer(6, 8), klv.Integer(8, 1920), klv.Integer(9, 1080), klv.ListOf(101, targets...))
	nested := make([][]byte, len(all))
	for i, p := range all {
		set, err := klv.Decode(p)
		if err != nil {
			return pair{}, err
		}
		node, _ := set.Tree()
		var values []klv.Value
		for k := range node.Nodes {
			if node.Nodes[k].Tag != 1 { // the checksum is written anew
				values = append(values, klv.ValueOf(&node.Nodes[k]))
			}
		}
		if nested[i], err = klv.Encode0601(append(values, vmti)...); err != nil {
			return pair{}, err
		}
	}
	var set klv.Set
	return pair{name: "nested tree: VMTI with eight targets", unit: "packets/s", reference: "16-bit sum of the same bytes",
		ours: func() (float64, error) {
			for _, p := range nested {
				if err := set.Decode(p); err != nil {
					return 0, err
				}
				tree, problems := set.Tree()
				if len(problems) > 0 || len(tree.Item(74).Item(101).Nodes) != len(targets) {
					return 0, fmt.Errorf("targets are missing: %v", problems)
				}
			}
			return float64(len(nested)), nil
		}, theirs: sumOf(nested)}, nil
}

// sumOf is the running sum of ST 0601 item 1 over packets, as plainly as it can be written.
func sumOf(all [][]byte) func() (float64, error) {
	var sink uint16
	return func() (float64, error) {
		for _, p := range all {
			for i, b := range p {
				sink += uint16(b) << (8 * (1 - uint(i)&1))
			}
		}
		if sink == 1 { // the sum must not be optimised away
			sink++
		}
		return float64(len(all)), nil
	}
}

// reel is a stream of at least so many bytes as an aircraft sends it: pictures of 25 kB at 30 a second (6 Mb/s), each with a packet of metadata.
func reel(all [][]byte, size int) ([]byte, error) {
	var file bytes.Buffer
	err := film{all, 15, 25_000, 1}.write(&file, func(i int) bool { return file.Len() < size })
	return file.Bytes(), err
}

// A film is H.264 at 30 pictures a second, of which each so many begin anew, with packets of metadata in turn, one to each so many pictures. What the
// pictures show is noise: they are carried about, and never decoded.
type film struct {
	packets       [][]byte
	group, size   int // pictures, bytes
	packetsEachAt int
}

func (f film) write(to io.Writer, more func(picture int) bool) error {
	w, err := mpegts.NewProgram(to, mpegts.Output{PID: 0x100, StreamType: 0x1b}, mpegts.Output{PID: 0x101, StreamType: 0x06})
	if err != nil {
		return err
	}
	first := slices.Concat([]byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80}, []byte{0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80}, []byte{0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21})
	coded := bytes.Repeat([]byte{0xa5}, f.size)
	for i := 0; more(i); i++ {
		pts, k := int64(900_000+3000*i), i%f.group
		head := []byte{0, 0, 0, 1, 0x41, 0x9a | byte(k%16>>3), byte(k)<<5 | 8, 0x21} // a slice whose frame_num counts from the last random access point
		if k == 0 {
			head = first
		}
		u := mpegts.Unit{Kind: mpegts.Pictures, PID: 0x100, Data: slices.Concat(head, coded), PTS: pts, DTS: pts, HasPTS: true, Random: k == 0}
		if err := w.WriteUnit(u); err != nil {
			return err
		}
		if n := i / f.packetsEachAt; i%f.packetsEachAt == 0 {
			if err := w.WriteUnit(mpegts.Unit{PID: 0x101, Data: f.packets[n%len(f.packets)], PTS: pts, DTS: pts, HasPTS: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

// klvStreams are passes over a transport stream that lies in memory: to typed packets, and with an index of all its units.
func klvStreams(all [][]byte, size int) ([]pair, error) {
	file, err := reel(all, size)
	if err != nil {
		return nil, err
	}
	mb := float64(len(file)) / 1e6
	var set klv.Set
	pass := func(d *mpegts.Demuxer, also func(mpegts.Unit) error) error {
		n := 0
		for {
			u, err := d.Next()
			if err == io.EOF {
				break
			}
			if err == nil && u.Kind == mpegts.Metadata {
				n++
				err = set.Decode(u.Data)
			}
			if err == nil {
				err = also(u)
			}
			if err != nil {
				return err
			}
		}
		if n == 0 || set.Checksum != klv.Right {
			return errors.New("no packet was found, or a checksum failed")
		}
		return nil
	}
	copied := make([]byte, len(file))
	return []pair{
		{name: "transport stream to KLV", unit: "MB/s", reference: "a look at each packet's header",
			ours: func() (float64, error) {
				return mb, pass(mpegts.NewDemuxer(bytes.NewReader(file)), func(mpegts.Unit) error { return nil })
			},
			theirs: func() (float64, error) {
				var count [8192]int
				for i := 0; i+188 <= len(file); i += 188 {
					count[uint16(file[i+1]&0x1f)<<8|uint16(file[i+2])]++
				}
				if count[0] == 0 {
					return 0, errors.New("no tables")
				}
				return mb, nil
			}},
		{name: "transport stream to KLV and index", unit: "MB/s", reference: "a copy of the same bytes",
			ours: func() (float64, error) {
				d, x := mpegts.NewDemuxer(bytes.NewReader(file)), mpegts.NewIndexer(io.Discard)
				d.TakeOutline(func(mpegts.Stream) bool { return true })
				if err := pass(d, x.Add); err != nil {
					return 0, err
				}
				return mb, x.Close(d)
			},
			theirs: func() (float64, error) {
				if copy(copied, file); copied[0] != 0x47 {
					return 0, errors.New("nothing was copied")
				}
				return mb, nil
			}},
	}, nil
}
