package storm

import (
	"fmt"
	"math"
)

// scalar changes an argument that is a number or a truth value; other is that of another seed.
func (h *hand) scalar(v, other any) any {
	if h.IntN(8) == 0 {
		return other
	}
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return h.float(v)
	case float32:
		return float32(h.float(float64(v)))
	case int:
		return int(h.integer(uint64(v), 64))
	case int8:
		return int8(h.integer(uint64(v), 8))
	case int16:
		return int16(h.integer(uint64(v), 16))
	case int32:
		return int32(h.integer(uint64(v), 32))
	case int64:
		return int64(h.integer(uint64(v), 64))
	case uint:
		return uint(h.integer(uint64(v), 64))
	case uint8:
		return uint8(h.integer(uint64(v), 8))
	case uint16:
		return uint16(h.integer(uint64(v), 16))
	case uint32:
		return uint32(h.integer(uint64(v), 32))
	case uint64:
		return h.integer(v, 64)
	}
	panic(fmt.Sprintf("storm: an argument of type %T", v)) // f.Fuzz refuses what is not listed
}

// integer changes an integer of so many bits.
func (h *hand) integer(v uint64, width int) uint64 {
	switch h.IntN(6) {
	case 0:
		return v ^ 1<<h.IntN(width)
	case 1:
		return v + uint64(1+h.IntN(32))
	case 2:
		return v - uint64(1+h.IntN(32))
	case 3:
		return h.endOf()
	case 4:
		return -v
	}
	return h.Uint64() >> h.IntN(64)
}

// borders are floating-point numbers at which formats, units and angles end.
var borders = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 90, -90, 180, -180, 360, 1e-9, 1e3, 1e6, -1e6, 1 << 31, 1 << 53, math.MaxInt64,
	math.SmallestNonzeroFloat64, 0x1p-1022, math.MaxFloat32, math.MaxFloat64, -math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()}

func (h *hand) float(v float64) float64 {
	switch h.IntN(9) {
	case 0:
		return -v
	case 1:
		return borders[h.IntN(len(borders))]
	case 2:
		return math.Nextafter(v, math.Inf(2*h.IntN(2)-1))
	case 3:
		return v + float64(h.IntN(2001)-1000)/100
	case 4:
		return v * math.Pow(10, float64(h.IntN(13)-6))
	case 5:
		return v * (1 + h.NormFloat64()/10)
	case 6:
		return math.Round(v)
	case 7:
		return math.Float64frombits(math.Float64bits(v) ^ 1<<h.IntN(64))
	}
	return h.NormFloat64() * math.Pow(10, float64(h.IntN(9)-3))
}
