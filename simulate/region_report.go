package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
)

// A RegionReport is what somebody said about an area.
type RegionReport struct {
	ID       string // also of its file
	Time     time.Time
	At       geodesy.LatLon
	RadiusM  float64
	Grade    string // A1 to F6
	Denies   bool
	Language string // es, en
	// Lineage names what it was made from, where the source said so.
	Lineage []string
	Text    string
}

// ReportTruth is what a report was: "true" of a site, "mistaken" about a decoy, "rumour", "lie" or "denial".
type ReportTruth struct {
	ID    string `json:"id"`
	What  string `json:"what"`
	About string `json:"about,omitempty"` // the place that it means
	// Origin numbers the rumour; Guise is how it is told: "first", "named" (it names its origin), "same" (the same words), "dressed" (the same
	// words with other case, figures and stops), "retold" (other words, no origin).
	Origin int    `json:"origin,omitempty"`
	Guise  string `json:"guise,omitempty"`
}

// told is a report in the making.
type told struct {
	RegionReport
	truth ReportTruth
}

// report makes what people say, in the order of its time.
func (w *world) report() {
	chance := numeric.NewStream(w.seed, blockRegionReports)
	var all []told
	all = append(all, w.trueReports(chance)...)
	all = append(all, w.mistakes(chance)...)
	for i := range w.Reports.Rumours {
		all = append(all, w.rumour(i+1, chance)...)
	}
	for range w.Reports.Lies {
		all = append(all, w.lie(chance))
	}
	for range w.Reports.Denials {
		all = append(all, w.denial(chance))
	}
	all = slices.DeleteFunc(all, func(t told) bool { return t.Time.Before(w.From) || !t.Time.Before(w.To) })
	slices.SortStableFunc(all, func(a, b told) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.At.Lat, b.At.Lat), cmp.Compare(a.At.Lon, b.At.Lon))
	})
	for i := range all {
		all[i].ID = fmt.Sprintf("report-%03d", i+1)
		all[i].truth.ID = all[i].ID
		w.said, w.about = append(w.said, all[i].RegionReport), append(w.about, all[i].truth)
		if r := &all[i]; !r.Denies && r.RadiusM <= widestToldM {
			w.seen = append(w.seen, clue{at: w.spotOf(r.At), kind: "report", sigma: math.Max(r.RadiusM, preciseM+1), like: 1, time: r.Time})
		}
	}
}

// grade draws reliability and credibility: better where the report is true, and far from perfectly so.
func grade(true bool, chance *numeric.Stream) string {
	if chance.Float64() < 0.2 {
		return "F" + string("36"[chance.IntN(2)])
	}
	mean := 2.9
	if true {
		mean = 1.9
	}
	r := min(4, max(0, int(math.Round(mean-0.3+1.0*chance.Normal()))))
	c := min(5, max(1, int(math.Round(mean+0.3+0.9*chance.Normal()))))
	return string("ABCDE"[r]) + string("012345"[c])
}

// around puts the middle of a report: its place lies in the area that is told in 85 of 100, and up to as far again beyond in the others.
func (w *world) around(p spot, chance *numeric.Stream) (geodesy.LatLon, float64) {
	radius := round(200*math.Pow(25, chance.Float64()), -1) // 200 m to 5 km, even in its logarithm
	off := radius * math.Sqrt(chance.Float64())
	if chance.Float64() < 0.15 {
		off = radius * (1 + chance.Float64())
	}
	at := w.land.latLon(p.step(2*math.Pi*chance.Float64(), off))
	return geodesy.LatLon{Lat: round(at.Lat, 4), Lon: round(at.Lon, 4)}, radius
}

func (w *world) anyTime(from, to time.Time, chance *numeric.Stream) time.Time {
	return from.Add(time.Duration(chance.Float64() * float64(to.Sub(from)))).Truncate(time.Minute)
}

// delay is how long word takes: one to ten days.
func delay(chance *numeric.Stream) time.Duration {
	return time.Duration((1 + math.Min(9, 2.5*chance.Exp())) * 24 * float64(time.Hour)).Truncate(time.Minute)
}

