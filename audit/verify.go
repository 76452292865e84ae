package audit

import (
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"
)

// Leaf is one event as the verifier gets it: what the record says that it committed to, and the opening of the commitment
// unless it was purged.
type Leaf struct {
	Seq        int64 // 1 for the first
	Commitment Commitment
	Purged     bool
	Salt       [SaltSize]byte
	Event      []byte // as Canonical lays it out
}

// Report is what a verification found.
type Report struct {
	Leaves      int64 // events read
	Purged      int64 // of them without a body
	Checkpoints int   // signed checkpoints that hold
	Root        tlog.Hash
	// Bad is the seq of the first leaf that does not verify, 0 when all do; Why says what is wrong with it.
	Bad int64
	Why string
}

// Whole reports whether everything verified.
func (r Report) Whole() bool { return r.Bad == 0 }

// Verify reads the log once, oldest first, and checks each event against its commitment, each commitment and each inner node
// against the stored tree, and the tree against the checkpoints (ascending by size). Memory does not grow with the log.
//
// An error is a failure to read; what does not verify is in the Report. A checkpoint that is longer than the log shows a
// truncation: the first missing leaf is then the bad one.
func Verify(leaves iter.Seq2[Leaf, error], stored tlog.HashReader, checkpoints []Checkpoint) (Report, error) {
	var rep Report
	tree := frontier{}
	bad := func(seq int64, why string, args ...any) (Report, error) {
		rep.Bad, rep.Why = seq, fmt.Sprintf(why, args...)
		return rep, nil
	}
	held := int64(0) // the size of the last checkpoint that holds
	check := func() (string, bool) {
		for len(checkpoints) > rep.Checkpoints && checkpoints[rep.Checkpoints].Size == rep.Leaves {
			c := checkpoints[rep.Checkpoints]
			if root := tree.root(); c.Root != root {
				return fmt.Sprintf("the log differs from the checkpoint signed at %d events, somewhere in events %d to %d", c.Size, held+1, c.Size), false
			}
			rep.Checkpoints++
			held = c.Size
		}
		return "", true
	}
	if why, ok := check(); !ok {
		return bad(1, "%s", why)
	}
	for l, err := range leaves {
		if err != nil {
			return rep, err
		}
		want := rep.Leaves + 1
		if l.Seq != want {
			return bad(want, "event %d is missing from the log", want)
		}
		if l.Purged {
			rep.Purged++
		} else if c := Commit(l.Salt, l.Event); c != l.Commitment {
			return bad(l.Seq, "event %d was changed: it no longer opens its commitment", l.Seq)
		}
		fresh := tree.push(l.Commitment.Leaf())
		first := tlog.StoredHashIndex(0, rep.Leaves)
		indexes := make([]int64, len(fresh))
		for i := range indexes {
			indexes[i] = first + int64(i)
		}
		got, err := stored.ReadHashes(indexes)
		if err != nil {
			return bad(l.Seq, "the audit tree lacks event %d: %v", l.Seq, err)
		}
		for i := range fresh {
			if got[i] != fresh[i] {
				if i == 0 {
					return bad(l.Seq, "event %d: its commitment is not the one in the audit tree", l.Seq)
				}
				return bad(l.Seq, "event %d: the audit tree's own node above it was changed", l.Seq)
			}
		}
		rep.Leaves++
		if why, ok := check(); !ok {
			return bad(held+1, "%s", why)
		}
	}
	rep.Root = tree.root()
	if len(checkpoints) > rep.Checkpoints {
		c := checkpoints[rep.Checkpoints]
		return bad(rep.Leaves+1, "event %d is missing: a checkpoint was signed at %d events", rep.Leaves+1, c.Size)
	}
	return rep, nil
}

// frontier holds the roots of the complete subtrees of a growing tree, largest first, so that a log can be checked in one
// pass with memory logarithmic in its length.
type frontier struct {
	n     int64
	roots []tlog.Hash
}

// push adds a leaf and returns the hashes it completes, the leaf first, in the order in which tlog stores them.
func (f *frontier) push(leaf tlog.Hash) []tlog.Hash {
	fresh := []tlog.Hash{leaf}
	for n := f.n; n&1 == 1; n >>= 1 {
		last := len(f.roots) - 1
		leaf = tlog.NodeHash(f.roots[last], leaf)
		f.roots = f.roots[:last]
		fresh = append(fresh, leaf)
	}
	f.roots = append(f.roots, leaf)
	f.n++
	return fresh
}

// root is the tree hash (RFC 6962 section 2.1); of an empty tree it is the hash of nothing, as tlog has it.
func (f *frontier) root() tlog.Hash {
	if len(f.roots) == 0 {
		h, _ := tlog.TreeHash(0, tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil }))
		return h
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return h
}

// Proof shows a third party, offline, that one event is in the log that a checkpoint speaks of.
type Proof struct {
	Checkpoint []byte           `json:"checkpoint"` // the signed note
	Seq        int64            `json:"seq"`
	Salt       []byte           `json:"salt"`
	Event      []byte           `json:"event"` // as Canonical lays it out
	Path       tlog.RecordProof `json:"path"`
}

// Prove makes the proof of a leaf under a checkpoint of the same tree.
func Prove(l Leaf, signed []byte, size int64, stored tlog.HashReader) (Proof, error) {
	if l.Purged {
		return Proof{}, fmt.Errorf("event %d was purged; it cannot be shown", l.Seq)
	}
	path, err := tlog.ProveRecord(size, l.Seq-1, stored)
	if err != nil {
		return Proof{}, err
	}
	return Proof{Checkpoint: signed, Seq: l.Seq, Salt: l.Salt[:], Event: l.Event, Path: path}, nil
}

// Check verifies the proof with nothing but the record's verifier key.
func (p Proof) Check(vkey string) error {
	c, err := OpenCheckpoint(p.Checkpoint, vkey)
	if err != nil {
		return err
	}
	if len(p.Salt) != SaltSize {
		return fmt.Errorf("salt of %d bytes where %d are expected", len(p.Salt), SaltSize)
	}
	if p.Seq < 1 || p.Seq > c.Size {
		return fmt.Errorf("event %d is not among the %d events of the checkpoint", p.Seq, c.Size)
	}
	leaf := Commit([SaltSize]byte(p.Salt), p.Event).Leaf()
	return tlog.CheckRecord(p.Path, c.Size, c.Root, p.Seq-1, leaf)
}
