package site

import _ "embed"

// shipped is what `atalaya bench fusion --fit` wrote: a calibration on simulated campaigns, whose scenarios and seeds stand in it.
//
//go:embed calibration.json
var shipped []byte

// Shipped is the calibration that comes with the program, nil where that has none. It is of simulated campaigns alone: outcomes replace it.
func Shipped() *Calibration {
	if len(shipped) == 0 {
		return nil
	}
	c, err := ReadCalibration(shipped)
	if err != nil {
		panic("site: the embedded calibration does not read: " + err.Error())
	}
	return &c
}
