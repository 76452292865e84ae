package sqlite

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// cursorKey makes cursors: places in a list, encrypted under a secret of the record and bound to a view, so that a reader
// learns nothing of what is withheld between two of them. The nonce is a keyed hash of the place (as in SIV mode, RFC 5297),
// so that the same place gives the same cursor and a follower can see a gap.
type cursorKey struct {
	aead cipher.AEAD
	mac  []byte
}

func newCursorKey(secret []byte) (cursorKey, error) {
	e, err1 := subkey(secret, "cursor encryption")
	m, err2 := subkey(secret, "cursor nonce")
	if err := errors.Join(err1, err2); err != nil {
		return cursorKey{}, err
	}
	a, err := sealer(e)
	return cursorKey{aead: a, mac: m}, err
}

func (k cursorKey) seal(list string, view access.View, place []byte) store.Cursor {
	bound := []byte(list + "\x00" + view.Key())
	h := hmac.New(sha256.New, k.mac)
	h.Write(bound)
	h.Write([]byte{0})
	h.Write(place)
	nonce := h.Sum(nil)[:k.aead.NonceSize()]
	return store.Cursor(base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, place, bound)))
}

var errCursor = errors.New("this cursor is of another reader, list or record")

func (k cursorKey) open(list string, view access.View, c store.Cursor) ([]byte, error) {
	refuse := &atalaya.Error{Op: "record.find", Kind: atalaya.BadUse, Err: errCursor, Hint: "Begin the list again without a cursor"}
	raw, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(raw) < k.aead.NonceSize() || len(raw) > 1<<16 {
		return nil, refuse
	}
	n := k.aead.NonceSize()
	place, err := k.aead.Open(nil, raw[:n], raw[n:], []byte(list+"\x00"+view.Key()))
	if err != nil {
		return nil, refuse
	}
	return place, nil
}
