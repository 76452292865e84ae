// Package audit is the tamper-evident side of the record: a Merkle tree (RFC 6962, by golang.org/x/mod/sumdb/tlog) whose
// leaves are salted commitments to events. The tree proves that no event was changed, dropped or slipped in, without holding
// any event: a lawful purge deletes a body and its salt, and the tree still proves that nothing else changed.
//
// The package knows no database. Its hashes come through tlog.HashReader and go back as values, so that an engine keeps them
// as rows of the same transaction as the event.
package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// SaltSize is the length of a salt in bytes. 256 random bits keep a low-entropy body from being guessed from its commitment.
const SaltSize = 32

// Commitment is SHA-256(salt || event).
type Commitment [sha256.Size]byte

// Commit binds to the bytes of an event, as Canonical lays them out, without showing them.
func Commit(salt [SaltSize]byte, event []byte) Commitment {
	h := sha256.New()
	h.Write(salt[:])
	h.Write(event)
	return Commitment(h.Sum(nil))
}

// String is the commitment in hex.
func (c Commitment) String() string { return hex.EncodeToString(c[:]) }

// Leaf is the hash of the commitment as a leaf of the tree, SHA-256(0x00 || commitment) (RFC 6962 section 2.1).
func (c Commitment) Leaf() tlog.Hash { return tlog.RecordHash(c[:]) }

// Canonical lays fields out so that no two lists of fields give the same bytes: the name of the layout and a line feed, then
// each field as its length (8 bytes, big endian) and its bytes.
func Canonical(layout string, fields ...[]byte) []byte {
	b := append([]byte(layout), '\n')
	for _, f := range fields {
		b = binary.BigEndian.AppendUint64(b, uint64(len(f)))
		b = append(b, f...)
	}
	return b
}

// Grow gives the hashes that leaf n (counted from 0) adds to the tree, to be stored from index tlog.StoredHashIndex(0, n) on.
// It reads from r the hashes of the leaves before n.
func Grow(n int64, c Commitment, r tlog.HashReader) ([]tlog.Hash, error) {
	return tlog.StoredHashesForRecordHash(n, c.Leaf(), r)
}

// A Checkpoint is what the tree was when it had Size leaves. Signed and kept elsewhere (a witness, a partner), it shows a
// later truncation, which the tree alone cannot.
type Checkpoint struct {
	Origin string // names the record
	Size   int64
	Root   tlog.Hash
}

// Sign writes the checkpoint as a signed note, in the form of C2SP tlog-checkpoint: origin, size and root, a line each.
func (c Checkpoint) Sign(s note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	return note.Sign(&note.Note{Text: text}, s)
}

// OpenCheckpoint reads a signed checkpoint and checks its signature against the verifier key.
func OpenCheckpoint(msg []byte, vkey string) (Checkpoint, error) {
	var c Checkpoint
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return c, fmt.Errorf("verifier key: %w", err)
	}
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return c, fmt.Errorf("checkpoint: %d lines where origin, size and root are expected", len(lines)-1)
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 {
		return c, fmt.Errorf("checkpoint: size %q is not a count", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, fmt.Errorf("checkpoint: root is not a SHA-256 in base64")
	}
	copy(c.Root[:], root)
	return c, nil
}

// NewKey makes the key pair of a record: the signer's, which is secret, and the verifier's, which is given to partners.
func NewKey(random io.Reader, origin string) (signer, verifier string, err error) {
	return note.GenerateKey(random, origin)
}
