package detection

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

// fault is what cannot be true of a value, and what to write instead.
type fault struct{ place, hint, what string }

func wrong(hint, format string, args ...any) *fault {
	return &fault{hint: hint, what: fmt.Sprintf(format, args...)}
}

// Limits of what can be true.
const (
	maxText     = 200  // bytes of a name
	maxNote     = 2000 // bytes of a note
	maxNames    = 100  // of classes, compounds or origins of one detection
	maxBiasM    = 1e6  // a thousand kilometres: beyond it is no position
	maxVariance = 1e14 // square metres: ten thousand kilometres
	maxLikeness = 1e6
)

var kindForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// notSenses are rows of a ledger that no sensor makes.
var notSenses = []string{"prior", "dependence", "time", "calibration", "outcome", "report", "terrain", "other"}

// header says what is wrong with a sheet beside its looks and detections, nil when nothing is.
func (s *Sheet) header() *fault {
	f := func(key, hint, format string, args ...any) *fault {
		out := wrong(hint, format, args...)
		out.place = keyPlace(key)
		return out
	}
	switch {
	case !kindForm.MatchString(s.Kind):
		return f("kind", "Give gas, spectral, thermal, video, mover, signal, permit, or another word of small letters", "%q is no kind of detection", jsonfile.Short(s.Kind))
	case slices.Contains(notSenses, s.Kind):
		return f("kind", "Name the kind of sensor", "%q is no kind of sensor", s.Kind)
	case strings.TrimSpace(s.Sensor) == "":
		return f("sensor", "Name the sensor", "no sensor")
	case !(s.BiasM >= 0 && s.BiasM <= maxBiasM):
		return f("bias_m", fmt.Sprintf("Give metres, 0 to %g", float64(maxBiasM)), "%g cannot be true", s.BiasM)
	}
	for _, t := range [...]struct{ key, text string }{{"sensor", s.Sensor}, {"sortie", string(s.Sortie)}, {"bias_group", s.BiasGroup}} {
		if !proper(t.text, maxText) {
			return f(t.key, fmt.Sprintf("Give at most %d bytes on one line", maxText), "%q is no name", jsonfile.Short(t.text))
		}
	}
	return nil
}

func (l *Look) fault() *fault {
	different := map[geodesy.LatLon]bool{}
	for _, c := range l.Ring {
		if !c.Valid() {
			return wrong("Write each corner as [latitude, longitude] in degrees", "%g, %g is no position", c.Lat, c.Lon)
		}
		different[c] = true
	}
	switch {
	case len(l.Ring) < 3 || len(l.Ring) > MaxCorners || len(different) < 3:
		return wrong(fmt.Sprintf("Give 3 to %d corners", MaxCorners), "a ring of %d corners", len(l.Ring))
	case !(l.PD >= 0 && l.PD <= 1):
		return wrong("Give a probability, 0 to 1", "pd %g", l.PD)
	case !datable(l.When.From) || !datable(l.When.To):
		return wrong("Give when.from and when.to as 2026-03-01T15:04:05Z", "no time, or one that cannot be true")
	case l.When.To.Before(l.When.From):
		return wrong("Give the end after the beginning", "the look ends before it begins")
	}
	return nil
}

func (f *Found) fault() *fault {
	switch {
	case strings.TrimSpace(f.ID) == "" || !proper(f.ID, maxText):
		return wrong(fmt.Sprintf("Give each detection an id of at most %d bytes", maxText), "%q is no id", jsonfile.Short(f.ID))
	case !datable(f.Time):
		return wrong("Give time as 2026-03-01T15:04:05Z", "no time, or one that cannot be true")
	case !(geodesy.LatLon{Lat: f.Lat, Lon: f.Lon}).Valid():
		return wrong("Give degrees: lat -90 to 90, lon -180 to 180", "%g, %g is no position", f.Lat, f.Lon)
	case !covariance(f.CovarianceM2):
		return wrong("Give square metres, east and north, with both off the diagonal alike and no direction below zero", "%v is no covariance_m2", f.CovarianceM2)
	case f.Real != nil && !(*f.Real >= 0 && *f.Real <= 1):
		return wrong("Give a probability, 0 to 1", "real %g", *f.Real)
	case !(f.PD >= 0 && f.PD <= 1):
		return wrong("Give a probability, 0 to 1", "pd %g", f.PD)
	case !proper(strings.ReplaceAll(f.Note, "\n", " "), maxNote):
		return wrong(fmt.Sprintf("Give at most %d bytes of text", maxNote), "the note cannot be shown")
	}
	return f.lists()
}

// lists judges likeness, rates and lineage; what is told does not hang on the order of a map.
func (f *Found) lists() *fault {
	if len(f.Likeness) > maxNames || len(f.RateKgS) > maxNames || len(f.Lineage) > maxNames {
		return wrong(fmt.Sprintf("Give at most %d", maxNames), "too many classes, compounds or origins")
	}
	for _, class := range slices.Sorted(maps.Keys(f.Likeness)) {
		if v := f.Likeness[class]; !kindForm.MatchString(class) || !(v >= 0 && v <= maxLikeness) {
			return wrong(fmt.Sprintf("Give classes in small letters with 0 to %g", float64(maxLikeness)), "likeness %q of %g", jsonfile.Short(class), v)
		}
	}
	for _, gas := range slices.Sorted(maps.Keys(f.RateKgS)) {
		r := f.RateKgS[gas]
		if gas == "" || !proper(gas, maxText) || !rate(r) {
			return wrong("Give mean, p05, p50 and p95 in kg/s, none below zero, the shares ascending", "rate_kg_s %q of %v", jsonfile.Short(gas), r)
		}
	}
	for _, l := range f.Lineage {
		if strings.TrimSpace(l) == "" || !proper(l, maxText) {
			return wrong(fmt.Sprintf("Name each origin in at most %d bytes", maxText), "lineage %q", jsonfile.Short(l))
		}
	}
	return nil
}

func rate(r atalaya.Interval) bool {
	return r.P05 >= 0 && r.P05 <= r.P50 && r.P50 <= r.P95 && r.P95 < math.MaxFloat32 && r.Mean >= 0 && r.Mean < math.MaxFloat32
}

// covariance reports whether c is symmetric and not negative along any direction. The determinant may fall below zero by what rounding of its
// four numbers to seven digits makes of a line without width: a part in 10⁶ of the product of its diagonal.
func covariance(c [2][2]float64) bool {
	e, n, both := c[0][0], c[1][1], c[0][1]
	if !(e >= 0 && n >= 0 && e <= maxVariance && n <= maxVariance) || math.IsNaN(both) || math.IsInf(both, 0) {
		return false
	}
	return math.Abs(both-c[1][0]) <= 1e-6*math.Sqrt(e*n) && e*n-both*c[1][0] >= -1e-6*e*n
}

// datable reports whether a time can have been flown at, and has a form in JSON.
func datable(t time.Time) bool { return t.Year() >= 1950 && t.Year() < 2200 }

// proper reports whether text can stand on one line of a screen.
func proper(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// timeText is a time in RFC 3339, in UTC.
type timeText time.Time

// UnmarshalText says in plain words what is no time.
func (t *timeText) UnmarshalText(b []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return fmt.Errorf("%q is no time such as 2026-03-01T15:04:05Z", jsonfile.Short(string(b)))
	}
	*t = timeText(at.UTC())
	return nil
}
