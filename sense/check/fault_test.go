package check_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// A fault is a stream with one thing wrong: of which class, where, how often, and which other classes cannot but be told with it.
type fault struct {
	class string
	file  []byte
	at    int   // byte of the first place; -1 where the class has none of its own
	count int64 // 0: any
	also  []string
}

// the is the place of the n-th metadata packet.
func the(n int) func([]byte) int { return func(b []byte) int { return nth(b, n, begins(klvPID)) } }

const k = 20 // the packet in which faults lie

// transportFaults are put into the transport packets of a good stream.
func transportFaults(t testing.TB) []fault {
	b := recipe{}.make(t)
	async := recipe{outputs: asynchronous}.make(t)
	klvAt, goes := nth(b, k, begins(klvPID)), nth(b, 30, goesOn(videoPID))
	at := func(i int, do func(p []byte)) []byte {
		c := bytes.Clone(b)
		do(c[i : i+188])
		return c
	}
	between := func(from, to float64, of func(p []byte) bool) []byte { // seconds of the clock
		lo, hi := nth(b, int(from*30), begins(videoPID)), nth(b, int(to*30), begins(videoPID))
		return drop(b, func(_, at int) bool { return at >= lo && at < hi }, of)
	}
	after := func(c []byte, from float64, of func([]byte) bool) int { // the first such packet at or after a time
		lo := nth(c, int(from*30), begins(videoPID))
		return lo + nth(c[lo:], 0, of)
	}
	unclocked := func(lo, hi int) []byte {
		return change(b, func(p []byte) bool { return clocked(p) }, func(n int, p []byte) {
			if n >= lo && n < hi {
				p[5] &^= 0x10
			}
		})
	}
	reference := nth(b, 40, clocked)
	moved := func(of []byte, s float64) []byte {
		c := bytes.Clone(of)
		p := c[nth(of, 40, clocked):]
		setClock(p, clockOf(p)+int64(math.Round(s*27e6)))
		return c
	}
	foreign := bytes.Clone(b[goes : goes+188])
	foreign[1], foreign[2] = 0x43, 0x33
	none := []byte{0x47, videoPID >> 8, videoPID & 0xff, 0x0c}
	none = append(none, bytes.Repeat([]byte{0xff}, 184)...)
	noPAT, noPMT := between(1, 1.8, on(0)), between(1, 1.8, on(pmtPID))
	fewPAT, fewPMT := between(1, 1.3, on(0)), between(1, 1.3, on(pmtPID))
	all := func(int, int) bool { return true }
	section := func(do func(s []byte)) []byte { return tables(b, func(_ int, s []byte) { do(s) }) }
	swap := func(from, to string) func(s []byte) {
		return func(s []byte) { copy(s, bytes.Replace(s, []byte(from), []byte(to), 1)) }
	}
	firstMap := nth(b, 0, on(pmtPID))
	return []fault{
		{"sync-loss", insert(b, klvAt, bytes.Repeat([]byte{0x11}, 50)), klvAt, 1, nil},
		{"cut-packet", b[:len(b)-100], len(b) - 188, 1, []string{"pes-length", "packet-length", "cell-length"}},
		{"transport-error", at(goes, func(p []byte) { p[1] |= 0x80 }), goes, 1, nil},
		{"continuity", slices.Concat(b[:goes], b[goes+188:]), goes + nth(b[goes+188:], 0, on(videoPID)), 1, []string{"pes-length"}},
		{"duplicate-packet", insert(b, goes, slices.Concat(b[goes:goes+188], b[goes:goes+188])), goes + 2*188, 1, nil},
		{"scrambled", at(goes, func(p []byte) { p[3] |= 0x80 }), goes, 1, []string{"pes-length"}},
		{"scrambled", at(klvAt, func(p []byte) { payloadOf(p)[6] |= 0x10 }), klvAt, 1, nil},
		{"adaptation-field", insert(b, goes, none), goes, 1, nil},
		{"adaptation-field", insert(b, goes, slices.Concat([]byte{0x47, videoPID >> 8, videoPID & 0xff, b[goes+3]&0x0f - 1&0x0f | 0x20, 99}, none[:183])), goes, 1, nil},
		{"pat-missing", drop(b, all, on(0)), 0, 1, []string{"pmt-missing", "pid-unreferenced", "metadata-missing", "video-missing"}},
		{"pat-interval", noPAT, after(noPAT, 1.7, on(0)), 1, nil},
		{"pat-rate", fewPAT, after(fewPAT, 1.2, on(0)), 1, nil},
		{"pmt-missing", drop(b, all, on(pmtPID)), 0, 1, []string{"pid-unreferenced", "metadata-missing", "video-missing"}},
		{"pmt-interval", noPMT, after(noPMT, 1.7, on(pmtPID)), 1, nil},
		{"pmt-interval", drop(b, func(n, _ int) bool { return n > 3 }, on(pmtPID)), nth(b, 3, on(pmtPID)), 1, nil}, // and never again
		{"pmt-rate", fewPMT, after(fewPMT, 1.2, on(pmtPID)), 1, nil},
		{"table-crc", at(nth(b, 5, on(pmtPID)), func(p []byte) { p[187] ^= 1 }), nth(b, 5, on(pmtPID)), 1, nil},
		{"table-version", tables(b, func(n int, s []byte) {
			if n == 5 {
				swap("KLVA\x00\x0f", "KLVA\x07\x0f")(s)
			}
		}), nth(b, 5, on(pmtPID)), 2, nil},
		{"pid-missing", recipe{outputs: []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x15}, {PID: 0x200, StreamType: 0x0f}}}.make(t), firstMap, 1, nil},
		{"pid-unreferenced", insert(b, klvAt, foreign), -1, 1, nil},
		{"pcr-missing", unclocked(0, 1<<30), -1, 1, nil},
		{"pcr-interval", unclocked(40, 47), nth(b, 47, clocked), 1, nil},
		{"pcr-jump", moved(b, 5), reference, 1, []string{"pcr-back", "metadata-late"}},
		{"pcr-back", moved(b, -0.5), reference, 1, []string{"pcr-interval"}},
		{"pcr-accuracy", moved(steady(b), 20e-6), reference, 1, nil},
		{"pes-length", at(klvAt, func(p []byte) { payloadOf(p)[5] += 3 }), klvAt, 1, nil},
		{"pes-start", at(klvAt, func(p []byte) { payloadOf(p)[2] = 7 }), klvAt, 1, []string{"cell-sequence"}},

		{"klv-type", section(swap("\x15\xe1\x01", "\x06\xe1\x01")), nth(b, 0, begins(klvPID)), 0, []string{"klv-stream-id", "klv-registration"}},
		{"klv-type", section(swap("\x15\xe1\x01", "\x0d\xe1\x01")), firstMap, 0, nil},
		{"klv-registration", tables(async, func(_ int, s []byte) { swap("KLVA", "XXXX")(s) }), nth(async, 0, on(pmtPID)), 1, nil},
		{"klv-descriptor", section(swap("KLVA", "XXXX")), firstMap, 0, nil},
		{"klv-std-descriptor", section(swap("\x27\x09", "\x28\x09")), firstMap, 0, nil},
		{"klv-stream-id", at(klvAt, func(p []byte) { payloadOf(p)[3] = 0xbd }), klvAt, 1, nil},
		{"klv-alignment", change(async, begins(asyncPID), func(n int, p []byte) {
			if n == k {
				payloadOf(p)[6] &^= 4
			}
		}), nth(async, k, begins(asyncPID)), 1, nil},
		{"cell-length", at(klvAt, func(p []byte) { pesOf(p)[3]++ }), klvAt, 1, nil},
		{"cell-sequence", at(klvAt, func(p []byte) { pesOf(p)[1] += 5 }), klvAt, 2, nil},
		{"cell-sequence", change(b, begins(klvPID), func(_ int, p []byte) { pesOf(p)[1] = 0 }), nth(b, 1, begins(klvPID)), 119, nil},
		{"cell-fragment", at(klvAt, func(p []byte) { pesOf(p)[2] &= 0x3f }), klvAt, 1, nil},
	}
}

