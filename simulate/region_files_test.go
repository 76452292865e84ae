package simulate

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// valleyFiles are written once for all tests.
var valleyFiles = sync.OnceValues(func() (v struct {
	files shelf
	told  Filed
	of    *Region
}, err error) {
	v.files, v.told, v.of, err = sensorFilesOf("valley", 3)
	return v, err
})

func sensorFiles(t testing.TB) (shelf, Filed, *Region) {
	t.Helper()
	if testing.Short() {
		t.Skip("sixteen gas surveys")
	}
	v, err := valleyFiles()
	if err != nil {
		t.Fatal(err)
	}
	return v.files, v.told, v.of
}

func sensorFilesOf(name string, seed uint64) (out shelf, told Filed, r *Region, err error) {
	s, err := FindRegion(name)
	if err == nil {
		r, err = RegionCampaign(s, seed)
	}
	if err == nil {
		out = shelf{}
		told, err = r.WriteFiles(out)
	}
	return out, told, r, err
}

// The files of the sensors come from the same campaign as its sheets: the same flights looked at the same ground, the same sets were heard, the same things were called out.
func TestSensorFilesReadBack(t *testing.T) {
	files, told, r := sensorFiles(t)
	looks, calls, heard := 0, 0, 0
	for _, s := range r.Sheets {
		caused := 0
		for _, f := range s.Found {
			if r.Truth.Causes[f.ID] != "" {
				caused++
			}
		}
		switch s.Kind {
		case "gas":
			looks += len(s.Looks)
		case "video":
			calls += caused
		case "signal":
			heard += caused
		}
	}
	if len(told.Surveys) != looks || len(told.Callouts) != calls || len(told.Emitters) != heard || looks == 0 || calls == 0 || heard == 0 {
		t.Fatalf("%d surveys of %d looks, %d call-outs of %d, %d emitters of %d", len(told.Surveys), looks, len(told.Callouts), calls, len(told.Emitters), heard)
	}
	smelt := 0.0
	for _, f := range told.Surveys {
		s, err := gas.Read(files.open(f.File), f.File)
		if err != nil || len(s.Problems) > 0 || s.Len() < 400 {
			t.Fatalf("%s: %v, %d rows, %v", f.File, err, s.Len(), s.Problems)
		}
		for _, c := range s.Compounds {
			for i, v := range c.Value {
				if !c.Below[i] {
					smelt = math.Max(smelt, v/c.LOD[i])
				}
			}
		}
	}
	if smelt < 3 { // somewhere in the valley somebody is flown past who emits
		t.Errorf("no survey holds more than %.1f detection limits of anything", smelt)
	}
	lines := map[string]int{}
	for _, e := range told.Emitters {
		if lines[e.File] > 0 {
			continue
		}
		s, err := bearing.Read(files.open(e.File), e.File)
		if err != nil || len(s.Problems) > 0 {
			t.Fatalf("%s: %v %v", e.File, err, s.Problems)
		}
		lines[e.File] = len(s.Bearings)
	}
	all := 0
	for _, n := range lines {
		all += n
	}
	if all != bearingsEach*heard {
		t.Errorf("%d bearings on %d emitters", all, heard)
	}
}

// In the middle of the picture lies what was called out, as far off as the platform errs.
func TestCalledOutThingsLieInTheMiddleOfThePicture(t *testing.T) {
	files, told, _ := sensorFiles(t)
	next := map[string]func() (video.Look, error){}
	worst, sum := 0.0, 0.0
	for _, c := range told.Callouts {
		if next[c.File] == nil {
			reader, viewer := video.NewReader(files.open(c.File)), video.NewViewer(video.DefaultSigmas)
			next[c.File] = func() (video.Look, error) {
				p, err := reader.Next()
				if err != nil {
					return video.Look{}, err
				}
				return viewer.See(&p), nil
			}
		}
		l, err := next[c.File]()
		if err != nil {
			t.Fatal(err)
		}
		at, ok := l.Point(0.5, 0.5)
		if !ok {
			t.Fatalf("%s: the middle of the picture shows no ground", c.File)
		}
		if away := l.Time.Sub(c.Time); away < -1e6 || away > 1e6 {
			t.Errorf("%s: a packet %v off", c.File, away)
		}
		d := geodesy.Distance(at.LatLon(), c.At)
		worst, sum = math.Max(worst, d), sum+d
	}
	// 0.15 and 0.08 degrees at 7.8 km are 20 and 11 m.
	if mean := sum / float64(len(told.Callouts)); mean < 5 || mean > 45 || worst > 130 {
		t.Errorf("%d call-outs: %.0f m off on average, %.0f m at most", len(told.Callouts), mean, worst)
	}
	for _, read := range next {
		if _, err := read(); !errors.Is(err, io.EOF) {
			t.Errorf("more packets than call-outs: %v", err)
		}
	}
}

func TestSensorFilesOfTheSameSeedHaveTheSameBytes(t *testing.T) {
	a, _, _ := sensorFiles(t)
	b, _, _, err := sensorFilesOf("valley", 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for name := range a {
		if !bytes.Equal(a[name].Bytes(), b[name].Bytes()) {
			t.Errorf("%s differs between two runs of one seed", name)
		}
		for _, secret := range []string{"site-", "decoy", "homestead"} {
			if strings.Contains(name, secret) || bytes.Contains(a[name].Bytes(), []byte(secret)) {
				t.Errorf("%s gives %q away", name, secret)
			}
		}
		if !bytes.Contains(a[name].Bytes(), []byte("SYNTHETIC")) {
			t.Errorf("%s does not say SYNTHETIC", name)
		}
	}
}
