package site

import (
	"cmp"
	"math"
	"slices"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// The functions of this file make the body of a piece of evidence: Kind, Grade, Note, Level, Cells, LogOdds, Place, RateKgS.
// Its names, times, lineage and marking are the caller's.

const (
	finest, coarsest = 17, 11 // S2 levels of cells, 75 m and 4.6 km wide
	mostCells        = 20000  // in one piece of evidence; a coarser level is taken above it
	saysNothing      = 0.01   // log likelihood ratios smaller than this are left out
	cutAt            = 5.0    // squared Mahalanobis distance of the blurred density beyond which a detection says nothing: 92 % lie within
	cellEdgeM        = 9.22e6 // mean edge of a cell is this / 2^level
	perKm2           = 1e6    // m² in a km²
	furthestReachM   = 2000e3 // an area wider than this is no place
	windowLevel      = 16     // cells of 140 m, three of which span the window
	widestLookM      = 200e3  // a footprint wider than this shows no site
	// mostAgainstNothing bounds a detection against nothing at all, where what else it may be is weighed beside it: a mistake that nobody
	// thought of makes one in e^12, 160,000, windows look like this.
	mostAgainstNothing = 12.0
)

// A Detection is something that stood out and where it may be.
type Detection struct {
	Kind  string // gas, signal, video
	Modes []Mode // where it may be; weights sum to 1
	// StrengthKm2 is a = pd/λc: how often a site causes such a detection, over how many other things a km² do, times the probability that
	// the detection is real. Sense.Known gives it, with Others, for senses that have a table.
	StrengthKm2 float64
	Others      map[string]float64 // see atalaya.Evidence; with it StrengthKm2 is against nothing at all
	Real        float64            // see atalaya.Evidence
	Place       *atalaya.Place     // the continuous posterior; nil makes one of the modes
	RateKgS     map[string]atalaya.Interval
	Said        []atalaya.Sentence // for the ledger
	Note        string             // the same in English; made from Said when empty
}

// FromDetection is what a detection says for the ground around it: log(1 + a·f) with its density f blurred by the window,
// at most the bound of its kind. It never speaks against a place; that it was not detected elsewhere is a look.
func FromDetection(d Detection) atalaya.Evidence {
	e := atalaya.Evidence{Kind: d.Kind, Note: cmp.Or(d.Note, atalaya.English(d.Said)), Said: d.Said, Place: d.Place, RateKgS: d.RateKgS, Others: d.Others, Real: d.Real}
	if slices.ContainsFunc(d.Modes, func(m Mode) bool { return !m.proper() }) {
		e.Place = nil
		e.Note, e.Said = add(e.Note, e.Said, atalaya.Say("no-finite-error"))
		return e
	}
	if e.Place == nil && len(d.Modes) > 0 {
		p := PlaceOf(d.Modes...)
		e.Place = &p
	}
	blurred := make([]blur, 0, len(d.Modes))
	narrow := math.Inf(1)
	for _, m := range d.Modes {
		b := blurOf(m)
		blurred, narrow = append(blurred, b), math.Min(narrow, b.narrow)
	}
	var rings [][]geodesy.LatLon
	for _, b := range blurred {
		rings = append(rings, b.ring)
	}
	_, most := Bounds(d.Kind)
	if d.Others != nil {
		most = mostAgainstNothing
	}
	fill(&e, rings, levelFor(narrow), func(p geodesy.LatLon) float64 {
		f := 0.0
		for _, b := range blurred {
			f += b.perKm2(p)
		}
		return math.Min(most, math.Log1p(d.StrengthKm2*f))
	})
	return e
}

// proper reports whether m is a density on the ground: a place on the Earth, a covariance that is finite and not negative.
func (m Mode) proper() bool {
	c := m.CovarianceM2
	det := c[0][0]*c[1][1] - c[0][1]*c[1][0]
	return m.At.Valid() && c[0][0] >= 0 && c[1][1] >= 0 &&
		det >= -1e-9*c[0][0]*c[1][1] && !math.IsInf(c[0][0]+c[1][1], 0) && m.Weight >= 0 && !math.IsInf(m.Weight, 0)
}

// blur is a mode spread by the window.
type blur struct {
	frame  geodesy.Frame
	inv    matrix
	peak   float64 // per km²
	narrow float64 // standard deviation along the minor axis, metres
	ring   []geodesy.LatLon
}

func blurOf(m Mode) blur {
	c := plus(m.CovarianceM2, matrix{{ScaleM * ScaleM, 0}, {0, ScaleM * ScaleM}})
	inv, _ := invert(c)
	det := c[0][0]*c[1][1] - c[0][1]*c[1][0]
	e := geodesy.EllipseOf(c, 1-math.Exp(-cutAt/2))
	return blur{
		frame: geodesy.NewFrame(geodesy.LatLonHeight{Lat: m.At.Lat, Lon: m.At.Lon}), inv: inv,
		peak: m.Weight * perKm2 / (2 * math.Pi * math.Sqrt(det)), narrow: e.MinorM / math.Sqrt(cutAt),
		ring: e.Ring(m.At, ringPoints),
	}
}

func (b *blur) perKm2(p geodesy.LatLon) float64 {
	d := b.frame.GroundENU(p)
	y := apply(b.inv, d)
	m2 := d[0]*y[0] + d[1]*y[1]
	if m2 > cutAt {
		return 0
	}
	return b.peak * math.Exp(-m2/2)
}

// A Report is what somebody said about an area: that a site is in it or, with Denies, that there is none.
type Report struct {
	At      geodesy.LatLon
	RadiusM float64 // how far around At the report may mean; at least ScaleM is taken
	Grade   string  // reliability of the source A to F and credibility of the information 1 to 6, as in "B2"
	Denies  bool
	Said    []atalaya.Sentence // for the ledger
	Note    string             // the same in English; made from Said when empty
	// PriorPerKm2 is the density of sites that the assessment takes; 0 is DefaultPriorPerKm2.
	PriorPerKm2 float64
}

// FromReport is what a report says for, or against, its area. A grade that is not one of A1 to F6 counts as F6: neither
// source nor information can be judged.
func FromReport(r Report) atalaya.Evidence {
	radius := math.Max(r.RadiusM, ScaleM)
	place := DiscPlace(r.At, radius)
	e := atalaya.Evidence{Kind: "report", Grade: r.Grade, Note: cmp.Or(r.Note, atalaya.English(r.Said)), Said: r.Said}
	odds := math.Expm1(GradeLogOdds(r.Grade)) // R - 1
	if r.Denies {
		least, _ := Bounds("report")
		odds = math.Expm1(math.Min(GradeLogOdds(r.Grade), -least))
	} else {
		e.Place = &place
		others := -math.Expm1(-cmp.Or(r.PriorPerKm2, DefaultPriorPerKm2) * math.Pi * radius * radius / perKm2)
		odds = (1+odds)/(1+odds*others) - 1
	}
	reach := radius + ScaleM*math.Sqrt(cutAt)
	ring := geodesy.Ellipse{MajorM: reach, MinorM: reach}.Ring(r.At, ringPoints)
	fill(&e, [][]geodesy.LatLon{ring}, levelFor(math.Hypot(ScaleM, radius/2)), func(p geodesy.LatLon) float64 {
		share := 1.0
		if over := geodesy.Distance(r.At, p) - radius; over > 0 {
			share = math.Exp(-over * over / (2 * ScaleM * ScaleM))
		}
		l := math.Log1p(odds * share)
		if r.Denies {
			return -l
		}
		return l
	})
	return e
}

// GradeLogOdds is the log likelihood ratio of a report by its grade: 3 (a factor of 20) for A1, times a share for the
// reliability of the source (A 1, B .8, C .5, D .25, E .1, F .25: cannot be judged) and one for the credibility of the
// information (1 1, 2 .8, 3 .5, 4 .2, 5 0, 6 .3: cannot be judged). The grades are those of STANAG 2511 and AJP-2.1, which
// give no numbers; these are an assumption, to be replaced by what outcomes show. Nothing graded counts against a place.
func GradeLogOdds(grade string) float64 {
	reliability := map[byte]float64{'A': 1, 'B': 0.8, 'C': 0.5, 'D': 0.25, 'E': 0.1, 'F': 0.25}
	credibility := map[byte]float64{'1': 1, '2': 0.8, '3': 0.5, '4': 0.2, '5': 0, '6': 0.3}
	if len(grade) == 2 {
		r, ok := reliability[grade[0]]
		c, ok2 := credibility[grade[1]]
		if ok && ok2 {
			return 3 * r * c
		}
	}
	return 3 * reliability['F'] * credibility['6']
}

// A Look is ground that was looked at without seeing a site: a footprint (a ring, not closed) and the probability that a
// site in it would have been seen.
type Look struct {
	Ring []geodesy.LatLon
	PD   float64
}

// FromLooks is what looks of one observation say against the ground they saw: log(1 - Pd·seen). Looks of one flight see the
// same roofs in the same light, so that at each spot the best of them counts, not their product. The cells are as coarse as keeps their number
// below mostLookCells: the rim of a look of a thousand square kilometres is known to half a kilometre.
func FromLooks(kind, note string, looks []Look) atalaya.Evidence {
	e := atalaya.Evidence{Kind: kind, Note: note}
	least, _ := Bounds(kind)
	level, seen := lookedAt(looks)
	if len(seen) == 0 {
		return e
	}
	e.Level = level
	each := math.Exp2(-2 * float64(finer(level))) // share of one spot in a cell
	sums := map[s2.CellID]float64{}
	for _, c := range sortedCells(seen) {
		sums[c.Parent(level)] += seen[c] * each
	}
	edge := cellEdgeM / math.Exp2(float64(level))
	beside, corner := math.Exp(-edge*edge/(2*ScaleM*ScaleM)), math.Exp(-edge*edge/(ScaleM*ScaleM))
	near := sums
	if beside > 0.01 { // else the window lies within one cell
		near = around(sums)
	}
	for _, c := range sortedCells(near) {
		share, weight := sums[c], 1.0 // of the window, by the cell and its eight neighbours
		if beside > 0.01 {
			sides := c.EdgeNeighbors()
			for _, n := range c.AllNeighbors(level) {
				w := corner
				if slices.Contains(sides[:], n) {
					w = beside
				}
				share, weight = share+w*sums[n], weight+w
			}
		}
		if l := math.Max(least, math.Log1p(-math.Min(share/weight, 1))); l < -saysNothing { // a Pd of 1 is bounded by least
			e.Cells, e.LogOdds = append(e.Cells, uint64(c)), append(e.LogOdds, l)
		}
	}
	return e
}

const mostLookCells = 5000 // about, in one item

// finer is by how many levels the spots of a look are finer than its cells: each cell has sixteen, or four where the ground is wide.
func finer(level int) int {
	if level == windowLevel {
		return 2
	}
	return 1
}

// lookedAt gives the best Pd of each spot that was seen, by its cell, and the level of the field that is made of them.
func lookedAt(looks []Look) (level int, seen map[s2.CellID]float64) {
	var good []Look
	km2 := 0.0
	for _, l := range looks {
		if across, ok := width(l.Ring); ok && across <= widestLookM {
			good = append(good, l)
			km2 += areaKm2(l.Ring)
		}
	}
	for level = windowLevel; level > coarsest; level-- {
		if edge := cellEdgeM / 1e3 / math.Exp2(float64(level)); km2 < mostLookCells*edge*edge {
			break
		}
	}
	seen = map[s2.CellID]float64{}
	for _, l := range good {
		spots(l, level+finer(level), seen)
	}
	return level, seen
}

// areaKm2 of a small ring, on the plane that touches its first corner.
func areaKm2(ring []geodesy.LatLon) float64 {
	sum, corners := 0.0, flat(ring)
	for i, p := range corners {
		q := corners[(i+1)%len(corners)]
		sum += p[0]*q[1] - p[1]*q[0]
	}
	return math.Abs(sum) / 2 / perKm2
}

// flat gives the corners in metres east and north of the first, scaled at its latitude: within 100 km that is right to two parts in a hundred.
func flat(ring []geodesy.LatLon) [][2]float64 {
	out := make([][2]float64, len(ring))
	for i, p := range ring {
		out[i] = [2]float64{geodesy.Wrap180(p.Lon-ring[0].Lon) * metresPerDegree * math.Cos(ring[0].Lat*geodesy.RadPerDegree), (p.Lat - ring[0].Lat) * metresPerDegree}
	}
	return out
}

const metresPerDegree = 111_195 // on a sphere of 6,371 km

// spots puts the Pd of a look into the cells of a level whose ground it saw, as a lattice of points finer than the cells finds them; of a look
// narrower than that, those of its corners.
func spots(l Look, level int, seen map[s2.CellID]float64) {
	pd := math.Min(1, math.Max(0, l.PD))
	put := func(p geodesy.LatLon) {
		c := geodesy.CellOf(p, level)
		seen[c] = math.Max(seen[c], pd)
	}
	for _, p := range l.Ring {
		put(p)
	}
	ring := flat(l.Ring)
	lo, hi := ring[0], ring[0]
	for _, p := range ring {
		for k := range 2 {
			lo[k], hi[k] = math.Min(lo[k], p[k]), math.Max(hi[k], p[k])
		}
	}
	step := 0.7 * cellEdgeM / math.Exp2(float64(level))
	east := 1 / (metresPerDegree * math.Cos(l.Ring[0].Lat*geodesy.RadPerDegree))
	for y := lo[1] + step/2; y < hi[1]; y += step {
		for _, span := range crossings(ring, y) {
			for x := math.Ceil((span[0]-lo[0])/step)*step + lo[0]; x < span[1]; x += step {
				put(geodesy.LatLon{Lat: l.Ring[0].Lat + y/metresPerDegree, Lon: geodesy.Wrap180(l.Ring[0].Lon + x*east)})
			}
		}
	}
}

// crossings are the stretches of a line across a ring that lie within it.
func crossings(ring [][2]float64, y float64) (out [][2]float64) {
	var xs []float64
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a[1] > y) != (b[1] > y) {
			xs = append(xs, a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
	}
	slices.Sort(xs)
	for i := 0; i+1 < len(xs); i += 2 {
		out = append(out, [2]float64{xs[i], xs[i+1]})
	}
	return out
}

// around adds the eight neighbours of every cell.
func around(cells map[s2.CellID]float64) map[s2.CellID]float64 {
	out := map[s2.CellID]float64{}
	for c := range cells {
		out[c] = 1
		for _, n := range c.AllNeighbors(c.Level()) {
			out[n] = 1
		}
	}
	return out
}

func sortedCells(m map[s2.CellID]float64) []s2.CellID {
	out := make([]s2.CellID, 0, len(m))
	for c := range m {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// FromField is evidence given as a function of ground, natural log likelihood ratios, for and against, over a ring: a gas
// survey that supports some ground and denies other. Each value is kept within the bounds of the kind.
func FromField(kind, note string, ring []geodesy.LatLon, field func(geodesy.LatLon) float64) atalaya.Evidence {
	e := atalaya.Evidence{Kind: kind, Note: note}
	least, most := Bounds(kind)
	fill(&e, [][]geodesy.LatLon{ring}, levelFor(ScaleM), func(p geodesy.LatLon) float64 {
		l := field(p)
		if math.IsNaN(l) {
			return 0
		}
		return math.Max(least, math.Min(most, l))
	})
	return e
}

// levelFor is the S2 level whose cells sample a field of standard deviation s metres: an edge of at most half of it.
func levelFor(s float64) int {
	return max(coarsest, min(finest, int(math.Ceil(math.Log2(cellEdgeM/(s/2))))))
}

// width is the largest distance of a corner from the first; false where it is no ring on the Earth.
func width(ring []geodesy.LatLon) (metres float64, ok bool) {
	for _, p := range ring {
		if !p.Valid() {
			return 0, false
		}
		metres = math.Max(metres, geodesy.Distance(ring[0], p))
	}
	return metres, len(ring) >= 3
}

// fill samples a field on the cells that rings touch, at the level or, where those are too many, a coarser one.
func fill(e *atalaya.Evidence, rings [][]geodesy.LatLon, level int, field func(geodesy.LatLon) float64) {
	var cells []s2.CellID
	for ; level >= 0; level-- {
		cells = cells[:0]
		ok := true
		for _, r := range rings {
			if across, good := width(r); !good || across > furthestReachM {
				continue
			}
			c := geodesy.CellsOf(r, level, mostCells)
			ok = ok && c != nil
			cells = append(cells, c...)
		}
		if ok && len(cells) <= mostCells {
			break
		}
	}
	if level < 0 {
		return // no level holds them: not a place
	}
	slices.SortFunc(cells, cmp.Compare[s2.CellID])
	e.Level = level
	for _, c := range slices.Compact(cells) {
		if l := field(geodesy.CellCenter(c)); math.Abs(l) > saysNothing {
			e.Cells, e.LogOdds = append(e.Cells, uint64(c)), append(e.LogOdds, l)
		}
	}
}
