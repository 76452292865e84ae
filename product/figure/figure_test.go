package figure

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/locate/source"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/product/font"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// sheet is a small invented one: two legs of five samples, one source, one leg advised.
func sheet() Sheet {
	start := time.Date(2026, 3, 14, 17, 5, 0, 0, time.UTC)
	p := Picture{Schema: Schema, Start: &start, Origin: &Origin{24.9295, -106.8647}, Bounds: [4]float64{-170, -100, 170, 100}, Sensors: []string{"cims-1"},
		Barbs:   []Barb{{X: 0, Y: 40, From: 300, Spread: 10, Speed: 5.2, N: 5}, {X: 60, Y: -40, From: 295, Spread: 12, Speed: 0.5, N: 5}},
		Sources: []Spot{{X: -60, Y: 20, P50: rect(-80, 5, 40, 30), P90: rect(-100, -10, 80, 60), P95: rect(-110, -15, 100, 70)}},
		Heat:    []Lattice{{X: -110, Y: -15, Side: 35, NX: 3, NY: 2, Value: Column{0, 0.2, 0, 0.4, 1, 0.005}}},
		Looked:  &Mask{X: -170, Y: -100, Side: 68, Rows: []string{"00110", "01110", "00110"}},
		Legs:    []Leg{{Kind: "crosswind", From: [2]float64{-20, 80}, To: [2]float64{-60, -60}, HeightM: 20}}}
	nan := math.NaN()
	for i := range 10 {
		x, y := 0.0, 80-40*float64(i)
		if i >= 5 {
			x, y = 60, -80+40*float64(i-5)
		}
		q := &p.Samples
		q.T, q.X, q.Y, q.Z = append(q.T, float64(i)), append(q.X, x), append(q.Y, y), append(q.Z, 20)
		q.From, q.Speed, q.Sensor = append(q.From, 300), append(q.Speed, 5.2), append(q.Sensor, 0)
	}
	p.Samples.All = 40
	p.Compounds = []Channel{
		{Name: "toluene", Unit: "ppb", Value: Column{1, 1, 2, 3, 1, 1, 2, 2, 1, nan}, Baseline: Column{1}, Top: 2},
		{Name: "acetone", Unit: "ppb", Value: Column{3, 3, 40, 60, 5, 3, 12, 20, 6, 3}, Below: []bool{true, true, false, false, false, true, false, false, false, true}, Baseline: Column{3}, Top: 57},
	}
	p.Main = 1
	lat, lon := 24.9297, -106.8653
	g := source.Group{Count: map[string]float64{"0": 0.01, "1": 0.95, "2": 0.04, "3": 0}, DominantAssumption: "dispersion", Samples: 40,
		Sources: []source.Source{{Lat: &lat, Lon: &lon, HeightM: source.Quantiles{P05: 0.3, P50: 1.5, P95: 7}, CovarianceM2: [2][2]float64{{900, 100}, {100, 400}},
			RateKgS:       map[string]atalaya.Interval{"acetone": {Mean: 1.5e-3, P05: 9e-4, P50: 1.4e-3, P95: 2.3e-3}, "toluene": {Mean: 1e-4, P05: 0, P50: 8e-5, P95: 3e-4}},
			RatePosterior: map[string]source.RateBins{"acetone": {LnFrom: math.Log(7e-4), LnStep: math.Log(4) / 20, Counts: []int{4, 9, 16, 26, 40, 58, 72, 83, 90, 88, 80, 66, 50, 38, 26, 18, 12, 8, 5, 3}, Below: 8, Above: 8}}}},
		Assumptions: []source.Assumption{{Name: "dispersion", OfPlace: 0.58, OfRate: 0.31}, {Name: "wind direction", OfPlace: 0.2, OfRate: 0.02}, {Name: "background", OfPlace: 0.04}, {Name: "source height", OfPlace: 0.02, OfRate: 0.12}, {Name: "model error", OfPlace: 0.01, OfRate: 0.01}, {Name: "wind speed", OfRate: 0.2}, {Name: "samples", OfPlace: 0.2, OfRate: 0.35}},
		Dispersion: source.Dispersion{Method: "measured turbulence", SigmaYFactor: source.Quantiles{P05: 0.7, P50: 1, P95: 1.4}, SigmaZFactor: source.Quantiles{P05: 0.6, P50: 0.9, P95: 1.6},
			WindBiasDeg: source.Quantiles{P05: -4, P50: 1, P95: 6}, Fluctuation: source.Quantiles{P05: 0.2, P50: 0.3, P95: 0.5}, EffectiveSamples: 12}}
	return Sheet{Picture: p, Group: g, Title: "flight SYNTHETIC & <small>", Marking: "(U//SYNTHETIC)"}
}

