package dispersion

import "math"

// Surface-layer similarity of a plume from a source near the ground (van Ulden 1978, doi:10.1016/0004-6981(78)90167-1): the crosswind integral falls with
// height as exp(-(B·z/z̄)^s), and its mean height z̄ grows by dz̄/dx = K(p·z̄)/(p·z̄·U(p·z̄)), where K = κ·u*·z/φh is the diffusivity of heat. With s = 1.5, B = Γ(2/s)/Γ(1/s) = 0.66, A = s·Γ(2/s)/Γ(1/s)² = 0.73 and p = (s·B^s)^(1/(1-s)) = 1.55. Friction velocity and
// wind speed cancel: z̄ depends on roughness and Obukhov length alone. φh is Dyer's (1974), with κ = 0.40 and a turbulent Prandtl number of one;
// van Ulden's own κ²/0.74 = 0.166 with κ = 0.35 is 3 % above our 0.16.
const (
	vanUldenA = 0.7305
	vanUldenP = 1.5498
)

// sigmaOverMeanHeight makes a Gaussian that has van Ulden's concentration at the ground: √(2/π)/σz = A/z̄.
var sigmaOverMeanHeight = math.Sqrt(2/math.Pi) / vanUldenA

// phiH is Dyer's gradient of heat, held at z = L like psi.
func phiH(z, invL float64) float64 {
	zeta := z * invL
	if zeta >= 0 {
		return 1 + 5*min(zeta, 1)
	}
	return 1 / math.Sqrt(1-16*zeta)
}

// surfaceLayerM is how high the similarity reaches: a tenth of the mixing height, 100 m where that is not known. Above it wind and mixing
// velocity are held, and a plume grows in proportion to its distance.
func (s Surface) surfaceLayerM() float64 {
	if s.MixingHeightM > 0 {
		return 0.1 * s.MixingHeightM
	}
	return 100
}

// similarSpread tables σz by distance for a surface whose Obukhov length is known.
func (s Surface) similarSpread() curve {
	z0, invL, top := s.roughness(), s.inverseObukhov(), s.surfaceLayerM()
	slope := func(mean float64) float64 { // dz̄/dx
		z := min(vanUldenP*mean, max(top, 2*z0))
		return vonKarman * vonKarman / (logLaw(z, z0, invL) * phiH(z, invL))
	}
	// From a height of nothing the first stretch is straight, since the log law is held below 2 z0; then the method of Runge and Kutta (fourth order) from
	// node to node, an eighth of an octave: a curve as smooth as a power with exponent 2 errs by less than 1e-6 a step.
	at, mean := 0.0, 0.0
	return newCurve(xFirst, xLast, func(x float64) float64 {
		h := x - at
		k1 := slope(mean)
		k2 := slope(mean + h/2*k1)
		k3 := slope(mean + h/2*k2)
		k4 := slope(mean + h*k3)
		at, mean = x, mean+h/6*(k1+2*k2+2*k3+k4)
		return sigmaOverMeanHeight * mean
	})
}
