package product

import (
	"bytes"
	_ "embed" // the fonts of the page
	"fmt"
	"math"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/atalaya-isr/atalaya/review"
)

// PDF writes one A4 page in Spanish and English: the marking above and below, a sketch of the regions with scale and north,
// and what is known, what speaks for and against it, and what is not known.
type PDF struct{}

// Name is the file's name.
func (PDF) Name() string { return "lead.pdf" }

// MediaType is its media type.
func (PDF) MediaType() string { return "application/pdf" }

// Encode writes the file.
func (p PDF) Encode(r review.Released, o Options) ([]byte, error) { return encodeWith(p, r, o) }

// The page's own font, so that it prints alike everywhere; only the glyphs used are embedded. See font/LICENSE.
var (
	//go:embed font/DejaVuSansCondensed.ttf
	regular []byte
	//go:embed font/DejaVuSansCondensed-Bold.ttf
	bold []byte
)

// The page, in millimetres.
const (
	pageW, pageH   = 210.0, 297.0
	margin         = 14.0
	mapSide        = 96.0
	gutter         = 6.0
	bannerTop      = 10.0
	bannerBottom   = pageH - 7.0
	textEnd        = bannerBottom - 7.0
	largest, least = 9.0, 6.0 // font sizes of the text, points
	mmPerPoint     = 25.4 / 72
)

// page draws in millimetres from the top left.
type page struct {
	*fpdf.Fpdf
	l *lead
}

func (PDF) encode(l *lead) ([]byte, error) {
	made, err := time.Parse(time.RFC3339, l.made)
	if err != nil {
		return nil, fmt.Errorf("product: pdf: %w", err)
	}
	p := page{fpdf.New("P", "mm", "A4", ""), l}
	p.SetCatalogSort(true)
	p.SetCreationDate(made)
	p.SetModificationDate(made)
	p.SetProducer("Atalaya", true)
	p.SetTitle(l.marking.Banner()+" "+leadName.es+" / "+leadName.en+" "+l.ref, true)
	p.SetLang("es")
	p.SetAutoPageBreak(false, 0)
	p.AddUTF8FontFromBytes("page", "", bytes.Clone(regular))
	p.AddUTF8FontFromBytes("page", "B", bytes.Clone(bold))
	p.AddPage()
	p.banners()
	p.head()
	p.sketch(pageW/2-mapSide/2, 33)
	if err := p.columns(33 + mapSide + 9); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return nil, fmt.Errorf("product: pdf: %w", err)
	}
	return b.Bytes(), nil
}

// say writes a line with its baseline at y; align is -1 left of x, 0 centred, 1 right of x.
func (p page) say(x, y, size float64, style, text string, align float64) {
	p.SetFont("page", style, size)
	p.Text(x-(1-align)/2*p.GetStringWidth(text), y, text)
}

func (p page) banners() {
	text, size := p.l.marking.Banner(), 11.0
	for p.SetFont("page", "B", size); p.GetStringWidth(text) > pageW-2*margin && size > 5; p.SetFont("page", "B", size) {
		size-- // a long REL list
	}
	p.say(pageW/2, bannerTop, size, "B", text, 0)
	p.say(pageW/2, bannerBottom, size, "B", text, 0)
	p.SetLineWidth(0.3)
	p.Line(margin, bannerTop+2, pageW-margin, bannerTop+2)
	p.Line(margin, bannerBottom-5, pageW-margin, bannerBottom-5)
}

func (p page) head() {
	p.say(pageW/2, 20, 14, "B", leadName.es+" / "+leadName.en, 0)
	line := p.l.ref + " · " + p.l.recipient + " · " + p.l.released + " (UTC)"
	p.say(pageW/2, 25, 8, "", line, 0)
	if p.l.marking.Synthetic() {
		p.say(pageW/2, 30, 9, "B", "SINTÉTICO: datos inventados / SYNTHETIC: invented data", 0)
	}
}

