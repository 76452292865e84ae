package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// What a campaign is scored by.
//
// A candidate is true when it is in reach of a site that works at the time of assessment: its 95 % region holds the site, or it lies within ReachM of it.
// The first of the ranking that is in reach of a site is its find; further ones of the same site count neither way. A site without a find is one that no recall
// reaches. Figures of several campaigns are made of sums over them, never of the campaigns' own ratios.

// CampaignOptions are what a ranking does not say of itself. The zero value leaves out what needs them.
type CampaignOptions struct {
	AsOf        time.Time // time of assessment: sites that work then are to be found; zero takes all
	AreaKm2     float64   // of the country that the campaign is about
	FlightHours float64
	PriorPerKm2 float64     // density of sites before any evidence; 0 is site.DefaultPriorPerKm2
	Cells       []site.Cell // the field of probabilities, for the area to be searched
	From        time.Time   // when the campaign began
	Earlier     []Ranking   // rankings as they stood on the way, in the order of time
	// Causes names, by candidate, the true sites that what it rests on comes from, where a simulation knows. Regions are then judged by those; without
	// it by the candidates about a site, see aboutShare.
	Causes map[atalaya.CandidateID][]string
}

// A Ranking is one as it stood at a time.
type Ranking struct {
	AsOf  time.Time
	Found FoundSites
}

// A Campaign is what one ranking comes to beside its truth, in sums that can be added to those of other campaigns.
type Campaign struct {
	candidates  []judged // in the order of the ranking, without further ones of a site that has its find
	sites       int
	missed      int
	errors      []float64 // metres, of the finds
	inside      [len(levels)]int
	judgedBy    int // sites whose regions were judged
	areaKm2     float64
	hours       float64
	prior       float64 // probability of a site in the window before any evidence
	ground      map[int]ground
	wait, eight float64 // hours until the first ten held a true one, and eight of them were; +Inf never, NaN not known
}

var levels = [...]float64{0.5, 0.9, 0.95}

// judged is a candidate that counts.
type judged struct {
	p     float64
	finds int    // sites of which it is the find
	was   bool   // of one that is the find of none: the first in reach of a site that worked before and is closed
	by    string // of one that is the find of none: what it lies in reach of, a closed site or the kind of a decoy
}

// ground is what cells of about the same log-odds cover, and the sites on it.
type ground struct{ km2, sites float64 }

// groundStep is how far log-odds differ within one entry of ground: an odds ratio of 1.02.
const groundStep = 0.02

// aboutShare is the share of its posterior within which a candidate is taken to be about a site, when regions are judged without Causes: wide enough that
// being left out for lying outside of it lifts no region's share by more than a thousandth.
const aboutShare = 0.999

// OneCampaign judges a ranking. A result of another schema, or without regions, is refused.
func OneCampaign(truth TruthSites, found FoundSites, o CampaignOptions) (*Campaign, error) {
	c := &Campaign{areaKm2: o.AreaKm2, hours: o.FlightHours, prior: -math.Expm1(-cmp.Or(o.PriorPerKm2, site.DefaultPriorPerKm2) * site.AreaKm2),
		wait: math.NaN(), eight: math.NaN()}
	working := slices.DeleteFunc(slices.Clone(truth.Sites), func(t TruthSite) bool { return !t.worksAt(o.AsOf) })
	closed := slices.DeleteFunc(slices.Clone(truth.Sites), func(t TruthSite) bool {
		return o.AsOf.IsZero() || t.To.IsZero() || t.To.After(o.AsOf) || t.worksAt(o.AsOf)
	})
	c.sites = len(working)
	m, err := matched(working, found)
	if err != nil {
		return nil, err
	}
	c.rank(m, closed, truth.Decoys)
	c.regions(working, m, o.Causes)
	if o.Cells != nil {
		c.search(working, o)
	}
	return c, c.await(truth, o)
}

// matches are the candidates of a ranking beside the sites.
type matches struct {
	found  []FoundSite // in the order of their ranks
	at     []geodesy.LatLon
	areas  [][len(levels)]area
	away   [][]float64 // by site, by candidate: metres
	reach  [][]bool
	finds  []int // by site: its candidate, -1 where there is none
	of     []int // by candidate: how many sites it is the find of
	others []bool
}

