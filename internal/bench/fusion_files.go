package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/locate/site"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/plan"
	"github.com/atalaya-isr/atalaya/score"
	"github.com/atalaya-isr/atalaya/sense/detection"
	"github.com/atalaya-isr/atalaya/sense/video"
	"github.com/atalaya-isr/atalaya/simulate"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// FromFilesSchema names the JSON form of a FromFiles.
const FromFilesSchema = "atalaya.fusion-files/1"

// A FromFiles holds campaigns at the level of detections beside the same campaigns from the files of their sensors, which went through decoders, estimators and
// the record.
type FromFiles struct {
	Schema   string         `json:"schema"`
	Version  string         `json:"version"`
	Scored   site.Basis     `json:"scored"`
	Senses   []SenseFigures `json:"senses"`
	Sites    []SiteBeside   `json:"sites"` // those that work at the end
	Rankings []FusionRow    `json:"rankings"`
	Problems []string       `json:"problems,omitempty"` // that the program named while it read the files
}

// SenseFigures are what the positions of one sense are worth.
type SenseFigures struct {
	Sense string  `json:"sense"`
	From  string  `json:"from"` // "sheets" or "files"
	In50  Covered `json:"in_p50"`
	In90  Covered `json:"in_p90"`
	// OffM and StatedM are medians over positions of things: how far each is from the truth, and the radius of the circle of its stated covariance's area, one standard deviation.
	OffM    float64 `json:"off_m"`
	StatedM float64 `json:"stated_m"`
	// Found are, of looks at ground on which a site worked, those in which it stood out, and of sets that were heard those of which the bearings gave a fix; Stated is what the
	// looks state, on average. Of is 0 where looks are not compared.
	Found  Covered `json:"found"`
	Stated float64 `json:"stated_pd"`
	False  int     `json:"false"` // of what stood out, what nothing in the world had caused
	Looks  int     `json:"looks"`
}

// A SiteBeside is a true site in both rankings, rank 0 where it is in none.
type SiteBeside struct {
	Seed   uint64  `json:"seed"`
	ID     string  `json:"id"`
	Sheets int     `json:"rank_sheets"`
	Files  int     `json:"rank_files"`
	PSheet float64 `json:"probability_sheets"`
	PFiles float64 `json:"probability_files"`
}

// tally counts for SenseFigures.
type tally struct {
	in50, in90, of   int
	off, stated      []float64
	found, looked    int
	pd               float64
	wrong, looks     int
	comparesTheLooks bool
}

func (t *tally) figures(sense, from string) SenseFigures {
	s := SenseFigures{Sense: sense, From: from, In50: covered("places in their regions", 0.5, t.in50, t.of), In90: covered("places in their regions", 0.9, t.in90, t.of),
		False: t.wrong, Looks: t.looks}
	if t.of > 0 {
		s.OffM, s.StatedM = numeric.Median(t.off), numeric.Median(t.stated)
	}
	if t.comparesTheLooks {
		s.Found = covered("working sites in looks", t.pd/math.Max(float64(t.looked), 1), t.found, t.looked)
		s.Stated = s.Found.Level
	}
	return s
}

// normal takes one position with its stated covariance.
func (t *tally) normal(at, truth geodesy.LatLon, c [2][2]float64) {
	d := geodesy.NewFrame(geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon}).GroundENU(truth)
	det := c[0][0]*c[1][1] - c[0][1]*c[1][0]
	square := (c[1][1]*d[0]*d[0] - 2*c[0][1]*d[0]*d[1] + c[0][0]*d[1]*d[1]) / det
	t.take(math.Hypot(d[0], d[1]), math.Pow(det, 0.25), square <= -2*math.Log(0.5), square <= -2*math.Log(0.1))
}

// place takes one position with its regions.
func (t *tally) place(p *atalaya.Place, truth geodesy.LatLon) error {
	in50, err := score.Inside(p.Regions.P50, truth.Lat, truth.Lon)
	if err != nil {
		return err
	}
	in90, err := score.Inside(p.Regions.P90, truth.Lat, truth.Lon)
	c := p.CovarianceM2
	t.take(geodesy.Distance(geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}, truth), math.Pow(c[0][0]*c[1][1]-c[0][1]*c[1][0], 0.25), in50, in90)
	return err
}

