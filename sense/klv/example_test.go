package klv_test

import (
	"fmt"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

func Example() {
	packet, err := klv.Encode0601(
		klv.Time(2, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)),
		klv.TextOf(3, "SYNTHETIC01"),
		klv.Number(13, 24.8091),
		klv.Number(14, -107.394),
		klv.Clear(21),
		klv.Integer(65, 19),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := klv.Decode(packet)
	lat, state := set.Number(13)
	_, ranged := set.Number(21)
	fmt.Printf("%s %.4f° %v %v %v %v\n", set.Text(3), lat, state == klv.Given, ranged == klv.Cleared, set.Checksum == klv.Right, err)
	// Output: SYNTHETIC01 24.8091° true true true <nil>
}

// Packs, lists and sets within a packet are taken apart when they are asked for.
func ExampleItem_Tree() {
	packet, _ := klv.Encode0601(
		klv.PackOf(127, klv.Integer(1, 60000), klv.Integer(2, 1001)),
		klv.ListOf(138, klv.PackOf(0, klv.Integer(1, 0), klv.Integer(2, 0), klv.TextOf(3, "SYNTHETIC nose camera"))),
	)
	set, _ := klv.Decode(packet)
	rate, _ := set.Item(127).Tree()
	fmt.Println(rate.Field("Frame Rate Numerator").Integer, rate.Field("Frame Rate Denominator").Integer)
	payloads, problems := set.Item(138).Tree()
	b, _ := payloads.MarshalJSON()
	fmt.Println(string(b), len(problems))
	// Output:
	// 60000 1001
	// [{"Payload ID":0,"Payload Type":{"value":0,"text":"Electro Optical MI Sensor"},"Payload Name":"SYNTHETIC nose camera"}] 0
}

// A walk prints everything that a packet holds, as deep as it goes.
func ExampleNode_All() {
	packet, _ := klv.Encode0601(klv.SetOf(48, klv.Integer(1, 1), klv.TextOf(3, "//MX")))
	set, _ := klv.Decode(packet)
	tree, _ := set.Tree()
	for depth, n := range tree.Item(48).All() {
		fmt.Printf("%*sitem %d: %s: %q\n", 2*depth, "", n.Tag, n.Name(), n.Text)
	}
	// Output:
	// item 48: Security Local Set: ""
	//   item 1: Security Classification: "UNCLASSIFIED"
	//   item 3: Classifying Country: "//MX"
}

// Detections of a VMTI set, with what the stream told before about version and frame size.
func ExampleVMTIState() {
	first, _ := klv.ST0903.Encode(klv.Integer(4, 6), klv.Integer(8, 1920), klv.Integer(9, 1080))
	then, _ := klv.ST0903.Encode(klv.ListOf(101, klv.VTargetOf(7, klv.Integer(1, 409600), klv.LocationPack(17, klv.Location{Lat: 24.8, Lon: -107.4, HAE: 52}))))
	var stream klv.VMTIState
	for _, packet := range [][]byte{first, then} {
		set, _ := klv.Decode(packet)
		targets, _ := stream.Targets(&set)
		for _, v := range targets {
			right, down := v.Centroid.Center()
			fmt.Printf("%d at %.1f, %.1f px: %.4f° %.4f°\n", v.ID, right, down, v.Location.Lat, v.Location.Lon)
		}
	}
	// Output: 7 at 639.5, 213.5 px: 24.8000° -107.4000°
}

// The standard deviations that a sender gives for the items before the pack.
func ExampleSet_Deviations() {
	packet, _ := klv.Encode0601(klv.Number(13, 24.8), klv.Number(14, -107.4),
		klv.SDCCOf(102, klv.SDCC{Size: 2, Mode: 2, SigmaSize: 4, RhoSize: 2, RhoIMAP: true, Sigma: []float64{0.5, 0.25}, Rho: []float64{-0.5}}))
	set, _ := klv.Decode(packet)
	list, err := set.Deviations()
	for _, d := range list {
		fmt.Println(d.Items[0].Row.Name, d.Sigma[0], d.Items[1].Row.Name, d.Sigma[1], d.Correlation(0, 1), d.Covariance(0, 1), err)
	}
	// Output: Sensor Latitude 0.5 Sensor Longitude 0.25 -0.5 -0.0625 <nil>
}

func ExampleParseCoreID() {
	id, err := klv.ParseCoreID("0170:F592-F023-7336-4AF8-AA91-62C0-0F2E-B2DA/16B7-4341-0008-41A0-BE36-5B5A-B96A-3645:D3")
	fmt.Println(id.Sensor, id.SensorKind == klv.Physical, err)
	_, err = klv.ParseCoreID("0170:F592-F023-7336-4AF8-AA91-62C0-0F2E-B2DB/16B7-4341-0008-41A0-BE36-5B5A-B96A-3645:D3")
	fmt.Println(err != nil)
	// Output:
	// f592f023-7336-4af8-aa91-62c00f2eb2da true <nil>
	// true
}

func ExampleFindVideoTime() {
	sei := klv.VideoTime{Count: 1_777_896_000_000_000, Status: klv.GoodTime}.AppendTo([]byte{0x06, 0x05, 28})
	v, at, ok := klv.FindVideoTime(sei)
	fmt.Println(v.Time().Format(time.RFC3339), v.Status.Locked(), at, ok)
	// Output: 2026-05-04T12:00:00Z true 3 true
}

// What a packet lacks of the minimum metadata set of ST 0902.
func ExampleSet_Absent() {
	packet, _ := klv.Encode0601(klv.Time(2, time.UnixMicro(1)), klv.TextOf(3, "SYNTHETIC"), klv.Integer(65, 19))
	set, _ := klv.Decode(packet)
	list := set.Absent()
	fmt.Println(len(list), "of", len(klv.Minimum()), "absent, first", list[0].Name)
	// Output: 26 of 30 absent, first Platform Heading Angle
}
