package site_test

import (
	"fmt"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/locate/site"
)

func Example() {
	// SYNTHETIC: a gas source known to 15 m, and a report of its village.
	at := geodesy.LatLon{Lat: 24.8, Lon: -107.4}
	sense, _ := site.SenseOf("gas")
	gas := site.FromDetection(sense.Known(site.Detection{
		Note: "acetone", Modes: []site.Mode{{At: at, CovarianceM2: [2][2]float64{{225, 0}, {0, 225}}, Weight: 1}},
	}, nil, 0, 0))
	gas.ID = "ev_1"
	said := site.FromReport(site.Report{At: at, RadiusM: 800, Grade: "B2", Note: "smell of solvents"})
	said.ID = "ev_2"
	for _, c := range site.Assess([]atalaya.Evidence{gas, said}, site.Options{}) {
		fmt.Printf("%d. %.4f %.4f probability %.3f\n", c.Rank, c.Place.Lat, c.Place.Lon, c.Probability)
		for _, row := range c.Ledger {
			fmt.Printf("%+.2f %s\n", row.LogOdds, row.Kind)
		}
	}
	// Output:
	// 1. 24.8000 -107.4000 probability 0.043
	// -11.17 prior
	// +6.14 gas
	// +1.92 report
}