func (t *tally) take(off, stated float64, in50, in90 bool) {
	t.of++
	t.off, t.stated = append(t.off, off), append(t.stated, stated)
	if in50 {
		t.in50++
	}
	if in90 {
		t.in90++
	}
}

// filedSenses are the senses of whose sensors files are written.
var filedSenses = []string{"gas", "signal", "video"}

// both are the tallies of a sense.
type both struct{ sheets, files tally }

// CheckFiles simulates campaigns, once at the level of detections and once as files of sensors that are run by the program itself, in folders below dir.
func CheckFiles(ctx context.Context, o FusionOptions, dir string) (*FromFiles, error) {
	s, err := o.find(o.Scenario)
	if err != nil {
		return nil, err
	}
	f := &FromFiles{Schema: FromFilesSchema, Version: o.Version, Scored: site.Basis{Scenario: o.Scenario, FirstSeed: o.FirstSeed, Seeds: o.Seeds}, Senses: []SenseFigures{}, Sites: []SiteBeside{}}
	tallies := map[string]*both{}
	for _, name := range filedSenses {
		tallies[name] = &both{}
	}
	var sheets, files []*score.Campaign
	for i := range o.Seeds {
		seed := o.FirstSeed + uint64(i)
		r, err := simulate.RegionCampaign(s, seed)
		if err != nil {
			return nil, err
		}
		run := filesRun{region: r, dir: filepath.Join(dir, fmt.Sprint(seed)), calibration: o.Calibration, tallies: tallies, out: f}
		a, b, err := run.both(ctx, o.Version)
		if err != nil {
			return nil, fmt.Errorf("%s, seed %d: %w", o.Scenario, seed, err)
		}
		sheets, files = append(sheets, a), append(files, b)
		if o.Progress != nil {
			o.Progress(o.Scenario+" from files", i+1, o.Seeds)
		}
	}
	for _, name := range filedSenses {
		f.Senses = append(f.Senses, tallies[name].sheets.figures(name, "sheets"), tallies[name].files.figures(name, "files"))
	}
	f.Rankings = []FusionRow{{"from sheets", "fitted", score.Campaigns(1, sheets...)}, {"from files", "fitted", score.Campaigns(1, files...)}}
	for i := range f.Rankings {
		c := &f.Rankings[i].Score
		c.Precision, c.ROC, c.Area = [][2]float64{}, [][2]float64{}, [][2]float64{}
	}
	return f, nil
}

// filesRun is one campaign in both ways.
type filesRun struct {
	region      *simulate.Region
	dir         string
	calibration site.Calibration
	tallies     map[string]*both
	out         *FromFiles
	truth       map[string]geodesy.LatLon
	filed       simulate.Filed
}

func (f *filesRun) both(ctx context.Context, version string) (sheets, files *score.Campaign, err error) {
	r := f.region
	f.truth = map[string]geodesy.LatLon{}
	for _, s := range r.Truth.Sites {
		f.truth[s.ID] = geodesy.LatLon{Lat: s.Lat, Lon: s.Lon}
	}
	for _, d := range slices.Concat(r.Truth.Decoys, r.Truth.Homesteads) {
		f.truth[d.ID] = geodesy.LatLon{Lat: d.Lat, Lon: d.Lon}
	}
	for _, s := range r.Sheets {
		if t := f.tallies[s.Kind]; t != nil {
			f.sheet(s, &t.sheets)
		}
	}
	of := countryOf(r)
	told := site.Assess(evidence(evidenceOf(r), r.To), variant{}.options(of, r.To))
	fromSheets := score.Found(told)
	for i := range fromSheets.Sites {
		p := &fromSheets.Sites[i].Probability
		l, _, _, _ := f.calibration.Apply(math.Log(*p / (1 - *p)))
		*p = 1 / (1 + math.Exp(-l))
	}
	fromFiles, err := f.run(ctx, version)
	if err != nil {
		return nil, nil, err
	}
	f.sites(fromSheets, fromFiles)
	opt := score.CampaignOptions{AsOf: r.To, From: r.From, AreaKm2: r.Area.Km2, FlightHours: flown(r), PriorPerKm2: of.sitesPerKm2}
	if sheets, err = score.OneCampaign(truthOf(r), fromSheets, opt); err != nil {
		return nil, nil, err
	}
	files, err = score.OneCampaign(truthOf(r), fromFiles, opt)
	return sheets, files, err
}

