package app_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// What `video clip` cuts out is read by ExifTool and ffprobe as what was written: each packet of metadata of the cut with the values
// that it was encoded from, at its own time, and nothing else.
func TestOtherReadersReadAClip(t *testing.T) {
	const frames, first = 90, 126000
	var all []mpegts.Unit
	for _, list := range units(t, reel(t, frames, first)) {
		all = append(all, list...)
	}
	whole := write(t, muxed(t, []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x15}, {PID: soundPID, StreamType: 0x0f}}, all))
	cut := filepath.Join(t.TempDir(), "cut.ts")
	done, err := app.CutVideo(t.Context(), app.ClipRequest{In: whole, Out: cut, From: "2.2", To: "3.5"})
	if err != nil {
		t.Fatal(err)
	}
	times := strings.Fields(output(t, "ffprobe", "-v", "error", "-select_streams", "d:0", "-show_entries", "packet=pts", "-of", "csv=p=0", cut))
	if int64(len(times)) != done.Metadata || done.Metadata < 36 || done.Metadata >= frames {
		t.Fatalf("ffprobe reads %d packets of metadata in the cut, %+v", len(times), done)
	}
	var docs []map[string]any
	if err := json.Unmarshal([]byte(output(t, "exiftool", "-ee3", "-U", "-a", "-G3", "-n", "-j", cut)), &docs); err != nil || len(docs) != 1 {
		t.Fatal(err)
	}
	items := []struct {
		tag       uint32
		name      string
		at, every float64 // what flying writes at first, and how much more from frame to frame
	}{
		{5, "GPSTrack", 0, 0}, {13, "GPSLatitude", 24.8, 40.0 / 30 / 110_800}, {14, "GPSLongitude", -107.4, 0}, {16, "HorizontalFieldOfView", 20, 0},
		{17, "VerticalFieldOfView", 11.5, 0}, {18, "SensorRelativeAzimuthAngle", 0, 0}, {19, "SensorRelativeElevationAngle", -50, 0},
		{75, "SensorEllipsoidHeight", 1050, 0}, {78, "FrameCenterHeightAboveEllipsoid", 50, 0},
	}
	for i, s := range times {
		pts, err := strconv.ParseInt(strings.TrimRight(s, ","), 10, 64)
		if err != nil || (pts-first)%3000 != 0 {
			t.Fatalf("packet %d at %q", i, s)
		}
		frame := float64(pts-first) / 3000
		for _, item := range items {
			r := klv.ST0601.Row(item.tag)
			step := (r.Hi - r.Lo) / (math.Pow(2, float64(8*r.Size)) - 2)
			told, want := docs[0][fmt.Sprintf("Doc%d:%s", i+1, item.name)], item.at+frame*item.every
			if got, err := strconv.ParseFloat(fmt.Sprint(told), 64); err != nil || math.Abs(got-want) > step/2+1e-12 {
				t.Errorf("packet %d, frame %g: item %d is %v, want %.9f", i, frame, item.tag, told, want)
			}
		}
	}
	if _, more := docs[0][fmt.Sprintf("Doc%d:GPSLatitude", len(times)+1)]; more {
		t.Error("ExifTool reads more packets than ffprobe")
	}
	if st, err := os.Stat(cut); err != nil || st.Size() != done.Bytes {
		t.Errorf("%v, %+v", err, done)
	}
}