func (w *world) trueReports(chance *numeric.Stream) (out []told) {
	for i := range w.places[:w.sites] {
		p := &w.places[i]
		mean := w.Reports.PerSite
		if p.quiet {
			mean *= 0.6
		}
		if s := p.to.Sub(p.from).Hours() / w.To.Sub(w.From).Hours(); s < 1 {
			mean *= math.Max(0.3, s)
		}
		for range poisson(chance, mean) {
			seen := w.anyTime(p.from, p.to, chance)
			r := w.say(p.at, seen.Add(delay(chance)), grade(true, chance), false, chance)
			r.truth = ReportTruth{What: "true", About: p.id}
			out = append(out, r)
		}
	}
	return out
}

// mistakes are honest reports of what is no site: of decoys that lie in the country rather than in towns, by how well they are noticed.
func (w *world) mistakes(chance *numeric.Stream) (out []told) {
	var near []int
	for i := w.sites; i < len(w.places); i++ {
		if k := w.places[i].kind; k != &homestead && (k.where == onPlain || k.where == inHills || k.where == townEdge || k.where == atWater) {
			near = append(near, i)
		}
	}
	if len(near) == 0 {
		return nil
	}
	for range poisson(chance, w.Reports.Mistaken) {
		p := &w.places[near[chance.IntN(len(near))]]
		r := w.say(p.at, w.anyTime(w.From, w.To, chance), grade(false, chance), false, chance)
		r.truth = ReportTruth{What: "mistaken", About: p.id}
		out = append(out, r)
	}
	return out
}

// rumour has one wrong origin and is told over two weeks by one source after the other: half of them name where they have it from, the others tell
// it in the same words, or in the same words otherwise written, or, as the scenario has it, in words of their own.
func (w *world) rumour(i int, chance *numeric.Stream) (out []told) {
	p := w.land.anywhere(chance)
	begin := w.anyTime(w.From, w.From.Add(w.To.Sub(w.From)/2), chance)
	origin := w.say(p, begin, grade(false, chance), false, chance)
	origin.Lineage = []string{fmt.Sprintf("talk-%d", 100+i*7+chance.IntN(5))} // names no kind of report
	origin.truth = ReportTruth{What: "rumour", Origin: i, Guise: "first"}
	out = append(out, origin)
	last := begin.Add(14 * 24 * time.Hour)
	if last.After(w.To) {
		last = w.To
	}
	for range w.Reports.Told - 1 {
		r := origin
		r.Time = w.anyTime(begin, last, chance)
		r.Grade = grade(false, chance)
		r.truth.Guise = "named"
		switch u := chance.Float64(); {
		case u < w.Reports.Paraphrased:
			r.Lineage = nil
			r.truth.Guise = "retold"
			r.Text = w.words(p, r.Language, false, chance)
			r.At, r.RadiusM = w.around(p, chance)
		case u < w.Reports.Paraphrased+(1-w.Reports.Paraphrased)*0.3:
			r.Lineage = nil
			r.truth.Guise = "same"
		case u < w.Reports.Paraphrased+(1-w.Reports.Paraphrased)*0.5:
			r.Lineage = nil
			r.truth.Guise = "dressed"
			r.Text = dressed(r.Text, chance)
		case u < w.Reports.Paraphrased+(1-w.Reports.Paraphrased)*0.7:
			r.Text = w.words(p, r.Language, false, chance) // other words, and says where it has them from
		}
		out = append(out, r)
	}
	return out
}

// dressed writes the same words otherwise: in capitals, with other stops, with a number before them.
func dressed(text string, chance *numeric.Stream) string {
	body := strings.TrimPrefix(text, synthetic)
	switch chance.IntN(3) {
	case 0:
		body = strings.ToUpper(body)
	case 1:
		body = strings.ReplaceAll(strings.ReplaceAll(body, ".", ";"), ",", " -")
	default:
		body = fmt.Sprintf("%d) %s", 1+chance.IntN(40), body)
	}
	return synthetic + body
}

// lie is planted: against a decoy or against empty ground, with a grade that does not show it.
func (w *world) lie(chance *numeric.Stream) told {
	p, about := w.land.anywhere(chance), ""
	if w.Decoys.Count > 0 && chance.Float64() < 0.6 {
		d := &w.places[w.sites+chance.IntN(w.Decoys.Count)]
		p, about = d.at, d.id
	}
	r := w.say(p, w.anyTime(w.From, w.To, chance), grade(chance.Float64() < 0.5, chance), false, chance)
	r.truth = ReportTruth{What: "lie", About: about}
	return r
}

