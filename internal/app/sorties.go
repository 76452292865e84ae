package app

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/golang/geo/s2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/store"
)

// SortiesView is what was flown, week by week, the latest first.
type SortiesView struct {
	Banner  Banner            `json:"banner"`
	Mission atalaya.MissionID `json:"mission"`
	Weeks   []SortieWeek      `json:"weeks"`
}

// SortieWeek is a week from Monday, UTC.
type SortieWeek struct {
	From    time.Time   `json:"from"`
	Hours   float64     `json:"hours"`
	Km2     float64     `json:"looked_km2"` // each spot once
	Sorties []SortieRow `json:"sorties"`
}

// SortieRow is one flight, as far as its records tell.
type SortieRow struct {
	ID         atalaya.SortieID `json:"id"`
	Platform   string           `json:"platform"` // "" where the mission does not say
	When       atalaya.Span     `json:"when"`     // of its first and last record
	Hours      float64          `json:"hours"`
	Kinds      []string         `json:"kinds"` // of evidence
	Km2        float64          `json:"looked_km2"`
	Candidates int              `json:"candidates_looked_at"`
	Chance     float64          `json:"mean_chance"` // that a site at work would have stood out, over the candidates looked at
	Finds      int              `json:"finds"`       // things that stood out
	Marking    string           `json:"marking"`
}

// NextLooks is advice: what one more look at a site would tell for the hours that it costs, by what flew in this mission. Nothing is sent to anybody.
type NextLooks struct {
	Banner  Banner              `json:"banner"`
	Site    atalaya.CandidateID `json:"site"`
	Lat     float64             `json:"lat"`
	Lon     float64             `json:"lon"`
	WindowM float64             `json:"window_m"`
	Now     float64             `json:"probability"`
	Looks   []NextLook          `json:"looks"` // the one that tells most for an hour first
}

// NextLook is one more look with a sensor of a platform.
type NextLook struct {
	Platform string `json:"platform"`
	atalaya.Change
	Sorties int     `json:"sorties"`        // that this rests on
	Looked  int     `json:"looks"`          // at candidates, in these
	Pd      float64 `json:"chance"`         // that a site at work stood out in them, on average
	Hours   float64 `json:"hours_per_look"` // flown for each look at a candidate
	PerHour float64 `json:"gain_bit_per_hour"`
	// Bands are the quarters of the day, in hours of local solar time: looks at candidates by this sense, and how many of them found something there.
	Bands []DayBand `json:"bands"`
	Best  int       `json:"best_band"` // index into Bands
}

// DayBand is a quarter of the day.
type DayBand struct {
	From  int `json:"from_h"`
	To    int `json:"to_h"`
	Looks int `json:"looks"`
	Finds int `json:"finds"`
}

// flown is what the evidence says of one sortie.
type flown struct {
	row   SortieRow
	cells []s2.CellID
	looks []atalaya.Evidence
	finds []atalaya.Evidence
}

// sortiesOf gathers a mission's evidence by the sortie that brought it home; of what has none nothing is told.
func (a *App) sortiesOf(ctx context.Context, view access.View, m MissionState, evidence []atalaya.Evidence) ([]*flown, error) {
	es, err := a.all(ctx, view, store.Query{Kind: "observation", Mission: string(m.ID)})
	if err != nil {
		return nil, err
	}
	by, of := map[atalaya.SortieID]*flown{}, map[atalaya.ObservationID]*flown{}
	for _, e := range es {
		var o atalaya.Observation
		if err := json.Unmarshal(e.Body, &o); err != nil {
			return nil, err
		}
		if o.Sortie == "" || o.Kind == atalaya.GroundLayer || o.Kind == atalaya.Report {
			continue
		}
		f := by[o.Sortie]
		if f == nil {
			f = &flown{row: SortieRow{ID: o.Sortie, When: o.When, Kinds: []string{}, Marking: o.Marking}}
			if i := slices.IndexFunc(m.Sorties, func(s atalaya.Sortie) bool { return s.ID == o.Sortie }); i >= 0 {
				f.row.Platform = m.Sorties[i].Platform
			}
			by[o.Sortie] = f
		}
		if of[o.ID] = f; o.When.From.Before(f.row.When.From) {
			f.row.When.From = o.When.From
		}
		if o.When.To.After(f.row.When.To) {
			f.row.When.To = o.When.To
		}
		if f.row.Marking, err = rollUp([]string{f.row.Marking, o.Marking}); err != nil {
			return nil, err
		}
	}
	for _, e := range evidence {
		f := of[e.Observation]
		if f == nil {
			continue
		}
		if !slices.Contains(f.row.Kinds, e.Kind) {
			f.row.Kinds = append(f.row.Kinds, e.Kind)
		}
		if !isLook(e) {
			f.finds = append(f.finds, e)
			continue
		}
		f.looks = append(f.looks, e)
		for _, c := range e.Cells {
			f.cells = append(f.cells, s2.CellID(c))
		}
	}
	var out []*flown
	for _, f := range by {
		slices.Sort(f.row.Kinds)
		f.row.Hours, f.row.Finds = f.row.When.To.Sub(f.row.When.From).Hours(), len(f.finds)
		f.row.Km2 = km2Of(f.cells)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *flown) int {
		return cmp.Or(b.row.When.From.Compare(a.row.When.From), cmp.Compare(a.row.ID, b.row.ID))
	})
	return out, nil
}

