package simulate

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// filmed is the film of the small scenario, and the luma of its pictures as they were drawn, without what is cropped.
func filmed(t testing.TB, seed uint64) (c *country, file []byte, drawn [][]byte) {
	t.Helper()
	s, err := Find("small")
	if err != nil {
		t.Fatal(err)
	}
	if c, err = settle(s, seed); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.film(&out); err != nil {
		t.Fatal(err)
	}
	d := mpegts.NewDemuxer(bytes.NewReader(out.Bytes()))
	d.Take(mpegts.Stream.IsVideo)
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			return c, out.Bytes(), drawn
		}
		if err != nil {
			t.Fatal(err)
		}
		if u.Kind == mpegts.Pictures {
			drawn = append(drawn, lumaOf(t, u.Data))
		}
	}
}

// lumaOf takes the samples out of an access unit by their place alone: the last NAL unit ends with 240 macroblocks of 386 bytes, in which no byte
// was put in (no two zeros follow each other in them), and the stop bit; of the first macroblock the two bytes before the samples differ.
func lumaOf(t testing.TB, unit []byte) []byte {
	t.Helper()
	const blocks, wide = 20 * 12, 320
	out := make([]byte, wide*180)
	body := unit[:len(unit)-1]
	for i := range blocks {
		samples := body[len(body)-(blocks-i)*386+2:][:256]
		for row := range 16 {
			if y := i/20*16 + row; y < 180 {
				copy(out[y*wide+i%20*16:], samples[row*16:][:16])
			}
		}
	}
	return out
}

// ffmpeg, which had no part in the writing, decodes the very samples that were drawn, and says of the stream what it is.
func TestFilmDecodesToWhatWasDrawn(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: nothing decodes H.264 here")
	}
	_, file, drawn := filmed(t, 1)
	name := filepath.Join(t.TempDir(), "film.ts")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	run := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "warning", "-i", name, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	run.Stderr = &said
	got, err := run.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	const picture = 320 * 180 * 3 / 2
	if len(drawn) != 128 || len(got) != len(drawn)*picture {
		t.Fatalf("%d drawn, %d bytes decoded", len(drawn), len(got))
	}
	for i, want := range drawn {
		have := got[i*picture:][:picture]
		if !bytes.Equal(have[:len(want)], want) {
			t.Fatalf("picture %d is decoded otherwise than it was drawn", i)
		}
		if bytes.Count(have[len(want):], []byte{128}) != picture-len(want) {
			t.Fatalf("picture %d has colours", i)
		}
	}
}

// The checker of STANAG 4609 finds no fault in the film, save what all simulated cameras leave out of their metadata.
func TestFilmConforms(t *testing.T) {
	_, file, _ := filmed(t, 1)
	r, err := check.Check(bytes.NewReader(file), check.Default)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Class == "minimum-missing" || f.Class == "security-incomplete" {
			continue
		}
		t.Errorf("%s at %v: %s, wanted %s", f.Class, f.Place, f.What, f.Expected)
	}
}

// A truck lies in the picture where the metadata of its frame put its place, within what the metadata get wrong.
func TestFilmShowsTrucksWhereTheyAre(t *testing.T) {
	c, file, drawn := filmed(t, 3)
	chance := numeric.NewStream(c.seed, blockFilm)
	v := c.cameraOf(c.Film.flight(), chance)
	beginErrors(chance)
	g := c.landscape(v, chance)
	n, seen, worst := 0, 0, 0.0
	err := video.ReadLooks(video.NewReader(bytes.NewReader(file)), video.DefaultSigmas, func(_ *video.Packet, l *video.Look) error {
		at := float64(n) / c.Film.RateHz
		for _, k := range g.trucks {
			d := k.speed * (at - k.half)
			place := c.latLon(k.middle[0]+d*k.along[0], k.middle[1]+d*k.along[1])
			x, y, _, ok := l.PixelOf(video.Position{Lat: place.Lat, Lon: place.Lon, HeightM: c.GroundHAE, Datum: video.HAE}, video.Size{Width: 320, Height: 180})
			if !ok || x < 25 || x > 295 || y < 35 || y > 155 {
				continue
			}
			if off, ok := nearest(drawn[n], x, y, k.grey); ok {
				seen, worst = seen+1, math.Max(worst, off)
			} else {
				t.Errorf("frame %d: no truck of grey %g near (%.0f, %.0f)", n, k.grey, x, y)
			}
		}
		n++
		return nil
	})
	if err != nil || n != len(drawn) || seen < 100 {
		t.Fatalf("%d looks of %d pictures, %d trucks: %v", n, len(drawn), seen, err)
	}
	t.Logf("%d trucks, %.1f px off at most", seen, worst)
}

// reach is how far, in pixels, a truck may lie from where the metadata put it: three deviations of 0.15 degrees of heading at 1.8 km (4 px) and
// 0.08 of pitch and roll (3 px), and 2 m.
const reach = 14

// nearest is how far the middle of what is as bright or as dark as a truck lies from a pixel; false where there is none within reach.
func nearest(luma []byte, x, y, grey float64) (off float64, ok bool) {
	var sx, sy, n float64
	for j := int(y) - reach; j <= int(y)+reach; j++ {
		for i := int(x) - reach; i <= int(x)+reach; i++ {
			if v := float64(luma[j*320+i]); grey > 128 && v > 195 || grey < 128 && v < 46 {
				sx, sy, n = sx+float64(i)+0.5, sy+float64(j)+0.5, n+1
			}
		}
	}
	return math.Hypot(sx/n-x, sy/n-y), n >= 5
}