// multiplexFaults are in which units a stream has, and when.
func multiplexFaults(t testing.TB) []fault {
	b := recipe{}.make(t)
	unit := func(do func(i int, u *mpegts.Unit) bool) []byte {
		return recipe{unit: func(i int, u mpegts.Unit) (mpegts.Unit, bool) {
			keep := do(i, &u)
			return u, keep
		}}.make(t)
	}
	picture := func(do func(i int, u *mpegts.Unit) bool) []byte {
		return recipe{picture: func(i int, u mpegts.Unit) (mpegts.Unit, bool) {
			keep := do(i, &u)
			return u, keep
		}}.make(t)
	}
	shifted := func(s int64) []byte {
		return unit(func(_ int, u *mpegts.Unit) bool { u.PTS += s * 90000; return true })
	}
	gap := picture(func(i int, _ *mpegts.Unit) bool { return i < 30 || i > 55 })
	back := picture(func(i int, u *mpegts.Unit) bool {
		if i == k {
			u.PTS, u.DTS = u.PTS-18000, u.DTS-18000
		}
		return true
	})
	late := unit(func(i int, _ *mpegts.Unit) bool { return i >= 60 })
	soon := unit(func(i int, _ *mpegts.Unit) bool { return i < 60 })
	pause := unit(func(i int, _ *mpegts.Unit) bool { return i < 30 || i > 75 })
	seldom := unit(func(i int, _ *mpegts.Unit) bool { return i%60 == 0 || i == 119 })
	untimed := unit(func(i int, u *mpegts.Unit) bool { u.HasPTS = i != k; return true })
	codec := recipe{outputs: []mpegts.Output{{PID: videoPID, StreamType: 0x10}, {PID: klvPID, StreamType: 0x15}}}.make(t)
	fields := picture(func(_ int, u *mpegts.Unit) bool { u.Data = bytes.Replace(u.Data, sps, interlaced, 1); return true })
	plain := picture(func(i int, u *mpegts.Unit) bool {
		if i == k {
			u.Data = bytes.Replace(u.Data, []byte("MISPmicrosectime"), []byte("XXXXmicrosectime"), 1)
		}
		return true
	})
	off := recipe{shown: func(int) time.Duration { return 500 * time.Millisecond }}.make(t)
	return []fault{
		{"pts-interval", gap, nth(gap, 30, begins(videoPID)), 1, nil},
		{"pts-back", back, nth(back, k, begins(videoPID)), 1, []string{"video-time"}},
		{"klv-untimed", untimed, nth(untimed, k, begins(klvPID)), 1, nil},
		{"klv-timed", recipe{outputs: asynchronous, unit: func(i int, u mpegts.Unit) (mpegts.Unit, bool) { u.HasPTS = true; return u, true }}.make(t), -1, 120, nil},
		{"metadata-missing", recipe{outputs: []mpegts.Output{{PID: videoPID, StreamType: 0x1b}}}.make(t), -1, 1, nil},
		{"video-missing", recipe{outputs: []mpegts.Output{{PID: klvPID, StreamType: 0x15}}}.make(t), -1, 1, nil},
		{"metadata-early", shifted(2), nth(b, 0, begins(klvPID)), 0, []string{"metadata-uncovered", "video-time"}},
		{"metadata-late", shifted(-2), nth(b, 0, begins(klvPID)), 0, []string{"metadata-uncovered", "video-time"}},
		{"metadata-uncovered", late, nth(late, 0, begins(klvPID)), 1, nil},
		{"metadata-uncovered", soon, nth(soon, 59, begins(klvPID)), 1, nil},
		{"security-twice", recipe{outputs: []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x15}, {PID: asyncPID, StreamType: 0x06}}}.make(t), -1, 1, nil},
		{"video-codec", codec, nth(codec, 0, begins(videoPID)), 1, nil},
		{"video-interlaced", fields, nth(fields, 0, begins(videoPID)), 1, nil},
		{"video-untimed", plain, nth(plain, 0, begins(videoPID)), 1, nil},
		{"video-time", off, -1, 0, nil},
		{"metadata-gap", pause, nth(pause, 30, begins(klvPID)), 1, nil},
		{"metadata-rate", seldom, nth(seldom, 0, begins(klvPID)), 1, []string{"metadata-gap"}},
		{"begins-within", joined(t), -1, 1, []string{"pes-length"}},
		{"streams-unchecked", crowd(t, b), -1, 0, []string{"pid-unreferenced", "video-missing", "minimum-missing", "security-missing"}},
	}
}

