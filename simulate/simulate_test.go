package simulate

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/sense/report"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// shelf keeps files in memory.
type shelf map[string]*bytes.Buffer

type entry struct{ *bytes.Buffer }

func (entry) Close() error { return nil }

func (s shelf) Create(name string) (io.WriteCloser, error) {
	if s[name] != nil {
		return nil, fmt.Errorf("%s is written twice", name)
	}
	s[name] = &bytes.Buffer{}
	return entry{s[name]}, nil
}

// made keeps campaigns that several tests look at.
var made = map[string]struct {
	files shelf
	truth Truth
}{}

func campaign(t testing.TB, name string, seed uint64) (shelf, Truth) {
	t.Helper()
	key := fmt.Sprint(name, seed)
	m, ok := made[key]
	if !ok {
		m.files, m.truth = fresh(t, name, seed)
		made[key] = m
	}
	return m.files, m.truth
}

func (s shelf) open(name string) io.Reader { return bytes.NewReader(s[name].Bytes()) }

func fresh(t testing.TB, name string, seed uint64) (shelf, Truth) {
	t.Helper()
	s, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	out := shelf{}
	truth, err := Campaign(s, seed, out)
	if err != nil {
		t.Fatal(err)
	}
	return out, truth
}

func Example() {
	s, err := Find("small")
	if err != nil {
		fmt.Println(err)
		return
	}
	out := shelf{}
	truth, err := Campaign(s, 1, out)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(out)) {
		fmt.Println(name)
	}
	fmt.Println(len(truth.Sites), "site,", len(truth.Decoys), "decoys")
	// Output:
	// README.txt
	// gas/flight-1.csv
	// gas/flight-2.csv
	// mission.yaml
	// reports/report-1.txt
	// reports/report-2.txt
	// signals/bearings-1.csv
	// video/camera-1.ts
	// video/film-1.ts
	// 1 site, 3 decoys
}

func TestSameSeedGivesTheSameBytesAndAnotherOthers(t *testing.T) {
	a, truthA := campaign(t, "small", 7)
	b, truthB := fresh(t, "small", 7)
	other, truthOther := campaign(t, "small", 8)
	for name := range a {
		if !bytes.Equal(a[name].Bytes(), b[name].Bytes()) {
			t.Errorf("%s differs between two runs of one seed", name)
		}
		if bytes.Equal(a[name].Bytes(), other[name].Bytes()) {
			t.Errorf("%s is the same for two seeds", name)
		}
	}
	text := func(t Truth) string {
		var b bytes.Buffer
		t.Write(&b)
		return b.String()
	}
	if text(truthA) != text(truthB) || text(truthA) == text(truthOther) {
		t.Error("the truth must follow the seed and nothing else")
	}
}

func TestTruthStaysOutOfTheMissionAndEveryFileSaysSynthetic(t *testing.T) {
	for _, name := range []string{"small", "empty"} {
		files, truth := campaign(t, name, 7)
		for file, b := range files {
			if !bytes.Contains(b.Bytes(), []byte("SYNTHETIC")) {
				t.Errorf("%s: %s does not say SYNTHETIC", name, file)
			}
			for _, secret := range []string{"truth", "site-1", "paint", "decoy", "rumour", "tower"} {
				if strings.Contains(file, secret) || bytes.Contains(b.Bytes(), []byte(secret)) {
					t.Errorf("%s: %s gives %q away", name, file, secret)
				}
			}
		}
		if want := map[string]int{"small": 1, "empty": 0}[name]; len(truth.Sites) != want {
			t.Errorf("%s has %d sites, not %d", name, len(truth.Sites), want)
		}
	}
}

func TestGasSurveysReadBack(t *testing.T) {
	files, truth := campaign(t, "small", 7)
	s, err := gas.Read(files.open("gas/flight-1.csv"), "flight-1.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Problems) != 0 || s.Len() < 400 {
		t.Fatalf("%d rows, problems %v", s.Len(), s.Problems)
	}
	// The plume carries acetone and toluene in the ratio of their emissions: moles 1.5/58.08 to 0.7/92.141. In the plume the
	// noise of the slope of about a hundred values is below 5 %.
	a, b := s.Compound("acetone"), s.Compound("toluene")
	var aa, ab float64
	for i := range s.Len() {
		if !a.IsBelow(i) && !b.IsBelow(i) && b.Value[i] > 2 {
			x, y := b.Value[i]-0.3, a.Value[i]-1.5
			aa, ab = aa+x*x, ab+x*y
		}
	}
	site := truth.Sites[0].RateKgS
	want := (site["acetone"] / 58.08) / (site["toluene"] / 92.141)
	if got := ab / aa; math.Abs(got/want-1) > 0.15 {
		t.Errorf("acetone to toluene %.2f, emitted as %.2f", got, want)
	}
	x := s.Compound("xylene")
	for i := range s.Len() {
		if a.LOD[i] != 3 || a.IsBelow(i) && a.Value[i] != 3 {
			t.Fatalf("row %d: limit %g, value %g, below %v", i, a.LOD[i], a.Value[i], a.IsBelow(i))
		}
		if !x.IsBelow(i) && x.Value[i] > 0.1+5*0.4 { // no xylene there: background and five sigma at most
			t.Errorf("row %d has %g ppb of xylene", i, x.Value[i])
		}
	}
}

