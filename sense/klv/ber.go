package klv

// berLength reads a BER length (ISO/IEC 8825-1, 8.1.3) at the front of b: its value and how many bytes it takes.
// n is 0 when b is too short to hold it, negative when no length is written so (the indefinite form, or more than 8 bytes).
func berLength(b []byte) (length uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	k := int(b[0] & 0x7f)
	if k == 0 || k > 8 {
		return 0, -1
	}
	if len(b) < 1+k {
		return 0, 0
	}
	for _, c := range b[1 : 1+k] {
		length = length<<8 | uint64(c)
	}
	return length, 1 + k
}

// berOID reads a BER-OID number (seven bits a byte, the last with a clear top bit) at the front of b. n is 0 when b ends
// within it, negative when it does not fit in 32 bits.
func berOID(b []byte) (tag uint32, n int) {
	for i, c := range b {
		if i == 5 || tag > 1<<25-1 {
			return 0, -1
		}
		tag = tag<<7 | uint32(c&0x7f)
		if c < 0x80 {
			return tag, i + 1
		}
	}
	return 0, 0
}

// appendBERLength writes the shortest BER length.
func appendBERLength(b []byte, n uint64) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	k := 1
	for n>>(8*k) != 0 && k < 8 {
		k++
	}
	b = append(b, 0x80|byte(k))
	for k--; k >= 0; k-- {
		b = append(b, byte(n>>(8*k)))
	}
	return b
}

// appendBEROID writes tag as BER-OID.
func appendBEROID(b []byte, tag uint32) []byte {
	for shift := 28; shift > 0; shift -= 7 {
		if tag>>shift != 0 {
			b = append(b, 0x80|byte(tag>>shift))
		}
	}
	return append(b, byte(tag&0x7f))
}