// km2Of is the area of cells, each spot once.
func km2Of(cells []s2.CellID) (km2 float64) {
	u := s2.CellUnion(slices.Clone(cells))
	u.Normalize()
	for _, c := range u {
		km2 += geodesy.CellAreaM2(c) / 1e6
	}
	return km2
}

// chanceOf is the best chance that the looks of a kind, "" of any, had at a place; with it the middle of the time of that look.
func (f *flown) chanceOf(kind string, at geodesy.LatLon) (best float64, when time.Time) {
	for _, e := range f.looks {
		if c := chanceAt(e, at); (kind == "" || e.Kind == kind) && c > best {
			best, when = c, e.When.From.Add(e.When.To.Sub(e.When.From)/2)
		}
	}
	return best, when
}

// found says that something of a kind stood out at a place.
func (f *flown) found(kind string, at geodesy.LatLon) bool {
	return slices.ContainsFunc(f.finds, func(e atalaya.Evidence) bool {
		i, has := slices.BinarySearch(e.Cells, uint64(geodesy.CellOf(at, e.Level)))
		return has && e.Kind == kind && e.LogOdds[i] > leastSaid
	})
}

// leastSaid is the log-odds from which an item speaks of a place.
const leastSaid = 0.05

// Sorties lists what was flown.
func (a *App) Sorties(ctx context.Context, view access.View, mission atalaya.MissionID) (SortiesView, error) {
	v := SortiesView{Weeks: []SortieWeek{}}
	m, marking, err := a.missionSeen(ctx, view, mission)
	if err != nil {
		return v, err
	}
	v.Mission = m.ID
	items, err := a.evidenceOf(ctx, view, m.ID)
	if err != nil {
		return v, err
	}
	evidence := make([]atalaya.Evidence, len(items))
	for i := range items {
		evidence[i] = items[i].Evidence
	}
	all, as, err := a.flights(ctx, view, m, evidence)
	if err != nil {
		return v, err
	}
	marks := []string{marking}
	var cells []s2.CellID
	for _, f := range all {
		for _, c := range as.Candidates {
			if p, _ := f.chanceOf("", placeOf(c)); p > leastLook {
				f.row.Candidates, f.row.Chance = f.row.Candidates+1, f.row.Chance+p
			}
		}
		if f.row.Candidates > 0 {
			f.row.Chance /= float64(f.row.Candidates)
		}
		marks = append(marks, f.row.Marking)
		monday := mondayOf(f.row.When.From)
		if n := len(v.Weeks); n == 0 || !v.Weeks[n-1].From.Equal(monday) {
			v.Weeks, cells = append(v.Weeks, SortieWeek{From: monday}), nil
		}
		w := &v.Weeks[len(v.Weeks)-1]
		cells = append(cells, f.cells...)
		w.Sorties, w.Hours, w.Km2 = append(w.Sorties, f.row), w.Hours+f.row.Hours, km2Of(cells)
	}
	v.Banner, err = BannerOf(marks...)
	return v, err
}

// flights are the sorties of a mission, by its evidence, and its ranking.
func (a *App) flights(ctx context.Context, view access.View, m MissionState, evidence []atalaya.Evidence) ([]*flown, Assessment, error) {
	all, err := a.sortiesOf(ctx, view, m, evidence)
	if err != nil {
		return nil, Assessment{}, err
	}
	as, err := a.Ranking(ctx, view, m.ID)
	if isNotFound(err) { // nothing assessed yet is no candidate
		err = nil
	}
	return all, as, err
}

