package dispersion_test

import (
	"fmt"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
)

// One gram of methane a second leaks at 2 m above a meadow; a drone 150 m downwind reads parts per billion at 5 m.
func ExamplePlume_Concentration() {
	leak := dispersion.Source{X: 20, Y: -10, Z: 2, RateKgS: 1e-3}
	wind := dispersion.Wind{U: 4, HeightM: 10, AveragingS: 600}
	meadow := dispersion.Surface{RoughnessM: 0.03, HasClass: true, Class: 3} // D, neutral
	plume := dispersion.NewPlume(wind, meadow)
	ppb := 1e-3 * dispersion.StandardAir.MassPerPPM(16.043)
	for _, y := range []float64{-10, 10, 30} {
		fmt.Printf("%3.0f m beside the axis: %4.0f ppb\n", y-leak.Y, plume.Concentration(leak, 170, y, 5, dispersion.Shape{})/ppb)
	}
	// Output:
	//   0 m beside the axis: 1143 ppb
	//  20 m beside the axis:  279 ppb
	//  40 m beside the axis:    4 ppb
}
