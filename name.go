package atalaya

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// NameOf names a computed thing by a hash of what it was made from: prefix and the first 128 bits of SHA-256 over the parts,
// each preceded by its length, so that no two lists of parts run together.
func NameOf(prefix string, parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		for i, l := 0, uint64(len(p)); i < 8; i, l = i+1, l>>8 {
			n[i] = byte(l)
		}
		h.Write(n[:])
		io.WriteString(h, p)
	}
	return prefix + hex.EncodeToString(h.Sum(nil)[:16])
}
