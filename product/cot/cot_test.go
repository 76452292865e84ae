package cot_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/product/cot"
	"github.com/atalaya-isr/atalaya/review/reviewtest"
	sense "github.com/atalaya-isr/atalaya/sense/cot"
)

func event(kind string) sense.Event {
	day := sense.Stamp{Time: time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)}
	return sense.Event{Version: "2.0", UID: "SYNTHETIC", Type: kind, How: "m-f", Time: day, Start: day, Stale: day}
}

func TestTypesOffTheListAreRefused(t *testing.T) {
	for _, kind := range []string{"b-m-p-s-m", "a-u-G", "a-s-G", "b-i", "b-i-v", "b-i-x-i", "b-f-t-r", "b-t-f", "b-t-f-d", "t-x-c-t", "t-x-d-d"} {
		if b, err := cot.Encode(event(kind)); err != nil || !bytes.Contains(b, []byte(`type="`+kind+`"`)) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, kind := range []string{"", "a-h-G", "a-h-G-E-W", "a-f-G", "a-u-G-U-C", "a-u-A", "a-n-G", "a-j-G", "a-k-G", "t", "t-k", "t-k-d", "t-s", "t-b", "t-u", "t-xx", "t-x-", "b-m-p-s-m-x", "b-m-p-w-GOTO", "b-r-f-h-c",
		"b-a-o-tbl", "b-ix", "B-M-P-S-M", " b-m-p-s-m", "u-d-f", "y-c", "c-f", "r-u"} {
		if kind == "t-x-" {
			continue // the family itself
		}
		if b, err := cot.Encode(event(kind)); err == nil || atalaya.KindOf(err) != atalaya.Refused || b != nil {
			t.Errorf("%q leaves: %v", kind, err)
		}
	}
}

func TestALeadIsASpotMarker(t *testing.T) {
	form := product.Form{Name: cot.FileName, MediaType: cot.MediaType, From: cot.Lead}
	p, err := product.Build(reviewtest.Released(), product.Options{Key: []byte("SYNTHETIC key of sixteen bytes"), Made: reviewtest.Day}, form)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range p.Files {
		files[f.Name] = f.Bytes
	}
	e, err := sense.ParseXML(files[cot.FileName])
	if err != nil {
		t.Fatal(err)
	}
	var geo struct {
		Reference string
		Features  []struct {
			Geometry struct{ Coordinates json.RawMessage }
		}
	}
	if err := json.Unmarshal(files["lead.geojson"], &geo); err != nil {
		t.Fatal(err)
	}
	var at [2]float64
	if err := json.Unmarshal(geo.Features[len(geo.Features)-1].Geometry.Coordinates, &at); err != nil || at != [2]float64{e.Point.Lon.Value, e.Point.Lat.Value} || e.UID != geo.Reference {
		t.Errorf("%s at %v, %v; the centre is %v (%v)", e.UID, e.Point.Lon.Value, e.Point.Lat.Value, at, err)
	}
	const banner = "UNCLASSIFIED//SYNTHETIC"
	callsign, _ := e.Detail.All("contact")[0].Attr("callsign")
	remarks := e.Detail.All("remarks")[0].Nodes[0].Text
	if e.Access != "UNCLASSIFIED" || e.Caveat != banner || !strings.HasPrefix(callsign, banner) || !strings.HasPrefix(remarks, banner) {
		t.Errorf("marked %q, %q, %q, %q", e.Access, e.Caveat, callsign, remarks)
	}
	if e.Type != "b-m-p-s-m" || e.Point.HAE.Known() || !(e.Point.CE.Value >= 10) || e.Stale.Time.Format(time.DateOnly) != "2027-03-14" || e.Time.Time.Hour() != 0 {
		t.Errorf("%+v", e)
	}
	for _, bad := range []string{"", "{}", strings.Replace(string(files["lead.geojson"]), `"centre"`, `"x"`, 1), strings.Replace(string(files["lead.geojson"]), "UNCLASSIFIED", "OTHER", 1)} {
		if b, err := cot.Lead([]byte(bad)); err == nil {
			t.Errorf("%.40q gives %s", bad, b)
		}
	}
}
