package check_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

const (
	pmtPID   = 0x1000
	videoPID = 0x100
	klvPID   = 0x101
	asyncPID = 0x102
)

// A recipe makes a stream with nothing wrong, SYNTHETIC all through: H.264 pictures with their times (ST 0604), and with each a packet of
// ST 0601.19 that has the whole minimum set, a security set, a VMTI set, twins of every kind, and a geometry without contradiction.
// Its functions put one fault in; nil leaves things as they are.
type recipe struct {
	seconds float64 // 0 is 4
	rate    float64 // of pictures and packets; 0 is 30 Hz
	outputs []mpegts.Output
	time    func(i int) time.Time                          // of a moment, for picture and metadata
	shown   func(i int) time.Duration                      // added to the time in the picture
	values  func(i int, v []item) []item                   // of a packet
	packet  func(i int, b []byte) []byte                   // as encoded; nil drops it
	unit    func(i int, u mpegts.Unit) (mpegts.Unit, bool) // of metadata, about to be written
	picture func(i int, u mpegts.Unit) (mpegts.Unit, bool)
}

var epoch = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func (r recipe) make(t testing.TB) []byte {
	t.Helper()
	if r.seconds == 0 {
		r.seconds = 4
	}
	if r.rate == 0 {
		r.rate = 30
	}
	if r.outputs == nil {
		r.outputs = []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x15}}
	}
	if r.time == nil {
		r.time = func(i int) time.Time { return epoch.Add(time.Duration(float64(i) / r.rate * 1e9)) }
	}
	var out bytes.Buffer
	w, err := mpegts.NewProgram(&out, r.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	write := func(u mpegts.Unit) {
		if err := w.WriteUnit(u); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int(r.seconds * r.rate) {
		pts := 900000 + int64(math.Round(float64(i)*90000/r.rate))
		for _, o := range r.outputs {
			switch o.PID {
			case videoPID:
				shown := r.time(i)
				if r.shown != nil {
					shown = shown.Add(r.shown(i))
				}
				u, ok := shot(i%12, pts, shown), true
				if r.picture != nil {
					u, ok = r.picture(i, u)
				}
				if ok {
					write(u)
				}
			case klvPID, asyncPID:
				b := r.encode(t, i)
				u, ok := mpegts.Unit{PID: o.PID, Data: b, PTS: pts, DTS: pts, HasPTS: o.StreamType == 0x15}, b != nil
				if ok && r.unit != nil {
					u, ok = r.unit(i, u)
				}
				if ok {
					write(u)
				}
			}
		}
	}
	return out.Bytes()
}

func (r recipe) encode(t testing.TB, i int) []byte {
	t.Helper()
	at := epoch
	if r.time != nil {
		at = r.time(i)
	}
	v := values(at, i)
	if r.values != nil {
		v = r.values(i, v)
	}
	b, err := klv.Encode0601(plain(v)...)
	if err != nil {
		t.Fatal(err)
	}
	if r.packet != nil {
		b = r.packet(i, b)
	}
	return b
}

// shot is a small H.264 picture (640x480, Constrained Baseline): an IDR picture with its parameter sets, or one that follows it, with
// its time in a message before the slice.
func shot(n int, pts int64, at time.Time) mpegts.Unit {
	u := mpegts.Unit{Kind: mpegts.Pictures, PID: videoPID, PTS: pts, DTS: pts, HasPTS: true, Random: n == 0}
	status := klv.VideoTime{Count: uint64(at.UnixMicro()), Status: klv.GoodTime}
	message := slices.Concat([]byte{0, 0, 0, 1, 0x06, 5, 28}, status.AppendTo(nil), []byte{0x80})
	if n == 0 {
		u.Data = slices.Concat(sps, []byte{0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80}, message, []byte{0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21})
	} else {
		u.Data = slices.Concat(message, []byte{0, 0, 0, 1, 0x41, 0x9a | byte(n>>3), byte(n)<<5 | 8, 0x21})
	}
	u.Data = append(u.Data, bytes.Repeat([]byte{0xa5}, 300)...)
	return u
}

// sps says 640x480, frames only; interlaced the same with frame_mbs_only_flag 0 (twice the height).
var (
	sps        = []byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6, 0x80}
	interlaced = []byte{0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf1, 0x20}
)

// An item is a value with its tag.
type item struct {
	tag uint32
	klv.Value
}

func num(tag uint32, x float64) item         { return item{tag, klv.Number(tag, x)} }
func whole(tag uint32, n int64) item         { return item{tag, klv.Integer(tag, n)} }
func text(tag uint32, s string) item         { return item{tag, klv.TextOf(tag, s)} }
func raw(tag uint32, b ...byte) item         { return item{tag, klv.RawBytes(tag, b)} }
func sub(tag uint32, items ...item) item     { return item{tag, klv.SetOf(tag, plain(items)...)} }
func stamp(tag uint32, at time.Time) item    { return item{tag, klv.Time(tag, at)} }
func series(tag uint32, e ...klv.Value) item { return item{tag, klv.ListOf(tag, e...)} }
func target(id int64, items ...item) klv.Value {
	return klv.VTargetOf(id, plain(items)...)
}