// joined is a stream whose packets take two cells, recorded from the second cell on.
func joined(t testing.TB) []byte {
	b := recipe{seconds: 1, values: func(_ int, v []item) []item { return append(v, item{138, klv.RawBytes(138, payloads(70000))}) }}.make(t)
	second := nth(b, 1, begins(klvPID))
	return drop(b, func(_, at int) bool { return at < second }, on(klvPID))
}

// crowd adds 70 streams of metadata that nothing announces, each with one PES that one packet holds.
func crowd(t testing.TB, b []byte) []byte {
	t.Helper()
	packet, err := klv.Encode0601(plain([]item{stamp(2, epoch), whole(65, 19)})...)
	if err != nil {
		t.Fatal(err)
	}
	at := nth(b, k, begins(klvPID))
	var out []byte
	for i := range 70 {
		pes := append([]byte{0, 0, 1, 0xbd, 0, byte(3 + len(packet)), 0x84, 0, 0}, packet...)
		fill := 184 - len(pes)
		p := append([]byte{0x47, 0x44, byte(i), 0x30, byte(fill - 1), 0}, bytes.Repeat([]byte{0xff}, fill-2)...)
		out = append(out, append(p, pes...)...)
	}
	return insert(b, at, out)
}

// packetFaults are in the metadata packet k of a stream, or in all of them (at 0).
func packetFaults(t testing.TB) (out []fault) {
	one := func(class string, do func([]item) []item, also ...string) {
		b := recipe{values: once(k, do)}.make(t)
		out = append(out, fault{class, b, the(k)(b), 1, also})
	}
	all := func(class string, do func([]item) []item, also ...string) {
		b := recipe{values: always(do)}.make(t)
		out = append(out, fault{class, b, the(0)(b), 0, also})
	}
	bytesOf := func(class string, do func([]byte) []byte, also ...string) {
		b := recipe{packet: only(k, do)}.make(t)
		out = append(out, fault{class, b, the(k)(b), 1, also})
	}
	adding := func(items ...byte) func([]byte) []byte {
		return body(func(b []byte) []byte { return append(b, items...) })
	}

	bytesOf("key-damaged", func(b []byte) []byte { return append([]byte{1, 2, 3, 4, 5}, b[5:]...) }, "bytes-between")
	bytesOf("key-damaged", func(b []byte) []byte { return b[5:] }) // as converters do that take them for the header of a cell
	bytesOf("key-unknown", func(b []byte) []byte { b[12] = 0x77; return b })
	bytesOf("bytes-between", func(b []byte) []byte { return append([]byte("rubbish between packets"), b...) })
	bytesOf("packet-length", func(b []byte) []byte { return b[:len(b)-20] })
	bytesOf("item-length", adding(110, 9, 1), "checksum-missing")
	bytesOf("length-form", func(b []byte) []byte { return summed(slices.Concat(b[:16], []byte{0x83, 0}, b[17:])) })
	bytesOf("length-form", adding(110, 0x81, 1, 5))
	bytesOf("length-form", body(func(b []byte) []byte { // within the security set
		i := bytes.Index(b, []byte{48, 25, 1, 1, 1})
		return slices.Concat(b[:i], []byte{48, 26, 1, 0x81}, b[i+3:])
	}))
	bytesOf("tag-form", adding(0x80, 110, 1, 5))
	bytesOf("checksum-wrong", func(b []byte) []byte { b[40] ^= 1; return b })
	bytesOf("checksum-missing", func(b []byte) []byte { b = b[:len(b)-4]; b[18] -= 4; return b })
	bytesOf("checksum-place", func(b []byte) []byte {
		b = append(b, 110, 1, 5)
		if b[18] += 3; b[18] < 3 {
			b[17]++
		}
		var sum uint16
		for i, c := range b[:len(b)-5] {
			sum += uint16(c) << (8 * (1 - i%2))
		}
		b[len(b)-5], b[len(b)-4] = byte(sum>>8), byte(sum)
		return b
	})
	one("time-missing", without(2))
	one("time-place", func(v []item) []item { v[0], v[1] = v[1], v[0]; return v })
	one("version-missing", without(65))
	one("version-old", put(whole(65, 4)))
	one("item-repeated", func(v []item) []item { return append(v, text(3, "SYNTHETIC02")) })
	one("item-size", put(raw(22, 0, 0, 1, 2)))
	one("item-size", put(text(3, string(bytes.Repeat([]byte{'S'}, 128)))))
	bytesOf("item-unknown", adding(0x81, 0x16, 1, 5))
	one("item-empty", put(raw(100)))
	one("item-out-of-range", put(raw(6, 0x80, 0)))
	one("number-form", put(raw(110, 0, 5)))
	one("value-range", put(raw(134, 0x78, 0)))
	one("value-range", put(sub(74, put(series(101, target(1, whole(5, 150)), target(2, whole(5, 1))))(movers(epoch))...)))
	one("value-enum", put(whole(77, 9)))
	one("value-enum", put(sub(48, put(whole(1, 9))(marking())...)))
	one("value-unset", put(num(22, 0), num(96, 0)))
	one("text-coding", put(raw(3, 0xff, 0xfe)))
	one("text-control", put(text(3, "SYN\x01THETIC")))
	one("text-control", put(sub(48, append(marking(), text(14, "SYN\x01THETIC"))...)))
	one("text-padding", put(text(3, "SYNTHETIC ")))
	one("nested-value", put(raw(73, 2, 8, 1, 2)))
	one("nested-value", put(raw(130, 9, 1, 2)))
	out = append(out, legacy(t))
	all("minimum-missing", without(10))
	all("security-missing", without(48), "minimum-missing")
	one("security-incomplete", put(sub(48, without(13)(marking())...)))
	one("security-form", put(sub(48, put(text(3, "XX"))(marking())...)))
	one("security-form", put(sub(48, append(marking(), text(10, "4 May 2026"))...)))

	long := recipe{seconds: 34, rate: 10, values: func(i int, v []item) []item {
		if i > 0 {
			v = without(10)(v)
		}
		return v
	}}.make(t)
	out = append(out, fault{"minimum-stale", long, nth(long, 301, begins(klvPID)), 39, nil})

	one("slant-range", func(v []item) []item { return put(num(21, slantOf(v)+300))(v) })
	one("center-ray", put(num(5, 60)))
	one("center-corners", func(v []item) []item {
		for i := range uint32(4) {
			v = put(num(82+2*i, 24.9))(v)
		}
		return without(26, 27, 28, 29, 30, 31, 32, 33)(v)
	})
	one("width-fov", put(num(22, 1000), num(96, 1000)))
	one("height-datum", put(num(15, 3500)))
	one("twin-items", put(num(22, 250)))
	one("twin-items", put(num(26, 0.01)))

	within := func(do func([]item) []item) func([]item) []item { return put(sub(74, do(movers(epoch))...)) }
	one("vmti-version", within(without(4)))
	one("vmti-count", within(put(whole(6, 3))))
	one("vmti-count", within(put(whole(5, 1))))
	one("vmti-count", within(without(6)))
	all("vmti-frame", within(without(8)))
	one("vmti-pixel", within(put(series(101, target(1, whole(1, 640*480+1)), target(2, whole(1, 5))))))
	one("vmti-pixel", within(put(series(101, target(1, whole(19, 481), whole(20, 1)), target(2, whole(1, 5))))))
	one("vmti-pixel", within(put(series(101, target(1, whole(2, 2000), whole(3, 900)), target(2, whole(1, 5))))))
	one("vmti-id", within(put(series(101, target(1, whole(1, 4)), target(1, whole(1, 5))))))
	inner, err := klv.ST0903.EncodeItems(plain(movers(epoch))...)
	if err != nil {
		t.Fatal(err)
	}
	one("vmti-checksum", put(raw(74, append(inner, 1, 2, 0, 0)...)))
	return append(out, timeFaults(t)...)
}

