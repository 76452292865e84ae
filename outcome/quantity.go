package outcome

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// A Range is two exact ends, the lower first.
type Range struct{ Low, High *big.Rat }

func exactly(v *big.Rat) Range { return Range{v, v} }

func (r Range) plus(o Range) Range {
	return Range{new(big.Rat).Add(r.Low, o.Low), new(big.Rat).Add(r.High, o.High)}
}

// times multiplies two ranges of numbers that are not negative.
func (r Range) times(o Range) Range {
	return Range{new(big.Rat).Mul(r.Low, o.Low), new(big.Rat).Mul(r.High, o.High)}
}

// MarshalJSON writes both ends as decimals, to nine places, which is exact for every unit here and any amount of a few decimals.
func (r Range) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"low":%s,"high":%s}`, decimal(r.Low), decimal(r.High)), nil
}

// decimal is a number to nine places without zeros at its end.
func decimal(r *big.Rat) string {
	s := r.FloatString(9)
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Said is how a source qualifies an amount.
type Said string

// What a source may say of an amount N. A word says less than the last digit of N: "nearly five" is from 4.5 to 5, "about 440" from 435 to 445, where
// the last digit is the last that is not a zero before the decimal point, or the last one written after it.
const (
	Exact   Said = "exact"
	About   Said = "about"
	Nearly  Said = "nearly"
	Over    Said = "over"
	AtLeast Said = "at-least" // no upper end is said: it counts as N
)

var saids = []Said{Exact, About, Nearly, Over, AtLeast}

// A Unit is what an amount is counted in.
type Unit struct {
	Name string
	Kg   Range // of one, for masses; exact (NIST SP 811, B.8), and for "ton" from the short to the metric one, since it does not say which
}

func kg(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

// Units are those that an amount may have. A tablet and a litre are no mass.
var Units = []Unit{
	{"kg", exactly(kg("1"))}, {"g", exactly(kg("0.001"))}, {"mg", exactly(kg("0.000001"))}, {"metric-ton", exactly(kg("1000"))},
	{"lb", exactly(kg("0.45359237"))}, {"oz", exactly(kg("0.028349523125"))}, {"short-ton", exactly(kg("907.18474"))}, {"long-ton", exactly(kg("1016.0469088"))},
	{"ton", Range{kg("907.18474"), kg("1000")}}, {Name: "tablet"}, {Name: "litre"},
}

// unitWords are other spellings.
var unitWords = map[string]string{
	"kilogram": "kg", "kilograms": "kg", "kilo": "kg", "kilos": "kg", "gram": "g", "grams": "g", "gramos": "g", "pound": "lb", "pounds": "lb", "lbs": "lb", "libras": "lb",
	"ounce": "oz", "ounces": "oz", "onzas": "oz", "t": "metric-ton", "tonne": "metric-ton", "tonnes": "metric-ton", "toneladas": "metric-ton", "tonelada": "metric-ton",
	"metric ton": "metric-ton", "metric tons": "metric-ton", "short ton": "short-ton", "short tons": "short-ton", "tons": "ton",
	"tablets": "tablet", "pills": "tablet", "pill": "tablet", "pastillas": "tablet", "tabletas": "tablet", "l": "litre", "liter": "litre", "liters": "litre", "litres": "litre", "litros": "litre",
}

// unitOf finds a unit by any spelling.
func unitOf(name string) (Unit, bool) {
	name = strings.Join(strings.Fields(strings.ToLower(name)), " ")
	if plain, ok := unitWords[name]; ok {
		name = plain
	}
	i := slices.IndexFunc(Units, func(u Unit) bool { return u.Name == name })
	if i < 0 {
		return Unit{}, false
	}
	return Units[i], true
}

// unitNames lists them, for messages.
func unitNames() string {
	var names []string
	for _, u := range Units {
		names = append(names, u.Name)
	}
	return strings.Join(names, ", ")
}

// fits reports whether an amount of the unit is that mass, to three significant digits.
func (u Unit) fits(amount, massKg float64) bool {
	low, _ := u.Kg.Low.Float64()
	high, _ := u.Kg.High.Float64()
	return massKg >= 0.995*amount*low && massKg <= 1.005*amount*high
}

// maxDigits bounds a number: no amount of this world has more.
const maxDigits = 30

// parseAmount reads a plain decimal, and gives half of the unit of its last digit.
func parseAmount(s string) (v, half *big.Rat, ok bool) {
	whole, part, point := strings.Cut(s, ".")
	if whole == "" || point && part == "" || len(s) > maxDigits || strings.Trim(whole+part, "0123456789") != "" {
		return nil, nil, false
	}
	v, ok = new(big.Rat).SetString(s)
	if !ok {
		return nil, nil, false
	}
	places := -len(part)
	if !point {
		for places < len(whole)-1 && whole[len(whole)-1-places] == '0' {
			places++
		}
	}
	half = big.NewRat(1, 2)
	ten := big.NewRat(10, 1)
	for ; places > 0; places-- {
		half.Mul(half, ten)
	}
	for ; places < 0; places++ {
		half.Quo(half, ten)
	}
	return v, half, true
}

// rangeOf is what an amount may be, by what is said of it.
func rangeOf(v, half *big.Rat, said Said) Range {
	low, high := new(big.Rat).Sub(v, half), new(big.Rat).Add(v, half)
	if low.Sign() < 0 {
		low.SetInt64(0)
	}
	switch said {
	case About:
		return Range{low, high}
	case Nearly:
		return Range{low, v}
	case Over:
		return Range{v, high}
	}
	return exactly(v)
}