// barren is the sheet of a survey that found nothing.
func barren() Sheet {
	s := sheet()
	s.Language = "es"
	s.Picture.Sources, s.Picture.Heat, s.Picture.Legs, s.Group.Sources = nil, nil, nil, nil
	s.Picture.Origin, s.Picture.Start = nil, nil
	s.Group.DominantAssumption, s.Group.Assumptions = "background", nil
	skipped := atalaya.Say("survey-skipped", "n", "7")
	s.Group.Said, s.Group.Notes = []atalaya.Sentence{skipped}, []string{skipped.English()}
	s.Group.Count = map[string]float64{"0": 0.9, "1": 0.09, "2": 0.01}
	s.Picture.Limit = &Limit{Confidence: 0.95, Compound: "acetone", Side: 68, Cells: [][3]float64{{0, -66, 1e-5}, {0, 2, 1e-4}, {68, 2, 1e-3}}}
	return s
}

// TestSheetsAreAsDrawn holds the sheets to the files that people looked at. ATALAYA_GOLDEN=1 writes them anew; then read the diff.
func TestSheetsAreAsDrawn(t *testing.T) {
	for name, s := range map[string]Sheet{"found": sheet(), "barren": barren()} {
		got, err := SVG(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := SVG(s); err != nil || !bytes.Equal(got, again) {
			t.Errorf("%s: drawn twice it differs (%v)", name, err)
		}
		file := filepath.Join("testdata", name+".svg")
		if os.Getenv("ATALAYA_GOLDEN") != "" {
			if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, got, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s (%v). Look at it, then write it with ATALAYA_GOLDEN=1", name, file, err)
		}
		d := xml.NewDecoder(bytes.NewReader(got))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", name, err)
			}
		}
		for _, foreign := range []string{"href", "url(http", "@import", "<script"} {
			if bytes.Contains(got, []byte(foreign)) {
				t.Errorf("%s holds %s: a sheet fetches nothing", name, foreign)
			}
		}
	}
}

func TestASheetSaysWhatItMust(t *testing.T) {
	for name, c := range map[string]struct {
		s    Sheet
		want []string
		not  []string
	}{
		"found":  {sheet(), []string{"UNCLASSIFIED//SYNTHETIC", "WGS 84", "grid ", "not looked at", "50 and 90 % region", "Rests most on: dispersion", "1.4 g/s (0.9 – 2.3)", "10 of 40 samples drawn", "leg advised", "95 % within", "= 5 (3.2 – 8.3) kg/h", ">1 g/s<", "58 % · 31 %", "the samples themselves", "turbulence measured with the wind", "Measured turbulence"}, []string{"No source found", "stays below"}},
		"barren": {barren(), []string{"UNCLASSIFIED//SYNTHETIC", "metros locales, sin datum", "sin observar", "No se halló fuente", "95 % seguro", "10 mg/s", "fondo", "se pasaron por alto 7 muestras", "Turbulencia medida"}, []string{"WGS 84", "factor de anchura", "región de 50"}},
	} {
		b, err := SVG(c.s)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !bytes.Contains(b, []byte(w)) {
				t.Errorf("%s lacks %q", name, w)
			}
		}
		for _, w := range c.not {
			if bytes.Contains(b, []byte(w)) {
				t.Errorf("%s says %q", name, w)
			}
		}
	}
}

