package klv

import (
	"bytes"
	"testing"
)

// The words of the MISP Motion Imagery Handbook, p. 126, for CRC-16-CCITT, and the check word of CRC-32/MPEG-2.
func TestCheckWords(t *testing.T) {
	for text, want := range map[string]uint16{"": 0x1d0f, "A": 0x9479, "123456789": 0xe5cc, string(bytes.Repeat([]byte("A"), 256)): 0xe938} {
		if got := crc16CCITT([]byte(text)); got != want {
			t.Errorf("CRC-16 of %q: %04x, want %04x", text, got, want)
		}
	}
	if got := crc32MPEG([]byte("123456789")); got != 0x0376e6e7 {
		t.Errorf("CRC-32 of 123456789: %08x, want 0376e6e7", got)
	}
}

// The running sum is that of the plain loop, for every length and offset: blocks, odd ends, and beyond where a half would overflow.
func TestRunningSumIsThatOfThePlainLoop(t *testing.T) {
	plain := func(b []byte) (sum uint16) {
		for i, c := range b {
			sum += uint16(c) << (8 * (1 - uint(i)&1))
		}
		return sum
	}
	b := bytes.Repeat([]byte{0xff, 0xfe, 0x80, 0x01, 0xff}, 200_003)
	for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 255, 1 << 18, 1<<18 + 33, len(b)} {
		for from := range 3 {
			if part := b[from:min(n+from, len(b))]; sum16(part) != plain(part) {
				t.Errorf("%d bytes from %d: %04x, want %04x", n, from, sum16(part), plain(part))
			}
		}
	}
}

// A number on the scale of ST 1201 keeps its zero, whatever rounding does to it.
func TestZeroIsExact(t *testing.T) {
	for _, r := range [][2]float64{{-19.2, 19.2}, {-0.1, 0.3}, {-900, 19000}} {
		for size := 1; size <= 8; size++ {
			if x, ok := DecodeIMAPB(EncodeIMAPB(0, r[0], r[1], size), r[0], r[1]); !ok || x != 0 {
				t.Errorf("0 over %v in %d bytes comes back as %g", r, size, x)
			}
		}
	}
}

// Every number of sixteen bits comes back as it was, and what lies between two goes to the nearer.
func TestHalfPrecision(t *testing.T) {
	for h := range 1 << 16 {
		x := halfOf(uint16(h))
		if got := halfBits(x); got != uint16(h) && x == x {
			t.Fatalf("%04x is %g, which is written as %04x", h, x, got)
		}
	}
	for x, want := range map[float64]uint16{1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, 0x1p-24: 1, 0x1p-25: 0, 1 + 0x1p-11: 0x3c00, 1 + 0x1.8p-10: 0x3c02} {
		if got := halfBits(x); got != want {
			t.Errorf("%g is written as %04x, want %04x", x, got, want)
		}
	}
}
