package emitter_test

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/locate/emitter"
)

type truth struct {
	Emitter  string
	Lat, Lon float64
	CRLB     [2][2]float64 `json:"crlb_m2"`
}

// read gives the bearings by emitter and the emitters in the order of the truth file.
func read(t *testing.T, file, truths string) (map[string][]emitter.Bearing, []truth) {
	t.Helper()
	raw, err := os.ReadFile(fixture.Shared(t, "sensors/bearings/"+truths))
	if err != nil {
		t.Fatal(err)
	}
	var tr struct{ Emitters []truth }
	if err := json.Unmarshal(raw, &tr); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(fixture.Shared(t, "sensors/bearings/"+file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]emitter.Bearing{}
	for _, row := range rows[1:] { // time,lat,lon,height_hae_m,bearing_deg,sigma_deg,emitter
		var v [5]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(row[i+1], 64); err != nil {
				t.Fatal(err)
			}
		}
		by[row[6]] = append(by[row[6]], emitter.Bearing{
			Sensor: geodesy.LatLonHeight{Lat: v[0], Lon: v[1], HeightHAE: v[2]}, AzimuthDeg: v[3], SigmaDeg: v[4],
		})
	}
	return by, tr.Emitters
}

// missBy is the truth as seen from the fix, east and north in metres.
func missBy(at geodesy.LatLon, lat, lon float64) [2]float64 {
	p := geodesy.LatLon{Lat: lat, Lon: lon}
	sin, cos := math.Sincos(geodesy.Azimuth(at, p) * geodesy.RadPerDegree)
	d := geodesy.Distance(at, p)
	return [2]float64{d * sin, d * cos}
}

func mahalanobis2(d [2]float64, c [2][2]float64) float64 {
	det := c[0][0]*c[1][1] - c[0][1]*c[0][1]
	return (d[0]*d[0]*c[1][1] - 2*d[0]*d[1]*c[0][1] + d[1]*d[1]*c[0][0]) / det
}

// 20 emitters a file, so the RMSE of an estimator at the bound scatters by about 1/sqrt(2·20) = 16 % (its error lies
// mostly along one axis): the rows allow two of those. Simulated legs test it
// tighter. In one wild set a wild bearing fits, at three sigma, an emitter twice as far away: no likelihood can know, so the
// ratio is tested on the fixes that call themselves good, and few may not.
func TestFixesOfFlightLegs(t *testing.T) {
	for _, row := range []struct {
		name, file string
		within     float64
	}{
		{"clean bearings: at the bound", "leg-clean", 1.32},
		{"15 % wild bearings: near the bound of the clean ones", "leg-wild", 1.5},
	} {
		t.Run(row.name, func(t *testing.T) {
			by, truths := read(t, row.file+".csv", row.file+".truth.json")
			var se, bound, seSure, boundSure, nees float64
			inside, unsure := 0, 0
			for _, tr := range truths {
				post, err := emitter.Locate(by[tr.Emitter], emitter.Options{})
				if err != nil {
					t.Fatalf("%s: %v", tr.Emitter, err)
				}
				f := post.Fixes[0]
				d := missBy(f.At, tr.Lat, tr.Lon)
				m2 := mahalanobis2(d, f.CovarianceM2)
				se += d[0]*d[0] + d[1]*d[1]
				bound += tr.CRLB[0][0] + tr.CRLB[1][1]
				if f.Integrity == emitter.Good {
					seSure += d[0]*d[0] + d[1]*d[1]
					boundSure += tr.CRLB[0][0] + tr.CRLB[1][1]
				} else {
					unsure++
				}
				nees += m2 / float64(len(truths))
				if m2 < -2*math.Log(0.05) {
					inside++
				}
			}
			ratio := math.Sqrt(seSure / boundSure)
			t.Logf("%s: RMSE / bound %.3f of all, %d not good, %.3f without those, mean squared Mahalanobis distance %.2f (2 is right), in the 95 %% ellipse %d of %d",
				row.file, math.Sqrt(se/bound), unsure, ratio, nees, inside, len(truths))
			if unsure > 2 {
				t.Errorf("%d of 20 fixes are not good", unsure)
			}
			if ratio > row.within {
				t.Errorf("RMSE is %.2f of the bound, want at most %.2f", ratio, row.within)
			}
			if inside < 17 { // P(Binomial(20, 0.95) < 17) = 1.6 %
				t.Errorf("the 95 %% ellipse holds %d of 20", inside)
			}
		})
	}
}

func TestFixesAcrossThePacific(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, file string
		furthestM  float64
	}{
		// Great circles on a sphere are up to 0.2° off on the ellipsoid: 0.2° of 5,000 km is 17 km a station.
		{"exact bearings of a sphere land tens of kilometres away", "hfdf-sphere.csv", 60e3},
		// 2° of 5,000 km is 175 km a bearing; seven of them, four sigma.
		{"two degrees of noise", "hfdf-noisy.csv", 700e3},
	} {
		t.Run(row.name, func(t *testing.T) {
			by, truths := read(t, row.file, "hfdf.truth.json")
			inside, worst := 0, 0.0
			for _, tr := range truths {
				post, err := emitter.Locate(by[tr.Emitter], emitter.Options{})
				if err != nil {
					t.Fatalf("%s: %v", tr.Emitter, err)
				}
				f := post.Fixes[0]
				d := missBy(f.At, tr.Lat, tr.Lon)
				if mahalanobis2(d, f.CovarianceM2) < -2*math.Log(0.05) {
					inside++
				}
				worst = math.Max(worst, math.Hypot(d[0], d[1]))
				t.Logf("%s: %.0f km, ellipse %.0f x %.0f km, used %d, %s %s", tr.Emitter, math.Hypot(d[0], d[1])/1e3,
					f.Ellipse95.MajorM/1e3, f.Ellipse95.MinorM/1e3, f.Used, f.Integrity, f.Why)
			}
			t.Logf("%s: furthest %.0f km, in the 95 %% ellipse %d of %d", row.file, worst/1e3, inside, len(truths))
			if worst > row.furthestM {
				t.Errorf("furthest fix is %.0f km off, want at most %.0f", worst/1e3, row.furthestM/1e3)
			}
		})
	}
}
