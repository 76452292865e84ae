package still_test

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/product/still"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

func shot(t testing.TB) still.Shot {
	return still.Shot{Pix: picture(320, 240), Of: video.Size{Width: 320, Height: 240}, PTS: 4.5, Moment: moment(t, looking(30, 60)...)}
}

func chip(t testing.TB) still.Shot {
	s := shot(t)
	s.At = image.Rect(100, 60, 164, 108)
	part := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		copy(part.Pix[y*part.Stride:(y+1)*part.Stride], s.Pix.Pix[s.Pix.PixOffset(100, 60+y):])
	}
	s.Pix, s.Fields = part, "bottom field first"
	return s
}

func drawn(t testing.TB, s still.Shot, from still.Source, m still.Mark) []byte {
	t.Helper()
	b, err := still.Frame(s, from, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFramesAreAsTheyWere(t *testing.T) {
	golden(t, "frame.png", drawn(t, shot(t), made, mark(t, "U//SYNTHETIC")))
	es := made
	es.Language, es.By, es.File = "es", "Análisis", "un vuelo con un nombre que no cabe de ninguna manera en la línea que le toca, ni cortado, SYNTHETIC.ts"
	golden(t, "chip.png", drawn(t, chip(t), es, mark(t, "S//REL TO USA, MEX//SYNTHETIC")))
	bare := shot(t)
	bare.Moment = nil
	golden(t, "bare.png", drawn(t, bare, made, mark(t, "TS//NF//SYNTHETIC")))
}

// TestSameInputSameBytes: nothing of the clock, nothing of a map's order.
func TestSameInputSameBytes(t *testing.T) {
	a, b := drawn(t, chip(t), made, mark(t, "U//SYNTHETIC")), drawn(t, chip(t), made, mark(t, "U//SYNTHETIC"))
	if !bytes.Equal(a, b) {
		t.Error("two drawings of one frame differ")
	}
}

func TestNoPictureWithoutItsMarking(t *testing.T) {
	if b, err := still.Frame(shot(t), made, still.Mark{}); atalaya.KindOf(err) != atalaya.Refused || b != nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	img := decoded(t, drawn(t, shot(t), made, mark(t, "S//NF//SYNTHETIC")))
	red := color.RGBA{0xc8, 0x10, 0x2e, 0xff}
	for _, y := range []int{0, 23, img.Bounds().Dy() - 24, img.Bounds().Dy() - 1} {
		for _, x := range []int{0, img.Bounds().Dx() - 1} {
			if c := color.RGBAModel.Convert(img.At(x, y)); c != red {
				t.Errorf("at %d, %d the banner is %v", x, y, c)
			}
		}
	}
}

// TestALongMarkingStandsInFull: broken into lines, at the width of the least sheet.
func TestALongMarkingStandsInFull(t *testing.T) {
	rel := "S//REL TO USA"
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		rel += ", A" + string(c) + "A, B" + string(c) + "B, C" + string(c) + "C"
	}
	s := shot(t)
	s.Moment = nil
	golden(t, "long.png", drawn(t, s, made, mark(t, rel+"//SYNTHETIC")))
}

// TestPixelsAreUntouched: but for the ring and the cross, which a frame without metadata does not have, each pixel of the picture is
// there, twice as wide and high.
func TestPixelsAreUntouched(t *testing.T) {
	s := shot(t)
	s.Moment = nil
	img := decoded(t, drawn(t, s, made, mark(t, "U//SYNTHETIC")))
	left, top := -1, -1
	for y := 0; y < img.Bounds().Dy() && top < 0; y++ {
		for x := 0; x < img.Bounds().Dx(); x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == (color.RGBA{0, 255, 0, 255}) {
				left, top = x, y
				break
			}
		}
	}
	if top < 0 {
		t.Fatal("the picture's green corner is nowhere")
	}
	for y := range 480 {
		for x := range 640 {
			if got, want := color.RGBAModel.Convert(img.At(left+x, top+y)), s.Pix.At(x/2, y/2); got != want {
				t.Fatalf("at %d, %d %v, want %v", x, y, got, want)
			}
		}
	}
}

