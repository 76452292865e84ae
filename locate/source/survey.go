package source

import (
	"fmt"
	"math"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// FromSurvey makes the estimator's input of a survey file. With join all rows are one group. It refuses what cannot be
// located from: no wind, no compound, a mixing ratio whose molar mass is not known.
func FromSurvey(s *gas.Survey, join bool) (Input, error) {
	refuse := func(what, hint string) (Input, error) {
		return Input{}, &atalaya.Error{Op: "source.input", File: s.Name, Kind: atalaya.BadInput, Hint: hint, Err: plain(what)}
	}
	if s.U == nil {
		return refuse("no wind: a source cannot be located without it", "Add wind_u_mps,wind_v_mps or wind_speed_mps,wind_from_deg")
	}
	if len(s.Compounds) == 0 {
		return refuse("no compound column", "Name one like ch4_ppm or so2_mgm3")
	}
	for _, c := range s.Compounds {
		if !c.Unit.IsMass() && math.IsNaN(molarMass(c)) {
			return refuse(fmt.Sprintf("%s is in %s and its molar mass is not known", c.Name, c.Unit), fmt.Sprintf("Add the line: # molar_mass_%s: g/mol", c.Name))
		}
	}
	in := Input{Local: !s.Geographic()}
	frame, placed := s.Frame()
	if placed {
		in.Frame = &frame
	}
	at, to := s.Local(frame)
	groups := s.GroupRows()
	if join && len(groups) > 1 {
		all := make([]int, s.Len())
		for i := range all {
			all[i] = i
		}
		groups = [][]int{all}
	}
	for _, rows := range groups {
		g := Survey{Surface: surface(s)}
		if len(rows) > 0 && !join {
			g.Group = s.GroupName(rows[0])
		}
		for _, c := range s.Compounds {
			g.Compounds = append(g.Compounds, c.Name)
		}
		for _, i := range rows {
			p := Sample{TimeS: s.T[i], At: [3]float64{at.X[i], at.Y[i], at.Z[i]}, Sensor: s.SensorName(i)}
			if s.IsPath(i) {
				p.IsPath, p.To = true, [3]float64{to.X[i], to.Y[i], to.Z[i]}
			}
			p.Wind = wind(s, i, p)
			air := dispersion.StandardAir
			if v := of(s.TemperatureC, i); !math.IsNaN(v) {
				air.TemperatureK = v + 273.15
			}
			if v := of(s.PressureHPa, i); !math.IsNaN(v) {
				air.PressurePa = v * 100
			}
			for k := range s.Compounds {
				c := &s.Compounds[k]
				unit := c.Unit.PerUnit()
				if !c.Unit.IsMass() {
					unit *= 1e6 * air.MassPerPPM(molarMass(*c))
				}
				v := Value{Amount: of(c.Value, i) * unit, SD: of(c.SD, i) * unit, Below: c.IsBelow(i)}
				p.Values = append(p.Values, v)
			}
			g.Samples = append(g.Samples, p)
		}
		in.Groups = append(in.Groups, g)
	}
	return in, nil
}

// molarMass is what the file says, g/mol, and for a few common gases what the elements say (IUPAC 2021 abridged weights).
func molarMass(c gas.Compound) float64 {
	if !math.IsNaN(c.MolarMass) {
		return c.MolarMass
	}
	m, ok := map[string]float64{"ch4": 16.043, "so2": 64.066, "nh3": 17.031, "co": 28.010, "co2": 44.009, "h2s": 34.08,
		"acetone": 58.080, "toluene": 92.141, "methanol": 32.042, "ethanol": 46.069, "benzene": 78.114, "sf6": 146.05}[c.Name]
	if !ok {
		return math.NaN()
	}
	return m
}

func of(column []float64, i int) float64 {
	if column == nil {
		return math.NaN()
	}
	return column[i]
}

func known(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

func surface(s *gas.Survey) dispersion.Surface {
	f := dispersion.Surface{RoughnessM: known(s.RoughnessM), ObukhovM: known(s.ObukhovLengthM), MixingHeightM: known(s.MixingHeightM)}
	if c := strings.ToUpper(strings.TrimSpace(s.Stability)); len(c) == 1 && c[0] >= 'A' && c[0] <= 'F' {
		f.Class, f.HasClass = float64(c[0]-'A'), true
	}
	return f
}

// wind is that of row i. Where the height of the wind is not stated it was measured where the sample was.
func wind(s *gas.Survey, i int, p Sample) dispersion.Wind {
	rad := math.Pi / 180
	w := dispersion.Wind{U: s.U[i], V: s.V[i], HeightM: known(of(s.WindHeightM, i)), AveragingS: known(s.AveragingS(i)),
		SigmaTheta: known(of(s.SigmaThetaDeg, i)) * rad, SigmaPhi: known(of(s.SigmaPhiDeg, i)) * rad}
	if w.HeightM <= 0 {
		w.HeightM = max(p.At[2], 1)
	}
	return w
}
