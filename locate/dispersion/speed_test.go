package dispersion

import "testing"

// BenchmarkAt is the yardstick of the other models.
func BenchmarkAt(b *testing.B) {
	p := NewPlume(Wind{U: 4, HeightM: 10}, Surface{RoughnessM: 0.1})
	var c float64
	for i := range b.N {
		f := float64(i&1023) / 1024
		c += p.At(50+400*f, 30*(f-0.5), 10, 4, plain, 0).C
	}
	if !(c > 0) {
		b.Fatal("the plume is empty")
	}
}

// BenchmarkPathMean is a level beam across the plume, as lasers near the ground are.
func BenchmarkPathMean(b *testing.B) {
	p := NewPlume(Wind{U: 2.5, HeightM: 1.6, SigmaTheta: 0.25, SigmaPhi: 0.15}, Surface{})
	var c float64
	for i := range b.N {
		f := float64(i&1023) / 1024
		c += p.PathMean(8+2*f, -30, 1.6, 20+2*f, 10, 1.6, 0.5, plain, 0).C
	}
	if !(c > 0) {
		b.Fatal("the plume is empty")
	}
}