func slantOf([]item) float64 { return math.Hypot(3000, 2960) }

// legacy is a stream of universal sets.
func legacy(t testing.TB) fault {
	var v []klv.Value
	for key, r := range klv.EG0104.UniversalRows() {
		switch r.Twin {
		case 2:
			v = append(v, klv.Time(0, epoch).Keyed(key))
		case 48:
			v = append(v, klv.SetOf(0, plain(marking())...).Keyed(key))
		}
	}
	packet, err := klv.EG0104.Encode(v...)
	if err != nil {
		t.Fatal(err)
	}
	b := recipe{packet: func(i int, _ []byte) []byte {
		if i > 0 {
			return nil
		}
		return packet
	}}.make(t)
	return fault{"legacy-set", b, the(0)(b), 1, []string{"metadata-uncovered"}}
}

// timeFaults are in item 2 of the packets.
func timeFaults(t testing.TB) (out []fault) {
	at := func(i int) time.Time { return epoch.Add(time.Duration(i) * time.Second / 30) }
	moved := func(class string, count int64, by func(i int) time.Duration) {
		b := recipe{time: func(i int) time.Time { return at(i).Add(by(i)) }}.make(t)
		out = append(out, fault{class, b, the(k)(b), count, nil})
	}
	moved("time-back", 1, func(i int) time.Duration {
		if i == k {
			return -200 * time.Millisecond
		}
		return 0
	})
	moved("time-repeated", 1, func(i int) time.Duration {
		if i == k {
			return at(0).Sub(at(1))
		}
		return 0
	})
	moved("time-jump", 1, func(i int) time.Duration {
		if i >= k {
			return 2 * time.Second
		}
		return 0
	})
	drift := recipe{time: func(i int) time.Time { return epoch.Add(time.Duration(i) * time.Second / 30 * 105 / 100) }}.make(t)
	out = append(out, fault{"time-drift", drift, -1, 0, nil})
	old := recipe{time: func(i int) time.Time { return at(i).AddDate(-50, 0, 0) }}.make(t)
	return append(out, fault{"time-epoch", old, the(0)(old), 120, nil})
}