func matched(working []TruthSite, found FoundSites) (*matches, error) {
	if err := found.check(); err != nil {
		return nil, err
	}
	m := &matches{found: slices.Clone(found.Sites)}
	slices.SortStableFunc(m.found, func(a, b FoundSite) int { return cmp.Compare(a.Rank, b.Rank) })
	m.areas, m.of, m.others = make([][len(levels)]area, len(m.found)), make([]int, len(m.found)), make([]bool, len(m.found))
	for i, f := range m.found {
		m.at = append(m.at, geodesy.LatLon{Lat: f.Lat, Lon: f.Lon})
		for k, g := range [][]byte{f.Regions.P50, f.Regions.P90, f.Regions.P95} {
			a, err := areaOf(g)
			if err != nil {
				return nil, fmt.Errorf("site %s: %w", f.ID, err)
			}
			m.areas[i][k] = a
		}
	}
	for s, t := range working {
		m.away, m.reach, m.finds = append(m.away, make([]float64, len(m.found))), append(m.reach, make([]bool, len(m.found))), append(m.finds, -1)
		for i := range m.found {
			m.away[s][i] = geodesy.Distance(m.at[i], geodesy.LatLon{Lat: t.Lat, Lon: t.Lon})
			m.reach[s][i] = m.reaches(i, t)
			switch {
			case !m.reach[s][i]:
			case m.finds[s] < 0:
				m.finds[s] = i
				m.of[i]++
			default:
				m.others[i] = true
			}
		}
	}
	return m, nil
}

// reaches reports whether candidate i is in reach of a site.
func (m *matches) reaches(i int, t TruthSite) bool {
	return geodesy.Distance(m.at[i], geodesy.LatLon{Lat: t.Lat, Lon: t.Lon}) <= ReachM || m.areas[i][2].holds(t.Lon, t.Lat)
}

// rank takes what counts of the ranking.
func (c *Campaign) rank(m *matches, closed []TruthSite, decoys []TruthDecoy) {
	met := make([]bool, len(closed))
	for s, i := range m.finds {
		if i < 0 {
			c.missed++
		} else {
			c.errors = append(c.errors, m.away[s][i])
		}
	}
	slices.Sort(c.errors)
	for i, f := range m.found {
		if m.of[i] == 0 && m.others[i] {
			continue
		}
		j := judged{p: f.Probability, finds: m.of[i]}
		if j.finds == 0 {
			j.by = decoyAt(m.at[i], decoys)
			for k, t := range closed {
				if m.reaches(i, t) {
					j.by, j.was, met[k] = "a site that is closed", j.was || !met[k], true
				}
			}
		}
		c.candidates = append(c.candidates, j)
	}
}

// decoyAt is the kind of the nearest decoy in reach.
func decoyAt(at geodesy.LatLon, decoys []TruthDecoy) string {
	kind, nearest := "nothing", float64(ReachM)
	for _, d := range decoys {
		if away := geodesy.Distance(at, geodesy.LatLon{Lat: d.Lat, Lon: d.Lon}); away <= nearest {
			kind, nearest = d.Kind, away
		}
	}
	return kind
}

// regions judges, of each site, the regions of the first candidate about it.
func (c *Campaign) regions(working []TruthSite, m *matches, causes map[atalaya.CandidateID][]string) {
	for s, t := range working {
		i := slices.IndexFunc(m.found, func(f FoundSite) bool { return slices.Contains(causes[f.ID], t.ID) })
		if causes == nil {
			i = m.about(s, t)
		}
		if i < 0 {
			continue
		}
		c.judgedBy++
		for k := range levels {
			c.inside[k] += count(m.areas[i][k].holds(t.Lon, t.Lat))
		}
	}
}

// about is the first candidate that is in reach of a site, or has it within aboutShare of its posterior, taken as a normal one; -1 where there is none.
func (m *matches) about(s int, t TruthSite) int {
	for i, f := range m.found {
		if m.reach[s][i] {
			return i
		}
		c := f.CovarianceM2
		det := c[0][0]*c[1][1] - c[0][1]*c[1][0]
		if !(det > 0) || m.away[s][i] > 10*math.Sqrt(c[0][0]+c[1][1]) {
			continue
		}
		d := geodesy.NewFrame(geodesy.LatLonHeight{Lat: f.Lat, Lon: f.Lon}).GroundENU(geodesy.LatLon{Lat: t.Lat, Lon: t.Lon})
		square := (c[1][1]*d[0]*d[0] - (c[0][1]+c[1][0])*d[0]*d[1] + c[0][0]*d[1]*d[1]) / det
		if square <= -2*math.Log(1-aboutShare) { // chi-square of two degrees of freedom
			return i
		}
	}
	return -1
}