func TestEveryWordIsInBothLanguages(t *testing.T) {
	for key, w := range words {
		if w[0] == "" || w[1] == "" {
			t.Errorf("%s is said in one language only", key)
		}
		for _, part := range strings.Split(w[0], "{")[1:] {
			if name, _, _ := strings.Cut(part, "}"); !strings.Contains(w[1], "{"+name+"}") {
				t.Errorf("%s: the Spanish lacks {%s}", key, name)
			}
		}
	}
}

// What the sheet and the gas room both say is said in the same words, and every warning of the estimator has its Spanish here.
func TestTheSheetSaysWhatTheRoomSays(t *testing.T) {
	catalogue := map[string]map[string]string{}
	for _, language := range []string{"en", "es"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "web", "src", "locales", language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		catalogue[language] = m
	}
	n := 0
	for i, language := range []string{"en", "es"} {
		for key, w := range words {
			if strings.HasPrefix(key, "reduce.") {
				if n++; catalogue[language]["gas."+key] != w[i] {
					t.Errorf("%s, %s: the room says %q", language, key, catalogue[language]["gas."+key])
				}
			}
			if room, ok := catalogue[language]["gas.method."+key]; ok && room != w[i] {
				t.Errorf("%s, %s: the room says %q", language, key, room)
			}
		}
	}
	if n != 16 {
		t.Errorf("%d lines say what would reduce an assumption, want eight in two languages", n)
	}
	for code, line := range warnings {
		if catalogue["es"]["note."+code] != line {
			t.Errorf("note.%s says %q", code, catalogue["es"]["note."+code])
		}
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "locate", "source", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for _, name := range sources {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`atalaya\.Say\("([^"]+)"`).FindAllSubmatch(b, -1) {
			if said++; warnings[string(m[1])] == "" {
				t.Errorf("%s warns of %q, which has no Spanish on a sheet", name, m[1])
			}
		}
	}
	if said < 2 {
		t.Errorf("%d warnings found in the sources: they were read wrongly", said)
	}
}

func TestTheAxisOfARateHasRoundMarks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   []float64
	}{
		{1e-4, 1e-1, []float64{1e-4, 1e-3, 1e-2, 1e-1}},
		{7e-4, 2.8e-3, []float64{1e-3, 2e-3}},
		{9e-4, 2e-2, []float64{1e-3, 3e-3, 1e-2}},
		{6.5e-4, 1.7e-3, []float64{7e-4, 1e-3, 1.5e-3}},
		{1.01e-3, 1.02e-3, []float64{1.01e-3, 1.02e-3}},
	} {
		b := source.RateBins{LnFrom: math.Log(c.lo * 0.9999), LnStep: math.Log(c.hi*1.0001/(c.lo*0.9999)) / 20, Counts: make([]int, 20)}
		got := rateTicks(b)
		if len(got) != len(c.want) {
			t.Errorf("%g to %g: %v, want %v", c.lo, c.hi, got, c.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]/c.want[i]-1) > 2e-4 { // the axis was made a ten-thousandth longer at each end
				t.Errorf("%g to %g: %v, want %v", c.lo, c.hi, got, c.want)
			}
		}
	}
}

// The columns hold the draws: their areas are in the ratio of the counts, and the dark part is that between the 5th and the 95th percentile.
func TestTheColumnsOfARateAreItsDraws(t *testing.T) {
	s := sheet()
	b := source.RateBins{LnFrom: math.Log(1e-3), LnStep: math.Ln2, Counts: []int{1, 2, 0, 4}}
	c := &sketch{}
	y := 100.0
	s.rateChart(c, 0, &y, 110, 40, "acetone", atalaya.Interval{P05: 2e-3, P50: 4e-3, P95: 8e-3}, b)
	if len(c.filled) != 6 || len(c.clips) != 1 {
		t.Fatalf("%d columns filled, %d times clipped; want three, light and dark", len(c.filled), len(c.clips))
	}
	for i, tall := range []float64{10, 20, 40} {
		if r := c.filled[i][0]; math.Abs(r[2][1]-r[0][1]-tall) > 1e-9 || math.Abs(r[1][0]-r[0][0]-25) > 1e-9 {
			t.Errorf("column %d: %v, want 25 by %g", i, r, tall)
		}
	}
	if k := c.clips[0]; math.Abs(k[0]-30) > 1e-9 || math.Abs(k[2]-50) > 1e-9 { // from 2 to 8 g/s are the second and third of four steps of 25
		t.Errorf("dark from %g for %g pixels, want 30 for 50", k[0], k[2])
	}
	if y <= 140 {
		t.Errorf("the next line is drawn at %g, over the chart", y)
	}
	was := y
	if s.rateChart(c, 0, &y, 110, 40, "acetone", atalaya.Interval{}, source.RateBins{Counts: make([]int, 20), Below: 9}); y != was {
		t.Error("a rate without draws has a chart")
	}
}

