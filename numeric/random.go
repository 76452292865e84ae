// Package numeric holds the kernels that every estimate shares: seeded chance, sums in a fixed order, distributions and
// quantiles. All functions are pure; a Stream belongs to one goroutine.
package numeric

import (
	"math/rand/v2"
)

// A Stream is a reproducible source of chance: the same seed and block give the same numbers on every machine. Work that is
// spread over cores takes one block per piece of work, so that the number of cores changes no byte.
type Stream struct{ r *rand.Rand }

// NewStream opens block number block of the seed (PCG-DXSM, O'Neill 2014; the state is seed and block).
func NewStream(seed, block uint64) *Stream {
	// An odd multiplier spreads neighbouring seeds over the state (Knuth, TAOCP 2, 3.3.4 table 1 line 26).
	return &Stream{rand.New(rand.NewPCG(seed*6364136223846793005+1442695040888963407, block))}
}

// Float64 is uniform in [0,1).
func (s *Stream) Float64() float64 { return s.r.Float64() }

// Normal is a standard normal deviate.
func (s *Stream) Normal() float64 { return s.r.NormFloat64() }

// IntN is uniform in 0..n-1.
func (s *Stream) IntN(n int) int { return s.r.IntN(n) }

// Exp is an exponential deviate of mean 1.
func (s *Stream) Exp() float64 { return s.r.ExpFloat64() }