func TestInstrumentShowsTheMixingRatioOfTheMass(t *testing.T) {
	s, _ := Find("small")
	c, err := settle(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	log := newGasLog(c, s.Gas[0], numeric.NewStream(1, 1))
	for i := range 4000 {
		log.row(float64(i), fix{0, 0, 30}, 3, 4, []float64{1e-7, 0, 0, 0})
	}
	// 1e-7 kg/m3 of acetone at 815 hPa and 295.15 K is 1e-7·R·T/(p·M) = 51.84 ppb, on a background of 1.5. The noise of the
	// mean of 4,000 is 0.03; the background's drift (15 %, 300 s) leaves 0.225·√(2·300/4000) = 0.09: three sigma is 0.28.
	if got := numeric.Mean(log.survey.Compounds[0].Value[50:]); math.Abs(got-53.34) > 0.28 {
		t.Errorf("mean %g ppb", got)
	}
	// 5 m/s, times a gain of sigma 5 %: three sigma.
	if u, v := numeric.Mean(log.survey.U), numeric.Mean(log.survey.V); math.Abs(math.Hypot(u, v)/5-1) > 0.15 || math.Abs(math.Atan2(v, u)-math.Atan2(4, 3)) > 0.12 {
		t.Errorf("wind %g %g", u, v)
	}
}

func TestInstrumentLagsBehindTheAir(t *testing.T) {
	s, _ := Find("small")
	c, err := settle(s, 1)
	if err != nil {
		t.Fatal(err)
	}
	log := newGasLog(c, s.Gas[0], numeric.NewStream(1, 1))
	for i := range 20 {
		m := []float64{0, 0, 0, 0}
		if i >= 10 {
			m[0] = 1e-6
		}
		log.row(float64(i), fix{0, 0, 30}, 3, 4, m)
	}
	// A step reaches 1-exp(-1/1.5) = 49 % after one second and 99 % after seven.
	v := log.survey.Compounds[0].Value
	if full := 518.4; v[10] > 0.6*full || v[10] < 0.35*full || v[18] < 0.85*full {
		t.Errorf("step answered by %v", v[9:])
	}
}

func TestVideoReadsBackAndLooksWhereItSays(t *testing.T) {
	s, _ := Find("small")
	c, err := settle(s, 5)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := c.video(&file); err != nil {
		t.Fatal(err)
	}
	cam := c.camera(numeric.NewStream(5, blockVideo))
	tower, site := c.places["tower"], c.places["site-1"]
	var square, worst float64
	var n, overTower, overSite int
	err = video.ReadLooks(video.NewReader(&file), video.DefaultSigmas, func(p *video.Packet, l *video.Look) error {
		if len(l.Problem) > 0 || !l.HasRay || l.How != "full" || l.Horizon {
			return fmt.Errorf("packet %d: %+v", n, l)
		}
		_, look := cam.at(float64(n) / s.Video.RateHz)
		at := c.frame.GroundENU(l.Ray.LatLon())
		off := math.Hypot(at[0]-look[0], at[1]-look[1])
		square, worst, n = square+off*off, math.Max(worst, off), n+1
		if inside(c, l.Corners, tower) {
			overTower++
		}
		if inside(c, l.Corners, site) {
			overSite++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := int(cam.seconds() * s.Video.RateHz); n != want {
		t.Errorf("%d packets, not %d", n, want)
	}
	// At 2.34 km slant and 40 degrees of depression: heading 0.15° of 1.8 km and level 0.08° across 5 m, level along
	// 2340·0.0014/sin 40° = 5 m, position 2 m each way: 8 m altogether, wandering. Rounding is below 1 m.
	if rms := math.Sqrt(square / float64(n)); rms > 16 || rms < 2 || worst > 40 {
		t.Errorf("looks miss by %.1f m rms, %.1f m at most", rms, worst)
	}
	if overTower < 200 || overSite > 5 {
		t.Errorf("%d looks at the tower, %d straight at the site", overTower, overSite)
	}
}

// inside reports whether a place lies in a convex ring.
func inside(c *country, ring [4]geodesy.LatLon, p place) bool {
	var plus, minus bool
	for i := range ring {
		a, b := c.frame.GroundENU(ring[i]), c.frame.GroundENU(ring[(i+1)%4])
		if side := (b[0]-a[0])*(p.north-a[1]) - (b[1]-a[1])*(p.east-a[0]); side > 0 {
			plus = true
		} else {
			minus = true
		}
	}
	return plus != minus
}

func TestVideoTrackNamesItsMarking(t *testing.T) {
	files, _ := campaign(t, "small", 7)
	track, err := video.ReadTrack(files.open("video/camera-1.ts"), video.DefaultSigmas)
	if err != nil {
		t.Fatal(err)
	}
	if len(track.Problems) > 0 || track.Stale > 0 || track.Classification != "UNCLASSIFIED" || track.Datum != video.HAE {
		t.Errorf("%+v", track)
	}
}

func TestBearingsReadBackWithTheirErrors(t *testing.T) {
	var all, wild, n float64
	for seed := range uint64(30) {
		s, _ := Find("small")
		s.Bearings.BiasDeg = 0
		s.Bearings.Emitters[0].WithinM = 0
		c, err := settle(s, seed)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := c.bearings(&file); err != nil {
			t.Fatal(err)
		}
		set, err := bearing.Read(&file, "b.csv")
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Problems) > 0 || len(set.Bearings) != 42 {
			t.Fatalf("%d bearings, problems %v", len(set.Bearings), set.Problems)
		}
		p := c.places["site-1"]
		at := c.latLon(p.east, p.north)
		for _, b := range set.Bearings {
			if b.Emitter != "E1" {
				continue
			}
			if d := geodesy.Distance(b.From.LatLon(), at); d < 40e3 || d > 80e3 {
				t.Fatalf("taken from %g m", d)
			}
			r := geodesy.Wrap180(b.Deg - azimuth(b.From, geodesy.LatLonHeight{Lat: at.Lat, Lon: at.Lon, HeightHAE: s.GroundHAE}))
			n++
			if math.Abs(r) > 5 {
				wild++
			} else {
				all += r * r
			}
		}
	}
	// 720 bearings: the standard deviation 1° is known to 1/√(2·660) = 2.8 %, wild ones within 5° add 1.5 %; the wild share 8 %
	// to √(.08·.92/720) = 1 %. Three sigma.
	if sd := math.Sqrt(all / (n - wild)); math.Abs(sd-1) > 0.11 {
		t.Errorf("standard deviation %.3f", sd)
	}
	if share := wild / n; math.Abs(share-0.08) > 0.033 {
		t.Errorf("wild share %.3f", share)
	}
}

func TestReportsReadBackAndMeanTheirPlace(t *testing.T) {
	files, truth := campaign(t, "small", 7)
	r, err := report.Read(files.open("reports/report-1.txt"), "report-1.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 || r.Grade != "C3" || r.RadiusM != 1500 || r.Language.Code != "es" || r.Place == nil {
		t.Fatalf("%+v", r)
	}
	site := geodesy.LatLon{Lat: truth.Sites[0].Lat, Lon: truth.Sites[0].Lon}
	if d := geodesy.Distance(*r.Place, site); d > r.RadiusM {
		t.Errorf("the report means a place %g m from its own", d)
	}
}

func TestMissionFileReadsBack(t *testing.T) {
	files, truth := campaign(t, "small", 7)
	var m struct {
		Area    [4]float64
		From    time.Time
		To      time.Time
		Sorties []Sortie
		Files   map[string]string
	}
	if err := yaml.Unmarshal(files["mission.yaml"].Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.Sorties {
		if !s.Releasable() {
			t.Errorf("sortie %s cannot be released: %+v", s.ID, s)
		}
	}
	for f := range m.Files {
		if files[f] == nil {
			t.Errorf("mission.yaml ties %s, which was not written", f)
		}
	}
	if s := truth.Sites[0]; s.Lon < m.Area[0] || s.Lat < m.Area[1] || s.Lon > m.Area[2] || s.Lat > m.Area[3] {
		t.Errorf("the site lies outside %v", m.Area)
	}
	if m.From.IsZero() || !m.To.After(m.From) {
		t.Errorf("from %v to %v", m.From, m.To)
	}
}

func TestEverySeedFindsRoomForItsPlaces(t *testing.T) {
	s, _ := Find("small")
	for seed := range uint64(2000) {
		c, err := settle(s, seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for a, p := range c.places {
			for b, q := range c.places {
				if d := math.Hypot(p.east-q.east, p.north-q.north); a != b && d < s.ApartM {
					t.Fatalf("seed %d: %s and %s are %g m apart", seed, a, b, d)
				}
			}
		}
	}
}