// sketch is a canvas that remembers what was filled and clipped.
type sketch struct {
	filled [][][][2]float64
	clips  [][4]float64
}

func (s *sketch) rings(p [][][][2]float64, _ style)      { s.filled = append(s.filled, p...) }
func (s *sketch) lines([][][2]float64, style)            {}
func (s *sketch) circle(_, _, _ float64, _ style)        {}
func (s *sketch) text(_, _ float64, _ string, _ letters) {}
func (s *sketch) clip(x, y, w, h float64)                { s.clips = append(s.clips, [4]float64{x, y, w, h}) }
func (s *sketch) unclip()                                {}
func (s *sketch) part(string)                            {}

func TestADamagedPictureIsRefused(t *testing.T) {
	for name, damage := range map[string]func(*Sheet){
		"no schema":              func(s *Sheet) { s.Picture.Schema = "" },
		"a short column":         func(s *Sheet) { s.Picture.Samples.X = s.Picture.Samples.X[1:] },
		"a sensor that is none":  func(s *Sheet) { s.Picture.Samples.Sensor[3] = 7 },
		"a lattice with a hole":  func(s *Sheet) { s.Picture.Heat[0].NX = 9 },
		"no ground":              func(s *Sheet) { s.Picture.Bounds = [4]float64{} },
		"sources of another one": func(s *Sheet) { s.Group.Sources = nil },
		"compound out of range":  func(s *Sheet) { s.Picture.Main = 2 },
		"no marking":             func(s *Sheet) { s.Marking = "" },
	} {
		s := sheet()
		damage(&s)
		if _, err := SVG(s); err == nil {
			t.Errorf("%s is drawn", name)
		}
		if _, err := PNG(s); err == nil {
			t.Errorf("%s is drawn as pixels", name)
		}
	}
}