func faults(t testing.TB) []fault {
	return slices.Concat(transportFaults(t), multiplexFaults(t), packetFaults(t))
}

// Each fault is found, with its class, at its place, and nothing is told beside it that it does not bring about.
func TestEachFaultIsFoundAtItsPlace(t *testing.T) {
	tested := map[string]bool{}
	for _, f := range faults(t) {
		tested[f.class] = true
		r := checked(t, f.file, "default")
		i := slices.IndexFunc(r.Findings, func(g check.Finding) bool { return g.Class == f.class })
		if i < 0 {
			t.Errorf("%s is not found; told are %v", f.class, r.Findings)
			continue
		}
		g := r.Findings[i]
		if f.at >= 0 && g.At != int64(f.at) || f.count > 0 && g.Count != f.count {
			t.Errorf("%s: at byte %d, %d times; want byte %d, %d times: %v", f.class, g.At, g.Count, f.at, f.count, g)
		}
		if f.at >= 0 && g.Packet != int64(f.at)/188+1 && f.class != "sync-loss" && f.class != "cut-packet" {
			t.Errorf("%s: packet %d, want %d", f.class, g.Packet, f.at/188+1)
		}
		for _, g := range r.Findings {
			if g.Class != f.class && !slices.Contains(f.also, g.Class) {
				t.Errorf("%s: told beside it: %v", f.class, g)
			}
		}
	}
	for _, c := range check.Classes() {
		if !tested[c.Name] {
			t.Errorf("no fault of class %s is tested", c.Name)
		}
	}
}
