package gas

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// Write writes a survey so that Read gives it back: the same numbers to the last bit, the wind as it was measured. Problems
// and line numbers are not written. Times are written as seconds after Start.
func Write(w io.Writer, s *Survey) error {
	b := bufio.NewWriter(w)
	if err := writeMetadata(b, s); err != nil {
		return err
	}
	cols := s.columns()
	for i, c := range cols {
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.ContainsAny(c.name, ",;\t\"\r\n") {
			return fmt.Errorf("gas.write: column name %q cannot be written", c.name)
		}
		b.WriteString(c.name)
	}
	b.WriteByte('\n')
	for i := range s.T {
		for k, c := range cols {
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString(c.text(i))
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

func writeMetadata(b *bufio.Writer, s *Survey) error {
	var bad error
	meta := func(key, value string) {
		if strings.ContainsAny(key+value, "\r\n\x00") || strings.TrimSpace(value) != value {
			bad = fmt.Errorf("gas.write: metadata %s: %q cannot be written on one line", key, value)
		}
		fmt.Fprintf(b, "# %s: %s\n", key, value)
	}
	if s.Origin != nil {
		meta("origin", delimited.Format(s.Origin.Lat)+","+delimited.Format(s.Origin.Lon))
	}
	if !s.Start.IsZero() {
		meta("start", s.Start.Format(time.RFC3339Nano))
	}
	for _, t := range []Meta{{"sensor", s.Sensor}, {"stability", s.Stability}} {
		if t.Value != "" {
			meta(t.Key, t.Value)
		}
	}
	for _, n := range []struct {
		key string
		v   float64
	}{{"roughness_m", s.RoughnessM}, {"mixing_height_m", s.MixingHeightM}, {"averaging_s", s.AveragingTimeS},
		{"obukhov_length_m", s.ObukhovLengthM}, {"friction_velocity_mps", s.FrictionVelocity}} {
		if !math.IsNaN(n.v) {
			meta(n.key, delimited.Format(n.v))
		}
	}
	for _, c := range s.Compounds {
		if !math.IsNaN(c.MolarMass) && c.MolarMass != 0 {
			meta("molar_mass_"+c.Name, delimited.Format(c.MolarMass))
		}
		if c.CAS != nil {
			meta("cas_"+c.Name, strings.Join(c.CAS, ";"))
		}
	}
	for _, m := range s.Other {
		meta(m.Key, m.Value)
	}
	return bad
}

type column struct {
	name string
	text func(i int) string
}

// columns lists what is written, in the order of the reference page.
func (s *Survey) columns() []column {
	var cols []column
	number := func(name string, v []float64) {
		if v != nil {
			cols = append(cols, column{name, func(i int) string { return delimited.Format(v[i]) }})
		}
	}
	number("t_s", s.T)
	ends := []Points{s.At}
	if s.To != nil {
		ends = append(ends, *s.To)
	}
	for end, p := range ends {
		local, geo := placeNames[0][end], placeNames[1][end]
		number(geo[0], p.Lat)
		number(geo[1], p.Lon)
		number(local[0], p.X)
		number(local[1], p.Y)
		if p.Lat != nil {
			number(geo[2], p.Z)
		} else {
			number(local[2], p.Z)
		}
	}
	if s.Speed != nil {
		number("wind_speed_mps", s.Speed)
		number("wind_from_deg", s.From)
	} else {
		number("wind_u_mps", s.U)
		number("wind_v_mps", s.V)
	}
	for _, o := range optionals {
		number(o.name, *o.into(s))
	}
	for i := range s.Compounds {
		c := &s.Compounds[i]
		number(c.Name+"_"+c.Unit.String(), c.Value)
		number(c.Name+"_sd", c.SD)
		number(c.Name+"_lod", c.LOD)
		if c.Below != nil {
			cols = append(cols, column{c.Name + "_flag", func(i int) string {
				if c.Below[i] {
					return "bdl"
				}
				return ""
			}})
		}
	}
	name := func(header string, names []string, of []int32) {
		if of != nil {
			cols = append(cols, column{header, func(i int) string { return delimited.Field(names[of[i]]) }})
		}
	}
	name("sensor", s.Sensors, s.SensorOf)
	name("group", s.Groups, s.GroupOf)
	return cols
}

// Extent is the box around the rows, for summaries: south-west and north-east; false for rows without a place on the Earth.
func (s *Survey) Extent() (sw, ne geodesy.LatLon, ok bool) {
	f, ok := s.Frame()
	if !ok || s.Len() == 0 {
		return sw, ne, false
	}
	lats, lons := s.At.Lat, s.At.Lon
	if !s.Geographic() {
		west, east := slices.Min(s.At.X), slices.Max(s.At.X)
		south, north := slices.Min(s.At.Y), slices.Max(s.At.Y)
		sw, ne = f.GroundFromENU(west, south), f.GroundFromENU(east, north)
		return sw, ne, true
	}
	return geodesy.LatLon{Lat: slices.Min(lats), Lon: slices.Min(lons)}, geodesy.LatLon{Lat: slices.Max(lats), Lon: slices.Max(lons)}, true
}
