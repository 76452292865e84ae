package mpegts

import (
	"encoding/binary"
	ieee "hash/crc32"
)

// SectionCheck is the check of a table section.
func SectionCheck(b []byte) [4]byte {
	c := crc32(b)
	return [4]byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)}
}

// Sealed is an index whose check sum of the directory is right.
func Sealed(b []byte) []byte {
	if len(b) < trailerSize {
		return b
	}
	b = append([]byte(nil), b...)
	t := b[len(b)-trailerSize:]
	if at := binary.BigEndian.Uint64(t[8:]); at <= uint64(len(b)-trailerSize) {
		binary.BigEndian.PutUint32(t[24:], ieee.ChecksumIEEE(b[at:len(b)-trailerSize]))
	}
	return b
}
