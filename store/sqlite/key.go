package sqlite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/store/blob"
)

// ParseKey reads an encryption key: 32 bytes as they are, 64 hex digits, or base64; white space around it is passed over.
// An empty text is no key.
func ParseKey(text []byte) ([]byte, error) {
	if len(text) == 32 {
		return bytes.Clone(text), nil
	}
	s := strings.TrimSpace(string(text))
	if s == "" {
		return nil, nil
	}
	if k, err := hex.DecodeString(s); err == nil && len(k) == 32 {
		return k, nil
	}
	if k, err := base64.StdEncoding.DecodeString(s); err == nil && len(k) == 32 {
		return k, nil
	}
	return nil, &atalaya.Error{Op: "record.key", Kind: atalaya.BadUse, Err: fmt.Errorf("the key (%d characters) is not 32 bytes", len(s)), Hint: "Make one with: openssl rand -hex 32"}
}

// subkey derives the key for one use.
func subkey(key []byte, use string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "atalaya record "+use, 32)
}

// format is record.json: what the folder is, readable without the key.
type format struct {
	Schema string `json:"schema"`
	Cipher string `json:"cipher"`         // none or adiantum
	Salt   string `json:"salt,omitempty"` // hex
	Check  string `json:"check,omitempty"`
}

const (
	formatFile = "record.json"
	schema     = "atalaya.record/1"
)

// checkFormat compares the folder with the key, so that a wrong one is called wrong and not "damaged". A new folder is given
// its format.
func checkFormat(dir string, key []byte, random io.Reader) error {
	path := filepath.Join(dir, formatFile)
	refuse := func(hint, msg string, args ...any) error {
		return &atalaya.Error{Op: "record.open", File: path, Kind: atalaya.BadUse, Err: fmt.Errorf(msg, args...), Hint: hint}
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, database)); err == nil {
			return refuse("Restore a backup, or put the file back", "the record's format file is missing")
		}
		return newFormat(path, key, random)
	}
	if err != nil {
		return err
	}
	var f format
	if err := json.Unmarshal(raw, &f); err != nil || f.Schema != schema {
		return refuse("Use the version of Atalaya that made it", "not a record that this version knows")
	}
	switch {
	case f.Cipher == "none" && key != nil:
		return refuse("Unset the key, or give another folder with --data", "this record is not encrypted, but a key was given")
	case f.Cipher == "none":
		return nil
	case key == nil:
		return refuse("Give the key in $ATALAYA_KEY or a key file", "this record is encrypted")
	}
	salt, _ := hex.DecodeString(f.Salt)
	if want, _ := hex.DecodeString(f.Check); !hmac.Equal(want, keyCheck(key, salt)) {
		return refuse("Give the key that this record was made with", "wrong key")
	}
	return nil
}

func keyCheck(key, salt []byte) []byte {
	k, err := subkey(key, "check")
	if err != nil {
		return nil
	}
	m := hmac.New(sha256.New, k)
	m.Write(salt)
	return m.Sum(nil)
}

func newFormat(path string, key []byte, random io.Reader) error {
	f := format{Schema: schema, Cipher: "none"}
	if key != nil {
		if len(key) != 32 {
			return fmt.Errorf("record: key of %d bytes where 32 are expected", len(key))
		}
		salt := make([]byte, 16)
		if _, err := io.ReadFull(random, salt); err != nil {
			return err
		}
		f.Cipher, f.Salt, f.Check = "adiantum", hex.EncodeToString(salt), hex.EncodeToString(keyCheck(key, salt))
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(path, func(w io.Writer) error {
		_, err := w.Write(append(raw, '\n'))
		return err
	})
}

// writeWhole writes a file so that a crash leaves all of it or nothing.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name())
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return blob.SyncDir(filepath.Dir(path))
}

// sealer is AES-256-GCM under a 32-byte key.
func sealer(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}
