package check_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/internal/storm"
	"github.com/atalaya-isr/atalaya/sense/check"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

// hold asserts what must hold of any report: it ends, it is bounded, each place lies in the file, and the same bytes give the same.
func hold(t testing.TB, b []byte) *check.Report {
	t.Helper()
	r, err := check.Check(bytes.NewReader(b), check.Default)
	if err != nil {
		return nil
	}
	if len(r.Findings) > 1200 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	for _, f := range r.Findings {
		for _, p := range []check.Place{f.Place, f.Last} {
			if p.At < 0 || p.At > int64(len(b)) || p.Packet < 0 || p.Packet > int64(len(b)) {
				t.Fatalf("a place outside of %d bytes: %v", len(b), f)
			}
		}
		if f.Count < 1 || f.What == "" || f.Standard == "" || f.Item == "" || f.Expected == "" || f.Remedy == "" || len(f.What) > 400 || len(f.About) > 400 {
			t.Fatalf("not told in full, or at length: %v", f)
		}
	}
	first, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := check.Check(bytes.NewReader(b), check.Default); err != nil {
		t.Fatal(err)
	} else if second, _ := json.Marshal(again); !bytes.Equal(first, second) {
		t.Fatalf("the same bytes give\n%s\nand\n%s", first, second)
	}
	return r
}

func FuzzCheck(f *testing.F) {
	f.Add(recipe{seconds: 0.2}.make(f))
	f.Add(recipe{seconds: 0.1, outputs: asynchronous}.make(f))
	short := recipe{seconds: 0.1}.make(f)
	f.Add(short[:len(short)-77])
	f.Add(append([]byte("garbage"), short...))
	f.Add(recipe{}.encode(f, 0))
	f.Add([]byte("no stream at all"))
	storm.Fuzz(f, func(t testing.TB, b []byte) { hold(t, b) })
}

// Streams with many faults at random places: never a panic, and always a word about them.
func TestBadlyDamagedStreams(t *testing.T) {
	good := recipe{seconds: 1}.make(t)
	chance := rand.New(rand.NewPCG(7, 7))
	for range 120 {
		b := bytes.Clone(good)
		for range 1 + chance.IntN(60) {
			switch i := chance.IntN(len(b)); chance.IntN(4) {
			case 0:
				b[i] = byte(chance.Uint32())
			case 1:
				b = append(b[:i], b[min(i+chance.IntN(400), len(b)):]...)
			case 2:
				b = insert(b, i, b[chance.IntN(len(b)):][:min(100, len(b)-i)/2])
			case 3:
				copy(b[i:], b[chance.IntN(len(b)):][:min(188, (len(b)-i)/2)/2])
			}
			if len(b) < 2000 {
				break
			}
		}
		hold(t, b)
	}
}

// What the decoder calls a problem of a packet is a finding here: nothing is lost between the two.
func TestEveryProblemOfADecoderIsAFinding(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 9))
	good := recipe{}.encode(t, 0)
	told := 0
	for range 8000 {
		b := bytes.Clone(good)
		for range 1 + chance.IntN(3) {
			b[16+chance.IntN(len(b)-16)] ^= byte(1 + chance.IntN(255))
		}
		r := klv.NewReader(bytes.NewReader(b))
		p, err := r.Next()
		if err != nil {
			continue
		}
		s, err := klv.Decode(p.Bytes)
		if err != nil || len(s.Problems) == 0 {
			continue
		}
		got, err := check.Check(bytes.NewReader(b), check.Default)
		if err != nil || got.Errors == 0 {
			t.Fatalf("%x: the decoder says %v, the check %v", b, s.Problems, got)
		}
		told++
	}
	if told < 500 {
		t.Fatalf("only %d packets had problems", told)
	}
}

// BenchmarkCheck is a pass over the osh clip, 0.6 MB with 75 packets and 76 pictures.
func BenchmarkCheck(b *testing.B) {
	file, err := os.ReadFile(fixture.Shared(b, "video/osh-first-75.ts"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := check.Check(bytes.NewReader(file), check.Default); err != nil {
			b.Fatal(err)
		}
	}
}
