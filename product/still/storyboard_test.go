package still_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/product/still"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// board is five frames: three of one stretch of ground, one of the next, one without metadata.
func board(t testing.TB) (out []still.Shot) {
	w, h := still.Thumb(640, 480)
	for i := range 5 {
		s := still.Shot{Pix: picture(w, h), Of: video.Size{Width: 640, Height: 480}, PTS: 4.5 + float64(i)}
		if i < 4 {
			values := looking(30, 60)
			if i == 3 {
				values = append(looking(40, 55), klv.Number(13, 24.801))
			}
			s.Moment = moment(t, values...)
			s.Moment.PTS = s.PTS
		}
		out = append(out, s)
	}
	return out
}

func TestStoryboardsAreAsTheyWere(t *testing.T) {
	b, err := still.Storyboard(board(t), made, mark(t, "U//SYNTHETIC"), still.PNG)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "board.png", b)
	p := provenance(t, b)
	if p.Kind != "storyboard" || len(p.Frames) != 5 || p.Frames[0].Center == nil || p.Frames[4].Center != nil || p.Frames[3].PTS != 7.5 {
		t.Errorf("%+v", p)
	}
	again, err := still.Storyboard(board(t), made, mark(t, "U//SYNTHETIC"), still.PNG)
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("drawn again it differs: %v", err)
	}
}

// TestSVGAndHTMLHoldAllTheyShow: both are well formed, bear the marking twice, carry the provenance, and name no other place.
func TestSVGAndHTMLHoldAllTheyShow(t *testing.T) {
	es := made
	es.Language, es.File = "es", `<b>&"vuelo".ts`
	for _, form := range []still.Form{still.SVG, still.HTML} {
		b, err := still.Storyboard(board(t), es, mark(t, "S//NF//SYNTHETIC"), form)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if n := strings.Count(text, ">SECRET//NOFORN//SYNTHETIC<"); n != 2 {
			t.Errorf("%s: the marking stands %d times", form, n)
		}
		if n := strings.Count(text, "data:image/png;base64,"); n != 5 {
			t.Errorf("%s: %d pictures", form, n)
		}
		outside := regexp.MustCompile(`(?i)(?:href|src|url)\s*[=(]\s*["']?(?:https?:|//|file:)`)
		if m := outside.FindString(text); m != "" {
			t.Errorf("%s asks for %s", form, m)
		}
		if strings.Contains(text, "<b>&") {
			t.Errorf("%s: a file's name is taken for markup", form)
		}
		if !strings.Contains(text, "sin observar") || !strings.Contains(text, "Guion gráfico") {
			t.Errorf("%s does not speak Spanish", form)
		}
		if form == still.SVG {
			wellFormed(t, b)
			continue
		}
		m := regexp.MustCompile(`(?s)<script type="application/json" id="atalaya">(.*?)</script>`).FindSubmatch(b)
		var p still.Provenance
		if m == nil || json.Unmarshal(m[1], &p) != nil || p.File != es.File || len(p.Frames) != 5 {
			t.Errorf("the page's provenance: %.300s", m)
		}
		if !strings.Contains(text, `<html lang="es">`) || !strings.Contains(text, "default-src 'none'") {
			t.Error("the page has no language or no policy")
		}
	}
}

func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStoryboardsThatDoNotFitAreRefused(t *testing.T) {
	m := mark(t, "U//SYNTHETIC")
	if _, err := still.Storyboard(board(t), made, still.Mark{}, still.PNG); atalaya.KindOf(err) != atalaya.Refused {
		t.Errorf("without a marking: %v", err)
	}
	small := board(t)
	small[2].Pix = picture(10, 10)
	part := board(t)
	part[0].At = image.Rect(0, 0, 320, 240)
	for name, shots := range map[string][]still.Shot{"none": nil, "too many": make([]still.Shot, still.MostPanels+1), "another size": small, "a part": part} {
		if b, err := still.Storyboard(shots, made, m, still.PNG); atalaya.KindOf(err) != atalaya.BadUse || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if _, err := still.Storyboard(board(t), made, m, "gif"); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("as a gif: %v", err)
	}
	without := board(t)[4:]
	if _, err := still.Storyboard(without, made, m, still.PNG); err != nil {
		t.Errorf("without any place: %v", err)
	}
}
