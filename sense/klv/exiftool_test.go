package klv_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// exifName is what ExifTool 12.57 calls the items of ST 0601 whose values it reads.
var exifName = map[uint32]string{1: "Checksum", 2: "GPSDateTime", 3: "MissionID", 4: "TailNumber", 5: "GPSTrack", 6: "PitchAngle", 7: "RollAngle", 8: "TrueAirspeed",
	9: "IndicatedAirspeed", 10: "ProjectIDCode", 11: "SensorName", 12: "ImageCoordinateSystem", 13: "GPSLatitude", 14: "GPSLongitude", 15: "GPSAltitude",
	16: "HorizontalFieldOfView", 17: "VerticalFieldOfView", 18: "SensorRelativeAzimuthAngle", 19: "SensorRelativeElevationAngle", 20: "SensorRelativeRollAngle",
	21: "SlantRange", 22: "TargetWidth", 23: "FrameCenterLatitude", 24: "FrameCenterLongitude", 25: "FrameCenterElevation", 26: "OffsetCornerLatitude1",
	27: "OffsetCornerLongitude1", 28: "OffsetCornerLatitude2", 29: "OffsetCornerLongitude2", 30: "OffsetCornerLatitude3", 31: "OffsetCornerLongitude3",
	32: "OffsetCornerLatitude4", 33: "OffsetCornerLongitude4", 34: "IcingDetected", 35: "WindDirection", 36: "WindSpeed", 37: "StaticPressure", 38: "DensityAltitude",
	39: "AirTemperature", 40: "TargetLocationLatitude", 41: "TargetLocationLongitude", 42: "TargetLocationElevation", 43: "TargetTrackGateWidth",
	44: "TargetTrackGateHeight", 45: "TargetErrorEstimateCE90", 46: "TargetErrorEstimateLE90", 47: "GenericFlagData01", 49: "DifferentialPressure", 50: "AngleOfAttack",
	51: "VerticalSpeed", 52: "SideslipAngle", 53: "AirfieldBarometricPressure", 54: "AirfieldElevation", 55: "RelativeHumidity", 56: "GPSSpeed", 57: "GroundRange",
	58: "FuelRemaining", 59: "CallSign", 63: "SensorFieldOfViewName", 64: "MagneticHeading", 65: "UAS_LSVersionNumber", 67: "AlternateLatitude", 68: "AlternateLongitude",
	69: "AlternateAltitude", 70: "AlternateName", 71: "AlternateHeading", 72: "EventStartTime", 75: "SensorEllipsoidHeight", 76: "AlternateEllipsoidHeight",
	77: "OperationalMode", 78: "FrameCenterHeightAboveEllipsoid", 79: "SensorVelocityNorth", 80: "SensorVelocityEast", 82: "CornerLatitude1", 83: "CornerLongitude1",
	84: "CornerLatitude2", 85: "CornerLongitude2", 86: "CornerLatitude3", 87: "CornerLongitude3", 88: "CornerLatitude4", 89: "CornerLongitude4", 90: "FullPitchAngle",
	91: "FullRollAngle", 92: "FullAngleOfAttack", 93: "FullSideslipAngle"}

// exifBytes are the items that it names and gives as bytes: the integers of ST 1201 among them.
var exifBytes = map[uint32]string{66: "TargetLocationCovarianceMatrix", 81: "ImageHorizonPixelPack", 94: "MIISCoreIdentifier", 96: "TargetWidthExtended", 102: "SDCC-FLP",
	103: "DensityAltitudeExtended", 104: "SensorEllipsoidHeightExtended", 105: "AlternateEllipsoidHeightExtended"}

// exifFactor is what a number of ExifTool 12.57 must be multiplied by to be what ST 0601 says, where that is not one. It gives items 43
// and 44 as they lie there, in units of two pixels, and 45 and 46 in units of 4095/65535 m; it takes the range of item 93 for 90
// degrees, where ST 0601 has 180 as jMISB (PlatformSideslipAngleFull) and KWIVER (klv_golden.json) read it too.
var exifFactor = map[uint32]float64{43: 2, 44: 2, 45: 4095.0 / 65535, 46: 4095.0 / 65535, 93: 2}

