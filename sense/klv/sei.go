package klv

import (
	"bytes"
	"encoding/binary"
	"time"
)

// MISB ST 0604.6 puts a time of ST 0603 into each compressed picture: in a user_data_unregistered message of H.264 and H.265, in user
// data of MPEG-2. It is 28 bytes: an identifier of 16, the time status, and the eight bytes of the time with 0xff after the second,
// fourth and sixth, so that no start code can arise in it.

// The identifiers (ST 0604.6 sections 7 and 8): H.264 and MPEG-2 have the text, H.265 a UUID, and another for nanoseconds.
var (
	microsText = [16]byte([]byte("MISPmicrosectime"))
	microsUUID = [16]byte{0xa8, 0x68, 0x7d, 0xd4, 0xd7, 0x59, 0x37, 0x58, 0xa5, 0xce, 0xf0, 0x33, 0x8b, 0x65, 0x45, 0xf1}
	nanosUUID  = [16]byte{0xcf, 0x84, 0x82, 0x78, 0xee, 0x23, 0x30, 0x6c, 0x92, 0x65, 0xe8, 0xfe, 0xf2, 0x2f, 0xb8, 0xb8}
)

// TimeStatus is the byte of ST 0603.5 that says how good the clock was.
type TimeStatus byte

// GoodTime is the status of a clock that is locked and runs on.
const GoodTime TimeStatus = 0x1f

// Locked says that the clock was locked to an absolute reference.
func (s TimeStatus) Locked() bool { return s&0x80 == 0 }

// Jumped says that the time jumped since the last picture, Backwards that it jumped back.
func (s TimeStatus) Jumped() bool    { return s&0x40 != 0 }
func (s TimeStatus) Backwards() bool { return s&0x60 == 0x60 }

// Valid says that the bits that the standard wants set are: otherwise the writer did not mean this byte.
func (s TimeStatus) Valid() bool { return s&0x1f == 0x1f }

// VideoCodec says in which kind of video a time stands, since each has its identifier.
type VideoCodec uint8

// The kinds.
const (
	H264OrMPEG2 VideoCodec = iota
	H265
)

// A VideoTime is the time of one picture.
type VideoTime struct {
	Nanoseconds bool   // else microseconds
	Count       uint64 // since 1970-01-01 in the time of the Motion Imagery Standards Profile: UTC plus leap seconds, if the writer kept to it
	Status      TimeStatus
	Codec       VideoCodec
}

// Mislabelled says that the count can only be of nanoseconds though its identifier says microseconds: it would lie after the year 5000.
// Encoders that do so are met.
func (v VideoTime) Mislabelled() bool { return !v.Nanoseconds && v.Count >= 1e17 }

// Time is the count as a time, a mislabelled one as what it can only be; leap seconds are not taken off.
func (v VideoTime) Time() time.Time {
	if v.Nanoseconds || v.Mislabelled() {
		return time.Unix(int64(v.Count/1e9), int64(v.Count%1e9)).UTC()
	}
	return time.Unix(int64(v.Count/1e6), int64(v.Count%1e6)*1000).UTC()
}

// videoTimeSize is the length of the whole.
const videoTimeSize = 28

// ReadVideoTime reads the payload of a user_data_unregistered message (or MPEG-2 user data), which begins with the identifier. ok is
// false where it holds no such time, or one whose guard bytes are not 0xff.
func ReadVideoTime(payload []byte) (v VideoTime, ok bool) {
	if len(payload) < videoTimeSize {
		return v, false
	}
	switch [16]byte(payload) {
	case microsText:
	case microsUUID:
		v.Codec = H265
	case nanosUUID:
		v.Codec, v.Nanoseconds = H265, true
	default:
		return v, false
	}
	v.Status = TimeStatus(payload[16])
	t := payload[17:28]
	if t[2] != 0xff || t[5] != 0xff || t[8] != 0xff {
		return v, false
	}
	for _, i := range [...]int{0, 1, 3, 4, 6, 7, 9, 10} {
		v.Count = v.Count<<8 | uint64(t[i])
	}
	return v, true
}

// FindVideoTime looks for a time anywhere in b, a unit of video that may hold other messages too, and gives its offset. Emulation
// prevention need not be taken out: these bytes never call for it.
func FindVideoTime(b []byte) (v VideoTime, at int, ok bool) {
	for _, id := range [...][16]byte{microsText, microsUUID, nanosUUID} {
		for from := 0; ; {
			i := bytes.Index(b[from:], id[:])
			if i < 0 {
				break
			}
			if v, ok = ReadVideoTime(b[from+i:]); ok {
				return v, from + i, true
			}
			from += i + 1
		}
	}
	return VideoTime{}, 0, false
}

// AppendTo writes the 28 bytes. Nanoseconds have an identifier in H.265 only, and are written as such.
func (v VideoTime) AppendTo(b []byte) []byte {
	id := microsText
	if v.Codec == H265 {
		id = microsUUID
	}
	if v.Nanoseconds {
		id = nanosUUID
	}
	t := binary.BigEndian.AppendUint64(nil, v.Count)
	b = append(append(b, id[:]...), byte(v.Status))
	for i := 0; i < 8; i += 2 {
		if i > 0 {
			b = append(b, 0xff)
		}
		b = append(b, t[i], t[i+1])
	}
	return b
}
