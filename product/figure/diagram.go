package figure

import (
	"math"
	"strconv"

	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/score"
)

// A Diagram is a drawing of curves and intervals over two axes.
type Diagram struct {
	Title, X, Y string
	Note        string
	Marking     string
	Language    string // "en" or "es"; empty is English
	Least, Most [2]float64
	LogX, LogY  bool
	Diagonal    bool // the line on which what is said comes true
	Curves      [][][2]float64
	Intervals   []Bar
}

// A Bar is a value with its interval.
type Bar struct {
	X, Low, Value, High float64
	Label               string
}

// The size of a diagram, and its frame of axes.
const (
	diagramW, diagramH                   = 800.0, 600.0
	axesX, axesY, axesWidth, axesHeight  = 84.0, 84.0, 690.0, 410.0
	tickLength, labelSize, smallerLetter = 5.0, 12.0, 11.0
)

// DiagramSVG draws it. The same diagram gives the same bytes.
func DiagramSVG(d Diagram) ([]byte, error) {
	c := newSVG(diagramW, diagramH, d.Title)
	if err := d.draw(c); err != nil {
		return nil, err
	}
	return c.bytes(), nil
}

// DiagramPNG draws it, Detail picture elements a pixel.
func DiagramPNG(d Diagram) ([]byte, error) {
	c, err := newRaster(diagramW, diagramH, Detail)
	if err != nil {
		return nil, err
	}
	if err := d.draw(c); err != nil {
		return nil, err
	}
	return c.bytes()
}

func (d *Diagram) draw(c canvas) error {
	if err := blank(c, d.Marking, diagramW, diagramH); err != nil {
		return err
	}
	c.part("title")
	c.text(24, 56, d.Title, letters{size: 20, colour: ink, bold: true})
	d.axes(c)
	c.clip(axesX, axesY-6, axesWidth+6, axesHeight+12)
	if d.Diagonal {
		a, b := d.at(d.Least), d.at(d.Most)
		c.lines([][][2]float64{{a, b}}, style{stroke: ink3, width: 1, dash: []float64{5, 4}})
	}
	for _, curve := range d.Curves {
		var line [][2]float64
		for _, p := range curve {
			if q := d.at(p); !math.IsNaN(q[0]) && !math.IsNaN(q[1]) {
				line = append(line, q)
			}
		}
		if len(line) > 1 {
			c.lines([][][2]float64{line}, style{stroke: estimated, width: 2, round: true})
		}
	}
	c.unclip()
	d.intervals(c)
	c.part("note")
	for i, l := range wrapped(d.Note, 130) {
		c.text(24, diagramH-52+14*float64(i), l, letters{size: smallerLetter, colour: ink2})
	}
	c.part("")
	return nil
}

// at puts a value on the sheet; not a number where a logarithmic axis cannot show it.
func (d *Diagram) at(p [2]float64) [2]float64 {
	share := func(k int, logarithmic bool) float64 {
		v, lo, hi := p[k], d.Least[k], d.Most[k]
		if logarithmic {
			if v <= 0 {
				return math.NaN()
			}
			v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
		}
		return (v - lo) / (hi - lo)
	}
	return [2]float64{axesX + share(0, d.LogX)*axesWidth, axesY + (1-share(1, d.LogY))*axesHeight}
}

func (d *Diagram) axes(c canvas) {
	c.part("axes")
	c.rings(rect(axesX, axesY, axesWidth, axesHeight), style{stroke: ink2, width: 1})
	var grid [][][2]float64
	tick := letters{size: labelSize, colour: ink2, anchor: 0.5}
	for _, v := range ticks(d.Least[0], d.Most[0], d.LogX) {
		x := d.at([2]float64{v, d.Least[1]})[0]
		grid = append(grid, [][2]float64{{x, axesY}, {x, axesY + axesHeight + tickLength}})
		c.text(x, axesY+axesHeight+18, strconv.FormatFloat(v, 'g', 6, 64), tick)
	}
	tick.anchor = 1
	for _, v := range ticks(d.Least[1], d.Most[1], d.LogY) {
		y := d.at([2]float64{d.Least[0], v})[1]
		grid = append(grid, [][2]float64{{axesX - tickLength, y}, {axesX + axesWidth, y}})
		c.text(axesX-8, y+4, strconv.FormatFloat(v, 'g', 6, 64), tick)
	}
	c.lines(grid, style{stroke: gridColour, width: 0.8})
	c.text(axesX+axesWidth/2, axesY+axesHeight+38, d.X, letters{size: labelSize, colour: ink, anchor: 0.5})
	c.text(28, axesY+axesHeight/2, d.Y, letters{size: labelSize, colour: ink, anchor: 0.5, up: true})
}

