package still

import (
	"image"
	"math"
	"strings"

	"github.com/atalaya-isr/atalaya"
)

// A canvas takes shapes in picture elements, y downwards, in the order in which they lie over each other. There are two: a raster and
// SVG. What both can do is little, so that they cannot differ.
type canvas interface {
	// fill paints rings, all as one shape: what lies within more rings turned one way than the other (non-zero winding).
	fill(rings [][]point, colour string, opacity float64)
	// draw strokes open lines, with a dash pattern of on and off lengths, nil for none.
	draw(lines [][]point, colour string, width float64, dash []float64)
	write(x, y float64, words string, l letters)
	// show lays a picture with its upper left corner at (x, y), each of its pixels k elements wide and high.
	show(x, y int, p image.Image, k int, about string)
	// within confines what follows to a rectangle, until without.
	within(x, y, w, h float64)
	without()
	// measure is the width of a text.
	measure(words string, size float64, bold bool) float64
}

type point struct{ x, y float64 }

// letters is how text is written.
type letters struct {
	size   float64
	colour string
	bold   bool
	anchor float64 // 0 begins at x, 0.5 is centred on it, 1 ends at it
	halo   string  // colour of an edge that keeps it legible over a picture
}

// The colours of the chart table by day (web/src/tokens.css, held equal by a test): a print has no dark theme.
const (
	paper, surface, hatchColour = "#ffffff", "#fdfcf9", "#857f72"
	ink, ink2, ink3             = "#1d2329", "#4d565f", "#626a72"
	estimated, videoColour      = "#985a08", "#0f5290"
)

// grounds are those of the marking banner by level, each with the colour of its words.
var grounds = map[atalaya.Classification][2]string{atalaya.Unclassified: {"#007a33", "#ffffff"}, atalaya.Confidential: {"#0033a0", "#ffffff"},
	atalaya.Secret: {"#c8102e", "#ffffff"}, atalaya.TopSecret: {"#ff8c00", "#000000"}}

// compartmented is the banner's ground above all others.
var compartmented = [2]string{"#fce83a", "#000000"}

func box(x, y, w, h float64) []point { return []point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}} }

func closed(ring []point) []point { return append(append([]point{}, ring...), ring[0]) }

// disc is a circle as a ring.
func disc(x, y, r float64) []point {
	const n = 24
	ring := make([]point, n)
	for i := range ring {
		s, c := math.Sincos(2 * math.Pi * float64(i) / n)
		ring[i] = point{x + r*c, y + r*s}
	}
	return ring
}

// stroked is the rings that cover lines of a width: a box along every piece, a disc at every bend, all turned one way.
func stroked(lines [][]point, width float64, dash []float64) (out [][]point) {
	if len(dash) > 0 {
		lines = dashed(lines, dash)
	}
	h := width / 2
	for _, l := range lines {
		for i := 1; i < len(l); i++ {
			a, b := l[i-1], l[i]
			long := math.Hypot(b.x-a.x, b.y-a.y)
			if long == 0 {
				continue
			}
			nx, ny := -(b.y-a.y)/long*h, (b.x-a.x)/long*h
			out = append(out, []point{{a.x - nx, a.y - ny}, {b.x - nx, b.y - ny}, {b.x + nx, b.y + ny}, {a.x + nx, a.y + ny}})
			if i > 1 && width > 1 {
				out = append(out, disc(a.x, a.y, h))
			}
		}
	}
	return out
}

// dashed cuts lines into the pieces that a pattern of on and off lengths leaves.
func dashed(lines [][]point, pattern []float64) (out [][]point) {
	for _, l := range lines {
		k, left := 0, pattern[0]
		piece := l[:min(1, len(l)):min(1, len(l))]
		for i := 1; i < len(l); i++ {
			a, b := l[i-1], l[i]
			long := math.Hypot(b.x-a.x, b.y-a.y)
			for done := 0.0; done < long; {
				step := math.Min(left, long-done)
				done, left = done+step, left-step
				p := point{a.x + (b.x-a.x)*done/long, a.y + (b.y-a.y)*done/long}
				if k%2 == 0 {
					piece = append(piece, p)
				}
				if left > 1e-9 {
					continue
				}
				if k%2 == 0 {
					out = append(out, piece)
				}
				k = (k + 1) % len(pattern)
				left, piece = pattern[k], []point{p}
			}
		}
		if k%2 == 0 && len(piece) > 1 {
			out = append(out, piece)
		}
	}
	return out
}

// wrapped breaks a text into lines no wider than most; a word that is wider stands alone.
func wrapped(c canvas, words string, size float64, bold bool, most float64) (lines []string) {
	line, word := "", ""
	flush := func() {
		if line != "" && c.measure(line+" "+word, size, bold) > most {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line, word = line+word, ""
	}
	for _, r := range words {
		if r == ' ' {
			if word != "" {
				flush()
			}
			continue
		}
		word += string(r)
	}
	if word != "" {
		flush()
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// cutTo shortens a text in its middle to a width, so that both its ends stand.
func cutTo(c canvas, words string, size float64, bold bool, most float64) string {
	r := []rune(words)
	for n := len(r); n > 3 && c.measure(words, size, bold) > most; n-- {
		words = string(r[:n/2]) + "…" + string(r[len(r)-(n-n/2)+1:])
	}
	return words
}

// hatch fills a rectangle with the lines that say "not looked at".
func hatch(c canvas, x, y, w, h, step float64) {
	c.within(x, y, w, h)
	var lines [][]point
	for d := -h; d < w; d += step {
		lines = append(lines, []point{{x + d, y + h}, {x + d + h, y}})
	}
	c.draw(lines, hatchColour, 1, nil)
	c.without()
}

// neatline is the fine double frame of a map sheet around a rectangle.
func neatline(c canvas, x, y, w, h, s float64) {
	for _, d := range [2]float64{1.5 * s, 4 * s} {
		c.draw([][]point{closed(box(x-d, y-d, w+2*d, h+2*d))}, ink, s, nil)
	}
}

// bannerHigh is the height of a banner of one line, each further one adds bannerLine; in units of a sheet.
const (
	bannerHigh = 24.0
	bannerLine = 17.0
	bannerSize = 14.0
)

// A strip is a marking broken into the lines that a width holds: a long list of countries must stand in full.
type strip struct {
	mark  Mark
	lines []string
	w, s  float64
}

func stripOf(c canvas, m Mark, w, s float64) strip {
	b := strip{mark: m, w: w, s: s}
	line := ""
	for _, word := range strings.SplitAfter(strings.ReplaceAll(strings.ReplaceAll(m.Banner(), "//", "//\x00"), " ", " \x00"), "\x00") {
		word = strings.TrimSuffix(word, "\x00")
		if line != "" && c.measure(strings.TrimSpace(line+word), bannerSize*s, true) > w-16*s {
			b.lines, line = append(b.lines, strings.TrimSpace(line)), ""
		}
		line += word
	}
	b.lines = append(b.lines, strings.TrimSpace(line))
	return b
}

func (b *strip) high() float64 {
	return math.Round((bannerHigh + bannerLine*float64(len(b.lines)-1)) * b.s)
}

func (b *strip) draw(c canvas, y float64) {
	colours := b.mark.colours()
	c.fill([][]point{box(0, y, b.w, b.high())}, colours[0], 1)
	for i, l := range b.lines {
		c.write(b.w/2, y+(bannerLine*float64(i)+bannerHigh/2+0.36*bannerSize)*b.s, l, letters{size: bannerSize * b.s, colour: colours[1], bold: true, anchor: 0.5})
	}
}
