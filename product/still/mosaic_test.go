package still_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/geodesy/terrain"
	"github.com/atalaya-isr/atalaya/product/still"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

var frameSize = video.Size{Width: 320, Height: 240}

// pattern is the brightness of the made ground: waves of 40 m and 30 m. SYNTHETIC.
func pattern(east, north float64) float64 {
	return 128 + 60*math.Sin(2*math.Pi*east/40)*math.Sin(2*math.Pi*north/30)
}

// A flight is n frames, five a second, by an aircraft that flies east and looks north and down.
type flight struct {
	truth  []*video.Moment
	frames []still.Registered
}

// fly makes a flight. jitter is the standard deviation of the heading that the metadata tells, degrees; drift what the registration is
// off by to the right from each frame to the next, px.
func fly(t testing.TB, n int, jitter, drift float64) *flight {
	rng := rand.New(rand.NewPCG(3, 5))
	f := &flight{}
	var before mover.Homography
	for i := range n {
		lon := klv.Number(14, -107.4+0.00008*float64(i)) // 8.1 m a frame
		true1, said := moment(t, append(looking(0, 60), lon)...), moment(t, append(looking(geodesy.Wrap360(jitter*rng.NormFloat64()), 60), lon)...)
		true1.PTS, said.PTS = float64(i)/5, float64(i)/5
		f.truth = append(f.truth, true1)
		r := still.Registered{PTS: float64(i) / 5, Moment: said, Locked: i > 0, ResidualPX: 0.1}
		now := groundOf(t, true1)
		if i > 0 {
			back := before.Inverse()
			r.Motion = back.Times(&now)
			shift := mover.Homography{1, 0, drift, 0, 1, 0, 0, 0, 1}
			r.Motion = shift.Times(&r.Motion)
			r.Motion = counted(r.Motion)
		}
		before = now
		f.frames = append(f.frames, r)
	}
	return f
}

// counted turns a map of places in whole-frame pixels into one of the pixels that detect/mover counts: of half the size, from the
// middle of the first.
func counted(h mover.Homography) mover.Homography {
	up := mover.Homography{2, 0, 1, 0, 2, 1, 0, 0, 1}
	down := up.Inverse()
	h = h.Times(&up)
	return down.Times(&h)
}

var worked = video.Size{Width: 160, Height: 120}

// groundOf is a look's map from pixels to the plane of UTM.
func groundOf(t testing.TB, m *video.Moment) mover.Homography {
	t.Helper()
	var points [][4]float64
	for y := 10.0; y < 240; y += 40 {
		for x := 10.0; x < 320; x += 60 {
			s, ok := m.Pixel(x, y, frameSize)
			if !ok {
				t.Fatal("no ground")
			}
			u := geodesy.InZone(s.LatLon(), 13, false)
			points = append(points, [4]float64{x, y, u.EastingM - 250e3, u.NorthingM - 2745e3})
		}
	}
	h, ok := still.Fit(points)
	if !ok {
		t.Fatal("no map")
	}
	return h
}

// seen renders what a look shows of the made ground.
func seen(t testing.TB, m *video.Moment) *image.RGBA {
	h := groundOf(t, m)
	img := image.NewRGBA(image.Rect(0, 0, frameSize.Width, frameSize.Height))
	for y := range frameSize.Height {
		for x := range frameSize.Width {
			e, n := h.At(float64(x)+0.5, float64(y)+0.5)
			v := byte(math.Round(pattern(e+250e3, n+2745e3)))
			copy(img.Pix[img.PixOffset(x, y):], []byte{v, v, v, 0xff})
		}
	}
	return img
}

func (f *flight) mosaic(t testing.TB) *still.Mosaic {
	t.Helper()
	m, err := still.Plan(f.frames, frameSize, worked)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range f.frames {
		if !m.Wants(r.PTS) {
			continue
		}
		if taken, err := m.Lay(r.PTS, seen(t, f.truth[i])); err != nil || !taken {
			t.Fatalf("frame %d: %v %v", i, taken, err)
		}
	}
	return m
}

// off is the mean difference between a mosaic and the made ground, grey levels, and the share of the mosaic that was looked at.
func off(m *still.Mosaic) (mean, share float64) {
	img := m.Picture()
	n := 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if p := img.Pix[img.PixOffset(x, y):]; p[3] != 0 {
				u := geodesy.InZone(m.PlaceAt(x, y), 13, false)
				mean += math.Abs(float64(p[0]) - pattern(u.EastingM, u.NorthingM))
				n++
			}
		}
	}
	return mean / float64(n), float64(n) / float64(img.Rect.Dx()*img.Rect.Dy())
}

