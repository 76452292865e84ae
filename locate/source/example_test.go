package source_test

import (
	"context"
	"fmt"

	"github.com/atalaya-isr/atalaya/locate/source"
)

// A survey in noise: no source, and what it could not have missed.
func ExampleLocate() {
	survey := legs(2) // three legs across the wind, background alone
	found, err := source.Locate(context.Background(), survey, source.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := found.Groups[0]
	fmt.Println(len(g.Sources), "sources;", g.UpperLimit != nil)
	// Output: 0 sources; true
}
