package check_test

import (
	"testing"

	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// asynchronous is a recipe's outputs with the metadata in a private stream, and with no time stamps on it.
var asynchronous = []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: asyncPID, StreamType: 0x06}}

// Nothing is told of a stream that is as the standards have it, by any profile.
func TestNothingIsFoundInACleanStream(t *testing.T) {
	for name, b := range map[string][]byte{
		"synchronous":      recipe{}.make(t),
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
