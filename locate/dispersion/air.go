package dispersion

// Air is the state of the air that volume mixing ratios are turned into mass with.
type Air struct {
	TemperatureK float64
	PressurePa   float64
}

// StandardAir is 15 °C and 1013.25 hPa (ISO 2533), taken where a survey states neither.
var StandardAir = Air{TemperatureK: 288.15, PressurePa: 101325}

// GasConstant is R, J/(mol K) (CODATA 2018, exact).
const GasConstant = 8.31446261815324

// MassPerPPM is the mass concentration, kg/m3, of one part per million by volume of a gas with this molar mass in g/mol:
// c = x·p·M/(R·T).
func (a Air) MassPerPPM(molarMassG float64) float64 {
	return 1e-6 * a.PressurePa * molarMassG * 1e-3 / (GasConstant * a.TemperatureK)
}