// sketch draws the regions in a square whose top left corner is x, y; north is up and both axes have one scale.
func (p page) sketch(x, y float64) {
	l := p.l
	sw, ne := l.extent()
	west, south := l.degrees(sw)
	east, north := l.degrees(ne)
	midLat := (south + north) / 2
	spanM := 1.3 * max((east-west)*lonDegreeM(midLat), (north-south)*latDegreeM)
	mmPerM := mapSide / spanM
	at := func(n node) fpdf.PointType {
		lon, lat := l.degrees(n)
		return fpdf.PointType{
			X: x + mapSide/2 + (lon-(west+east)/2)*lonDegreeM(midLat)*mmPerM,
			Y: y + mapSide/2 - (lat-midLat)*latDegreeM*mmPerM,
		}
	}
	p.SetLineWidth(0.3)
	p.SetDrawColor(90, 90, 90)
	p.Rect(x, y, mapSide, mapSide, "D")
	shades := [...]int{235, 210, 180} // largest region first: the smallest is the darkest
	for i, r := range l.regions {
		p.SetFillColor(255, shades[i], shades[i]-40)
		p.SetDrawColor(150, 70, 0)
		for _, part := range r.parts {
			points := make([]fpdf.PointType, 0, len(part))
			for _, n := range part {
				points = append(points, at(n))
			}
			p.Polygon(points, "DF")
		}
	}
	c := at(l.centre)
	p.SetDrawColor(0, 0, 0)
	p.Line(c.X-2, c.Y, c.X+2, c.Y)
	p.Line(c.X, c.Y-2, c.X, c.Y+2)
	for i, r := range l.regions { // names with the colours, beside the sketch
		p.SetFillColor(255, shades[i], shades[i]-40)
		p.SetDrawColor(150, 70, 0)
		p.Rect(x+mapSide+3, y+float64(i)*6, 4, 4, "DF")
		p.say(x+mapSide+9, y+float64(i)*6+3.2, 7, "", r.share[2:]+" %", 1)
	}
	p.SetDrawColor(0, 0, 0)
	p.northArrow(x+mapSide-7, y+5)
	p.scaleBar(x+4, y+mapSide-4, mmPerM)
	p.say(x+mapSide/2, y+mapSide+4, 7, "", "+ "+l.latText(l.centre)+", "+l.lonText(l.centre)+" (WGS 84)", 0)
}

func (p page) northArrow(x, y float64) {
	p.SetFillColor(0, 0, 0)
	p.Polygon([]fpdf.PointType{{X: x, Y: y}, {X: x - 1.8, Y: y + 6}, {X: x + 1.8, Y: y + 6}}, "F")
	p.say(x, y+10, 9, "B", "N", 0)
}

// scaleBar draws the longest bar of 1, 2 or 5 times a power of ten metres that fits a third of the sketch.
func (p page) scaleBar(x, y, mmPerM float64) {
	limit := mapSide / 3 / mmPerM
	bar := math.Pow10(int(math.Floor(math.Log10(limit))))
	for _, k := range []float64{5, 2} {
		if k*bar <= limit {
			bar *= k
			break
		}
	}
	text := fmt.Sprintf("%.0f m", bar)
	if bar >= 1000 {
		text = fmt.Sprintf("%.0f km", bar/1000)
	}
	p.SetLineWidth(0.5)
	w := bar * mmPerM
	p.Line(x, y, x+w, y)
	p.Line(x, y-1, x, y+1)
	p.Line(x+w, y-1, x+w, y+1)
	p.say(x+w/2, y-1.8, 7, "", text, 0)
}

// columns writes both languages side by side from y down, in the largest size that fits the page.
func (p page) columns(y float64) error {
	width := (pageW - 2*margin - gutter) / 2
	for size := largest; size >= least; size -= 0.5 {
		fits := true
		for _, in := range languages {
			fits = fits && p.column(0, y, width, size, in, false) <= textEnd
		}
		if !fits {
			continue
		}
		for i, in := range languages {
			p.column(margin+float64(i)*(width+gutter), y, width, size, in, true)
		}
		return nil
	}
	return badOption("what there is to say does not fit one page", "Shorten the legal basis or the list of alternatives")
}

// column writes one language, or only measures it, and gives the y below its last line.
func (p page) column(x, y, width, size float64, in language, draw bool) float64 {
	step := size * mmPerPoint * 1.25
	for _, s := range p.l.sections(in) {
		y += step * 1.2
		if draw {
			p.say(x, y, size+0.5, "B", s.title, 1)
		}
		p.SetFont("page", "", size)
		for _, line := range s.lines {
			for i, part := range p.SplitText(onPage(line), width-3) {
				y += step
				if !draw {
					continue
				}
				if i == 0 {
					p.say(x, y, size, "", "–", 1)
				}
				p.say(x+3, y, size, "", part, 1)
			}
		}
	}
	return y
}

// onPage replaces what the page's font machinery cannot hold: it knows the Basic Multilingual Plane only.
func onPage(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '\ufffd'
		}
		return r
	}, s)
}
