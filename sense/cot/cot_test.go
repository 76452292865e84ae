package cot_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/cot"
)

// spot is an event with a child of every kind that protobuf has a place for, and others.
const spot = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<event version="2.0" uid="SYNTHETIC-1" type="a-u-G" how="m-f" time="2026-03-14T04:07:11.125Z" start="2026-03-14T04:07:11.125Z" stale="2026-03-14T04:17:11.125Z" access="Undefined" caveat="FOUO" releasableTo="USA,MEX">` +
	`<point lat="24.811" lon="-107.394" hae="62.5" ce="12.0" le="9999999.0" />` +
	`<detail><contact endpoint="*:-1:stcp" callsign="SYNTHETIC Nariz 1" /><__group name="Cyan" role="Team Member" /><precisionlocation geopointsrc="GPS" altsrc="SRTM1" />` +
	`<status battery="85" /><takv device="SYNTHETIC" platform="Atalaya" os="1" version="0.1" /><track speed="12.5" course="271.25" />` +
	`<remarks source="SYNTHETIC">warm roof &amp; smoke</remarks><link uid="a" /><link uid="b" /><_flow-tags_ x="2026-03-14T04:07:11Z" /></detail></event>`

func ExampleParseXML() {
	e, err := cot.ParseXML([]byte(spot))
	if err != nil {
		fmt.Println(err)
		return
	}
	message, lost := e.Proto()
	back, err := cot.ParseProto(message)
	fmt.Println(e.Type, e.Point.Lat, back.ReleasableTo, len(lost), err, string(back.XML()) == spot)
	// Output: a-u-G 24.811 USA,MEX 0 <nil> true
}

// Every vector of the library takproto, which ATAK reads: to the byte, also where its README allows for another order of attributes.
func TestVectorsOfTakproto(t *testing.T) {
	text, err := os.ReadFile(fixture.Shared(t, "release/cot/takproto_vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Vectors []struct {
			Name     string
			XML      string
			BytesHex string `json:"bytes_hex"`
			Framing  string
			Fields   map[string]string
			Cases    [][2]any
		}
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	encoded, decoded, parsed, times := 0, 0, 0, 0
	for _, v := range all.Vectors {
		for _, c := range v.Cases {
			times++
			e := must(t, strings.Replace(spot, "2026-03-14T04:07:11.125Z", c[0].(string), 1))
			if ms := e.Time.Time.UnixMilli(); float64(ms) != c[1].(float64) {
				t.Errorf("%s: %d ms, want %v", c[0], ms, c[1])
			}
		}
		want, err := hex.DecodeString(v.BytesHex)
		if err != nil {
			t.Fatal(err)
		}
		frame := cot.AppendStream
		if strings.HasPrefix(v.Framing, "mesh") {
			frame = cot.AppendMesh
		}
		var e cot.Event
		if v.XML != "" {
			e = must(t, v.XML)
			message, lost := e.Proto()
			if len(lost) > 0 {
				t.Errorf("%s: lost %v", v.Name, lost)
			}
			if got := frame(nil, message); len(want) > 0 {
				encoded++
				if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(got)); diff != "" {
					t.Errorf("%s: %s", v.Name, diff)
				}
			}
			if e, err = cot.ParseProto(message); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
		} else if len(want) > 0 {
			decoded++
			it, err := cot.NewReader(strings.NewReader(string(want)), "").Next()
			if err != nil || it.Problem != nil {
				t.Fatalf("%s: %v %v", v.Name, err, it.Problem)
			}
			if e = it.Event; (it.Form == cot.Mesh) != strings.HasPrefix(v.Framing, "mesh") {
				t.Errorf("%s: form %d", v.Name, it.Form)
			}
		}
		for key, value := range v.Fields {
			parsed++
			var got string
			switch key {
			case "type":
				got = e.Type
			case "uid":
				got = e.UID
			case "detail.contact.callsign":
				got, _ = e.Detail.All("contact")[0].Attr("callsign")
			case "detail.xmlDetail": // what no sub-message says, as it stands in the message
				message, _ := e.Proto()
				if strings.Contains(string(message), value) {
					got = value
				}
			default:
				t.Fatalf("%s: field %s", v.Name, key)
			}
			if got != value {
				t.Errorf("%s: %s is %q, want %q", v.Name, key, got, value)
			}
		}
	}
	if encoded != 3 || decoded != 2 || parsed != 12 || times != 2 {
		t.Errorf("%d encoded, %d decoded, %d fields, %d times", encoded, decoded, parsed, times)
	}
}

func must(t testing.TB, text string) cot.Event {
	t.Helper()
	e, err := cot.ParseXML([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return e
}

// Every feature of CloudTAK's own tests has the same properties and geometry after it was an event, as XML and as protobuf.
func TestFixturesOfCloudTAK(t *testing.T) {
	dir := fixture.Shared(t, "release/cot/fixtures")
	files, err := filepath.Glob(filepath.Join(dir, "*.geojson"))
	if err != nil || len(files) != 35 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		e, err := cot.FromGeoJSON(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var want map[string]any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		xml := e.XML()
		// The element for what CoT has no place for is for the free words of metadata alone: all else is said by elements of its own.
		if strings.Contains(string(xml), "_geojson_") != (name == "metadata.geojson") {
			t.Errorf("%s: %s", name, xml)
		}
		message, lost := must(t, string(xml)).Proto()
		if len(lost) > 0 {
			t.Errorf("%s: lost %v", name, lost)
		}
		fromProto, err := cot.ParseProto(message)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for form, back := range map[string]cot.Event{"XML": must(t, string(xml)), "protobuf": fromProto} {
			out, err := back.GeoJSON()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var got map[string]any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if want["path"] == nil {
				delete(got, "path")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s through %s:\n%s\n%s", name, form, diff, xml)
			}
		}
	}
}
