package video

import (
	"math"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// Expiry is how long an item stands that packets no longer repeat: ST 0601 asks that each be sent at least every 30 s.
const Expiry = 30 * time.Second

const tags = 144

// A State is what the metadata says as of the last packet: every item as last reported, unless cleared or expired.
type State struct {
	value [tags]float64
	round [tags]float64 // standard deviation of the item's rounding, as it was sent
	at    [tags]float64 // seconds on the stream's clock; what was never said has said == false
	said  [tags]bool
	texts [tags]string
	// The universal set points the sensor against north and horizon instead of the platform.
	north, obliquity       float64
	northSaid, obliqueSaid bool
	absoluteAt             float64
	clock                  float64
	begun                  bool
	// declared is what the last packet with an SDCC-FLP (item 102) said of the errors.
	declared   []*declared
	declaredAt float64
	marks      marking
	// Classification is the marking that the last security set named, "" when none did.
	Classification string
}

// Apply takes a packet in. The clock is the packet's own time, else its PTS; a clock that jumps back by more than the expiry
// begins a new recording, and nothing said before stands.
func (s *State) Apply(p *Packet) {
	now := s.clock
	if t, ok := p.Time(); ok {
		now = float64(t.UnixMicro()) / 1e6
	} else if p.HasPTS && !s.begun {
		now = p.PTS
	}
	if s.begun && now < s.clock-Expiry.Seconds() {
		*s = State{}
	}
	s.clock, s.begun = now, true
	for i := range p.Set.Items {
		s.take(p.Set.Standard, &p.Set.Items[i])
	}
	if p.Set.Standard == klv.ST0601 {
		s.declare(p)
	}
	s.mark(p)
}

func (s *State) take(std *klv.Standard, it *klv.Item) {
	if it.Row == nil || std != klv.ST0601 && std != klv.EG0104 {
		return
	}
	tag := it.Tag
	if std == klv.EG0104 {
		tag = it.Row.Twin
		s.takeAbsolute(it)
	}
	if tag == 0 || tag >= tags {
		return
	}
	switch it.State {
	case klv.Given:
		s.value[tag], s.at[tag], s.said[tag] = it.Number, s.clock, true
		s.round[tag] = rounding(it)
		if it.Row.Format == klv.Text {
			s.texts[tag] = it.Text()
		}
		if nested, ok := it.Nested(); ok && it.Row.Set == klv.ST0102 {
			s.Classification = nested.Text(1)
		}
	case klv.Cleared, klv.OutOfRange:
		s.said[tag], s.texts[tag] = false, ""
	}
}

// rounding is the standard deviation of an item's rounding as it was sent: a uniform error over one step of its scale.
func rounding(it *klv.Item) float64 {
	r, n := it.Row, len(it.Value)
	step := 0.0
	switch r.Format {
	case klv.ScaledUint, klv.ScaledInt:
		step = (r.Hi - r.Lo) / (math.Exp2(float64(8*n)) - 1)
	case klv.IMAPB: // ST 1201, section 7.2: a power of two
		step = math.Exp2(math.Ceil(math.Log2(r.Hi-r.Lo)) - float64(8*n-1))
	case klv.Float:
		step = math.Abs(it.Number) * 0x1p-23
		if n == 8 {
			step = math.Abs(it.Number) * 0x1p-52
		}
	}
	return step / math.Sqrt(12)
}

func (s *State) takeAbsolute(it *klv.Item) {
	if it.State != klv.Given {
		return
	}
	switch it.Key {
	case klv.AngleToNorth:
		s.north, s.northSaid, s.absoluteAt = it.Number, true, s.clock
	case klv.Obliquity:
		s.obliquity, s.obliqueSaid, s.absoluteAt = it.Number, true, s.clock
	}
}

// Number is an item as it stands.
func (s *State) Number(tag uint32) (float64, bool) {
	if tag >= tags || !s.said[tag] || s.clock-s.at[tag] > Expiry.Seconds() {
		return 0, false
	}
	return s.value[tag], true
}

// Text is a text item as it stands; texts do not expire, since they name the mission and its parts.
func (s *State) Text(tag uint32) string {
	if tag >= tags {
		return ""
	}
	return s.texts[tag]
}

// first is the first of several items that stands, and which.
func (s *State) first(tags ...uint32) (v float64, tag uint32, ok bool) {
	for _, t := range tags {
		if v, ok = s.Number(t); ok {
			return v, t, true
		}
	}
	return 0, 0, false
}
