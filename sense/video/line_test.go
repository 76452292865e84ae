package video_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// lines are what WriteKLV makes of packets back to back.
func lines(t *testing.T, file []byte) (out []map[string]any) {
	t.Helper()
	var b bytes.Buffer
	if _, _, err := video.WriteKLV(&b, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	for l := range bytes.Lines(b.Bytes()) {
		var line map[string]any
		if err := json.Unmarshal(l, &line); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		out = append(out, line)
	}
	return out
}

func encoded(t *testing.T, values ...klv.Value) []byte {
	t.Helper()
	b, err := klv.Encode0601(append([]klv.Value{klv.Time(2, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))}, values...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What lies in packs, lists, arrays and sets stands in the line, under the names of the standard; bytes stand beside it always.
func TestNestedValuesStandInTheLine(t *testing.T) {
	file := encoded(t,
		klv.SetOf(48, klv.Integer(1, 1), klv.TextOf(3, "//XX")),
		klv.SetOf(74, klv.Integer(4, 6), klv.Integer(8, 640), klv.ListOf(101, klv.VTargetOf(7, klv.Integer(1, 1000), klv.Integer(23, 1)))),
		klv.NumbersOf(121, 1, 3), klv.RawBytes(127, []byte{0x83, 0xd4, 0x60, 0x87, 0x69}), klv.RawBytes(138, []byte{1, 8, 0, 0, 5, 'S', 'Y', 'N', 'T', 'H'}), klv.NumbersOf(139, 0, 2),
		klv.Integer(124, 3), klv.RawBytes(130, []byte{9, 1}), klv.RawBytes(22, []byte{0, 0, 1, 2}))
	line := lines(t, file)[0]
	for _, want := range []string{
		`"48":{"name":"Security Local Set","raw":"01010103042f2f5858","value":{"items":{"1":{"name":"Security Classification","raw":"01","text":"UNCLASSIFIED","value":1},"3":{"name":"Classifying Country","raw":"2f2f5858","value":"//XX"}},"set":"0102"}}`,
		`"101":{"name":"VTarget Series","raw":"0807010203e8170101","value":[{"Target ID Number":7,"VTarget":{"items":{"1":{"name":"Target Centroid","raw":"03e8","value":1000},"23":{"name":"Detection Status","raw":"01","text":"Active-Moving","value":1}},"set":"0903 VTarget"}}]}`,
		`"121":{"name":"Active Wavelength List","raw":"0103","value":[1,3]}`,
		`"127":{"name":"Sensor Frame Rate Pack","raw":"83d4608769","value":{"Frame Rate Denominator":1001,"Frame Rate Numerator":60000}}`,
		`"138":{"name":"Payload List","raw":"010800000553594e5448","value":[{"Payload ID":0,"Payload Name":"SYNTH","Payload Type":{"text":"Electro Optical MI Sensor","value":0}}]}`,
		`"139":{"name":"Active Payloads","raw":"05","value":[0,2]}`,
		`"124":{"flags":["On-board INS","GPS"],"name":"Positioning Method Source","raw":"03","value":3}`,
		`"130":{"name":"Airbase Locations","raw":"0901","state":"malformed","value":null}`,
		`"22":{"name":"Target Width","raw":"00000102","state":"malformed","unit":"m","value":null}`,
	} {
		if b, _ := json.Marshal(line["items"]); !strings.Contains(string(b), want) {
			t.Errorf("%s\nis not in\n%s", want, b)
		}
	}
	if p, _ := json.Marshal(line["problems"]); !strings.Contains(string(p), "Airbase Locations") || !strings.Contains(string(p), "item 22") {
		t.Errorf("problems %s", p)
	}
}

// A place of a moving target is read by the version that its stream told last.
func TestMovingTargetsAreReadByTheVersionOfTheirStream(t *testing.T) {
	location := []byte{0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0} // the middle of both ranges before version 4; the next version reads codes that are no numbers
	series := klv.ListOf(101, klv.VTargetOf(1, klv.RawBytes(17, location)))
	old := lines(t, append(encoded(t, klv.SetOf(74, klv.Integer(4, 3))), encoded(t, klv.SetOf(74, series))...))
	b, err := json.Marshal(old[1]["items"])
	if err != nil || !strings.Contains(string(b), `"Latitude":2.0954757928848267e-8,"Longitude":4.190951585769653e-8`) {
		t.Errorf("version 3 told a packet before: %s", b)
	}
	b, err = json.Marshal(lines(t, encoded(t, klv.SetOf(74, series)))[0]["items"])
	if err != nil || !strings.Contains(string(b), `"Latitude":null,"Longitude":null`) {
		t.Errorf("no version told: %s", b)
	}
}

// Every item of every real packet has its bytes in its line, sets within sets too, and the line of a packet is all of its bytes.
func TestEachItemHasItsBytesInTheLine(t *testing.T) {
	for _, name := range []string{"h264_klv.ts", "osh-first-75.ts", "truck-411.klv", "aphill_short.ts", "vmti-0903v4.klv", "misb-dynamic-constant.klv"} {
		f, err := os.Open(fixture.Shared(t, "video/"+name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r := video.NewReader(f)
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			l := p.Line()
			for i := range p.Set.Items {
				if got, want := l.Items[i].Raw, hex.EncodeToString(p.Set.Items[i].Value); got != want {
					t.Fatalf("%s: item %s: %s, want %s", name, l.Items[i].Key, got, want)
				}
				if l.Items[i].Value == nil && l.Items[i].State == "" {
					t.Errorf("%s: item %s has neither value nor state", name, l.Items[i].Key)
				}
			}
			if b, err := json.Marshal(l); err != nil || !json.Valid(b) {
				t.Fatal(err)
			}
		}
	}
}