// exiftool gives what ExifTool reads in a transport stream, by number of the packet (from 1) and name.
func exiftool(t testing.TB, stream []byte) func(packet int, name string) (any, bool) {
	t.Helper()
	program, err := exec.LookPath("exiftool")
	if err != nil {
		t.Skip("exiftool is not installed (make deps does it): no independent reader looks at what is written")
	}
	path := filepath.Join(t.TempDir(), "made.ts")
	if err := os.WriteFile(path, stream, 0o600); err != nil {
		t.Fatal(err)
	}
	// -ee3: every packet; -U: unknown tags too; -a: all of one name; -G3: under the number of their packet; -n: numbers as they are; -b: bytes
	out, err := exec.CommandContext(t.Context(), program, "-ee3", "-U", "-a", "-G3", "-n", "-b", "-j", path).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var files []map[string]any
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	if err := d.Decode(&files); err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return func(packet int, name string) (any, bool) {
		v, ok := files[0][fmt.Sprintf("Doc%d:%s", packet, name)]
		return v, ok
	}
}

// synchronous writes packets as access units of a stream of type 0x15, the only one in which ExifTool looks for metadata. A file of a
// few transport packets is none to it: the last packet is written again until there are enough.
func synchronous(t testing.TB, packets [][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := mpegts.NewProgram(&b, mpegts.Output{PID: 0x101, StreamType: 0x15})
	if err != nil {
		t.Fatal(err)
	}
	for i := range max(len(packets), 8) {
		if err := w.WriteKLV(int64(90000+3000*i), packets[min(i, len(packets)-1)]); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// over is value i of 256 of an item: the ends of its range, what lies a step or half a step from them and from zero, and any between.
// Items of one byte take every code. The tolerance is half a step, and what the fifteen digits of ExifTool and of float64 round.
func over(r *klv.Row, i int, chance *rand.Rand) (v, tolerance float64) {
	codes := math.Pow(2, float64(8*r.Size)) - 1
	if r.Format == klv.ScaledInt {
		codes--
	}
	step := (r.Hi - r.Lo) / codes
	tolerance = step/2 + 1e-14*max(math.Abs(r.Lo), math.Abs(r.Hi))
	if r.Size == 1 {
		return min(r.Lo+float64(i)*step, r.Hi), tolerance
	}
	edges := []float64{r.Lo, r.Hi, r.Lo + step, r.Hi - step, r.Lo + step/3, r.Hi - step/3}
	if r.Lo < 0 {
		edges = append(edges, 0, step, -step, step/3, -step/3)
	}
	if i < len(edges) {
		return edges[i], tolerance
	}
	return r.Lo + (r.Hi-r.Lo)*chance.Float64(), tolerance
}

// What is written of every item that ExifTool reads, over its range, it reads within half a step of what was meant. It shares nothing
// with this package but the standard.
func TestAnotherReaderReadsEveryItemThatItKnows(t *testing.T) {
	const packets = 256
	chance := rand.New(rand.NewPCG(601, 19))
	type meant struct {
		number, tolerance float64
		text              string
	}
	wants := make([]map[uint32]meant, packets)
	raws := make([][]byte, packets)
	for i := range packets {
		at := time.UnixMicro(1_777_777_777_000_000 + chance.Int64N(1e15)).UTC()
		want := map[uint32]meant{2: {text: at.Format("2006:01:02 15:04:05.000000Z")}, 72: {text: at.Add(time.Microsecond).Format("2006:01:02 15:04:05.000000Z")}}
		values := []klv.Value{klv.Time(2, at), klv.Time(72, at.Add(time.Microsecond))}
		for tag, r := range klv.ST0601.Rows() {
			if exifName[tag] == "" || want[tag].text != "" {
				continue
			}
			switch r.Format {
			case klv.ScaledInt, klv.ScaledUint:
				v, tolerance := over(r, i, chance)
				values, want[tag] = append(values, klv.Number(tag, v)), meant{number: v, tolerance: tolerance}
			case klv.Unsigned, klv.Enum:
				values, want[tag] = append(values, klv.Integer(tag, int64(i))), meant{number: float64(i)}
			case klv.Signed:
				values, want[tag] = append(values, klv.Integer(tag, int64(i-128))), meant{number: float64(i - 128)}
			case klv.Text:
				s := fmt.Sprintf("SYNTHETIC %d/%d ñ", tag, i)
				values, want[tag] = append(values, klv.TextOf(tag, s)), meant{text: s}
			case klv.ChecksumSum:
			default:
				t.Fatalf("item %d is none of a kind that this test writes", tag)
			}
		}
		b, err := klv.Encode0601(values...)
		if err != nil {
			t.Fatal(err)
		}
		sum := uint16(0) // ST 0601.19, section 6.4: of 16-bit words, from the key to the checksum's own length
		for j, c := range b[:len(b)-2] {
			sum += uint16(c) << (8 * (1 - j%2))
		}
		want[1] = meant{number: float64(sum)}
		wants[i], raws[i] = want, b
	}
	told := exiftool(t, synchronous(t, raws))
	for tag, name := range exifName {
		plain, scaled, worst := true, exifFactor[tag] != 0, 0.0
		for i, want := range wants {
			v, _ := told(i+1, name)
			if want[tag].text != "" {
				if v != want[tag].text {
					t.Errorf("packet %d: item %d is read as %v, meant was %q", i+1, tag, v, want[tag].text)
				}
				continue
			}
			got, err := strconv.ParseFloat(fmt.Sprint(v), 64)
			if err != nil {
				t.Fatalf("packet %d: item %d is read as %v, meant was %v", i+1, tag, v, want[tag].number)
			}
			factor := exifFactor[tag]
			plain = plain && math.Abs(got-want[tag].number) <= want[tag].tolerance
			scaled = scaled && math.Abs(got*factor-want[tag].number) <= want[tag].tolerance
			worst = max(worst, math.Abs(got-want[tag].number))
		}
		switch {
		case scaled && !plain:
			t.Logf("item %d: agreed, ExifTool's number times %.6g", tag, exifFactor[tag])
		case !plain:
			t.Errorf("item %d (%s): %g away from what was meant, with a tolerance of %g", tag, name, worst, wants[0][tag].tolerance)
		}
	}
}

// Items that it names without reading them lie where it looks for them, byte for byte; those that it does not know it steps over.
func TestAnotherReaderFindsTheBytesOfTheRest(t *testing.T) {
	sigma := klv.SDCC{Size: 2, Mode: 2, SigmaSize: 4, RhoSize: 2, RhoIMAP: true, Sigma: []float64{0.5, 0.25}, Rho: []float64{-0.5}}
	values := []klv.Value{klv.Time(2, time.UnixMicro(1_777_777_777_000_000)), klv.RawBytes(66, []byte{1, 2, 0xff}), klv.PackOf(81, klv.Integer(1, 1), klv.Integer(2, 2), klv.Integer(3, 3), klv.Integer(4, 4)), klv.SDCCOf(102, sigma),
		klv.CoreIDOf(94, klv.CoreID{Version: 1, HasMinor: true, Minor: klv.UUID{1, 2, 0xff}}), klv.Number(96, 1234.5), klv.Number(103, 39_000), klv.Number(104, -899.5), klv.Number(105, 12_345),
		klv.SetOf(74, klv.Integer(4, 6), klv.Integer(5, 17)), klv.TextOf(106, "SYNTHETIC"), klv.Number(112, 123), klv.Number(113, 4567), klv.Integer(123, 9), klv.Integer(125, 4)}
	b, err := klv.Encode0601(append(values, klv.Number(13, 24.8))...)
	if err != nil {
		t.Fatal(err)
	}
	set, err := klv.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	told := exiftool(t, synchronous(t, [][]byte{b}))
	for tag, name := range exifBytes {
		v, _ := told(1, name)
		coded, found := strings.CutPrefix(fmt.Sprint(v), "base64:")
		if got, err := base64.StdEncoding.DecodeString(coded); !found || err != nil || !bytes.Equal(got, set.Item(tag).Value) {
			t.Errorf("item %d is read as %v, written was %x", tag, v, set.Item(tag).Value)
		}
	}
	for name, want := range map[string]string{"MISB_Unknown_0x0004": "6", "MISB_Unknown_0x0005": "17", "MISB_UASDatalink_0x006a": "SYNTHETIC", "MISB_UASDatalink_0x007b": "9",
		"MISB_UASDatalink_0x007d": "4", "MISB_UASDatalink_0x0070": fmt.Sprint(int(set.Item(112).Value[0])<<8 | int(set.Item(112).Value[1]))} {
		if v, _ := told(1, name); fmt.Sprint(v) != want {
			t.Errorf("%s is %v, want %s", name, v, want)
		}
	}
	if v, _ := told(1, "GPSLatitude"); fmt.Sprint(v)[:4] != "24.8" && fmt.Sprint(v)[:4] != "24.7" {
		t.Errorf("the item after them is read as %v", v)
	}
}

// The marking of a video (ST 0102 within item 48) as it reads it.
func TestAnotherReaderReadsTheMarking(t *testing.T) {
	b := made(t, klv.SetOf(48, klv.Integer(1, 2), klv.Integer(2, 13), klv.TextOf(3, "//US"), klv.TextOf(4, "SYN/THETIC"), klv.TextOf(5, "SYNTHETIC"), klv.TextOf(6, "US MX"),
		klv.TextOf(7, "nobody"), klv.TextOf(8, "nothing"), klv.TextOf(9, "none"), klv.TextOf(10, "20300102"), klv.TextOf(11, "SYN"), klv.Integer(12, 14), klv.TextOf(13, "USA;MEX"),
		klv.TextOf(14, "invented"), klv.Integer(22, 12), klv.TextOf(23, "2020-01-02"), klv.TextOf(24, "2021-03-04")))
	told := exiftool(t, synchronous(t, [][]byte{b}))
	for name, want := range map[string]string{"SecurityClassification": "2", "ClassifyingCountryCodeMethod": "13", "ClassifyingCountry": "//US", "SecuritySCI-SHIInformation": "SYN/THETIC",
		"Caveats": "SYNTHETIC", "ReleasingInstructions": "US MX", "ClassifiedBy": "nobody", "DerivedFrom": "nothing", "ClassificationReason": "none", "DeclassificationDate": "2030:01:02",
		"ClassificationAndMarkingSystem": "SYN", "ObjectCountryCodingMethod": "14", "ClassificationComments": "invented", "SecurityVersion": "12",
		"ClassifyingCountryCodingMethodDate": "2020:01:02", "ObjectCountryCodingMethodDate": "2021:03:04"} {
		if v, _ := told(1, name); fmt.Sprint(v) != want {
			t.Errorf("%s is read as %v, meant was %s", name, v, want)
		}
	}
	// item 13 is UTF-16 (ST 0102.12, 6.1.13); ExifTool 12.57 takes it for a string that its first byte, zero, ends
	if v, ok := told(1, "ObjectCountryCodes"); !ok || v != "" && v != "USA;MEX" {
		t.Errorf("item 13 of ST 0102 is read as %v", v)
	}
}

// What it does not know: a value that stands for "out of range" is a number to it, just beyond the range.
func TestAnotherReaderTakesOutOfRangeForANumber(t *testing.T) {
	b := made(t, klv.RawBytes(6, []byte{0x80, 0}), klv.RawBytes(13, []byte{0x80, 0, 0, 0}))
	told := exiftool(t, synchronous(t, [][]byte{b}))
	set, err := klv.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	for tag, beyond := range map[uint32]float64{6: -20, 13: -90} {
		v, _ := told(1, exifName[tag])
		if got, err := strconv.ParseFloat(fmt.Sprint(v), 64); err != nil || !(got < beyond && got > beyond*1.0001) {
			t.Errorf("item %d is read as %v", tag, v)
		}
		if v, state := set.Number(tag); state == klv.Given {
			t.Errorf("item %d is %v here", tag, v)
		}
	}
}

// Each item of the standard is one of those above, or one that ExifTool 12.57 does not know: sets and packs of others (it gives their
// tags, not what they mean), items from 106 on (its table follows ST 0601.11), and from 128 on not even their length, since it takes
// a tag for one byte. Withheld items are not made here.
func TestEveryItemIsComparedOrListed(t *testing.T) {
	unknown := map[uint32]bool{48: true, 73: true, 74: true, 95: true, 97: true, 98: true, 99: true, 100: true, 101: true} // sets
	for tag := uint32(106); tag <= 143; tag++ {
		unknown[tag] = true
	}
	var lacking []uint32
	for tag, r := range klv.ST0601.Rows() {
		if exifName[tag] == "" && exifBytes[tag] == "" && !unknown[tag] && r.Name != klv.Withheld {
			lacking = append(lacking, tag)
		}
	}
	if len(lacking) > 0 {
		t.Errorf("items %v are neither compared nor listed", lacking)
	}
	t.Logf("values compared of %d items, bytes of %d; not known: %v", len(exifName), len(exifBytes), slices.Sorted(maps.Keys(unknown)))
}
