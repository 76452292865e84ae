package blob

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A sealed file is a head (magic, 32 random bytes) and chunks of 64 KiB, each encrypted by AES-256-GCM under a key derived
// from the directory's key and the random bytes. The nonce of chunk i is i with, for the last chunk, the top bit set (the
// STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015, doi:10.1007/978-3-662-47989-6_24), so chunks can be
// neither swapped, nor dropped, nor cut off. The last chunk may be empty only in an empty blob.
const (
	magic    = "atalaya blob 1\n\x00"
	headSize = int64(len(magic)) + 32
	chunk    = 64 << 10
	tag      = 16
)

func gcm(key, random []byte) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key, random, "atalaya blob file", 32)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

func nonce(i int64, last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[4:], uint64(i))
	if last {
		n[0] = 0x80
	}
	return n
}

// sealedSize is the length of the sealed form of size bytes.
func sealedSize(size int64) int64 { return headSize + size + tag*chunks(size) }

func chunks(size int64) int64 { return max(1, (size+chunk-1)/chunk) }

// seal writes the sealed form of r to w and returns the number of plain bytes.
func seal(key []byte, random io.Reader, w io.Writer, r io.Reader) (int64, error) {
	head := make([]byte, headSize)
	copy(head, magic)
	if _, err := io.ReadFull(random, head[len(magic):]); err != nil {
		return 0, err
	}
	aead, err := gcm(key, head[len(magic):])
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	// One chunk is read ahead, because the last one must be known as such.
	now, ahead := make([]byte, chunk, chunk+tag), make([]byte, chunk, chunk+tag)
	n, err := io.ReadFull(r, now)
	size := int64(0)
	for i := int64(0); ; i++ {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return size, err
		}
		var m int
		last := err != nil
		if !last {
			m, err = io.ReadFull(r, ahead)
			last = err == io.EOF
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return size, err
			}
		}
		size += int64(n)
		if _, werr := w.Write(aead.Seal(now[:0], nonce(i, last), now[:n], nil)); werr != nil {
			return size, werr
		}
		if last {
			return size, nil
		}
		now, ahead, n = ahead, now, m
	}
}

// sealed reads a sealed file by range.
type sealed struct {
	aead cipher.AEAD
	f    io.ReaderAt
	size int64 // plain bytes
	n    int64 // chunks

	mu   sync.Mutex // guards the chunk that was opened last, for short reads
	buf  []byte
	open int64 // its number, -1 for none
	text []byte
}

var errNotSealed = errors.New("it is not an encrypted blob of this record")

func unseal(key []byte, f io.ReaderAt, stored int64) (*sealed, error) {
	if stored < headSize+tag {
		return nil, errNotSealed
	}
	head := make([]byte, headSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if string(head[:len(magic)]) != magic {
		return nil, errNotSealed
	}
	body := stored - headSize
	n := (body + chunk + tag - 1) / (chunk + tag)
	size := body - n*tag
	if sealedSize(size) != stored {
		return nil, fmt.Errorf("%d bytes are no whole number of chunks", stored)
	}
	aead, err := gcm(key, head[len(magic):])
	if err != nil {
		return nil, err
	}
	return &sealed{aead: aead, f: f, size: size, n: n, buf: make([]byte, min(size, chunk)+tag), open: -1}, nil
}

// ReadAt decrypts the chunks that the range touches.
func (s *sealed) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("blob: negative offset")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == 0 { // there is one chunk to check, with nothing in it
		if _, err := s.chunk(0); err != nil {
			return 0, err
		}
	}
	done := 0
	for done < len(p) && off < s.size {
		text, err := s.chunk(off / chunk)
		if err != nil {
			return done, err
		}
		n := copy(p[done:], text[off%chunk:])
		done, off = done+n, off+int64(n)
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// chunk opens chunk i; the bytes are good until the next call.
func (s *sealed) chunk(i int64) ([]byte, error) {
	if i == s.open {
		return s.text, nil
	}
	s.open = -1
	c := s.buf[:min(chunk, s.size-i*chunk)+tag]
	if _, err := s.f.ReadAt(c, headSize+i*(chunk+tag)); err != nil && err != io.EOF {
		return nil, err
	}
	text, err := s.aead.Open(c[:0], nonce(i, i == s.n-1), c, nil)
	if err != nil {
		return nil, fmt.Errorf("chunk %d does not decrypt: wrong key, or damaged", i)
	}
	s.open, s.text = i, text
	return text, nil
}