func plain(items []item) []klv.Value {
	out := make([]klv.Value, len(items))
	for i := range items {
		out[i] = items[i].Value
	}
	return out
}

// values are the items of one packet: an aircraft that flies north at 60 m/s and looks ahead and down.
func values(at time.Time, i int) []item {
	sensor := geodesy.LatLonHeight{Lat: 24.80 + 2e-5*float64(i), Lon: -107.40, HeightHAE: 3000}
	over := geodesy.Destination(sensor.LatLon(), 30, 3000)
	center := geodesy.LatLonHeight{Lat: over.Lat, Lon: over.Lon, HeightHAE: 40}
	enu := geodesy.NewFrame(sensor).ToENU(center)
	slant := math.Sqrt(enu[0]*enu[0] + enu[1]*enu[1] + enu[2]*enu[2])
	const fov = 3.0
	width := 2 * slant * math.Tan(fov*math.Pi/360)
	id := klv.CoreID{Version: 1, SensorKind: klv.Virtual, Sensor: klv.UUID{1, 2, 3, 4, 5, 6, 0x40, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}}
	out := []item{
		stamp(2, at), text(3, "SYNTHETIC01"), num(5, azimuth(enu)), num(6, 0), num(7, 0), text(10, "SYNTHETIC"), text(11, "EO"), text(12, "WGS-84"),
		num(13, sensor.Lat), num(14, sensor.Lon), num(15, sensor.HeightHAE+28), num(16, fov), num(17, fov*3/4), num(18, 0),
		num(19, math.Atan2(enu[2], math.Hypot(enu[0], enu[1]))*180/math.Pi), num(20, 0), num(21, slant), num(22, width),
		num(23, center.Lat), num(24, center.Lon), num(25, center.HeightHAE+28),
	}
	for k, az := range []float64{330, 30, 150, 210} {
		c := geodesy.Destination(center.LatLon(), az, 110)
		n := uint32(2 * k)
		out = append(out, num(26+n, c.Lat-center.Lat), num(27+n, c.Lon-center.Lon), num(82+n, c.Lat), num(83+n, c.Lon))
	}
	return append(out, sub(48, marking()...), whole(65, 19), sub(74, movers(at)...), num(75, sensor.HeightHAE),
		num(78, center.HeightHAE), num(90, 0), num(91, 0), item{94, klv.CoreIDOf(94, id)}, num(96, width))
}

func azimuth(enu [3]float64) float64 { return math.Atan2(enu[0], enu[1]) * 180 / math.Pi }

func marking() []item {
	return []item{whole(1, 1), whole(2, 13), text(3, "//XX"), whole(12, 13), text(13, "XX"), whole(22, 12)}
}

func movers(at time.Time) []item {
	return []item{stamp(2, at), whole(4, 6), whole(5, 3), whole(6, 2), whole(8, 640), whole(9, 480), detections()}
}

func detections() item {
	return series(101, target(1, whole(1, 1000), whole(2, 900), whole(3, 2220), whole(5, 80)), target(2, whole(1, 640*480)))
}

// Hands on values and packets.

// put puts items in the place of those with their tags, or where there is none at the end.
func put(with ...item) func([]item) []item {
	return func(v []item) []item {
		for _, w := range with {
			if i := slices.IndexFunc(v, func(x item) bool { return x.tag == w.tag }); i >= 0 {
				v[i] = w
			} else {
				v = append(v, w)
			}
		}
		return v
	}
}

func without(tags ...uint32) func([]item) []item {
	return func(v []item) []item {
		return slices.DeleteFunc(v, func(x item) bool { return slices.Contains(tags, x.tag) })
	}
}

// once applies a change to one packet alone, always to all.
func once(n int, do func([]item) []item) func(int, []item) []item {
	return func(i int, v []item) []item {
		if i == n {
			return do(v)
		}
		return v
	}
}

func always(do func([]item) []item) func(int, []item) []item {
	return func(_ int, v []item) []item { return do(v) }
}

func only(n int, do func([]byte) []byte) func(int, []byte) []byte {
	return func(i int, b []byte) []byte {
		if i == n {
			return do(bytes.Clone(b))
		}
		return b
	}
}

// body takes a packet's items, checksum left out, and makes a packet of what do makes of them, with length and checksum right.
func body(do func(items []byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		s, err := klv.Decode(b)
		if err != nil {
			panic(err)
		}
		items := do(bytes.Clone(b[len(s.Head) : len(b)-4]))
		n := len(items) + 4
		return summed(slices.Concat(b[:16], []byte{0x82, byte(n >> 8), byte(n)}, items, []byte{1, 2, 0, 0}))
	}
}

// summed sets the checksum at the end of a packet right.
func summed(b []byte) []byte {
	var sum uint16
	for i, c := range b[:len(b)-2] {
		sum += uint16(c) << (8 * (1 - i%2))
	}
	b[len(b)-2], b[len(b)-1] = byte(sum>>8), byte(sum)
	return b
}