// TestAMosaicShowsTheGroundWhereItLies: with metadata that are right to their rounding. The waves rise by at most 60·2π/30 = 12.6
// levels a metre, 5 in the mean of the slopes; half a pixel of 0.7 m would be 1.8 levels, which bilinear reading of the waves stays
// well below.
func TestAMosaicShowsTheGroundWhereItLies(t *testing.T) {
	m := fly(t, 60, 0, 0).mosaic(t)
	mean, share := off(m)
	f := m.Figures()
	t.Logf("%.2f levels off, %.0f %% looked at, %+v", mean, 100*share, f)
	if mean > 1 || share < 0.8 {
		t.Errorf("%.2f levels off, %.2f looked at", mean, share)
	}
	if f.Frames != 60 || f.Laid < 10 || f.Laid > 40 || f.Cuts != 0 || f.Left != 0 || f.SeamPX > 0.2 || f.ScatterM > 0.3 || f.ResidualPX < 0.09 || f.ResidualPX > 0.11 {
		t.Errorf("%+v", f)
	}
}

// TestMetadataJitterIsTakenOut: 0.1 degrees of heading move a point 577 m away by a metre, 1.6 px, from one packet to the next. Laid by
// each frame's own metadata neighbours would miss each other by that; tied over three seconds to each side they do not.
func TestMetadataJitterIsTakenOut(t *testing.T) {
	m := fly(t, 60, 0.1, 0).mosaic(t)
	mean, _ := off(m)
	f := m.Figures()
	t.Logf("%.2f levels off, %+v", mean, f)
	if f.ScatterM < 0.5 || f.ScatterM > 1.8 {
		t.Errorf("the metadata scatters by 1 m, told is %.2f", f.ScatterM)
	}
	if f.SeamPX > 0.5 {
		t.Errorf("neighbours meet to %.2f px", f.SeamPX)
	}
	if mean > 2 { // 31 packets average a metre to 0.2 m, at 5 levels a metre
		t.Errorf("%.2f levels off", mean)
	}
}

// TestDriftIsBounded: a registration that slides by a twentieth of a pixel a frame slides by 7.5 px, 4.7 m, over these. The metadata
// hold each frame where it is.
func TestDriftIsBounded(t *testing.T) {
	m := fly(t, 150, 0, 0.05).mosaic(t)
	mean, _ := off(m)
	t.Logf("%.2f levels off, %+v", mean, m.Figures())
	if mean > 1 {
		t.Errorf("%.2f levels off", mean)
	}
}

