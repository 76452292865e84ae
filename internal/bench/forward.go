package bench

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/numeric"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// The forward check: what the plume says of known releases in stated weather, beside what Project Prairie Grass measured (Barad 1958). Nothing is fitted.

// An Arc is one ring of samplers round one release: the largest ten-minute mean on it, the integral across the wind, and the width.
type Arc struct {
	Run     int
	RadiusM float64
	Wind    dispersion.Wind
	Surface dispersion.Surface
	SourceZ float64
	RateKgS float64
	SampleZ float64
	Max     float64 // kg/m3
	Across  float64 // integral along the arc, kg/m2
	SigmaY  float64 // m, by the second moment
}

// PrairieGrassArcs reads the arcs of the runs in a folder of the shared data. Values are multiplied by the experiment's correction factors.
func PrairieGrassArcs(dir string) ([]Arc, error) {
	truth, err := releases(filepath.Join(dir, "truth.json"))
	if err != nil {
		return nil, err
	}
	factor, err := corrections(filepath.Join(dir, "corrections.csv"))
	if err != nil {
		return nil, err
	}
	var out []Arc
	for _, r := range truth {
		s, err := survey(filepath.Join(dir, r.File))
		if err != nil {
			return nil, err
		}
		for _, radius := range r.Arcs {
			k, ok := factor[r.Run][radius]
			if !ok {
				return nil, fmt.Errorf("corrections.csv has no factor for run %d at %g m", r.Run, radius)
			}
			if a, ok := arc(s, r, radius, k); ok {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// release is a case of atalaya.truth-sources/1.
type release struct {
	File    string
	Run     int
	Arcs    []float64 `json:"arcs_m"`
	Sources []struct {
		X    float64            `json:"x_m"`
		Y    float64            `json:"y_m"`
		Z    float64            `json:"z_m"`
		Rate map[string]float64 `json:"rate_kg_s"`
	}
}

func releases(name string) ([]release, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var truth struct{ Cases []release }
	if err := json.Unmarshal(b, &truth); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, c := range truth.Cases {
		if len(c.Sources) != 1 {
			return nil, fmt.Errorf("%s: %s has %d sources, want one", name, c.File, len(c.Sources))
		}
	}
	return truth.Cases, nil
}

// corrections are factors by run and radius.
func corrections(name string) (map[int]map[float64]float64, error) {
	rows, err := table(name)
	if err != nil {
		return nil, err
	}
	out := map[int]map[float64]float64{}
	for i, row := range rows[1:] {
		run, err := strconv.Atoi(row[0])
		if err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", name, i+2, err)
		}
		out[run] = map[float64]float64{}
		for k, radius := range []float64{50, 100, 200, 400, 800} {
			if out[run][radius], err = strconv.ParseFloat(row[k+1], 64); err != nil {
				return nil, fmt.Errorf("%s: row %d: %w", name, i+2, err)
			}
		}
	}
	return out, nil
}

func table(name string) (rows [][]string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	rows, err = csv.NewReader(f).ReadAll()
	if err = errors.Join(err, f.Close()); err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s is empty", name)
	}
	return rows, err
}

func survey(name string) (*gas.Survey, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	s, err := gas.Read(f, filepath.Base(name))
	return s, errors.Join(err, f.Close())
}

// arc gathers the samplers within a twentieth of a radius; fewer than three are none.
func arc(s *gas.Survey, r release, radius, factor float64) (Arc, bool) {
	src, zero := r.Sources[0], func(v float64) float64 {
		if math.IsNaN(v) {
			return 0
		}
		return v
	}
	a := Arc{Run: r.Run, RadiusM: radius, SourceZ: src.Z, RateKgS: src.Rate["so2"], SampleZ: s.At.Z[0],
		Wind:    dispersion.Wind{U: s.U[0], V: s.V[0], HeightM: s.WindHeightM[0], SigmaTheta: s.SigmaThetaDeg[0] * math.Pi / 180, AveragingS: s.AveragingS(0)},
		Surface: dispersion.Surface{RoughnessM: zero(s.RoughnessM), ObukhovM: zero(s.ObukhovLengthM), MixingHeightM: zero(s.MixingHeightM)}}
	type sampler struct{ angle, value float64 }
	var ring []sampler
	heading := math.Atan2(s.V[0], s.U[0])
	for i := range s.Len() {
		dx, dy := s.At.X[i]-src.X, s.At.Y[i]-src.Y
		if math.Abs(math.Hypot(dx, dy)/radius-1) < 0.05 {
			ring = append(ring, sampler{math.Remainder(math.Atan2(dy, dx)-heading, 2*math.Pi), s.Compounds[0].Value[i] * s.Compounds[0].Unit.PerUnit() * factor})
		}
	}
	if len(ring) < 3 {
		return a, false
	}
	slices.SortFunc(ring, func(p, q sampler) int { return cmp.Compare(p.angle, q.angle) })
	var m0, m1, m2 float64 // moments by the trapezoid rule
	for i, p := range ring {
		w := (ring[min(i+1, len(ring)-1)].angle - ring[max(i-1, 0)].angle) / 2
		a.Max = max(a.Max, p.value)
		m0, m1, m2 = m0+w*p.value, m1+w*p.value*p.angle, m2+w*p.value*p.angle*p.angle
	}
	a.Across, a.SigmaY = m0*radius, math.Sqrt(m2/m0-m1*m1/(m0*m0))*radius
	return a, true
}

// Agreement is how well a model agrees with what was observed (Chang and Hanna 2004, doi:10.1007/s00703-003-0070-7): observed over predicted in
// MG, observed less predicted in FB.
type Agreement struct {
	N                      int
	FAC2, MG, VG, FB, NMSE float64
}

// Agree compares pairs of observed and predicted values.
func Agree(observed, predicted []float64) (a Agreement) {
	n := float64(len(observed))
	var within, ln, ln2, o, p, d2 float64
	for i, c := range observed {
		l := math.Log(c / predicted[i])
		if math.Abs(l) <= math.Ln2 {
			within++
		}
		ln, ln2, o, p, d2 = ln+l, ln2+l*l, o+c, p+predicted[i], d2+(c-predicted[i])*(c-predicted[i])
	}
	return Agreement{len(observed), within / n, math.Exp(ln / n), math.Exp(ln2 / n), 2 * (o - p) / (o + p), n * d2 / (o * p)}
}

func (a Agreement) String() string {
	return fmt.Sprintf("n %3d  FAC2 %.2f  MG %.2f  VG %.2f  FB %+.2f  NMSE %.2f", a.N, a.FAC2, a.MG, a.VG, a.FB, a.NMSE)
}

// A Forward model predicts the largest value on an arc and the crosswind spread there.
type Forward struct {
	Name    string
	Predict func(a Arc) (largest, sigmaY float64)
}

// Forwards are the plume with all that was measured, and with less: what the stability classes say stands in for what is left out.
var Forwards = []Forward{
	{"sigma-theta and L", func(a Arc) (float64, float64) { return onAxis(a, a.Wind, a.Surface) }},
	{"L alone", func(a Arc) (float64, float64) { return onAxis(a, without(a.Wind), a.Surface) }},
	{"sigma-theta and class", func(a Arc) (float64, float64) { return onAxis(a, a.Wind, classOnly(a.Surface)) }},
	{"class alone", func(a Arc) (float64, float64) { return onAxis(a, without(a.Wind), classOnly(a.Surface)) }},
}

func without(w dispersion.Wind) dispersion.Wind {
	w.SigmaTheta = 0
	return w
}

// classOnly is a surface of which no more than the stability class of its Obukhov length (Golder) is known.
func classOnly(s dispersion.Surface) dispersion.Surface {
	s.HasClass, s.Class, s.ObukhovM = true, s.PasquillClass(), 0
	return s
}

// onAxis is the plume's value on its own axis: the arc's largest value is where the plume went, not where the mean wind says.
func onAxis(a Arc, w dispersion.Wind, s dispersion.Surface) (largest, sigmaY float64) {
	p, plain := dispersion.NewPlume(w, s), dispersion.Shape{}.Bend()
	sigmaY, _ = p.Spreads(a.RadiusM, plain)
	return a.RateKgS * p.At(a.RadiusM, 0, a.SampleZ, a.SourceZ, plain, 0).C, sigmaY
}

// A Checked is a forward model's agreement on one arc of every run, or on all (radius 0): of the largest values and of the crosswind spreads, with the
// median of observed over predicted spread.
type Checked struct {
	RadiusM        float64
	Maxima, SigmaY Agreement
	MedianSigmaY   float64
}

// Check compares a model with arcs: all of them, then by radius.
func (f Forward) Check(arcs []Arc) []Checked {
	var out []Checked
	for _, radius := range []float64{0, 50, 100, 200, 400, 800} {
		var observed, predicted, spread, predictedSpread, width []float64
		for _, a := range arcs {
			if radius > 0 && a.RadiusM != radius {
				continue
			}
			c, sy := f.Predict(a)
			observed, predicted = append(observed, a.Max), append(predicted, c)
			spread, predictedSpread, width = append(spread, a.SigmaY), append(predictedSpread, sy), append(width, a.SigmaY/sy)
		}
		out = append(out, Checked{radius, Agree(observed, predicted), Agree(spread, predictedSpread), numeric.Median(width)})
	}
	return out
}

// forwardModels gives the agreement of the plume that has all that was measured, beside that of the plume that has the stability class alone.
func forwardModels(_ context.Context, o Options) ([]pair, error) {
	root := fixture.SharedRoot()
	if root == "" {
		if o.Talk != nil {
			o.Talk("forward: left out, since the shared data folder is not beside the project; name it in ATALAYA_SHARED")
		}
		return nil, nil
	}
	arcs, err := PrairieGrassArcs(filepath.Join(root, "gas", "prairie-grass"))
	if err != nil {
		return nil, err
	}
	full, least := Forwards[0], Forwards[len(Forwards)-1]
	ours, theirs := full.Check(arcs), least.Check(arcs)
	var out []pair
	for i, c := range ours {
		where := "all arcs"
		if c.RadiusM > 0 {
			where = fmt.Sprintf("%g m", c.RadiusM)
		}
		for _, f := range []struct {
			name, unit string
			of         func(Checked) float64
		}{
			{"FAC2", "share", func(c Checked) float64 { return c.Maxima.FAC2 }},
			{"MG", "observed/predicted", func(c Checked) float64 { return c.Maxima.MG }},
			{"VG", "variance", func(c Checked) float64 { return c.Maxima.VG }},
			{"NMSE", "error", func(c Checked) float64 { return c.Maxima.NMSE }},
			{"sigma-y", "observed/predicted", func(c Checked) float64 { return c.MedianSigmaY }},
			{"sigma-y VG", "variance", func(c Checked) float64 { return c.SigmaY.VG }},
		} {
			a, b := f.of(c), f.of(theirs[i])
			out = append(out, pair{name: fmt.Sprintf("Prairie Grass maxima, %s, %s of %d", f.name, where, c.Maxima.N), unit: f.unit, reference: "with the " + least.Name,
				once: func() (float64, float64, error) { return a, b, nil }})
		}
	}
	return out, nil
}
