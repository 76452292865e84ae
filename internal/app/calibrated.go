package app

import (
	"context"
	"math"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
)

// CalibrationView is what stands behind words of probability, and what came back from the ground so far.
type CalibrationView struct {
	Banner      Banner            `json:"banner"`
	Calibration *site.Calibration `json:"calibration"` // nil: none, so that no probability has a word
	LeastCases  int               `json:"least_cases"` // that a word must stand on
	Knots       []KnotView        `json:"knots"`
	Words       []WordCases       `json:"words"`
	Outcomes    OutcomesSoFar     `json:"outcomes"`
}

// KnotView is a block of cases that the calibration holds for equally probable: what was claimed, and what came true.
type KnotView struct {
	Claimed    float64    `json:"claimed"` // before calibration, of the middle case
	Between    [2]float64 `json:"between"` // before calibration, the least and the most
	CameTrue   float64    `json:"came_true"`
	Calibrated float64    `json:"calibrated"`
	Range      [2]float64 `json:"range_90"`
	Cases      float64    `json:"cases"`
	Sites      float64    `json:"sites"`
	Word       *string    `json:"word"` // nil where too few cases stand behind it
}

// WordCases is a word of probability, and how many cases stand behind it.
type WordCases struct {
	Word  string  `json:"word"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Cases float64 `json:"cases"`
	Sites float64 `json:"sites"`
	Used  bool    `json:"used"` // some knot gives it
}

// OutcomesSoFar are the candidates of all missions and what came back of them. Those of which nothing did are neither hits nor misses.
type OutcomesSoFar struct {
	Candidates int                     `json:"candidates"`
	Visited    int                     `json:"visited"`
	Unvisited  int                     `json:"unvisited"`
	Found      map[atalaya.Finding]int `json:"found"` // by what the latest outcome that stands says
	Bands      []OutcomeBand           `json:"bands"`
}

// OutcomeBand are the candidates of which a like probability was claimed.
type OutcomeBand struct {
	From      float64     `json:"from"`
	To        float64     `json:"to"`
	Visited   int         `json:"visited"`
	Confirmed int         `json:"confirmed"`
	Unvisited int         `json:"unvisited"`
	Mean      float64     `json:"mean_claimed"` // of those visited
	Range     *[2]float64 `json:"range_90"`     // of the share confirmed, exact; nil where none was visited
}

// Calibrated tells what the calibration rests on.
func (a *App) Calibrated(ctx context.Context, view access.View) (CalibrationView, error) {
	v := CalibrationView{Calibration: a.Calibration, LeastCases: site.LeastCases, Knots: []KnotView{}, Words: []WordCases{}}
	for _, w := range site.Words {
		v.Words = append(v.Words, WordCases{Word: w.Code, From: w.From, To: w.To})
	}
	if c := a.Calibration; c != nil {
		for _, k := range c.Knots {
			v.addKnot(*c, k)
		}
	}
	marks, err := a.outcomesSoFar(ctx, view, &v.Outcomes)
	if err == nil {
		v.Banner, err = BannerOf(marks...)
	}
	return v, err
}

func (v *CalibrationView) addKnot(c site.Calibration, k site.Knot) {
	calibrated, from, to, _ := c.Apply(k.LogOdds)
	row := KnotView{Claimed: ofLogOdds(k.LogOdds), Between: [2]float64{ofLogOdds(k.From), ofLogOdds(k.To)}, CameTrue: k.Sites / k.Cases,
		Calibrated: ofLogOdds(calibrated), Range: [2]float64{from, to}, Cases: k.Cases, Sites: k.Sites, Word: c.Word(k.LogOdds)}
	v.Knots = append(v.Knots, row)
	for i := range v.Words {
		if w := &v.Words[i]; row.Word != nil && w.Word == *row.Word {
			w.Cases, w.Sites, w.Used = w.Cases+k.Cases, w.Sites+k.Sites, true
		}
	}
}

// outcomesSoFar counts what came back of every candidate that a reader sees, also of those that are candidates no longer.
func (a *App) outcomesSoFar(ctx context.Context, view access.View, o *OutcomesSoFar) (marks []string, err error) {
	o.Found, o.Bands = map[atalaya.Finding]int{}, []OutcomeBand{}
	for _, w := range site.Words {
		o.Bands = append(o.Bands, OutcomeBand{From: w.From, To: w.To})
	}
	ms, err := a.Missions(ctx, view)
	if err != nil {
		return nil, err
	}
	files, err := a.caseFiles(ctx, view)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		as, err := a.Ranking(ctx, view, m.ID)
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		marks = append(marks, m.Marking)
		for _, c := range as.Candidates {
			f := files[c.ID]
			delete(files, c.ID)
			marks = append(marks, c.Marking)
			claimed := c.Probability
			if f != nil { // what people went out on
				claimed = f.Case.Snapshot.Probability
				marks = append(marks, f.Case.Marking)
			}
			o.add(claimed, foundOf(f))
		}
	}
	for _, f := range files {
		marks = append(marks, f.Case.Marking)
		o.add(f.Case.Snapshot.Probability, foundOf(f))
	}
	for i := range o.Bands {
		b := &o.Bands[i]
		if b.Visited > 0 {
			b.Mean /= float64(b.Visited)
			lo, hi := numeric.BinomialInterval(b.Confirmed, b.Visited, 0.9)
			b.Range = &[2]float64{lo, hi}
		}
	}
	return marks, nil
}

func (o *OutcomesSoFar) add(claimed float64, found *atalaya.Finding) {
	o.Candidates++
	band := &o.Bands[0]
	for i := range o.Bands {
		if claimed >= o.Bands[i].From {
			band = &o.Bands[i]
		}
	}
	if found != nil {
		o.Found[*found]++
	}
	if found == nil || *found == atalaya.NotVisited || *found == atalaya.Unsafe {
		o.Unvisited++
		band.Unvisited++
		return
	}
	o.Visited++
	band.Visited++
	band.Mean += claimed
	if *found == atalaya.Confirmed {
		band.Confirmed++
	}
}

// ofLogOdds is the probability of log-odds.
func ofLogOdds(l float64) float64 { return 1 / (1 + math.Exp(-l)) }
