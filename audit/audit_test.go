package audit

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math/rand"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/atalaya-isr/atalaya/internal/storm"
)

// rows keeps stored hashes as an engine would.
type rows []tlog.Hash

func (r rows) ReadHashes(ix []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(ix))
	for i, x := range ix {
		if x >= int64(len(r)) {
			return nil, fmt.Errorf("no row %d", x)
		}
		out[i] = r[x]
	}
	return out, nil
}

func grown(t interface{ Fatal(...any) }, n int) ([]Leaf, rows) {
	var leaves []Leaf
	var tree rows
	random := rand.New(rand.NewSource(1))
	for i := range n {
		l := Leaf{Seq: int64(i + 1), Event: Canonical("event/1", []byte(fmt.Sprint("SYNTHETIC event ", i)))}
		io.ReadFull(random, l.Salt[:])
		l.Commitment = Commit(l.Salt, l.Event)
		hs, err := Grow(int64(i), l.Commitment, tree)
		if err != nil {
			t.Fatal(err)
		}
		tree = append(tree, hs...)
		leaves = append(leaves, l)
	}
	return leaves, tree
}

func each(ls []Leaf) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		for _, l := range ls {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func rootAt(t testing.TB, n int64, tree rows) Checkpoint {
	h, err := tlog.TreeHash(n, tree)
	if err != nil {
		t.Fatal(err)
	}
	return Checkpoint{Origin: "test", Size: n, Root: h}
}

func TestVerifyNamesTheFirstBadLeaf(t *testing.T) {
	const n = 77 // not a power of two, so that the tree has several peaks
	for name, c := range map[string]struct {
		spoil func([]Leaf, rows) ([]Leaf, rows)
		bad   int64
		why   string
	}{
		"an untouched log is whole": {func(l []Leaf, r rows) ([]Leaf, rows) { return l, r }, 0, ""},
		"a purged body leaves the log whole": {func(l []Leaf, r rows) ([]Leaf, rows) {
			l[9] = Leaf{Seq: 10, Commitment: l[9].Commitment, Purged: true}
			return l, r
		}, 0, ""},
		"a changed body is named": {func(l []Leaf, r rows) ([]Leaf, rows) { l[41].Event[12] ^= 1; return l, r }, 42, "was changed"},
		"a body changed with its commitment is named": {func(l []Leaf, r rows) ([]Leaf, rows) {
			l[41].Event[12] ^= 1
			l[41].Commitment = Commit(l[41].Salt, l[41].Event)
			return l, r
		}, 42, "not the one in the audit tree"},
		"a changed inner node is named": {func(l []Leaf, r rows) ([]Leaf, rows) { r[tlog.StoredHashIndex(3, 1)][0] ^= 1; return l, r }, 16, "node"},
		"a dropped event is named":      {func(l []Leaf, r rows) ([]Leaf, rows) { return append(l[:30:30], l[31:]...), r }, 31, "missing"},
		"a truncated log is named":      {func(l []Leaf, r rows) ([]Leaf, rows) { return l[:70], r }, 71, "missing"},
		"a history rewritten with its whole tree is caught by the signed checkpoints": {func(l []Leaf, r rows) ([]Leaf, rows) {
			var tree rows
			l[41].Event[12] ^= 1
			l[41].Commitment = Commit(l[41].Salt, l[41].Event)
			for i := range l {
				hs, _ := Grow(int64(i), l[i].Commitment, tree)
				tree = append(tree, hs...)
			}
			return l, tree
		}, 33, "somewhere in events 33 to 64"},
	} {
		t.Run(name, func(t *testing.T) {
			leaves, tree := grown(t, n)
			cps := []Checkpoint{rootAt(t, 0, tree), rootAt(t, 32, tree), rootAt(t, 64, tree), rootAt(t, n, tree)}
			leaves, tree = c.spoil(leaves, tree)
			rep, err := Verify(each(leaves), tree, cps)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Bad != c.bad || !strings.Contains(rep.Why, c.why) {
				t.Errorf("bad leaf %d (%s), want %d (%s)", rep.Bad, rep.Why, c.bad, c.why)
			}
			if c.bad == 0 && (rep.Leaves != n || rep.Checkpoints != 4 || rep.Root != cps[3].Root) {
				t.Errorf("read %d leaves, %d checkpoints, root %v", rep.Leaves, rep.Checkpoints, rep.Root)
			}
		})
	}
}

func TestEveryFlippedBitIsNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		leaves, tree := grown(t, n)
		i := rapid.IntRange(0, n-1).Draw(t, "leaf")
		bit := rapid.IntRange(0, len(leaves[i].Event)*8-1).Draw(t, "bit")
		leaves[i].Event[bit/8] ^= 1 << (bit % 8)
		rep, err := Verify(each(leaves), tree, nil)
		if err != nil || rep.Bad != int64(i+1) {
			t.Fatalf("flipped a bit of leaf %d of %d: named %d, %v", i+1, n, rep.Bad, err)
		}
	})
}

func TestProofIsCheckedWithTheVerifierKeyAlone(t *testing.T) {
	leaves, tree := grown(t, 21)
	skey, vkey, err := NewKey(rand.New(rand.NewSource(2)), "SYNTHETIC-record")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := rootAt(t, 21, tree).Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Prove(leaves[12], signed, 21, tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(vkey); err != nil {
		t.Errorf("an honest proof: %v", err)
	}
	forged := p
	forged.Event = append(bytes.Clone(p.Event), '!')
	if forged.Check(vkey) == nil {
		t.Error("a proof of a changed event passed")
	}
	forged = p
	forged.Checkpoint = bytes.Replace(signed, []byte("\n21\n"), []byte("\n22\n"), 1)
	if forged.Check(vkey) == nil {
		t.Error("a changed checkpoint passed")
	}
	if _, err := Prove(Leaf{Seq: 3, Purged: true}, signed, 21, tree); err == nil {
		t.Error("a purged event was proved")
	}
}

func FuzzOpenCheckpoint(f *testing.F) {
	_, vkey, _ := NewKey(rand.New(rand.NewSource(2)), "r")
	f.Add([]byte("r\n1\nAAAA\n\n— r AAAAAA==\n"))
	f.Add([]byte{})
	storm.Fuzz(f, func(t testing.TB, msg []byte) {
		if _, err := OpenCheckpoint(msg, vkey); err == nil {
			t.Error("unsigned bytes were taken for a checkpoint")
		}
	})
}

func TestFieldsDoNotRunTogether(t *testing.T) {
	a, b := Canonical("l", []byte("ab"), []byte("c")), Canonical("l", []byte("a"), []byte("bc"))
	if bytes.Equal(a, b) {
		t.Error("two lists of fields give the same bytes")
	}
}