// search orders the ground as one would search it, the likeliest first. Ground without a cell has the probability from before any evidence, and its turn is
// when that is reached.
func (c *Campaign) search(working []TruthSite, o CampaignOptions) {
	c.ground = map[int]ground{}
	cells := slices.Clone(o.Cells)
	slices.SortFunc(cells, func(a, b site.Cell) int { return cmp.Compare(s2.CellID(a.ID).RangeMin(), s2.CellID(b.ID).RangeMin()) })
	here := make([]float64, len(cells))
	outside := 0.0
	for _, t := range working {
		leaf := geodesy.CellOf(geodesy.LatLon{Lat: t.Lat, Lon: t.Lon}, s2.MaxLevel)
		i, found := slices.BinarySearchFunc(cells, leaf, func(a site.Cell, l s2.CellID) int { return cmp.Compare(s2.CellID(a.ID).RangeMin(), l) })
		if !found {
			i--
		}
		if i >= 0 && s2.CellID(cells[i].ID).Contains(leaf) {
			here[i]++
		} else {
			outside++
		}
	}
	covered := 0.0
	for i, cell := range cells {
		km2 := s2.CellFromCellID(s2.CellID(cell.ID)).ExactArea() * earthKm * earthKm
		covered += km2
		c.lay(cell.Probability, km2, here[i])
	}
	c.lay(c.prior, math.Max(0, c.areaKm2-covered), outside)
}

// earthKm is the radius of the sphere of the WGS 84 ellipsoid's area (Moritz 2000, doi:10.1007/s001900050278).
const earthKm = 6371.0072

func (c *Campaign) lay(p, km2, sites float64) {
	k := int(math.Floor(logOdds(p) / groundStep))
	g := c.ground[k]
	c.ground[k] = ground{g.km2 + km2, g.sites + sites}
}

// await finds when the first ten were first right.
func (c *Campaign) await(truth TruthSites, o CampaignOptions) error {
	if len(o.Earlier) == 0 || o.From.IsZero() {
		return nil
	}
	c.wait, c.eight = math.Inf(1), math.Inf(1)
	for _, r := range o.Earlier {
		one, err := OneCampaign(truth, r.Found, CampaignOptions{AsOf: r.AsOf})
		if err != nil {
			return err
		}
		hits, hours := one.hits(10), r.AsOf.Sub(o.From).Hours()
		if hits >= 1 {
			c.wait = math.Min(c.wait, hours)
		}
		if hits >= 8 {
			c.eight = math.Min(c.eight, hours)
		}
	}
	return nil
}

// hits are the true ones among the first k.
func (c *Campaign) hits(k int) (n int) {
	for _, j := range c.candidates[:min(k, len(c.candidates))] {
		n += count(j.finds > 0)
	}
	return n
}

// hitsEver are those among the first k that are true or lie at a site that has closed.
func (c *Campaign) hitsEver(k int) (n int) {
	for _, j := range c.candidates[:min(k, len(c.candidates))] {
		n += count(j.finds > 0 || j.was)
	}
	return n
}

// Cases are the candidates that count, for a calibration of what their probabilities were made of.
func (c *Campaign) Cases() []site.Case {
	var out []site.Case
	for _, j := range c.candidates {
		out = append(out, site.Case{LogOdds: logOdds(j.p), Site: j.finds > 0, Weight: 1})
	}
	return out
}

// Calibrated is the campaign as it would have been with a calibration, which keeps every order.
func (c *Campaign) Calibrated(by site.Calibration) *Campaign {
	out := *c
	out.candidates = slices.Clone(c.candidates)
	for i, j := range out.candidates {
		l, _, _, _ := by.Apply(logOdds(j.p))
		out.candidates[i].p = 1 / (1 + math.Exp(-l))
	}
	return &out
}

// logOdds of a probability, finite.
func logOdds(p float64) float64 { return math.Log(math.Max(p, 1e-300) / math.Max(1-p, 1e-16)) }
