package yamlfile_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya/sense/yamlfile"
)

func TestDecodeIsThatOfTheLibrary(t *testing.T) {
	for _, text := range []string{"", "a: 1\n", "a: 1\nb: [1, 2]\nc: {d: x}\n", "a: 1\na: 2\n", "a: &x {b: 1}\nc: *x\n", "a: [\n", "? [1, 2]\n: 3\n", "zz: 1\n", "c: {d: 1, d: 2}\n", "a: b: c\n"} {
		for _, known := range []bool{false, true} {
			type of struct {
				A any            `yaml:"a"`
				B []int          `yaml:"b"`
				C map[string]any `yaml:"c"`
			}
			var got, want of
			d := yaml.NewDecoder(strings.NewReader(text))
			d.KnownFields(known)
			wantErr, err := d.Decode(&want), yamlfile.Decode([]byte(text), &got, known)
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Errorf("%q, known %v: %v, the library says %v", text, known, err, wantErr)
			}
			if text == "" && !errors.Is(err, io.EOF) {
				t.Errorf("nothing at all: %v", err)
			}
		}
	}
}

// The library takes 670 MB for these 22 kB.
func TestRepeatedKeysTakeLittleMemory(t *testing.T) {
	for name, text := range map[string]string{"one key again and again": strings.Repeat("a: &a [*a]\n", 2000), "too many keys": "{" + strings.Repeat("k, ", 30000) + "z: 1}"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var into struct{ A any }
		err := yamlfile.Decode([]byte(text), &into, true)
		runtime.ReadMemStats(&after)
		if err == nil || len(err.Error()) > 4000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("%s: %d MB", name, took>>20)
		}
	}
}
