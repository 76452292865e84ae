package ffmpeg

import (
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/storm"
)

// FuzzLines: whatever the program says, lines are read without panic, and what is taken for a time can be one.
func FuzzLines(f *testing.F) {
	f.Add("[Parsed_showinfo_2 @ 0x5d] [info] config in time_base: 1/90000, frame_rate: 30/1\n[Parsed_showinfo_2 @ 0x5d] [info] n:   0 pts: 129003 pts_time:1.43337 fmt:gray s:960x540 i:P\n")
	f.Add("[Parsed_showinfo_2 @ 0x5d] [info] config in time_base: 0/0\n[Parsed_showinfo_2 @ 0x5d] [info] n: 1 pts:NOPTS s:1x\n")
	f.Add("[Parsed_idet_0 @ 0x1] [info] Multi frame detection: TFF: 8 BFF:\n[fatal] " + strings.Repeat("x", 400))
	storm.Fuzz(f, func(t testing.TB, text string) {
		var l talk
		for line := range strings.Lines(text) {
			s, ok := l.take(line)
			if ok && (!(s.clock > 0) || math.IsInf(s.clock, 1)) {
				t.Errorf("%q gives the clock %v", line, s.clock)
			}
		}
		if len(l.fault) > 300 || strings.ContainsAny(l.fault, "\n") {
			t.Errorf("the fault is %q", l.fault)
		}
	})
}