// Hands on transport packets.

func pidOf(p []byte) uint16 { return uint16(p[1]&0x1f)<<8 | uint16(p[2]) }

func on(pid uint16) func([]byte) bool {
	return func(p []byte) bool { return pidOf(p) == pid && p[3]&0x10 != 0 }
}

func begins(pid uint16) func([]byte) bool {
	return func(p []byte) bool { return on(pid)(p) && p[1]&0x40 != 0 }
}

func goesOn(pid uint16) func([]byte) bool {
	return func(p []byte) bool { return on(pid)(p) && p[1]&0x40 == 0 }
}

func clocked(p []byte) bool { return p[3]&0x20 != 0 && p[4] >= 7 && p[5]&0x10 != 0 }

// nth is where the n-th packet (from 0) lies for which is holds.
func nth(b []byte, n int, is func([]byte) bool) int {
	for i := 0; i+188 <= len(b); i += 188 {
		if is(b[i : i+188]) {
			if n--; n < 0 {
				return i
			}
		}
	}
	panic("no such packet")
}

// payloadOf is where the payload of a packet begins.
func payloadOf(p []byte) []byte {
	if p[3]&0x20 != 0 {
		return p[5+int(p[4]):]
	}
	return p[4:]
}

// pesOf is the payload of the PES that begins in a packet, as far as it lies there.
func pesOf(p []byte) []byte {
	b := payloadOf(p)
	return b[9+int(b[8]):]
}

// change alters the packets for which is holds, counted from 0, by do; those for which drop holds go, and the continuity counters of
// their PIDs are set right.
func change(b []byte, is func([]byte) bool, do func(n int, p []byte)) []byte {
	c := bytes.Clone(b)
	n := 0
	for i := 0; i+188 <= len(c); i += 188 {
		if is(c[i : i+188]) {
			do(n, c[i:i+188])
			n++
		}
	}
	return c
}

func drop(b []byte, which func(n int, at int) bool, is func([]byte) bool) []byte {
	var out []byte
	counters := map[uint16]byte{}
	n := 0
	for i := 0; i+188 <= len(b); i += 188 {
		p := bytes.Clone(b[i : i+188])
		if is(p) {
			n++
			if which(n-1, i) {
				continue
			}
		}
		if p[3]&0x10 != 0 {
			p[3] = p[3]&0xf0 | counters[pidOf(p)]&0x0f
			counters[pidOf(p)]++
		} else {
			p[3] = p[3]&0xf0 | (counters[pidOf(p)]-1)&0x0f
		}
		out = append(out, p...)
	}
	return out
}

func insert(b []byte, at int, what []byte) []byte {
	return slices.Concat(b[:at], what, b[at:])
}

// tables changes every program map, and sets its check sum right.
func tables(b []byte, do func(n int, section []byte)) []byte {
	return change(b, on(pmtPID), func(n int, p []byte) {
		s := payloadOf(p)[1:]
		s = s[:3+int(s[1]&0x0f)<<8+int(s[2])]
		do(n, s)
		copy(s[len(s)-4:], crc(s[:len(s)-4]))
	})
}

// crc is the check of ISO/IEC 13818-1, annex A.
func crc(b []byte) []byte {
	c := ^uint32(0)
	for _, x := range b {
		for bit := 7; bit >= 0; bit-- {
			high := c>>31 ^ uint32(x>>bit&1)
			c = c<<1 ^ high*0x04c11db7
		}
	}
	return []byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)}
}

// clockOf and setClock read and write the clock reference of a packet, 27 MHz ticks.
func clockOf(p []byte) int64 {
	base := int64(p[6])<<25 | int64(p[7])<<17 | int64(p[8])<<9 | int64(p[9])<<1 | int64(p[10])>>7
	return base*300 + int64(p[10]&1)<<8 + int64(p[11])
}

func setClock(p []byte, v int64) {
	base, ext := v/300, v%300
	copy(p[6:12], []byte{byte(base >> 25), byte(base >> 17), byte(base >> 9), byte(base >> 1), byte(base<<7) | 0x7e | byte(ext>>8), byte(ext)})
}

// steady gives a stream one rate: each clock reference is moved onto the line through the first and the last.
func steady(b []byte) []byte {
	first, last := nth(b, 0, clocked), 0
	for i := 0; i < len(b); i += 188 {
		if clocked(b[i : i+188]) {
			last = i
		}
	}
	from, to := clockOf(b[first:]), clockOf(b[last:])
	c := bytes.Clone(b)
	for i := first; i <= last; i += 188 {
		if p := c[i : i+188]; clocked(p) {
			setClock(p, from+int64(math.Round(float64(to-from)*float64(i-first)/float64(last-first))))
		}
	}
	return c
}

func checked(t testing.TB, b []byte, profile string) *check.Report {
	t.Helper()
	p, err := check.ProfileNamed(profile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := check.Check(bytes.NewReader(b), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