// TestWithoutMetadataThePlaneIsAFrames: the longest stretch is laid on the plane of its middle frame, and nothing is said of the
// ground.
func TestWithoutMetadataThePlaneIsAFrames(t *testing.T) {
	f := fly(t, 40, 0, 0)
	for i := range f.frames {
		f.frames[i].Moment = nil
	}
	f.frames[10].Locked = false
	m := f.mosaic(t)
	if g := m.Figures(); g.Cuts != 1 || g.ScatterM != 0 || g.SeamM != 0 || g.SeamPX > 0.01 {
		t.Errorf("%+v", g)
	}
	if p := m.Problems(); len(p) != 1 || !strings.Contains(p[0], "only 2.000 s to 7.800 s is laid") {
		t.Errorf("%q", p)
	}
	if from, to := m.Span(); from != 2 || to != 7.8 {
		t.Errorf("from %v to %v", from, to)
	}
	b, err := m.PNG(made, mark(t, "U//SYNTHETIC"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "unanchored.png", b)
	if p := provenance(t, b).Mosaic; p.EPSG != nil || p.Box != nil || p.Ellipse != nil {
		t.Errorf("%+v", p)
	}
	if _, err := m.GeoTIFF(made, mark(t, "U//SYNTHETIC")); atalaya.KindOf(err) != atalaya.BadInput {
		t.Errorf("a map of no ground: %v", err)
	}
	// It is the base frame, pixel by pixel, but for where its neighbours show through.
	base := seen(t, f.truth[25])
	img := m.Picture()
	if img.Rect.Dx() < 400 || img.Rect.Dy() < base.Rect.Dy() {
		t.Errorf("the mosaic is of %v", img.Rect)
	}
}

func TestMosaicsAreAsTheyWere(t *testing.T) {
	f := fly(t, 30, 0.05, 0)
	m := f.mosaic(t)
	b, err := m.PNG(made, mark(t, "U//SYNTHETIC"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "mosaic.png", b)
	again, err := f.mosaic(t).PNG(made, mark(t, "U//SYNTHETIC"))
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("made again it differs: %v", err)
	}
	p := provenance(t, b)
	if p.Kind != "mosaic" || p.Mosaic.Registered != 30 || *p.Mosaic.EPSG != 32613 || len(p.Mosaic.Box) != 4 || p.Mosaic.Ellipse == nil || !(p.Mosaic.Box[0].Lat > p.Mosaic.Box[2].Lat) {
		t.Errorf("%+v", p.Mosaic)
	}
}

func TestMosaicsThatCannotBe(t *testing.T) {
	if _, err := still.Plan(nil, frameSize, worked); atalaya.KindOf(err) != atalaya.BadInput {
		t.Errorf("of no frames: %v", err)
	}
	f := fly(t, 10, 0, 0)
	m, err := still.Plan(f.frames, frameSize, worked)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.PNG(made, mark(t, "U//SYNTHETIC")); atalaya.KindOf(err) != atalaya.BadInput {
		t.Errorf("before its frames were brought: %v", err)
	}
	if _, err := m.Lay(0, picture(10, 10)); err == nil {
		t.Error("a frame of another size is taken")
	}
	if taken, err := m.Lay(99, picture(320, 240)); taken || err != nil {
		t.Errorf("a frame that is not laid: %v %v", taken, err)
	}
	whole := f.mosaic(t)
	if b, err := whole.PNG(made, still.Mark{}); atalaya.KindOf(err) != atalaya.Refused || b != nil {
		t.Errorf("without a marking: %v", err)
	}
	if b, err := whole.GeoTIFF(made, still.Mark{}); atalaya.KindOf(err) != atalaya.Refused || b != nil {
		t.Errorf("a map without a marking: %v", err)
	}
	broken := fly(t, 10, 0, 0)
	for i := range broken.frames { // a registration that folds the picture
		broken.frames[i].Motion = mover.Homography{math.NaN(), 0, 0, 0, 1, 0, 0, 0, 1}
		broken.frames[i].Moment = nil
	}
	if m, err := still.Plan(broken.frames, frameSize, worked); err == nil && m.Figures().Laid != 1 {
		t.Errorf("%+v", m.Figures())
	}
}

// tiffField reads one field of a little-endian TIFF's first directory.
func tiffField(t *testing.T, b []byte, tag uint16) (count int, data []byte) {
	t.Helper()
	le := binary.LittleEndian
	at := int(le.Uint32(b[4:]))
	last := -1
	for i := range int(le.Uint16(b[at:])) {
		e := b[at+2+12*i:]
		if int(le.Uint16(e)) <= last {
			t.Fatal("tags do not ascend")
		}
		last = int(le.Uint16(e))
		if le.Uint16(e) != tag {
			continue
		}
		count = int(le.Uint32(e[4:]))
		n := count * map[uint16]int{2: 1, 3: 2, 4: 4, 5: 8, 12: 8}[le.Uint16(e[2:])]
		if n <= 4 {
			return count, e[8 : 8+n]
		}
		return count, b[le.Uint32(e[8:]):][:n]
	}
	t.Fatalf("no tag %d", tag)
	return 0, nil
}

// TestGeoTIFFLiesWhereTheMosaicLies: the corner, the step and the zone; the marking in its own rows and in the description; opacity 0
// where nothing was looked at.
func TestGeoTIFFLiesWhereTheMosaicLies(t *testing.T) {
	m := fly(t, 20, 0, 0).mosaic(t)
	b, err := m.GeoTIFF(made, mark(t, "U//SYNTHETIC"))
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	double := func(d []byte, i int) float64 { return math.Float64frombits(le.Uint64(d[8*i:])) }
	img := m.Picture()
	_, wide := tiffField(t, b, 256)
	_, tall := tiffField(t, b, 257)
	if w, h := le.Uint32(wide), le.Uint32(tall); int(w) != img.Rect.Dx() || int(h) != img.Rect.Dy()+48 {
		t.Errorf("%d x %d, the mosaic is of %v", w, h, img.Rect)
	}
	_, scale := tiffField(t, b, 33550)
	_, tiePoint := tiffField(t, b, 33922)
	// The middle of the mosaic's first pixel lies 24 rows and half a pixel below the tie point.
	east, north := double(tiePoint, 3)+0.5*double(scale, 0), double(tiePoint, 4)-24.5*double(scale, 1)
	at := geodesy.UTM{Zone: 13, EastingM: east, NorthingM: north}.LatLon()
	if d := geodesy.Distance(at, m.PlaceAt(0, 0)); d > 1e-3 || double(scale, 0) != m.PixelM() {
		t.Errorf("its corner lies %.4f m off, a pixel takes %v m of %v", d, double(scale, 0), m.PixelM())
	}
	if _, text := tiffField(t, b, 270); !strings.HasPrefix(string(text), "UNCLASSIFIED//SYNTHETIC\n{") || !strings.Contains(string(text), `"kind":"mosaic"`) {
		t.Errorf("description %.80q", text)
	}
	pixel := func(x, y int) []byte { return b[8+4*(y*img.Rect.Dx()+x):][:4] }
	for _, y := range []int{0, 23, img.Rect.Dy() + 24, img.Rect.Dy() + 47} {
		if !bytes.Equal(pixel(0, y), []byte{0, 0x7a, 0x33, 0xff}) {
			t.Errorf("row %d of the banner begins with %v", y, pixel(0, y))
		}
	}
	for _, p := range []image.Point{{0, 0}, {img.Rect.Dx() / 2, img.Rect.Dy() / 2}, {img.Rect.Dx() - 1, img.Rect.Dy() - 1}} {
		if got, want := pixel(p.X, p.Y+24), img.Pix[img.PixOffset(p.X, p.Y):][:4]; !bytes.Equal(got, want) {
			t.Errorf("at %v %v, the mosaic %v", p, got, want)
		}
	}
	gdal(t, b)
}

// gdal lets another reader say what it sees, where it is installed.
func gdal(t *testing.T, b []byte) {
	info, err := exec.LookPath("gdalinfo")
	if err != nil {
		t.Log("gdalinfo is not installed: the file was not held against it")
		return
	}
	path := filepath.Join(t.TempDir(), "mosaic.tif")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), info, path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "UTM zone 13N") || !strings.Contains(string(out), "Alpha") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTheTerrainReaderReadsTheTags: heights written with the tags of a mosaic lie where they should, north and south.
