package playback

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/hevc"
	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// timescale is ticks a second, those of the transport stream.
const timescale = 90000

// maxSets and maxSet bound what a configuration record holds: its counts have 5 bits (H.264), its lengths 16.
const (
	maxSets = 31
	maxSet  = 0xffff
)

// Errors of this package, beside those that name a place.
var (
	// ErrNoParameters: no sequence and picture parameter set was among the pictures. Those of an earlier group may serve.
	ErrNoParameters = errors.New("playback: no parameter sets in these pictures")
	// ErrChanged: the pictures bring parameter sets that differ from the configuration. Configure anew from them and give the
	// browser the new initialisation segment first.
	ErrChanged = errors.New("playback: the parameter sets changed")
	// ErrUnplayable: no browser plays the codec by Media Source Extensions.
	ErrUnplayable = errors.New("playback: only H.264 and H.265 can be played without decoding")
)

// A Config is what a decoder must know before the first picture.
type Config struct {
	// Codec is that of the stream, "h264" or "h265"; Type is the media type that a browser is asked for, with the codec string of
	// RFC 6381 and ISO/IEC 14496-15, annex E: video/mp4; codecs="avc1.4d4029".
	Codec string
	Type  string
	// Video is what the first sequence parameter set says.
	Video mpegts.Video
	// ID names the configuration: the same parameter sets give the same ID.
	ID string
	// Init is the initialisation segment (ftyp, moov).
	Init []byte

	sets map[role][][]byte
}

// Configure takes the parameter sets out of pictures of one stream: of a group, or of all that came so far.
func Configure(codec string, pictures ...mpegts.Unit) (*Config, error) {
	if codec != "h264" && codec != "h265" {
		return nil, ErrUnplayable
	}
	c := &Config{Codec: codec, sets: map[role][][]byte{}}
	for _, u := range pictures {
		for nal := range units(u.Data) {
			if r := roleOf(codec, nal); isSet(r) && !c.has(r, nal) {
				if len(nal) > maxSet || len(c.sets[r]) == maxSets {
					return nil, fmt.Errorf("playback: more parameter sets than a configuration holds: %w", ErrNoParameters)
				}
				c.sets[r] = append(c.sets[r], bytes.Clone(nal))
			}
		}
	}
	return c, c.init()
}

func isSet(r role) bool { return r == sequence || r == picture || r == videoSet }

func (c *Config) has(r role, nal []byte) bool {
	return slices.ContainsFunc(c.sets[r], func(s []byte) bool { return bytes.Equal(s, nal) })
}

// init makes the initialisation segment.
func (c *Config) init() error {
	if len(c.sets[sequence]) == 0 || len(c.sets[picture]) == 0 || c.Codec == "h265" && len(c.sets[videoSet]) == 0 {
		return ErrNoParameters
	}
	var ok bool
	if c.Video, ok = mpegts.ParseSPS(c.Codec, c.sets[sequence][0]); !ok {
		return fmt.Errorf("playback: the sequence parameter set cannot be read: %w", ErrNoParameters)
	}
	name, box, codecs, err := c.record()
	if err != nil {
		return err
	}
	c.Type = `video/mp4; codecs="` + codecs + `"`
	s := mp4.CreateEmptyInit()
	track := s.AddEmptyTrack(timescale, "video", "und")
	track.Tkhd.Width, track.Tkhd.Height = mp4.Fixed32(c.Video.Width<<16), mp4.Fixed32(c.Video.Height<<16)
	entry := mp4.CreateVisualSampleEntryBox(name, uint16(c.Video.Width), uint16(c.Video.Height), box)
	entry.CompressorName = ""
	track.Mdia.Minf.Stbl.Stsd.AddChild(entry)
	var out bytes.Buffer
	if err := s.Encode(&out); err != nil {
		return fmt.Errorf("playback: initialisation segment: %w", err)
	}
	c.Init = out.Bytes()
	c.ID = fmt.Sprintf("%x", sha256.Sum256(c.Init))[:16]
	return nil
}

// record makes the decoder configuration record, with the name of its sample entry and the codec string.
func (c *Config) record() (entry string, box mp4.Box, codecs string, err error) {
	sps := c.sets[sequence][0]
	if c.Codec == "h264" {
		r := avc.DecConfRec{AVCProfileIndication: sps[1], ProfileCompatibility: sps[2], AVCLevelIndication: sps[3],
			SPSnalus: c.sets[sequence], PPSnalus: c.sets[picture], ChromaFormat: byte(c.Video.ChromaFormat),
			BitDepthLumaMinus1: byte(c.Video.BitDepth - 8), BitDepthChromaMinus1: byte(c.Video.BitDepthChroma - 8),
			NoTrailingInfo: !slices.Contains([]byte{100, 110, 122}, sps[1])} // the only ones that have it (5.3.3.1.2)
		return "avc1", &mp4.AvcCBox{DecConfRec: r}, fmt.Sprintf("avc1.%02x%02x%02x", sps[1], sps[2], sps[3]), nil
	}
	p := unescaped(sps, 15)
	if len(p) < 15 {
		return "", nil, "", fmt.Errorf("playback: a sequence parameter set of %d bytes: %w", len(sps), ErrNoParameters)
	}
	r := hevc.DecConfRec{ConfigurationVersion: 1, GeneralProfileSpace: p[3] >> 6, GeneralTierFlag: p[3]&0x20 != 0, GeneralProfileIDC: p[3] & 0x1f,
		GeneralProfileCompatibilityFlags: uint32(number(p[4:8])), GeneralConstraintIndicatorFlags: number(p[8:14]), GeneralLevelIDC: p[14],
		ChromaFormatIDC: byte(c.Video.ChromaFormat), BitDepthLumaMinus8: byte(c.Video.BitDepth - 8), BitDepthChromaMinus8: byte(c.Video.BitDepthChroma - 8),
		NumTemporalLayers: p[2]>>1&7 + 1, TemporalIDNested: p[2] & 1, LengthSizeMinusOne: 3,
		NaluArrays: []hevc.NaluArray{hevc.NewNaluArray(true, hevc.NALU_VPS, c.sets[videoSet]), hevc.NewNaluArray(true, hevc.NALU_SPS, c.sets[sequence]),
			hevc.NewNaluArray(true, hevc.NALU_PPS, c.sets[picture])}}
	return "hvc1", &mp4.HvcCBox{DecConfRec: r}, hevcCodecs(p), nil
}

// hevcCodecs is the codec string of H.265 (ISO/IEC 14496-15, E.3) by the first 15 bytes of a sequence parameter set.
func hevcCodecs(p []byte) string {
	space := ""
	if s := p[3] >> 6; s > 0 {
		space = string(rune('A' + s - 1))
	}
	tier := "L"
	if p[3]&0x20 != 0 {
		tier = "H"
	}
	s := fmt.Sprintf("hvc1.%s%d.%X.%s%d", space, p[3]&0x1f, bits.Reverse32(uint32(number(p[4:8]))), tier, p[14])
	for _, b := range bytes.TrimRight(p[8:14], "\x00") {
		s += fmt.Sprintf(".%X", b)
	}
	return s
}

func number(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// unescaped is the first n bytes of a unit without its emulation prevention bytes (ITU-T H.265, 7.4.2).
func unescaped(nal []byte, n int) (out []byte) {
	for i, zeros := 0, 0; i < len(nal) && len(out) < n; i++ {
		if zeros >= 2 && nal[i] == 3 {
			zeros = 0
			continue
		}
		if zeros++; nal[i] != 0 {
			zeros = 0
		}
		out = append(out, nal[i])
	}
	return out
}