func placeOf(c atalaya.Candidate) geodesy.LatLon {
	return geodesy.LatLon{Lat: c.Place.Lat, Lon: c.Place.Lon}
}

// mondayOf is the beginning of a time's week, UTC (ISO 8601).
func mondayOf(t time.Time) time.Time {
	t = t.UTC().Truncate(24 * time.Hour)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// NextLooks says what one more look at a site would tell for an hour of flight, by each platform and sense that looked at candidates of its mission. A look
// costs what looks at candidates have cost: the hours of those sorties over their looks. Hours of the day are told as they were counted, and change no figure.
func (a *App) NextLooks(ctx context.Context, view access.View, id atalaya.CandidateID) (NextLooks, error) {
	v := NextLooks{Site: id, WindowM: site.ScaleM, Looks: []NextLook{}}
	c, err := a.lastKnown(ctx, view, id)
	if err != nil {
		return v, err
	}
	m, marking, err := a.missionSeen(ctx, view, c.Mission)
	if err != nil {
		return v, err
	}
	q, err := a.asking(ctx, view, c.Mission)
	if err != nil {
		return v, err
	}
	all, as, err := a.flights(ctx, view, m, q.evidence)
	if err != nil {
		return v, err
	}
	v.Lat, v.Lon, v.Now = c.Place.Lat, c.Place.Lon, c.Probability
	at, asked := q.askedAt(c), q.asked()
	marks := []string{marking, c.Marking}
	for _, l := range classesOf(all, as.Candidates) {
		change, ok := asked.OneMore(at, l.Kind, l.Pd)
		if !ok {
			continue
		}
		l.Change = change
		l.PerHour = l.Bits / l.Hours
		v.Looks = append(v.Looks, l)
	}
	for _, f := range all {
		marks = append(marks, f.row.Marking)
	}
	slices.SortStableFunc(v.Looks, func(a, b NextLook) int { return cmp.Compare(b.PerHour, a.PerHour) })
	v.Banner, err = BannerOf(marks...)
	return v, err
}

// classesOf are the platforms with a sense each that looked at candidates, in a fixed order, and what their looks cost and found.
func classesOf(all []*flown, candidates []atalaya.Candidate) []NextLook {
	type class struct{ platform, kind string }
	by := map[class]*NextLook{}
	hours := map[class]float64{}
	bands := map[string][]DayBand{}
	for _, f := range all {
		for _, kind := range f.row.Kinds {
			if bands[kind] == nil {
				bands[kind] = []DayBand{{From: 0, To: 6}, {From: 6, To: 12}, {From: 12, To: 18}, {From: 18, To: 24}}
			}
			looked, sum := 0, 0.0
			for _, c := range candidates {
				p, when := f.chanceOf(kind, placeOf(c))
				if p <= leastLook {
					continue
				}
				looked, sum = looked+1, sum+p
				band := &bands[kind][bandOf(when, c.Place.Lon)]
				band.Looks++
				if f.found(kind, placeOf(c)) {
					band.Finds++
				}
			}
			if looked == 0 || !(f.row.Hours > 0) {
				continue
			}
			k := class{f.row.Platform, kind}
			if by[k] == nil {
				by[k] = &NextLook{Platform: f.row.Platform, Change: atalaya.Change{Kind: kind}}
			}
			l := by[k]
			l.Sorties, l.Looked, l.Pd = l.Sorties+1, l.Looked+looked, l.Pd+sum
			hours[k] += f.row.Hours
		}
	}
	out := make([]NextLook, 0, len(by))
	for k, l := range by {
		l.Hours, l.Pd, l.Bands = hours[k]/float64(l.Looked), l.Pd/float64(l.Looked), bands[k.kind]
		for i, b := range l.Bands {
			if b.share() > l.Bands[l.Best].share() {
				l.Best = i
			}
		}
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b NextLook) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// share is how many looks found something, drawn towards a half as two more would (P. S. Laplace, the rule of succession); 0 without a look.
func (b DayBand) share() float64 {
	if b.Looks == 0 {
		return 0
	}
	return float64(b.Finds+1) / float64(b.Looks+2)
}

// bandOf is the quarter of the day in mean solar time at a longitude.
func bandOf(t time.Time, lon float64) int {
	t = t.UTC()
	h := math.Mod(float64(t.Hour())+float64(t.Minute())/60+lon/15+48, 24)
	return int(h / 6)
}