// TestProvenanceIsTheSheets: what the text chunks tell. The camera looks to 30 degrees, 60 down from 1000 m: the middle lies 577 m
// from below it, 1155 m from it; a pixel of 10 degrees over 320 px is 1155·2·tan(5°)/320 = 0.63 m across, and 8 over 240 px
// 1155·2·tan(4°)/240/sin(60°) = 0.78 m down. North lies 30 degrees left of up, which the slant turns to
// atan(tan(30°)·0.777/0.631) = 35.4.
func TestProvenanceIsTheSheets(t *testing.T) {
	b := drawn(t, shot(t), made, mark(t, "U//SYNTHETIC"))
	p := provenance(t, b)
	f := p.Frames[0]
	if p.Schema != "atalaya.still/1" || p.Kind != "frame" || p.Marking != "UNCLASSIFIED//SYNTHETIC" || p.SHA256 != made.SHA256 || p.Mission != "SYNTHETIC" {
		t.Errorf("%+v", p)
	}
	if f.PTS != 4.5 || *f.Time != "2026-05-04T12:00:00.000Z" || f.Part != [4]int{0, 0, 320, 240} || f.Drawn != 2 || f.Method != "ray" {
		t.Errorf("%+v", f)
	}
	if *f.Across != 0.63 || *f.Down != 0.78 || math.Abs(*f.North-325) > 1 {
		t.Errorf("%v across, %v down, north at %v", *f.Across, *f.Down, *f.North)
	}
	// Of the steps 1, 2, 5 times a power of ten the least that is not finer than a major semi-axis of 12 to 22 m is 0.0002 degrees.
	if e := f.Ellipse; e == nil || e.Major < 12 || e.Major > 22 || math.Abs(math.Remainder(f.Center.Lat, 2e-4)) > 1e-9 || math.Abs(f.Center.Lat-24.8045) > 3e-4 {
		t.Errorf("%+v, ellipse %+v", f.Center, f.Ellipse)
	}
	if len(f.Box) != 4 {
		t.Errorf("box %v", f.Box)
	}
	text := texts(t, b)
	if text["Disclaimer"] != "UNCLASSIFIED//SYNTHETIC" || !strings.Contains(text["Source"], made.SHA256) || text["Software"] != "atalaya test" {
		t.Errorf("%v", text)
	}
	if c := provenance(t, drawn(t, chip(t), made, mark(t, "U//SYNTHETIC"))); c.Kind != "chip" || c.Frames[0].Part != [4]int{100, 60, 64, 48} || c.Frames[0].Of != [2]int{320, 240} {
		t.Errorf("%+v", c)
	}
}

// TestAPlaceOfUnknownErrorIsCoarse: the metadata's own frame center, of which nothing tells the error, is told to a thousandth of a
// degree of latitude.
func TestAPlaceOfUnknownErrorIsCoarse(t *testing.T) {
	s := shot(t)
	s.Moment = moment(t, klv.Number(23, 24.80517), klv.Number(24, -107.39731), klv.Number(78, 50))
	f := provenance(t, drawn(t, s, made, mark(t, "U//SYNTHETIC"))).Frames[0]
	if f.Method != "reported" || f.Center.Lat != 24.805 || f.Ellipse != nil || f.Across != nil || f.Box != nil {
		t.Errorf("%+v %+v", f, f.Center)
	}
}

func TestTheSkyHasNoPlace(t *testing.T) {
	s := shot(t)
	s.Moment = moment(t, looking(30, -20)...)
	if f := provenance(t, drawn(t, s, made, mark(t, "U//SYNTHETIC"))).Frames[0]; f.Center != nil || f.Across != nil {
		t.Errorf("%+v", f)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	m := mark(t, "U//SYNTHETIC")
	for name, change := range map[string]func(*still.Shot, *still.Source){
		"no pixels":               func(s *still.Shot, _ *still.Source) { s.Pix = nil },
		"another size":            func(s *still.Shot, _ *still.Source) { s.Of.Width = 321 },
		"a part beyond the frame": func(s *still.Shot, _ *still.Source) { s.At = image.Rect(300, 0, 620, 240) },
		"no size":                 func(s *still.Shot, _ *still.Source) { s.Of = video.Size{} },
		"no hash":                 func(_ *still.Shot, f *still.Source) { f.SHA256 = "" },
		"no name":                 func(_ *still.Shot, f *still.Source) { f.File = "" },
		"a strange language":      func(_ *still.Shot, f *still.Source) { f.Language = "fr" },
	} {
		s, from := shot(t), made
		change(&s, &from)
		if b, err := still.Frame(s, from, m); atalaya.KindOf(err) != atalaya.BadUse || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

// TestColoursAreTheWorkbenchs holds the colours here against the token file.
func TestColoursAreTheWorkbenchs(t *testing.T) {
	css, err := os.ReadFile(filepath.Join(fixture.Root(), "web", "src", "tokens.css"))
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("canvas.go")
	if err != nil {
		t.Fatal(err)
	}
	day, _, _ := strings.Cut(string(css), "data-theme")
	for _, name := range []string{"surface", "hatch", "ink", "ink-2", "ink-3", "estimated", "video"} {
		m := regexp.MustCompile(`--` + name + `:(#[0-9a-f]{6})`).FindStringSubmatch(day)
		if m == nil || !strings.Contains(string(src), `"`+m[1]+`"`) {
			t.Errorf("%s is %v in the tokens, which canvas.go does not have", name, m)
		}
	}
}

// BenchmarkFrame draws the sheet of a frame of 1920 x 1080.
func BenchmarkFrame(b *testing.B) {
	s := still.Shot{Pix: picture(1920, 1080), Of: video.Size{Width: 1920, Height: 1080}, PTS: 4.5, Moment: moment(b, looking(30, 60)...)}
	m := mark(b, "U//SYNTHETIC")
	for b.Loop() {
		if _, err := still.Frame(s, made, m); err != nil {
			b.Fatal(err)
		}
	}
}
