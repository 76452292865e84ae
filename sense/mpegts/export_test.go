package mpegts

// SectionCheck is the check of a table section.
func SectionCheck(b []byte) [4]byte {
	c := crc32(b)
	return [4]byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)}
}
