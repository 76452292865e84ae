package figure

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/source"
)

// A Sheet is one figure for a report: a picture with the figures that stand beside it.
type Sheet struct {
	Picture Picture
	Group   source.Group
	Title   string // the survey: its file, its instrument
	Marking string // portion marking of the survey, "(U//SYNTHETIC)"
	// Language is "en" or "es"; empty is English.
	Language string
}

// The size of a sheet in pixels: A4 lying, at about 104 pixels an inch.
const sheetW, sheetH = 1200.0, 848.0

// Detail is how many picture elements a pixel of the sheet has in PNG: 208 an inch on A4.
const Detail = 2

// The colours of the chart table by day (web/src/tokens.css, held equal by a test): a print has no dark theme.
const (
	paper, land, surface, rule, hatchColour = "#ffffff", "#f5f3ee", "#fdfcf9", "#d8d3c7", "#857f72"
	ink, ink2, ink3, estimated, gasColour   = "#1d2329", "#4d565f", "#626a72", "#985a08", "#6b5417"
	gridColour                              = "#d3cec1"
)

// Cividis, ten equal steps (Nuñez, Anderton and Renslow 2018, doi:10.1371/journal.pone.0199239; values of viridisLite 0.4), as in
// web/src/lib/cividis.ts. For amounts only, dark is little.
var cividis = [...]string{"#00204d", "#00336f", "#39486b", "#575c6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"}

// shade is the colour of a share of the scale, by nearest step.
func shade(share float64) string {
	if math.IsNaN(share) {
		share = 0
	}
	return cividis[int(math.Round(min(max(share, 0), 1)*float64(len(cividis)-1)))]
}

// grounds are those of the marking banner, each with the colour of its words.
var grounds = map[string][2]string{"U": {"#007a33", "#ffffff"}, "CUI": {"#502b85", "#ffffff"}, "C": {"#0033a0", "#ffffff"}, "S": {"#c8102e", "#ffffff"},
	"TS": {"#ff8c00", "#000000"}, "TS//SCI": {"#fce83a", "#000000"}}

// SVG draws the sheet. The same sheet gives the same bytes.
func SVG(s Sheet) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c := newSVG(sheetW, sheetH, s.say("title")+": "+s.Title)
	if err := s.draw(c); err != nil {
		return nil, err
	}
	return c.bytes(), nil
}

// PNG draws the sheet, Detail picture elements a pixel. The same sheet gives the same bytes on one kind of machine.
func PNG(s Sheet) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c, err := newRaster(sheetW, sheetH, Detail)
	if err != nil {
		return nil, err
	}
	if err := s.draw(c); err != nil {
		return nil, err
	}
	return c.bytes()
}

// check refuses a picture whose columns do not fit together, as one read back from a damaged record.
func (s *Sheet) check() error {
	p, n := &s.Picture, len(s.Picture.Samples.T)
	bad := p.Schema != Schema || p.Main < 0 || p.Main >= len(p.Compounds) || !(p.Bounds[2] > p.Bounds[0] && p.Bounds[3] > p.Bounds[1]) || len(p.Sources) != len(s.Group.Sources)
	for _, c := range []Column{p.Samples.X, p.Samples.Y, p.Samples.From, p.Samples.Speed} {
		bad = bad || len(c) != n
	}
	bad = bad || len(p.Samples.X2) != len(p.Samples.Y2) || len(p.Samples.X2) != 0 && len(p.Samples.X2) != n || len(p.Samples.Sensor) != n
	for _, j := range p.Samples.Sensor {
		bad = bad || j < 0 || j >= len(p.Sensors)
	}
	for _, c := range p.Compounds {
		bad = bad || len(c.Value) != n || len(c.Baseline) != len(p.Sensors) || c.Below != nil && len(c.Below) != n
	}
	for _, l := range p.Heat {
		bad = bad || l.NX < 0 || l.NY < 0 || l.NX*l.NY != len(l.Value)
	}
	if bad {
		return &atalaya.Error{Op: "figure.draw", Kind: atalaya.BadInput, Err: errors.New("the picture does not fit together"), Hint: "Solve the survey again"}
	}
	return nil
}

func (s *Sheet) say(key string, values ...string) string { return said(s.Language, key, values...) }

