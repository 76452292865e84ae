package jsonfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

func Example() {
	text := `{"name":"SYNTHETIC","colour":7,"wells":[{"depth_m":12},{"depth_m":"deep"},{"depth_m":9}]}`
	p := jsonfile.NewReader(strings.NewReader(text), "wells.json", "wells.read")
	p.Page = "the reference page"
	var name string
	var depths []float64
	err := p.Object("list of wells", func(key string) error {
		switch key {
		case "name":
			return p.Value(key, &name)
		case "wells":
			return p.List(key, "well", 10, func(place string, raw []byte) error {
				var d float64
				if p.Fields(place, raw, map[string]any{"depth_m": &d}) {
					depths = append(depths, d)
				}
				return nil
			})
		}
		return p.Pass(key)
	})
	fmt.Println(name, depths, err)
	for _, m := range p.Problems() {
		fmt.Println(m.At+":", m.What, m.Lost)
	}
	// Output:
	// SYNTHETIC [12 9] <nil>
	// key colour: passed over, it means nothing here. See the reference page for the keys false
	// well 2: key depth_m: a string stands here. Give a number true
}

// read reads any object with one list, and gives how many elements it had.
func read(b []byte, foreign bool) (n int, p *jsonfile.Reader, err error) {
	p = jsonfile.NewReader(bytes.NewReader(b), "f.json", "f.read")
	p.Page, p.Most, p.Foreign = "the page", 1000, foreign
	err = p.Object("list", func(key string) error {
		if key != "list" {
			return p.Pass(key)
		}
		return p.List(key, "row", 1000, func(place string, raw []byte) error {
			var v float64
			if p.Fields(place, raw, map[string]any{"v": &v}) {
				n++
			}
			return nil
		})
	})
	return n, p, err
}

func TestForeignKeysAreSilentWhereAFormatAllowsThem(t *testing.T) {
	text := []byte(`{"a":[1,{"b":2}],"list":[{"v":1,"w":[]},null]}`)
	if n, p, err := read(text, true); n != 2 || err != nil || len(p.Problems()) > 0 {
		t.Errorf("%d %v %v", n, p.Problems(), err)
	}
	if n, p, err := read(text, false); n != 2 || err != nil || len(p.Problems()) != 2 {
		t.Errorf("%d %v %v", n, p.Problems(), err)
	}
}

func TestOneElementIsBoundedAndTheirSumIsNot(t *testing.T) {
	row := `{"v":1,"w":"` + strings.Repeat("x", 900) + `"}`
	if n, _, err := read([]byte(`{"list":[`+strings.Repeat(row+",", 999)+row+`]}`), true); n != 1000 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	_, _, err := read([]byte(`{"list":["`+strings.Repeat("x", 50_000)+`"]}`), true)
	if err == nil || !strings.Contains(err.Error(), "f.json: row 1, byte 0x") || !strings.Contains(err.Error(), "one value of more than 1000 bytes. Split it") {
		t.Error(err)
	}
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{`{"a":1,"list":[{"v":1},{"v":"x"},null]}`, "\ufeff{}", `{"list":null}`, "{\"\xc3", `{"a":1,"a":2}`, `{"list":[{"v":1,"v":2}]}`} {
		f.Add([]byte(s), true)
	}
	storm.Fuzz(f, func(t testing.TB, b []byte, foreign bool) {
		_, p, err := read(b, foreign)
		for _, m := range p.Problems() {
			if m.What == "" || strings.ContainsAny(m.At+m.What, "\r\n") {
				t.Fatalf("%+v", m)
			}
		}
		var e *atalaya.Error
		if err != nil && (!errors.As(err, &e) || e.Hint == "" || e.Kind != atalaya.BadInput || strings.ContainsAny(err.Error(), "\r\n")) {
			t.Fatal(err)
		}
	})
}