// works reports whether a site works at a time.
func works(s simulate.TrueSite, look atalaya.Span) bool {
	at := look.From.Add(look.To.Sub(look.From) / 2)
	return !s.From.After(at) && s.To.After(at)
}

// sheet judges the detections of a sheet.
func (f *filesRun) sheet(s detection.Sheet, t *tally) {
	found := map[string]bool{}
	for _, d := range s.Found {
		cause := f.region.Truth.Causes[d.ID]
		found[cause] = true
		truth, known := f.truth[cause]
		switch {
		case cause == "":
			t.wrong++
		case known:
			c := d.CovarianceM2
			c[0][0], c[1][1] = c[0][0]+s.BiasM*s.BiasM, c[1][1]+s.BiasM*s.BiasM
			t.normal(geodesy.LatLon{Lat: d.Lat, Lon: d.Lon}, truth, c)
		}
	}
	t.looks += len(s.Looks)
	if s.Kind != "gas" {
		return
	}
	t.comparesTheLooks = true
	for _, l := range s.Looks {
		var ring [][2]float64
		for _, p := range l.Ring {
			ring = append(ring, [2]float64{p.Lon, p.Lat})
		}
		seen := plan.Polygon{ring}
		for _, w := range f.region.Truth.Sites {
			if at := f.truth[w.ID]; works(w, l.When) && seen.Holds(at.Lon, at.Lat) {
				t.look(found[w.ID], l.PD)
			}
		}
	}
}

func (t *tally) look(found bool, pd float64) {
	t.looked++
	t.pd += pd
	if found {
		t.found++
	}
}

// folders is where files are written: the mission's, and those of cameras beside it, since their sheets of call-outs are in the mission, which speak of the same looks.
type folders struct{ mission, beside string }