func (s *Sheet) draw(c canvas) error {
	if err := blank(c, s.Marking, sheetW, sheetH); err != nil {
		return err
	}
	c.part("heading")
	c.text(24, 52, s.say("title")+": "+s.Title, letters{size: 20, colour: ink, bold: true})
	c.text(24, 71, s.heading(), letters{size: 13, colour: ink2})
	s.chart(c)
	s.series(c, max(s.figures(c), s.notes(c)))
	c.part("note")
	c.text(24, sheetH-31, s.say("working"), letters{size: 11, colour: ink2})
	c.part("")
	return nil
}

// blank lays the paper of a sheet, with the banner of its marking above and below.
func blank(c canvas, marking string, w, h float64) error {
	m, err := atalaya.ParseMarking(marking)
	if err != nil {
		return err
	}
	level, _, _ := strings.Cut(strings.Trim(m.Portion(), "()"), "/")
	ground, ok := grounds[level]
	if !ok {
		ground = grounds["TS//SCI"]
	}
	c.part("paper")
	c.rings(rect(0, 0, w, h), style{fill: paper})
	for _, y := range []float64{0, h - 24} {
		c.part(map[bool]string{true: "marking-top", false: "marking-bottom"}[y == 0])
		c.rings(rect(0, y, w, 24), style{fill: ground[0]})
		c.text(w/2, y+17, m.Banner(), letters{size: 14, colour: ground[1], bold: true, anchor: 0.5})
	}
	return nil
}

// heading says when, with what, how many.
func (s *Sheet) heading() string {
	p := &s.Picture
	var out []string
	if s.Group.Group != "" {
		out = append(out, s.say("group")+" "+s.Group.Group)
	}
	if len(p.Samples.T) > 0 && p.Start != nil {
		from, to := spanOf(p.Samples.T)
		out = append(out, clock(*p.Start, from, "2006-01-02 15:04:05Z")+" – "+clock(*p.Start, to, "15:04:05Z"))
	}
	if n := len(p.Samples.T); n < p.Samples.All {
		out = append(out, s.say("thinned", "k", strconv.Itoa(n), "n", strconv.Itoa(p.Samples.All)))
	} else {
		out = append(out, s.say("samples", "n", strconv.Itoa(n)))
	}
	names := slices.DeleteFunc(slices.Clone(p.Sensors), func(n string) bool { return n == "" })
	if len(names) > 4 {
		names = append(names[:4], "…")
	}
	return strings.Join(append(out, names...), " · ")
}

func clock(start time.Time, t float64, layout string) string {
	return start.Add(time.Duration(math.Round(t * 1e9))).UTC().Format(layout)
}

func spanOf(t Column) (from, to float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for _, v := range t {
		from, to = min(from, v), max(to, v)
	}
	return from, to
}

// notes are the warnings, below the key of the map; it gives where they end.
func (s *Sheet) notes(c canvas) float64 {
	c.part("warnings")
	y := frameY + frameH + 78
	for i, n := range s.Group.Notes {
		if i < len(s.Group.Said) {
			n = noted(s.Language, s.Group.Said[i])
		}
		for _, one := range wrapped(n, 130) {
			c.text(frameX+2, y, one, letters{size: 11, colour: ink})
			y += 14
		}
	}
	return y
}

