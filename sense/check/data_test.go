package check_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// TestWhatRealFilesHold is what the reference page says of each file: all that is found, with how often. None of it was put in.
func TestWhatRealFilesHold(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(held)) {
		b, err := os.ReadFile(fixture.Shared(t, "video/"+name))
		if err != nil {
			t.Fatal(err)
		}
		r := checked(t, b, "default")
		times := map[string]int64{}
		for _, f := range r.Findings {
			times[f.Severity.String()+" "+f.Class] += f.Count
		}
		var got []string
		for _, k := range slices.Sorted(maps.Keys(times)) {
			got = append(got, fmt.Sprintf("%s %d", k, times[k]))
		}
		if !slices.Equal(got, held[name]) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(held[name], "\n"))
		}
	}
}

// golden is what is found in each of the three streams that carry the same made-up metadata.
var golden = []string{"note version-old 30", "warning center-ray 30", "warning height-datum 90", "warning item-empty 30", "warning slant-range 30",
	"warning twin-items 237", "warning width-fov 30"}

var held = map[string][]string{
	"h264_klv.ts": golden, "h265_klv.ts": golden, "mpeg2_klv.ts": golden,
	// Clock references come every 0.333 s, as a few lines of any language show.
	"osh-first-75.ts": {"error pcr-interval 7", "note klv-timed 75", "note pat-rate 7", "note pmt-rate 7", "note version-old 75", "warning klv-stream-id 75",
		"warning minimum-missing 1", "warning vmti-count 10", "warning vmti-version 8"},
	// The time in its pictures (ST 0604) lies 109.863 s before that of its metadata.
	"aphill_short.ts": {"error pat-interval 1", "error pcr-interval 2", "error pmt-interval 1", "note klv-timed 48", "note pat-rate 1", "note pmt-rate 1",
		"warning klv-stream-id 48", "warning legacy-set 1", "warning security-missing 1", "warning video-interlaced 1", "warning video-time 48"},
	"truck-411.klv":             {"note value-unset 411", "note version-old 411", "warning minimum-missing 5", "warning security-incomplete 822"},
	"misb-dynamic-constant.klv": {"error checksum-wrong 1", "note version-old 1", "warning center-ray 1", "warning slant-range 1", "warning width-fov 1"},
	"misb-dynamic-only.klv": {"note version-old 1", "warning center-ray 1", "warning minimum-missing 11", "warning security-missing 1", "warning slant-range 1",
		"warning width-fov 1"},
	"day.klv": {"error item-size 6", "error key-damaged 6", "note version-old 6", "warning center-ray 6", "warning metadata-gap 5", "warning metadata-rate 1",
		"warning minimum-missing 10", "warning security-missing 1", "warning slant-range 1"},
	"night.klv": {"error item-size 18", "error key-damaged 18", "note version-old 18", "warning center-ray 17", "warning metadata-gap 17", "warning metadata-rate 1",
		"warning minimum-missing 10", "warning security-missing 1", "warning slant-range 7"},
	"vmti-0903v4.klv": {"warning vmti-count 5", "warning vmti-pixel 8"},
}