// denial says that there is nothing: one in four about a site.
func (w *world) denial(chance *numeric.Stream) told {
	p, about := w.land.anywhere(chance), ""
	if w.sites > 0 && chance.Float64() < 0.25 {
		d := &w.places[chance.IntN(w.sites)]
		p, about = d.at, d.id
	}
	r := w.say(p, w.anyTime(w.From, w.To, chance), grade(about == "", chance), true, chance)
	r.truth = ReportTruth{What: "denial", About: about}
	return r
}

func (w *world) say(p spot, at time.Time, grade string, denies bool, chance *numeric.Stream) told {
	r := told{RegionReport: RegionReport{Time: at, Grade: grade, Denies: denies, Language: "es"}}
	if chance.Float64() < w.Reports.English {
		r.Language = "en"
	}
	r.At, r.RadiusM = w.around(p, chance)
	r.Text = w.words(p, r.Language, denies, chance)
	return r
}

const synthetic = "SYNTHETIC. "

// phrases of reports: who speaks, what was noticed, when, and how sure it is.
var phrases = map[string][4][]string{
	"es": {
		{"Una persona que pasa por la brecha dice que", "Un pastor cuenta que", "Según un chofer de redilas,", "Una vecina afirma que", "Un pescador refiere que", "Quien surte la tienda asegura que", "Un peón de la zona comenta que", "Dos jóvenes en moto dijeron que"},
		{"hay un olor fuerte a solvente", "se oye una planta de luz toda la noche", "entran camionetas sin placas después de medianoche", "sale humo blanco entre los árboles", "el agua del arroyo baja con espuma", "tiran tambos vacíos cerca del camino", "se ve luz donde no hay casa", "cerraron el paso con una cadena nueva"},
		{"desde hace unos días", "sobre todo de madrugada", "cada dos o tres noches", "desde la última lluvia", "desde que llegó gente de fuera", "los fines de semana"},
		{"No sabe decir en qué predio.", "No vio a nadie.", "No quiso dar más detalles.", "Lo oyó y también lo vio de lejos.", "Pide que no se sepa quién lo dijo.", "Pasó una sola vez.", "Otro pariente dice lo mismo.", "No está seguro de la distancia."},
	},
	"en": {
		{"A man who drives the track says that", "A herder reports that", "According to a lorry driver,", "A neighbour states that", "A fisherman says that", "The person who supplies the shop is sure that", "A farm hand mentions that", "Two people on a motorbike said that"},
		{"there is a strong smell of solvent", "a generator runs all night", "pick-up trucks without plates arrive after midnight", "white smoke comes out between the trees", "the creek carries foam", "empty drums are left by the track", "there is light where no house stands", "the way was closed with a new chain"},
		{"for some days now", "mostly before dawn", "every second or third night", "since the last rain", "since strangers came", "at weekends"},
		{"Could not say on which land.", "Saw nobody.", "Would not give details.", "Heard it and saw it from afar.", "Asks not to be named.", "Passed only once.", "A relative says the same.", "Is not sure of the distance."},
	},
}

var nothing = map[string][]string{
	"es": {"no hay nada fuera de lo común", "todo está tranquilo y abandonado", "allí solo pasta ganado", "no ha entrado nadie en meses"},
	"en": {"there is nothing unusual", "all is quiet and deserted", "only cattle graze there", "nobody has come in for months"},
}

// words are those of one source.
func (w *world) words(p spot, language string, denies bool, chance *numeric.Stream) string {
	set := phrases[language]
	pick := func(of []string) string { return of[chance.IntN(len(of))] }
	who, what, when, sure := pick(set[0]), pick(set[1]), pick(set[2]), pick(set[3])
	if more := pick(set[1]); more != what && chance.Float64() < 0.5 {
		what += map[string]string{"es": " y ", "en": " and "}[language] + more
	}
	if denies {
		what, when = pick(nothing[language]), ""
	}
	town, m := w.land.nearestTown(p)
	km := max(1, int(math.Round(m/1000)))
	where := fmt.Sprintf("a unos %d km de %s", km, town.Name)
	if language == "en" {
		where = fmt.Sprintf("about %d km from %s", km, town.Name)
	}
	return synthetic + strings.Join(strings.Fields(who+" "+what+" "+where+" "+when), " ") + ". " + sure
}
