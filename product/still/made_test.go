package still_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/product/still"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// start is the first time of the made metadata. SYNTHETIC.
var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// looking is a sensor 1000 m above ground at 50 m, that looks to azimuth and depression degrees down. SYNTHETIC.
func looking(azimuth, depression float64) []klv.Value {
	return []klv.Value{klv.TextOf(3, "SYNTHETIC"), klv.Number(5, azimuth), klv.Number(6, 0), klv.Number(7, 0), klv.Number(13, 24.8), klv.Number(14, -107.4),
		klv.Number(75, 1050), klv.Number(78, 50), klv.Number(16, 10), klv.Number(17, 8), klv.Number(18, 0), klv.Number(19, -depression), klv.Number(20, 0)}
}

// moment is what stands at the packet with these values.
func moment(t testing.TB, values ...klv.Value) *video.Moment {
	t.Helper()
	b, err := klv.Encode0601(append([]klv.Value{klv.Time(2, start)}, values...)...)
	if err != nil {
		t.Fatal(err)
	}
	var m *video.Moment
	err = video.ReadLooks(video.NewReader(bytes.NewReader(b)), video.DefaultSigmas, func(_ *video.Packet, l *video.Look) error {
		m = &video.Moment{Look: *l}
		return nil
	})
	if err != nil || m == nil {
		t.Fatal(err)
	}
	m.PTS, m.HasPTS = 4.5, true
	return m
}

// picture is a made picture: squares of 8 px in two greys over a slope of red and blue, with a green corner.
func picture(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			g := byte(90 + 50*((x/8+y/8)%2))
			p := img.Pix[img.PixOffset(x, y):]
			p[0], p[1], p[2], p[3] = byte(255*x/w), g, byte(255*y/h), 0xff
			if x < 8 && y < 8 {
				p[0], p[1], p[2] = 0, 255, 0
			}
		}
	}
	return img
}

var made = still.Source{File: "SYNTHETIC.ts", Bytes: 123456, SHA256: strings.Repeat("0123456789abcdef", 4), Mission: "SYNTHETIC", Platform: "Made aircraft",
	Sensor: "EO", Program: "atalaya test"}

func mark(t testing.TB, text string) still.Mark {
	t.Helper()
	var none still.Marks
	m, err := none.Mark(text, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// golden compares a picture with a committed one, element by element; with ATALAYA_GOLDEN set it rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("ATALAYA_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if strings.HasPrefix(name, "mosaic") || strings.HasPrefix(name, "unanchored") {
		if runtime.GOARCH != "amd64" { // where products and sums are fused, a pixel may round the other way
			t.Skip("mosaics are held on amd64 only")
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v. Write it with `make golden`, and look at it", err)
	}
	a, b := decoded(t, got), decoded(t, want)
	if a.Bounds() != b.Bounds() {
		t.Fatalf("%s: %v, and the file %v", name, a.Bounds(), b.Bounds())
	}
	apart := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				if apart++; apart == 1 {
					t.Errorf("%s: at %d, %d %v, and in the file %v", name, x, y, a.At(x, y), b.At(x, y))
				}
			}
		}
	}
	if apart > 0 {
		t.Errorf("%s: %d elements differ", name, apart)
	}
}

func decoded(t testing.TB, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// texts are the tEXt chunks of a PNG; each chunk's check sum is held.
func texts(t *testing.T, b []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for b = b[8:]; len(b) > 0; {
		n := int(binary.BigEndian.Uint32(b))
		kind, data := string(b[4:8]), b[8:8+n]
		if crc32.ChecksumIEEE(b[4:8+n]) != binary.BigEndian.Uint32(b[8+n:]) {
			t.Fatalf("chunk %s: wrong check sum", kind)
		}
		if kind == "tEXt" {
			key, value, _ := strings.Cut(string(data), "\x00")
			out[key] = value
		}
		b = b[12+n:]
	}
	return out
}

func provenance(t *testing.T, b []byte) still.Provenance {
	t.Helper()
	var p still.Provenance
	if err := json.Unmarshal([]byte(texts(t, b)["atalaya"]), &p); err != nil {
		t.Fatal(err)
	}
	return p
}
