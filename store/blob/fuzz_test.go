package blob

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/storm"
)

// FuzzOpenEncrypted reads any bytes in the place of an encrypted blob: what can be read of them is what was put, or there is an error.
func FuzzOpenEncrypted(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(magic))
	d, id, want := fuzzed(f)
	storm.Fuzz(f, func(t testing.TB, raw []byte) {
		b, err := d.within(id, bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if got, err := io.ReadAll(b); err == nil && !bytes.Equal(got, want) {
			t.Errorf("forged bytes were read: %x", got)
		}
	})
}

// The corpus holds a whole sealed blob: a storm over what nobody could read would prove little.
func TestTheCorpusHoldsAWholeBlob(t *testing.T) {
	file, err := os.ReadFile("testdata/fuzz/FuzzOpenEncrypted/whole")
	if err != nil {
		t.Fatal(err)
	}
	_, quoted, _ := strings.Cut(strings.TrimSpace(string(file)), "[]byte(")
	sealed, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
	if err != nil {
		t.Fatal(err)
	}
	d, id, want := fuzzed(t)
	b, err := d.within(id, strings.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, want) {
		t.Errorf("it is read as %x, %v", got, err)
	}
}

// fuzzed is a directory, and a blob of it by name and content.
func fuzzed(t testing.TB) (*Dir, atalaya.BlobID, []byte) {
	want := make([]byte, 300)
	rand.New(rand.NewSource(300)).Read(want)
	d, err := Open(t.TempDir(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(want)
	return d, atalaya.BlobID(hex.EncodeToString(sum[:])), want
}