// ticks are round values between two ends.
func ticks(lo, hi float64, logarithmic bool) (out []float64) {
	if logarithmic {
		for v := math.Pow(10, math.Ceil(math.Log10(lo)-1e-9)); v <= hi*(1+1e-9); v *= 10 {
			out = append(out, v)
		}
		return out
	}
	step := nice((hi - lo) / 4)
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+1e-9*step; k++ {
		out = append(out, k*step+0) // and not -0
	}
	return out
}

func (d *Diagram) intervals(c canvas) {
	c.part("intervals")
	for _, b := range d.Intervals {
		low, mid, high := d.at([2]float64{b.X, b.Low}), d.at([2]float64{b.X, b.Value}), d.at([2]float64{b.X, b.High})
		c.lines([][][2]float64{{low, high}, {{low[0] - 4, low[1]}, {low[0] + 4, low[1]}}, {{high[0] - 4, high[1]}, {high[0] + 4, high[1]}}}, style{stroke: estimated, width: 1.6})
		c.circle(mid[0], mid[1], 3.6, style{fill: estimated, stroke: paper, width: 0.8})
		label := letters{size: smallerLetter, colour: ink2, halo: paper}
		if mid[0] > axesX+0.8*axesWidth { // no room to its right
			label.anchor = 1
			c.text(mid[0]-8, mid[1]-8, b.Label, label)
			continue
		}
		c.text(mid[0]+8, mid[1]+4, b.Label, label)
	}
}

// ScoreDiagrams are the drawings of a score, by the names of their files: how often what was said came true, precision by recall, and the ground to be
// searched. One that has nothing to show is left out.
func ScoreDiagrams(s score.CampaignScore, marking, language string) map[string]Diagram {
	out := map[string]Diagram{}
	put := func(name string, d Diagram) {
		d.Title, d.X, d.Y, d.Note = said(language, name+".title"), said(language, name+".x"), said(language, name+".y"), said(language, name+".note", "n", strconv.Itoa(s.Campaigns))
		d.Marking, d.Language = marking, language
		out[name] = d
	}
	reliable := Diagram{Most: [2]float64{1, 1}, Diagonal: true}
	for _, r := range s.Reliable {
		if r.True.Of > 0 {
			reliable.Intervals = append(reliable.Intervals, Bar{float64(r.Stated), r.True.Low, float64(r.True.Held) / float64(r.True.Of), r.True.High, wordIn(language, r.Word) + ", " + strconv.Itoa(r.True.Held) + "/" + strconv.Itoa(r.True.Of)})
		}
	}
	if len(reliable.Intervals) > 0 {
		put("reliability", reliable)
	}
	if len(s.Precision) > 1 {
		put("precision-recall", Diagram{Most: [2]float64{1, 1}, Curves: [][][2]float64{s.Precision}})
	}
	if n := len(s.Area); n > 1 {
		least := math.Pow(10, math.Floor(math.Log10(math.Max(s.Area[0][0], 1e-3))))
		put("area", Diagram{Least: [2]float64{least, 0}, Most: [2]float64{math.Max(10*least, s.Area[n-1][0]), 1}, LogX: true, Curves: [][][2]float64{s.Area}})
	}
	return out
}

// wordIn is the word of estimative probability of a code.
func wordIn(language, code string) string {
	for _, w := range site.Words {
		if w.Code == code && language == "es" {
			return w.Spanish
		} else if w.Code == code {
			return w.English
		}
	}
	return code
}
