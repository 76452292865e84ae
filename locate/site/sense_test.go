package site_test

import (
	"slices"
	"testing"

	"github.com/atalaya-isr/atalaya/locate/site"
)

// Somebody lives or works where there are vehicles or a set: what notices dwellings notices such places at least as often.
func TestInhabitedPlacesAreNoticedAsDwellingsAre(t *testing.T) {
	class := func(name string) int {
		return slices.IndexFunc(site.Classes[:], func(c site.Class) bool { return c.Name == name })
	}
	for _, s := range site.Senses {
		if s.Kind == "permit" {
			continue
		}
		for _, name := range []string{site.Traffic, site.Radio} {
			if got, least := s.Others[class(name)], s.Others[class(site.Dwelling)]; got < least {
				t.Errorf("%s notices %s in %g of looks, dwellings in %g", s.Kind, name, got, least)
			}
		}
	}
}
