package gas

import (
	"strings"

	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// layout says which column of the file feeds what; -1 = no such column.
type layout struct {
	time, t            int
	at, to             [3]int // latitude, longitude, height, or x, y, z
	geographic         bool
	u, v, speed, from  int
	optional           [len(optionals)]int
	sensor, group      int
	value, sd, lod     []int // one a compound
	flag               []int
	spelling           []string // header name of each compound's value column
	hasPath, hasWind   bool
	windBoth, timeBoth bool
}

// optional is a column of numbers that a row may have, with the range that can be true and what else it may be mistaken for.
type optional struct {
	name     string
	low, top float64
	hint     func(v float64) string
	into     func(s *Survey) *[]float64
}

var optionals = [...]optional{
	{"wind_height_m", 0, 20000, nil, func(s *Survey) *[]float64 { return &s.WindHeightM }},
	{"wind_sigma_theta_deg", 0, 180, nil, func(s *Survey) *[]float64 { return &s.SigmaThetaDeg }},
	{"wind_sigma_phi_deg", 0, 90, nil, func(s *Survey) *[]float64 { return &s.SigmaPhiDeg }},
	// Records at the ground are -89 and 57 degrees; the stratosphere is no colder than -95.
	{"temperature_c", -100, 65, kelvin, func(s *Survey) *[]float64 { return &s.TemperatureC }},
	{"pressure_hpa", 10, 1100, pascal, func(s *Survey) *[]float64 { return &s.PressureHPa }},
	{"averaging_s", 0, 1e6, nil, func(s *Survey) *[]float64 { return &s.AveragingSRow }},
}

func kelvin(v float64) string {
	if v > 170 && v < 340 {
		return "It looks like kelvin: subtract 273.15"
	}
	return "Give degrees Celsius"
}

func pascal(v float64) string {
	if v > 1100 && v <= 110000 {
		return "It looks like pascals: divide by 100"
	}
	if v > 0 && v < 1.1 {
		return "It looks like bars or atmospheres: give hectopascals"
	}
	return "Give hectopascals"
}

// foreignUnits are endings that are units elsewhere: a column with one is a concentration in a unit that is not read.
var foreignUnits = map[string]bool{"ppt": true, "pptv": true, "ppmv": true, "ppbv": true, "pct": true, "percent": true, "ngm3": true, "gm3": true,
	"kgm3": true, "ppmm": true, "ppbm": true, "umolm3": true, "molmol": true, "nmolmol": true, "umolmol": true, "ppmw": true, "ppbw": true, "ug": true, "mg": true, "ppmc": true, "ppbc": true}

// IsHeader reports whether lower-case column names are those of a gas survey: a time and at least one compound with a unit. A
// unit that is not read does beside a wind: Read then says what is wrong, where a mere table would be passed over in silence.
func IsHeader(names []string) bool {
	timed, gas, foreign, windy := false, false, false, false
	for _, n := range names {
		timed = timed || n == "time" || n == "t_s"
		_, _, ok := splitCompound(n)
		gas = gas || ok
		foreign = foreign || foreignUnits[n[strings.LastIndexByte(n, '_')+1:]]
		windy = windy || strings.HasPrefix(n, "wind_")
	}
	return timed && (gas || foreign && windy)
}

// splitCompound splits "ch4_ppm" into its compound and unit.
func splitCompound(column string) (name string, u Unit, ok bool) {
	i := strings.LastIndexByte(column, '_')
	if i <= 0 {
		return "", 0, false
	}
	for u, s := range unitNames {
		if column[i+1:] == s {
			return column[:i], Unit(u), true
		}
	}
	return "", 0, false
}

// readLayout finds the columns, and fails where the header cannot be that of a survey.
func readLayout(r *delimited.Reader, s *Survey) (*layout, error) {
	index := map[string]int{}
	for i, n := range r.Header {
		index[n] = i
	}
	used := map[string]bool{}
	col := func(n string) int {
		i, ok := index[n]
		if !ok {
			return -1
		}
		used[n] = true
		return i
	}
	l := &layout{time: col("time"), t: col("t_s"), sensor: col("sensor"), group: col("group")}
	if l.time < 0 && l.t < 0 {
		return nil, r.Fail(r.Line, "", "Add a column time (RFC 3339) or t_s (seconds after # start:)", "the header has no time")
	}
	l.timeBoth = l.time >= 0 && l.t >= 0
	if err := l.places(r, col); err != nil {
		return nil, err
	}
	if err := l.wind(r, col); err != nil {
		return nil, err
	}
	for i, o := range optionals {
		l.optional[i] = col(o.name)
	}
	if err := l.compounds(r, s, used, col); err != nil {
		return nil, err
	}
	var unknown []string
	for _, n := range r.Header {
		if !used[n] && n != "" {
			unknown = append(unknown, n)
		}
	}
	if unknown != nil {
		r.Problems.Note("unknown columns", r.Line, "", "", "columns passed over, their names mean nothing here: %s", strings.Join(unknown, ", "))
	}
	return l, nil
}

// placeNames are the columns of a position and of the other end of a path, geographic and local.
var placeNames = [2][2][3]string{
	{{"x_m", "y_m", "z_m"}, {"x2_m", "y2_m", "z2_m"}},
	{{"lat", "lon", "height_agl_m"}, {"lat2", "lon2", "height2_agl_m"}},
}

func (l *layout) places(r *delimited.Reader, col func(string) int) error {
	var have [2][2]int
	var cols [2][2][3]int
	for g := range placeNames {
		for end := range placeNames[g] {
			for k, n := range placeNames[g][end] {
				cols[g][end][k] = col(n)
				if cols[g][end][k] >= 0 {
					have[g][end]++
				}
			}
		}
	}
	if have[0][0] == 0 && have[1][0] == 0 {
		return r.Fail(r.Line, "", "Add lat, lon, height_agl_m, or x_m, y_m, z_m", "the header has no position")
	}
	if have[0][0] == 3 && have[1][0] == 3 {
		r.Problems.Note("two positions", r.Line, "", "", "positions are given twice; lat, lon, height_agl_m are used, x_m, y_m, z_m passed over")
	}
	g := 0
	if have[1][0] == 3 || have[0][0] < 3 && have[1][0] > have[0][0] {
		g = 1
	}
	l.geographic = g == 1
	names := placeNames[g]
	for end := range names {
		if have[g][end] == 0 && end == 1 {
			continue
		}
		for k, c := range cols[g][end] {
			if c < 0 {
				hint := "Give " + strings.Join(names[end][:], ", ") + " together"
				if names[end][k] == "height_agl_m" {
					hint = "Add the height above ground; heights above sea level or the ellipsoid are not read here"
				}
				return r.Fail(r.Line, "", hint, "the header has no column %s", names[end][k])
			}
		}
	}
	l.at, l.to, l.hasPath = cols[g][0], cols[g][1], have[g][1] > 0
	return nil
}

func (l *layout) wind(r *delimited.Reader, col func(string) int) error {
	l.u, l.v, l.speed, l.from = col("wind_u_mps"), col("wind_v_mps"), col("wind_speed_mps"), col("wind_from_deg")
	uv, sf := l.u >= 0 && l.v >= 0, l.speed >= 0 && l.from >= 0
	l.hasWind, l.windBoth = uv || sf, uv && sf
	if (l.u >= 0) != (l.v >= 0) && !sf {
		return r.Fail(r.Line, "", "Give wind_u_mps and wind_v_mps together", "the header has one component of the wind without the other")
	}
	if (l.speed >= 0) != (l.from >= 0) && !uv {
		return r.Fail(r.Line, "", "Give wind_speed_mps and wind_from_deg together", "the header has the wind's speed or its direction without the other")
	}
	if l.windBoth {
		r.Problems.Note("wind twice", r.Line, "", "", "the wind is given twice; wind_u_mps and wind_v_mps are used, speed and direction only compared")
	}
	if !l.hasWind {
		r.Problems.Note("no wind", r.Line, "", "Without wind_u_mps, wind_v_mps or wind_speed_mps, wind_from_deg no source can be located", "the header has no wind")
	}
	return nil
}

// compounds finds the channels, with the columns that go with each.
func (l *layout) compounds(r *delimited.Reader, s *Survey, used map[string]bool, col func(string) int) error {
	var foreign string
	for i, n := range r.Header {
		name, u, ok := splitCompound(n)
		if !ok {
			if j := strings.LastIndexByte(n, '_'); j > 0 && foreignUnits[n[j+1:]] && !used[n] {
				foreign = n
				used[n] = true
				r.Problems.Value("unit", r.Line, n, "Give the value in ppm, ppb, ugm3 or mgm3", "the unit %q is not read; the column was passed over", n[j+1:])
			}
			continue
		}
		if s.Compound(name) != nil {
			return r.Fail(r.Line, n, "Give each compound in one unit", "%s is given in two units", name)
		}
		used[n] = true
		s.Compounds = append(s.Compounds, Compound{Name: name, Unit: u})
		l.value = append(l.value, i)
		l.spelling = append(l.spelling, n)
		either := func(suffix string) int {
			if c := col(name + suffix); c >= 0 {
				return c
			}
			return col(n + suffix)
		}
		l.sd, l.lod, l.flag = append(l.sd, either("_sd")), append(l.lod, either("_lod")), append(l.flag, either("_flag"))
	}
	switch {
	case len(s.Compounds) > 0:
		return nil
	case foreign != "":
		return r.Fail(r.Line, foreign, "Give the value in ppm, ppb, ugm3 or mgm3", "the unit is not read, and there is no other compound")
	}
	return r.Fail(r.Line, "", "Name the column compound_unit: acetone_ppb, ch4_ppm, so2_mgm3", "the header has no compound")
}
