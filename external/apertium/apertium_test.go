package apertium

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atalaya-isr/atalaya"
)

func engine(t *testing.T, from, to string) *Engine {
	t.Helper()
	e, err := Find(t.Context(), from, to)
	if err != nil {
		t.Skip(err)
	}
	return e
}

func TestOneLineInOneLineOut(t *testing.T) {
	e := engine(t, "es", "en")
	lines := []string{"No hay agua en el asdfgh.", "", "La casa grande de mi", "tío es roja", "   ", "Tres [casas] <b> ^x$ @z \\n /a/ *casa", "- 24.8012, -107.3901"}
	got, err := e.Translate(t.Context(), lines)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(lines) {
		t.Fatalf("%d segments for %d lines", len(got), len(lines))
	}
	for i, s := range got {
		if s.Source != lines[i] || strings.ContainsAny(s.Target, "\r\n") {
			t.Errorf("segment %d: %+v", i, s)
		}
	}
	if got[1].Target != "" || got[4].Target != "   " {
		t.Errorf("blank lines are copied: %q %q", got[1].Target, got[4].Target)
	}
	f := got[0].Flags
	if len(f) != 1 || f[0].Kind != "unknown" || lines[0][f[0].SourceSpan[0]:f[0].SourceSpan[1]] != "asdfgh" || got[0].Target[f[0].TargetSpan[0]:f[0].TargetSpan[1]] != "asdfgh" {
		t.Errorf("%q %+v", got[0].Target, f)
	}
	if !strings.Contains(got[6].Target, "24.8012") || !strings.Contains(got[6].Target, "107.3901") {
		t.Errorf("numbers are kept: %q", got[6].Target)
	}
}

func TestEnglishToSpanish(t *testing.T) {
	e := engine(t, "en", "es")
	got, err := e.Translate(t.Context(), []string{"The house is red."})
	if err != nil || !strings.Contains(got[0].Target, "casa") {
		t.Errorf("%+v %v", got, err)
	}
}

func TestStopsInTime(t *testing.T) {
	dir := t.TempDir()
	slow := filepath.Join(dir, "apertium")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nsleep 60 & sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := (&Engine{path: slow, direction: "spa-eng"}).Translate(ctx, []string{"hola"})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}

func TestSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	want := "apertium is not installed. " + Remedy
	if _, err := Find(t.Context(), "es", "en"); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "apertium"), []byte("#!/bin/sh\necho '  cat-spa'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	want = "apertium is installed without the pair spa-eng. " + Remedy
	if _, err := Find(t.Context(), "es", "en"); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := Find(t.Context(), "es", "fr"); atalaya.KindOf(err) != atalaya.BadUse {
		t.Errorf("%v", err)
	}
}

func TestBadLinesAreRefused(t *testing.T) {
	for _, l := range []string{"a\nb", "\xff", strings.Repeat("a", MaxLine+1)} {
		if _, err := (&Engine{}).Translate(t.Context(), []string{"bien", l}); err == nil || !strings.HasPrefix(err.Error(), "line 2: not a line of UTF-8") {
			t.Errorf("%.20q: %v", l, err)
		}
	}
}

// marks of the program, as it writes them
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		name, source, marked, target string
		want                         []string // kind and source text
	}{
		{"an unknown word", "el asdfgh rojo", "the red *asdfgh", "the red asdfgh", []string{"unknown asdfgh"}},
		{"two of the same", "asdf y asdf", "*asdf and *asdf", "asdf and asdf", []string{"unknown asdf", "unknown asdf"}},
		{"a star of the text", "3 * 4 y *casa", "3 * 4 and *house", "3 * 4 and *house", nil},
		{"an unknown word that got a capital", "y asdf", "*Asdf and", "Asdf and", []string{"unknown asdf"}},
		{"accents", "la ñandúa vuela", "the *ñandúa flies", "the ñandúa flies", []string{"unknown ñandúa"}},
		{"a lost number", "a 1.250 metros", "to metres", "to metres", []string{"number 1.250"}},
		{"a number written otherwise is kept", "a 1.250,5 metros", "to 1,250.5 metres", "to 1,250.5 metres", nil},
		{"a lost negation", "ya no está", "it is already", "it is already", []string{"negation no"}},
		{"a negation kept", "ya no está", "it is no longer", "it is no longer", nil},
		{"no is no part of noche", "de noche", "at night", "at night", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := segment(c.source, c.marked, "spa-eng")
			var got []string
			for _, f := range s.Flags {
				got = append(got, f.Kind+" "+c.source[f.SourceSpan[0]:f.SourceSpan[1]])
			}
			if d := cmp.Diff(c.want, got); d != "" || s.Target != c.target {
				t.Errorf("%q %s", s.Target, d)
			}
		})
	}
}