// figures are the numbers, each with its interval; it gives where they end. The more sources, the less of each.
func (s *Sheet) figures(c canvas) float64 {
	several := len(s.Group.Sources) > 1
	high, compounds, leaning := 40.0, 5, 5
	if several {
		high, compounds, leaning = 24, 2, 2
	}
	const x, w = 812.0, 364.0
	y := 96.0
	head := func(words string) {
		c.rings(rect(x, y-11, w, 17), style{fill: "#eeeae1"})
		size := 12.0
		if len([]rune(words)) > 52 { // of the longest Spanish line
			size = 11
		}
		c.text(x+5, y+2, words, letters{size: size, colour: ink, bold: true})
		y += 24
	}
	say := func(words string, l letters) {
		for _, one := range wrapped(words, int(w/(0.5*l.size))) {
			c.text(x+5, y, one, l)
			y += l.size + 4
		}
	}
	plain := letters{size: 12, colour: ink}
	c.part("count")
	head(s.say("count"))
	for _, k := range countsOf(s.Group.Count) {
		v := s.Group.Count[k]
		c.text(x+14, y+1, k, letters{size: 12, colour: ink, anchor: 0.5, bold: true})
		c.rings(rect(x+28, y-9, 240, 12), style{stroke: rule, width: 1})
		c.rings(rect(x+28, y-9, 240*v, 12), style{fill: ink2})
		c.text(x+276, y+1, strconv.FormatFloat(v, 'f', 3, 64), plain)
		y += 17
	}
	c.text(x+28, y+1, s.say("count.of"), letters{size: 11, colour: ink2})
	y += 22
	for j := range s.Group.Sources {
		c.part("source-" + strconv.Itoa(j+1))
		head(s.say("source", "k", strconv.Itoa(j+1)) + ": " + s.place(j))
		h := s.Group.Sources[j].HeightM
		say(s.say("height", "p05", figs(h.P05), "p50", figs(h.P50), "p95", figs(h.P95))+" · "+s.say("rates"), letters{size: 11, colour: ink2})
		y += 2
		main := s.Picture.Compounds[s.Picture.Main].Name
		if b, ok := s.Group.Sources[j].RatePosterior[main]; ok {
			s.rateChart(c, x, &y, w, high, main, s.Group.Sources[j].RateKgS[main], b)
		}
		s.intervals(c, x, &y, w, s.Group.Sources[j].RateKgS, compounds)
		y += 8
	}
	if len(s.Group.Sources) == 0 {
		c.part("none")
		head(s.say("none"))
		if l := s.Picture.Limit; l != nil && len(l.Cells) > 0 {
			lo, hi := l.span()
			say(s.say("none.limit", "compound", l.Compound, "lo", rateText(lo, lo), "hi", rateText(hi, hi), "p", figs(100*l.Confidence)), plain)
		}
		y += 6
	}
	c.part("dispersion")
	head(s.say("dispersion"))
	d := s.Group.Dispersion
	if len(s.Group.Sources) == 0 { // no plume was seen: the factors are what was assumed, and an interval of nothing would read as sure
		say(s.say("assumed"), letters{size: 11, colour: ink2})
	}
	for _, r := range []struct {
		name   string
		q      source.Quantiles
		lo, hi float64
		mark   float64
	}{{"sigma_y", d.SigmaYFactor, 0, 3, 1}, {"sigma_z", d.SigmaZFactor, 0, 3, 1}, {"bias", d.WindBiasDeg, -30, 30, 0}, {"lag", d.LagS, -10, 10, 0}, {"fluctuation", d.Fluctuation, 0, 3, 0}} {
		if len(s.Group.Sources) == 0 {
			break
		}
		at := func(v float64) float64 { return x + 148 + 92*min(max((v-r.lo)/(r.hi-r.lo), 0), 1) }
		c.text(x+5, y, s.say(r.name), plain)
		c.lines(line(x+148, y-4, x+240, y-4), style{stroke: rule, width: 1})
		c.lines(line(at(r.mark), y-9, at(r.mark), y+1), style{stroke: ink3, width: 1, dash: []float64{2, 2}})
		bar(c, at(r.q.P05), at(r.q.P50), at(r.q.P95), y-4)
		c.text(x+w-2, y, fmt.Sprintf("%s (%s – %s)", figs(r.q.P50), figs(r.q.P05), figs(r.q.P95)), letters{size: 12, colour: ink, anchor: 1})
		y += 18
	}
	c.part("rests")
	say(s.say(d.Method), letters{size: 11, colour: ink2})
	if s.Group.DominantAssumption != "" {
		say(s.say("dominant", "what", assumption(s.Language, s.Group.DominantAssumption)), letters{size: 12, colour: ink, bold: true})
		s.leans(c, x, &y, w, leaning)
		if !several {
			say(s.say("reduce."+s.Group.DominantAssumption), letters{size: 11, colour: ink2})
		}
	}
	say(s.say("effective", "n", figs(d.EffectiveSamples), "all", strconv.Itoa(s.Group.Samples)), plain)
	return y
}