func TestTheTerrainReaderReadsTheTags(t *testing.T) {
	for _, south := range []bool{false, true} {
		epsg, north := 32613, 2745000.0
		if south {
			epsg, north = 32713, 7255000
		}
		const n = 150 // more than one strip
		pix := make([]byte, 0, 4*n*n)
		for y := range n {
			for x := range n {
				pix = binary.LittleEndian.AppendUint32(pix, math.Float32bits(float32(10*y+x)))
			}
		}
		b := still.HeightTIFF(n, n, epsg, 2.5, 258000, north, pix)
		f, err := terrain.Open(bytes.NewReader(b), int64(len(b)), "made.tif")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []image.Point{{10, 10}, {100, 3}, {40, 140}} {
			at := geodesy.UTM{Zone: 13, South: south, EastingM: 258000 + 2.5*(float64(p.X)+0.5), NorthingM: north - 2.5*(float64(p.Y)+0.5)}.LatLon()
			if g, ok := f.At(at); !ok || math.Abs(g.HeightM-float64(10*p.Y+p.X)) > 1e-2 {
				t.Errorf("south %v, pixel %v: %v %v, want %d", south, p, g.HeightM, ok, 10*p.Y+p.X)
			}
		}
	}
}

// TestFitFindsTheMap: a homography from points without error, to 1e-9 of the plane's size; points on one line determine none.
func TestFitFindsTheMap(t *testing.T) {
	want := mover.Homography{0.6, 0.02, 250, -0.03, -0.7, 800, 1e-5, 3e-4, 1}
	var points, line [][4]float64
	for y := 0.0; y < 240; y += 50 {
		for x := 0.0; x < 320; x += 50 {
			u, v := want.At(x, y)
			points = append(points, [4]float64{x, y, u, v})
			line = append(line, [4]float64{x, x, u, v})
		}
	}
	got, ok := still.Fit(points)
	if !ok {
		t.Fatal("no map")
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-9*math.Max(1, math.Abs(want[i])) {
			t.Errorf("element %d: %v, want %v", i, got[i], want[i])
		}
	}
	if _, ok := still.Fit(line); ok {
		t.Error("points on a line determine a map")
	}
	if _, ok := still.Fit(points[:3]); ok {
		t.Error("three points determine a map")
	}
	if _, ok := still.Fit([][4]float64{{1, 1, 2, 2}, {1, 1, 2, 2}, {1, 1, 2, 2}, {1, 1, 2, 2}}); ok {
		t.Error("one place determines a map")
	}
}

// BenchmarkLay lays a frame of 1920 x 1080 on its ground.
func BenchmarkLay(b *testing.B) {
	big := video.Size{Width: 1920, Height: 1080}
	m, err := still.Plan([]still.Registered{{Moment: moment(b, looking(30, 60)...)}}, big, worked)
	if err != nil {
		b.Fatal(err)
	}
	p := picture(big.Width, big.Height)
	for b.Loop() {
		if taken, err := m.Lay(0, p); !taken || err != nil {
			b.Fatal(err)
		}
	}
}
