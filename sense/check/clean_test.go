package check_test

import (
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// asynchronous is a recipe's outputs with the metadata in a private stream, and with no time stamps on it.
var asynchronous = []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: asyncPID, StreamType: 0x06}}

// payloads is a payload list of many records, bytes in all about n.
func payloads(n int) []byte {
	var out []byte
	count := n / 10
	for i := range count {
		out = append(out, 9, 0x81, byte(i&0x7f), 0, 5, 'S', 'Y', 'N', 'T', 'H')
	}
	return append([]byte{0x80 | byte(count>>7), byte(count & 0x7f)}, out...)
}

// twoKinds puts a stand-alone VMTI packet, of a picture a little before, behind each packet.
func twoKinds(i int, b []byte) []byte {
	at := epoch.Add(time.Duration(i)*time.Second/30 - 20*time.Millisecond)
	v, err := klv.ST0903.Encode(plain(movers(at))...)
	if err != nil {
		panic(err)
	}
	return append(b, v...)
}

// Nothing is told of a stream that is as the standards have it, by any profile.
func TestNothingIsFoundInACleanStream(t *testing.T) {
	long := recipe{seconds: 0.5, values: func(_ int, v []item) []item {
		return append(v, item{138, klv.RawBytes(138, payloads(70000))}) // two cells a packet
	}}.make(t)
	for name, b := range map[string][]byte{
		"synchronous":      recipe{}.make(t),
		"in fragments":     long,
		"of two kinds":     recipe{packet: twoKinds}.make(t),
		"asynchronous":     recipe{outputs: asynchronous}.make(t),
		"of constant rate": steady(recipe{}.make(t)),
		"of a minute":      recipe{seconds: 60, rate: 10}.make(t),
	} {
		for _, p := range check.Profiles() {
			r := checked(t, b, p.Name)
			for i := range r.Findings {
				t.Errorf("%s, profile %s: %+v", name, p.Name, r.Findings[i])
			}
			if r.Verdict != "conformant" || r.Unread {
				t.Errorf("%s, profile %s: %s, unread %v", name, p.Name, r.Verdict, r.Unread)
			}
		}
	}
}
