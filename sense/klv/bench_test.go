package klv_test

import (
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// madePackets are what cameras send: time, attitude, pointing, position, frame center and corners; 31 items in 227 bytes.
func madePackets(tb testing.TB, n int) [][]byte {
	began := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	out := make([][]byte, n)
	for i := range out {
		f := float64(i) / float64(n)
		values := []klv.Value{klv.Time(2, began.Add(time.Duration(i)*100*time.Millisecond)), klv.TextOf(3, "SYNTHETIC"), klv.Number(5, 360*f), klv.Number(6, 2*f), klv.Number(7, 10*f),
			klv.TextOf(10, "SYNTHETIC UAV"), klv.TextOf(11, "EO"), klv.TextOf(12, "Geodetic WGS84"), klv.Number(13, 24.9+f/100), klv.Number(14, -106.9+f/100), klv.Number(15, 3350),
			klv.Number(16, 9), klv.Number(17, 5), klv.Number(18, 360*f), klv.Number(19, -40+f), klv.Number(20, 0), klv.Number(21, 2300+f), klv.Number(22, 370),
			klv.Number(23, 24.91), klv.Number(24, -106.91), klv.Number(25, 1850)}
		for tag := uint32(26); tag <= 33; tag++ {
			values = append(values, klv.Number(tag, 0.002*f))
		}
		b, err := klv.Encode0601(append(values, klv.Integer(65, 19))...)
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = b
	}
	return out
}

// perPacket runs one over the packets again and again. Beside the mean it reports packets a second of the best window of 256: on a
// machine that does other work too, that is the one that ran undisturbed.
func perPacket(b *testing.B, all [][]byte, one func(p []byte)) {
	total := 0
	for _, p := range all {
		total += len(p)
	}
	b.SetBytes(int64(total) / int64(len(all)))
	b.ReportAllocs()
	const window = 256
	best, began := time.Duration(1<<62), time.Now()
	i, n := 0, 0
	for b.Loop() {
		one(all[i])
		if i++; i == len(all) {
			i = 0
		}
		if n++; n == window {
			now := time.Now()
			best, began, n = min(best, now.Sub(began)), now, 0
		}
	}
	b.ReportMetric(window/best.Seconds(), "best-packets/s")
	b.ReportMetric(window/best.Seconds()*float64(total)/float64(len(all))/1e6, "best-MB/s")
}

// BenchmarkDecode is typed decoding with the checksum verified, beside the bare sum of the same bytes, which any reader must compute, and
// beside the whole tree.
func BenchmarkDecode(b *testing.B) {
	for name, all := range map[string][][]byte{"made": madePackets(b, 256), "truck": packetsOf(b, "truck-411.klv")} {
		b.Run(name+"/typed", func(b *testing.B) {
			var set klv.Set
			perPacket(b, all, func(p []byte) {
				if err := set.Decode(p); err != nil || set.Checksum != klv.Right {
					b.Fatal(err, set.Problems)
				}
			})
		})
		b.Run(name+"/sum", func(b *testing.B) {
			var sink uint16
			perPacket(b, all, func(p []byte) {
				var sum uint16
				for i, c := range p {
					sum += uint16(c) << (8 * (1 - uint(i)&1))
				}
				sink += sum
			})
			if sink == 1 {
				b.Log(sink)
			}
		})
		b.Run(name+"/tree", func(b *testing.B) {
			var set klv.Set
			perPacket(b, all, func(p []byte) {
				if err := set.Decode(p); err != nil {
					b.Fatal(err)
				}
				set.Tree()
			})
		})
	}
}

// BenchmarkGolden is a packet of 141 items with everything nested.
func BenchmarkGolden(b *testing.B) {
	all := streamPackets(b, "h264_klv.ts")
	var set klv.Set
	b.Run("typed", func(b *testing.B) {
		perPacket(b, all, func(p []byte) {
			if err := set.Decode(p); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("tree", func(b *testing.B) {
		perPacket(b, all, func(p []byte) {
			if err := set.Decode(p); err != nil {
				b.Fatal(err)
			}
			set.Tree()
		})
	})
}

// Decoding allocates nothing once the set has room.
func TestDecodingAllocatesNothing(t *testing.T) {
	for name, all := range map[string][][]byte{"made": madePackets(t, 16), "truck": packetsOf(t, "truck-411.klv"), "golden": streamPackets(t, "h264_klv.ts")} {
		var set klv.Set
		if err := set.Decode(all[0]); err != nil {
			t.Fatal(err)
		}
		i := 0
		if n := testing.AllocsPerRun(100, func() {
			if err := set.Decode(all[i%len(all)]); err != nil || len(set.Problems) > 0 {
				t.Fatal(err, set.Problems)
			}
			i++
		}); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}
