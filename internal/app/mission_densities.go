package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/locate/site"
)

// mostPerKm2 is the most that a density can be: where there are more than ten in a square kilometre, the window that is asked about holds more than one.
const mostPerKm2 = 10

// checkDensities says what cannot be true of the densities of a mission, nil when nothing is.
func checkDensities(perKm2 map[string]float64) error {
	known := []string{site.Target}
	for _, c := range site.Classes {
		known = append(known, c.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(perKm2)) {
		v := perKm2[name]
		e := &atalaya.Error{Op: "mission.read", File: "mission.yaml", Place: "key densities_per_km2", Kind: atalaya.BadInput}
		switch {
		case !slices.Contains(known, name):
			e.Err, e.Hint = fmt.Errorf("there is no class %q", name), "The classes are "+strings.Join(known, ", ")
			if near := nearestKey(name, known); near != "" {
				e.Hint = "Did you mean " + near + "?"
			}
		case !(v >= 0 && v <= mostPerKm2):
			e.Err, e.Hint = fmt.Errorf("%s of %g a km² cannot be true", name, v), fmt.Sprintf("Give how many there are in a square kilometre, 0 to %d", mostPerKm2)
		case v == 0 && name == site.Target:
			e.Err, e.Hint = errors.New("no site at all leaves nothing to rank"), "Give a small density, such as 1e-4, or leave the key out"
		default:
			continue
		}
		return e
	}
	return nil
}