func (f folders) Create(name string) (io.WriteCloser, error) {
	root := f.mission
	if strings.HasPrefix(name, "video/") {
		root = f.beside
	}
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// run writes the files, runs the program on them, and judges what it made of them.
func (f *filesRun) run(ctx context.Context, version string) (found score.FoundSites, err error) {
	to := folders{filepath.Join(f.dir, "mission"), filepath.Join(f.dir, "beside")}
	if f.filed, err = f.region.WriteFiles(to); err != nil {
		return found, err
	}
	db, err := sqlite.OpenDir(ctx, filepath.Join(f.dir, "record"), sqlite.Options{})
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a := app.New(db, version)
	a.Calibration = &f.calibration
	doc, _, err := a.Run(ctx, to.mission, app.RunOptions{Seed: f.region.Seed, WithoutMovers: true})
	if err != nil {
		return found, err
	}
	f.problems(doc)
	if err := f.detections(ctx, db); err != nil {
		return found, err
	}
	if err := f.callouts(to.beside); err != nil {
		return found, err
	}
	found.Schema = doc.Schema
	for _, s := range doc.Sites {
		found.Sites = append(found.Sites, score.FoundSite{ID: s.ID, Rank: s.Rank, Lat: s.Lat, Lon: s.Lon, Probability: s.Probability, Regions: s.Regions, CovarianceM2: s.CovarianceM2})
	}
	return found, nil
}

func (f *filesRun) problems(doc app.SitesDocument) {
	for _, row := range doc.Files {
		for _, p := range row.Problems {
			f.out.Problems = append(f.out.Problems, fmt.Sprintf("seed %d, %s: %s %s", f.region.Seed, row.Path, p.At, p.What))
		}
	}
	for _, p := range doc.Problems {
		f.out.Problems = append(f.out.Problems, fmt.Sprintf("seed %d: %s %s", f.region.Seed, p.At, p.What))
	}
}

// detections judges the gas sources and emitter fixes of a record.
func (f *filesRun) detections(ctx context.Context, db *sqlite.DB) error {
	part := map[atalaya.ObservationID]atalaya.Observation{}
	if err := eachOf(ctx, db, "observation", func(o atalaya.Observation) error {
		part[o.ID] = o
		return nil
	}); err != nil {
		return err
	}
	sources := map[string][]*atalaya.Place{} // by file
	fixes := map[[2]string]*atalaya.Place{}  // by file and name
	if err := eachOf(ctx, db, "detection", func(d atalaya.Detection) error {
		if d.Place == nil || len(d.From) == 0 {
			return nil
		}
		switch o := part[d.From[0]]; d.Kind {
		case atalaya.GasSource:
			sources[o.Path] = append(sources[o.Path], d.Place)
		case atalaya.EmitterFix:
			fixes[[2]string{o.Path, o.Part}] = d.Place
		}
		return nil
	}); err != nil {
		return err
	}
	for _, e := range f.filed.Emitters {
		t := &f.tallies["signal"].files
		t.comparesTheLooks = true
		p := fixes[[2]string{e.File, e.Name}]
		t.look(p != nil, 1)
		if p == nil {
			continue
		}
		if err := t.place(p, e.At); err != nil {
			return err
		}
	}
	t := &f.tallies["gas"].files
	t.comparesTheLooks = true
	for _, s := range f.filed.Surveys {
		if err := f.survey(s, sources[s.File], t); err != nil {
			return err
		}
	}
	return nil
}

// survey judges the sources that one survey named: each belongs to the nearest place that emits, and to none where there is none within ownedM.
func (f *filesRun) survey(s simulate.FiledSurvey, named []*atalaya.Place, t *tally) error {
	const ownedM = 1000
	t.looks++
	found := map[string]bool{}
	for _, p := range named {
		at := geodesy.LatLon{Lat: p.Lat, Lon: p.Lon}
		near := func(e simulate.FiledEmission) float64 { return geodesy.Distance(e.At, at) }
		if len(s.Emitted) == 0 {
			t.wrong++
			continue
		}
		e := slices.MinFunc(s.Emitted, func(a, b simulate.FiledEmission) int { return cmp.Compare(near(a), near(b)) })
		if near(e) > ownedM {
			t.wrong++
			continue
		}
		found[e.ID] = true
		if err := t.place(p, e.At); err != nil {
			return err
		}
	}
	for _, e := range s.Emitted {
		if e.Within && strings.HasPrefix(e.ID, "site-") {
			t.look(found[e.ID], s.PD)
		}
	}
	return nil
}

// callouts judges where the middle of the picture lies by the camera's metadata.
func (f *filesRun) callouts(dir string) error {
	t := &f.tallies["video"].files
	for i := 0; i < len(f.filed.Callouts); {
		file := f.filed.Callouts[i].File
		r, err := os.Open(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		reader, viewer := video.NewReader(r), video.NewViewer(video.DefaultSigmas)
		for ; i < len(f.filed.Callouts) && f.filed.Callouts[i].File == file; i++ {
			p, err := reader.Next()
			if err != nil {
				return errors.Join(fmt.Errorf("%s: %w", file, err), r.Close())
			}
			l := viewer.See(&p)
			at, ok := l.Point(0.5, 0.5)
			e, sure := l.PointEllipse95(0.5, 0.5, at)
			if !ok || !sure || at.Outcome != terrain.Met {
				continue
			}
			t.normal(at.LatLon(), f.filed.Callouts[i].At, covarianceOf(e, 0.95))
		}
		if err := r.Close(); err != nil {
			return err
		}
	}
	return nil
}

// covarianceOf is that of the normal density, east and north, of which an ellipse holds share p.
func covarianceOf(e geodesy.Ellipse, p float64) [2][2]float64 {
	square := -2 * math.Log1p(-p)
	a, b := e.MajorM*e.MajorM/square, e.MinorM*e.MinorM/square
	s, c := math.Sincos(e.AzimuthDeg * geodesy.RadPerDegree)
	return [2][2]float64{{a*s*s + b*c*c, (a - b) * s * c}, {(a - b) * s * c, a*c*c + b*s*s}}
}

// eachOf decodes all entities of a kind.
func eachOf[T any](ctx context.Context, db *sqlite.DB, kind string, do func(T) error) error {
	q := store.Query{Kind: kind}
	for {
		page, err := db.Find(ctx, access.Whole(), q)
		if err != nil {
			return err
		}
		for _, e := range page.Entities {
			var v T
			if err := json.Unmarshal(e.Body, &v); err != nil {
				return fmt.Errorf("%s %s: %w", e.Kind, e.ID, err)
			}
			if err := do(v); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// sites puts the working sites of both rankings beside each other.
func (f *filesRun) sites(sheets, files score.FoundSites) {
	first := func(of score.FoundSites, at geodesy.LatLon) (rank int, p float64) {
		for _, c := range of.Sites {
			if geodesy.Distance(geodesy.LatLon{Lat: c.Lat, Lon: c.Lon}, at) <= score.ReachM {
				return c.Rank, c.Probability
			}
		}
		return 0, 0
	}
	for _, s := range f.region.Truth.Sites {
		if !works(s, atalaya.Span{From: f.region.To.Add(-1), To: f.region.To.Add(-1)}) {
			continue
		}
		b := SiteBeside{Seed: f.region.Seed, ID: s.ID}
		b.Sheets, b.PSheet = first(sheets, f.truth[s.ID])
		b.Files, b.PFiles = first(files, f.truth[s.ID])
		f.out.Sites = append(f.out.Sites, b)
	}
}

// Print writes the tables for eyes.
func (f *FromFiles) Print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d campaigns from seed %d: at the level of detections, and from the files of their sensors through decoders, estimators and the record\n\n", f.Scored.Scenario, f.Scored.Seeds, f.Scored.FirstSeed)
	fmt.Fprintln(w, "SENSE\tFROM\tPLACES\tIN 50 %\tIN 90 %\tOFF (MEDIAN)\tSTATED\tFOUND\tSTATED\tOF NOTHING\tLOOKS")
	for _, s := range f.Senses {
		found, stated := "-", "-"
		if s.Found.Of > 0 {
			found, stated = fmt.Sprintf("%d of %d (%.2f-%.2f)", s.Found.Inside, s.Found.Of, s.Found.Low, s.Found.High), fmt.Sprintf("%.2f", s.Stated)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%.2f (%.2f-%.2f)\t%.2f (%.2f-%.2f)\t%.0f m\t%.0f m\t%s\t%s\t%d\t%d\n", s.Sense, s.From, s.In90.Of, part(s.In50), s.In50.Low, s.In50.High, part(s.In90), s.In90.Low, s.In90.High,
			s.OffM, s.StatedM, found, stated, s.False, s.Looks)
	}
	fmt.Fprintln(w, "\nRANKING\tCAMPAIGNS\tCALIBRATED\tFOUND\tPRECISION@10\tAND CLOSED\tAVERAGE PRECISION\tECE\tBRIER/SITE\tLOG/SITE\tIN 50 %\tIN 90 %\tAREA 50\tAREA 90\tABOVE 50 %")
	for _, r := range f.Rankings {
		printRow(w, r, math.NaN(), math.NaN())
	}
	fmt.Fprintln(w, "\nSEED\tSITE\tRANK FROM SHEETS\tPROBABILITY\tRANK FROM FILES\tPROBABILITY")
	for _, s := range f.Sites {
		fmt.Fprintf(w, "%d\t%s\t%d\t%.3f\t%d\t%.3f\n", s.Seed, s.ID, s.Sheets, s.PSheet, s.Files, s.PFiles)
	}
	for _, p := range f.Problems {
		fmt.Fprintf(w, "problem: %s\n", p)
	}
	return w.Flush()
}

func part(c Covered) float64 { return float64(c.Inside) / math.Max(float64(c.Of), 1) }