func TestPNGShowsWhatTheSVGShows(t *testing.T) {
	b, err := PNG(sheet())
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds() != image.Rect(0, 0, sheetW*Detail, sheetH*Detail) {
		t.Fatalf("%v %v", img.Bounds(), err)
	}
	colour := func(x, y float64) string {
		r, g, b, _ := img.At(int(x*Detail), int(y*Detail)).RGBA()
		return string([]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
	}
	want := func(hex string) string { r, g, b := rgb(hex); return string([]byte{r, g, b}) }
	if colour(5, 5) != want("#007a33") || colour(5, sheetH-5) != want("#007a33") {
		t.Error("no marking in its colour at top and bottom")
	}
	if colour(frameX, frameY+100) != want(ink) {
		t.Error("no frame")
	}
	p := sheet().Picture
	q := p.plane()
	// The highest sample, in the colour of the end of the scale, at its place.
	if a := q.at(0, -40); colour(a[0], a[1]) != want(cividis[len(cividis)-1]) {
		t.Errorf("the highest sample is %x", colour(a[0], a[1]))
	}
	if again, err := PNG(sheet()); err != nil || !bytes.Equal(b, again) {
		t.Errorf("drawn twice it differs (%v)", err)
	}
}

// The sheet wears the colours of the workbench by day, and both the same scale.
func TestColoursAreTheWorkbenchs(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("..", "..", "web", "src", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	day, _, _ := strings.Cut(read("tokens.css"), "data-theme")
	for token, colour := range map[string]string{"land": land, "surface": surface, "rule": rule, "hatch": hatchColour, "ink": ink, "ink-2": ink2, "ink-3": ink3, "estimated": estimated, "gas": gasColour, "grid": gridColour} {
		if !strings.Contains(day, "--"+token+":"+colour+";") {
			t.Errorf("--%s is not %s by day", token, colour)
		}
	}
	if want := "'" + strings.Join(cividis[:], "', '") + "'"; !strings.Contains(read("lib/cividis.ts"), want) {
		t.Errorf("the workbench's cividis is not %s", want)
	}
}

// A shape covers the area that it has: the sum of what is laid on white is that of the shape, by exact area, to the rounding of eight
// bits an element, at most half a step of 1/255 on each element of the rim.
func TestAreasAreCovered(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(canvas)
		area float64
		rim  float64 // picture elements that its edge touches, at most
	}{
		"a square off the raster": {func(c canvas) { c.rings(rect(10.3, 10.7, 20.5, 13.25), style{fill: "#000000"}) }, 20.5 * 13.25, 80},
		"a triangle":              {func(c canvas) { c.rings([][][][2]float64{{{{5, 5}, {45, 12}, {20, 40}}}}, style{fill: "#000000"}) }, math.Abs(40*35-15*7) / 2, 160},
		"a ring with a hole, whichever way it turns": {func(c canvas) {
			c.rings([][][][2]float64{{rect(5, 5, 30, 30)[0][0], rect(15, 15, 10, 10)[0][0]}}, style{fill: "#000000"})
		}, 800, 170},
		"a line and its bend count once": {func(c canvas) {
			c.lines([][][2]float64{{{10, 10}, {30, 10}, {30, 30}}}, style{stroke: "#000000", width: 4})
		}, 80 + 80 - 4 + math.Pi, 200},
		"what lies outside is cut": {func(c canvas) {
			c.clip(0, 0, 10, 10)
			c.rings(rect(-50, -50, 200, 200), style{fill: "#000000"})
			c.unclip()
		}, 100, 50},
	} {
		r, err := newRaster(50, 50, 1)
		if err != nil {
			t.Fatal(err)
		}
		c.draw(r)
		sum := 0.0
		for i := 0; i < len(r.img.Pix); i += 4 {
			sum += 1 - float64(r.img.Pix[i])/255
		}
		// A disc of 24 corners is smaller than its circle by 1.1 %: a tenth of an element at a bend of width 4. Where box and disc of a bend
		// share an element of their edges, it may be covered a little more than once: an element there.
		if off := math.Abs(sum - c.area); off > c.rim*0.5/255+1.1 {
			t.Errorf("%s covers %.2f, has %.2f", name, sum, c.area)
		}
	}
}

func TestDashes(t *testing.T) {
	got := dashed([][][2]float64{{{0, 0}, {10, 0}, {10, 10}}}, []float64{6, 3})
	long := 0.0
	for _, l := range got {
		for i := 1; i < len(l); i++ {
			long += math.Hypot(l[i][0]-l[i-1][0], l[i][1]-l[i-1][1])
		}
	}
	if len(got) != 3 || math.Abs(long-(6+6+2)) > 1e-9 { // 20 long: 0 to 6, 9 to 15 about the corner, 18 to 20; sums of a few numbers
		t.Errorf("%v, %g long", got, long)
	}
}

func TestHatchingCoversUnlookedGroundAndNothingElse(t *testing.T) {
	s := sheet()
	p, q := s.Picture, s.Picture.plane()
	lines := hatching(p.unlooked(q), 8)
	inside := func(x, y float64) bool { // of the looked-at squares
		for j, row := range p.Looked.Rows {
			for i := range row {
				a := q.at(p.Looked.X+float64(i)*p.Looked.Side, p.Looked.Y+float64(j+1)*p.Looked.Side)
				if w := p.Looked.Side * q.k; row[i] == '1' && x > a[0]+0.1 && x < a[0]+w-0.1 && y > a[1]+0.1 && y < a[1]+w-0.1 {
					return true
				}
			}
		}
		return false
	}
	for _, l := range lines {
		if m := [2]float64{(l[0][0] + l[1][0]) / 2, (l[0][1] + l[1][1]) / 2}; inside(m[0], m[1]) {
			t.Fatalf("a stroke lies over ground that was looked at: %v", l)
		}
	}
	for _, at := range [][2]float64{{-160, -90}, {160, 90}, {-160, 90}} {
		a, near := q.at(at[0], at[1]), false
		for _, l := range lines {
			// The stroke x + y = s passes within 8/√2 of every place between its ends.
			d := math.Abs(a[0]+a[1]-l[0][0]-l[0][1]) / math.Sqrt2
			near = near || d <= 8 && a[0] >= l[0][0]-8 && a[0] <= l[1][0]+8
		}
		if !near {
			t.Errorf("ground at %v is not hatched", at)
		}
	}
}

func TestLetters(t *testing.T) {
	f, err := readFace(font.Regular())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range "Aén¿Ñ–µ≥→" {
		if f.index(r) == 0 {
			t.Errorf("the font has no %q", r)
		}
	}
	area := func(r rune) (a float64) {
		for _, ring := range f.glyph(r).rings {
			a += signedArea(ring)
		}
		return math.Abs(a)
	}
	if len(f.glyph('o').rings) != 2 || len(f.glyph('é').rings) != len(f.glyph('e').rings)+1 || area('é') <= area('e') || area('.') >= area('o') {
		t.Error("outlines are not what letters look like")
	}
	if w := f.width("WW"); w != 2*f.width("W") || f.width("iii") >= f.width("WWW") {
		t.Errorf("widths: W %g, WW %g, iii %g", f.width("W"), w, f.width("iii"))
	}
	for _, bad := range [][]byte{nil, []byte("not a font"), font.Regular()[:4000]} {
		if _, err := readFace(bad); err == nil {
			t.Errorf("%d bytes pass as a font", len(bad))
		}
	}
}

// The wind barb points to where the wind comes from, its feathers 5 and 10 knots.
func TestBarb(t *testing.T) {
	c := newSVG(100, 100, "")
	barb(c, [2]float64{50, 50}, Barb{From: 0, Speed: 15 * knot, Spread: 5}, false)
	out := string(c.bytes())
	if !strings.Contains(out, "M50 50L50 20") || strings.Count(out, "M") < 4 {
		t.Errorf("a north wind of 15 knots: %s", out)
	}
}

// thinned keeps every plume, in order, within the number allowed.
func TestThinningKeepsPeaks(t *testing.T) {
	value := make([]float64, 10_000)
	var rows []int
	for i := range value {
		rows = append(rows, i)
	}
	value[1234], value[7777], value[42] = 9, 12, math.NaN()
	keep := thinned(value, rows, 100)
	seen := map[int]bool{}
	for k, i := range keep {
		if seen[i] = true; k > 0 && keep[k-1] >= i {
			t.Fatalf("out of order: %v", keep)
		}
	}
	if len(keep) > 100 || !seen[1234] || !seen[7777] {
		t.Errorf("%d kept, peaks %v %v", len(keep), seen[1234], seen[7777])
	}
}

func TestRimsOfRegionsAreNotUnlooked(t *testing.T) {
	l := Lattice{NX: 5, NY: 5, Side: 1}
	ln := make([]float64, 25)
	for k := range ln {
		ln[k] = -2
	}
	ln[2*5+2] = 3 // speaks for a source
	ln[2*5+1] = 0 // between the two: a rim
	ln[0] = 0     // at the border: not looked at
	said := make([]bool, 25)
	for k, v := range ln {
		said[k] = math.Abs(v) >= lookedLn
	}
	l.close(said, ln)
	if !said[2*5+1] || said[0] {
		t.Errorf("rim %v, border %v; want looked at, not looked at", said[2*5+1], said[0])
	}
}

// flight is a survey across the plume of a source at the origin, by the plume that the estimator inverts: what is tested here is the
// picture, not the estimate.
func flight(rate float64) *gas.Survey {
	s := gas.New("SYNTHETIC")
	s.Start = time.Date(2026, 3, 14, 17, 0, 0, 0, time.UTC)
	s.At.X = []float64{}
	c := gas.Compound{Name: "acetone", Unit: gas.UgM3, MolarMass: math.NaN()}
	noise := numeric.NewStream(1, 1)
	src := dispersion.Source{Z: 1, RateKgS: rate}
	for leg := range 3 {
		for k := range 40 {
			x, y := 80+60*float64(leg), -120+6*float64(k)
			s.T, s.At.X, s.At.Y, s.At.Z = append(s.T, float64(40*leg+k)), append(s.At.X, x), append(s.At.Y, y), append(s.At.Z, 10)
			s.U, s.V = append(s.U, 4+0.3*noise.Normal()), append(s.V, 0.3*noise.Normal())
			sigma := 0.12 * x
			v := src.RateKgS / (2 * math.Pi * 4 * sigma * sigma * 0.6) * math.Exp(-0.5*y*y/sigma/sigma) * math.Exp(-0.5*81/(0.36*sigma*sigma))
			c.Value = append(c.Value, 1e9*v+5+0.5*noise.Normal())
		}
	}
	s.Compounds = []gas.Compound{c}
	return s
}

func TestThePictureOfASurvey(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it solves two surveys")
	}
	for name, rate := range map[string]float64{"a source": 2e-3, "no source": 0} {
		s := flight(rate)
		in, err := source.FromSurvey(s, false)
		if err != nil {
			t.Fatal(err)
		}
		res, err := source.Locate(context.Background(), in, source.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		g := &res.Groups[0]
		p, err := Of(s, s.GroupRows()[0], in, g, Leg{Kind: "crosswind", From: [2]float64{-900, 0}, To: [2]float64{-900, 50}})
		if err != nil {
			t.Fatal(err)
		}
		if (len(g.Sources) > 0) != (rate > 0) {
			t.Fatalf("%s: %d sources found", name, len(g.Sources))
		}
		if p.Origin != nil || p.Samples.All != 120 || len(p.Samples.T) != 120 || p.Compounds[0].Unit != "µg/m³" {
			t.Errorf("%s: %+v", name, p.Samples)
		}
		if p.Bounds[0] > -900 || math.Abs((p.Bounds[2]-p.Bounds[0])/(p.Bounds[3]-p.Bounds[1])-aspect) > 0.02 { // whole metres of some hundred
			t.Errorf("%s: bounds %v do not hold the leg, or have another shape", name, p.Bounds)
		}
		joined := strings.Join(p.Looked.Rows, "")
		if !strings.Contains(joined, "0") || !strings.Contains(joined, "1") {
			t.Errorf("%s: the ground is all of one kind", name)
		}
		if rate == 0 {
			if p.Limit == nil || len(p.Limit.Cells) == 0 || len(p.Heat) != 0 {
				t.Errorf("%s: limit %v", name, p.Limit)
			}
		} else {
			spot, l := p.Sources[0], p.Heat[0]
			i, j := int((spot.X-l.X)/l.Side), int((spot.Y-l.Y)/l.Side)
			if v := l.Value[j*l.NX+i]; p.Limit != nil || v < 0.3 || len(spot.P50) == 0 || len(spot.P90) == 0 {
				t.Errorf("%s: the density at the source's place is %g of its peak", name, v)
			}
		}
		for _, b := range p.Barbs {
			if math.Abs(b.From-270) > 10 || math.Abs(b.Speed-4) > 1 { // 4 m/s to the east, ±0.3 each way: five sigma of one sample
				t.Errorf("%s: a wind of %+v", name, b)
			}
		}
		if _, err := SVG(Sheet{Picture: p, Group: *g, Title: name, Marking: "U//SYNTHETIC"}); err != nil {
			t.Error(err)
		}
	}
}
