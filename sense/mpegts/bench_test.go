package mpegts_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// repeated is a stream of at least size bytes made of one clip over and over, with the counters and all times of each copy
// carried on from the last, as if it had been one recording.
func repeated(clip []byte, size int, step int64) []byte {
	clip = clip[:len(clip)/188*188]
	out := make([]byte, 0, size+len(clip))
	counters, first := map[uint16]byte{}, map[uint16]byte{}
	for n := int64(0); len(out) < size; n++ {
		ends := map[uint16]byte{}
		for i := 0; i < len(clip); i += 188 {
			from := len(out)
			out = append(out, clip[i:i+188]...)
			p := out[from:]
			pid := uint16(p[1]&0x1f)<<8 | uint16(p[2])
			if _, ok := first[pid]; !ok {
				first[pid] = p[3] & 15
			}
			p[3] = p[3]&0xf0 | (p[3]-first[pid]+counters[pid])&15
			if ends[pid] = p[3] & 15; p[3]&0x10 == 0 {
				ends[pid]--
			}
			shift(p, n*step)
		}
		for pid, c := range ends {
			counters[pid] = c + 1
		}
	}
	return out
}

// shift moves the clock reference and the time stamps of a packet by a number of ticks.
func shift(p []byte, by int64) {
	from := 4
	if p[3]&0x20 != 0 {
		from = 5 + int(p[4])
		if p[4] >= 7 && p[5]&0x10 != 0 {
			base := int64(p[6])<<25 | int64(p[7])<<17 | int64(p[8])<<9 | int64(p[9])<<1 | int64(p[10])>>7
			base += by
			p[6], p[7], p[8], p[9], p[10] = byte(base>>25), byte(base>>17), byte(base>>9), byte(base>>1), byte(base<<7)|p[10]&0x7f
		}
	}
	if p[1]&0x40 == 0 || from+19 > 188 || p[from] != 0 || p[from+1] != 0 || p[from+2] != 1 {
		return
	}
	for i, flag := range [...]byte{0x80, 0x40} {
		if b := p[from+9+5*i:]; p[from+7]&flag != 0 {
			v := int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
			v += by
			b[0], b[1], b[2], b[3], b[4] = b[0]&0xf0|byte(v>>29)&0x0e|1, byte(v>>22), byte(v>>14)|1, byte(v>>7), byte(v<<1)|1
		}
	}
}

func TestRepeatedClipsAreOneStream(t *testing.T) {
	b := repeated(clip(t, "osh-first-75.ts"), 3<<20, 76*3000)
	events, units, d := watched(t, b, mpegts.TimeBack, mpegts.Lost, mpegts.ClockJumped)
	if len(events) != 0 || len(units) != 6*(76+75) {
		t.Errorf("%d units, %v, %s", len(units), events, problems(d))
	}
}

// BenchmarkStream is a pass over a stream of 64 MB that is the osh clip over and over (2 Mb/s of H.264 and 30 units of metadata
// a second), in one core, beside what the same bytes take at least: a copy, and a look at each packet's header.
func BenchmarkStream(b *testing.B) {
	file := repeated(clip(b, "osh-first-75.ts"), 64<<20, 76*3000)
	each := func(name string, pass func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			from, n := cpuTime(), 0
			for b.Loop() {
				pass(b)
				n++
			}
			if spent := cpuTime() - from; spent > 0 {
				b.ReportMetric(float64(len(file))*float64(n)/1e6/spent.Seconds(), "MB/cpu-s")
			}
		})
	}
	to := make([]byte, len(file))
	each("copy", func(*testing.B) { copy(to, file) })
	each("headers", func(b *testing.B) {
		var count [8192]int
		for i := 0; i+188 <= len(file); i += 188 {
			count[uint16(file[i+1]&0x1f)<<8|uint16(file[i+2])]++
		}
		if count[0] == 0 {
			b.Fatal("no tables")
		}
	})
	read := func(b *testing.B, prepare func(*mpegts.Demuxer), take func(mpegts.Unit)) *mpegts.Demuxer {
		d := mpegts.NewDemuxer(bytes.NewReader(file))
		prepare(d)
		for {
			u, err := d.Next()
			if err == io.EOF {
				return d
			}
			take(u)
		}
	}
	any := func(mpegts.Stream) bool { return true }
	each("metadata", func(b *testing.B) { read(b, func(*mpegts.Demuxer) {}, func(mpegts.Unit) {}) })
	each("metadata and index", func(b *testing.B) {
		x := mpegts.NewIndexer(io.Discard)
		bytes := 0
		d := read(b, func(d *mpegts.Demuxer) { d.TakeOutline(any) }, func(u mpegts.Unit) {
			bytes += len(u.Data)
			if err := x.Add(u); err != nil {
				b.Fatal(err)
			}
		})
		if err := x.Close(d); err != nil || bytes == 0 {
			b.Fatal(err)
		}
	})
	each("all access units", func(b *testing.B) { read(b, func(d *mpegts.Demuxer) { d.Take(any) }, func(mpegts.Unit) {}) })
	each("facts", func(b *testing.B) {
		f := &mpegts.Facts{}
		f.Close(read(b, func(d *mpegts.Demuxer) { d.Watch(f.Add) }, func(mpegts.Unit) {}))
	})
}