// countsOf are the numbers of sources, ascending; those of no probability past the second are left out.
func countsOf(count map[string]float64) []string {
	var out []string
	for k, v := range count {
		if n, err := strconv.Atoi(k); err == nil && (n <= 2 || v >= 0.0005) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return out
}

// place is where source j is, with no more digits than its error allows, and how far it may lie from there.
func (s *Sheet) place(j int) string {
	g, spot := s.Group.Sources[j], s.Picture.Sources[j]
	e := geodesy.EllipseOf(g.CovarianceM2, 0.95)
	where := fmt.Sprintf("x %.0f, y %.0f m", spot.X, spot.Y)
	if g.Lat != nil && g.Lon != nil {
		digits := max(0, min(6, int(math.Floor(math.Log10(111e3*3/max(e.MajorM, 1))))))
		where = strconv.FormatFloat(*g.Lat, 'f', digits, 64) + ", " + strconv.FormatFloat(*g.Lon, 'f', digits, 64)
	}
	return s.say("place", "where", where, "major", metres(2*e.MajorM), "minor", metres(2*e.MinorM))
}

// bar is an interval with its median.
func bar(c canvas, lo, mid, hi, y float64) {
	c.lines([][][2]float64{{{lo, y}, {hi, y}}, {{lo, y - 4}, {lo, y + 4}}, {{hi, y - 4}, {hi, y + 4}}}, style{stroke: estimated, width: 1.6})
	c.circle(mid, y, 3.2, style{fill: estimated, stroke: paper, width: 0.8})
}

// intervals are the rates of a source on one logarithmic scale, the strongest first.
func (s *Sheet) intervals(c canvas, x float64, y *float64, w float64, rates map[string]atalaya.Interval, most int) {
	names := make([]string, 0, len(rates))
	top := 0.0
	for name, r := range rates {
		names, top = append(names, name), max(top, r.P95)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rates[b].P50, rates[a].P50), cmp.Compare(a, b)) })
	if top <= 0 {
		return
	}
	more := len(names) - most
	if more > 0 {
		names = names[:most]
	}
	hi := math.Ceil(math.Log10(top))
	lo := hi - 4 // four decades; what is below lies at the end
	at := func(v float64) float64 {
		if v <= 0 {
			return x + 78
		}
		return x + 78 + 120*min(max((math.Log10(v)-lo)/(hi-lo), 0), 1)
	}
	for k := lo; k <= hi; k++ {
		c.lines(line(at(math.Pow(10, k)), *y-8, at(math.Pow(10, k)), *y-8+18*float64(len(names))), style{stroke: rule, width: 1})
	}
	for _, name := range names {
		r := rates[name]
		c.text(x+5, *y+1, name, letters{size: 12, colour: ink})
		bar(c, at(r.P05), at(r.P50), at(r.P95), *y-3)
		c.text(x+w-2, *y+1, fmt.Sprintf("%s (%s – %s)", rateText(r.P50, r.P95), bare(r.P05, r.P95), bare(r.P95, r.P95)), letters{size: 12, colour: ink, anchor: 1})
		*y += 18
	}
	c.text(at(math.Pow(10, lo)), *y, rateText(math.Pow(10, lo), math.Pow(10, lo)), letters{size: 10, colour: ink2, anchor: 0.5})
	c.text(at(math.Pow(10, hi)), *y, rateText(math.Pow(10, hi), math.Pow(10, hi)), letters{size: 10, colour: ink2, anchor: 0.5})
	if more > 0 {
		c.text(x+w-2, *y, s.say("more", "n", strconv.Itoa(more)), letters{size: 10, colour: ink2, anchor: 1})
	}
	*y += 14
}

// rateUnits are the units that rates are written in, the one whose numbers come out between 1 and 1,000 by the scale.
func rateUnit(scale float64) (string, float64) {
	switch {
	case scale >= 1:
		return "kg/s", 1
	case scale >= 1e-3:
		return "g/s", 1e3
	case scale >= 1e-6:
		return "mg/s", 1e6
	}
	return "µg/s", 1e9
}

func rateText(kgS, scale float64) string {
	unit, _ := rateUnit(scale)
	return bare(kgS, scale) + " " + unit
}

func bare(kgS, scale float64) string {
	_, k := rateUnit(scale)
	return figs(kgS * k)
}

// figs writes two significant figures, without an exponent where four digits will do.
func figs(v float64) string {
	r := significant(v, 2)
	if a := math.Abs(r); a != 0 && (a < 1e-3 || a >= 1e5) {
		return strconv.FormatFloat(r, 'e', 1, 64)
	}
	return strconv.FormatFloat(r, 'f', -1, 64)
}

func metres(v float64) string {
	if v >= 1000 {
		return figs(v/1000) + " km"
	}
	return figs(v) + " m"
}

// wrapped breaks text into lines of at most so many letters.
func wrapped(text string, most int) []string {
	var out []string
	cur := ""
	for _, w := range strings.Fields(text) {
		if cur != "" && len([]rune(cur))+1+len([]rune(w)) > most {
			out, cur = append(out, cur), ""
		}
		if cur != "" {
			cur += " "
		}
		cur += w
	}
	return append(out, cur)
}

func (l *Limit) span() (lo, hi float64) {
	lo, hi = math.Inf(1), 0
	for _, q := range l.Cells {
		lo, hi = min(lo, q[2]), max(hi, q[2])
	}
	return lo, hi
}
