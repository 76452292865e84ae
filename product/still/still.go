// Package still draws what leaves a video as a picture: a frame or a part of one, a storyboard, a mosaic. Each bears its marking at
// top and bottom, where it comes from, and what its geometry tells with its error; there is no picture without a marking. Nothing of
// the sheet lies over the pixels save the thin ring of an error ellipse. Times are the stream's; no clock is read: the same input
// gives the same bytes.
//
// A still is not a package for a partner: it takes no review.Released, and says that it is not for release (see product).
package still

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// A Source is the video that a picture comes from, and what made the picture.
type Source struct {
	File   string // its name
	Bytes  int64
	SHA256 string // of the whole file, hex
	// Mission, Tail, Platform and Sensor are the names that the metadata gives (ST 0601 items 3, 4, 10, 11).
	Mission, Tail, Platform, Sensor string
	Program                         string // "atalaya 0.1.0"
	By                              string // for whom, "" where nobody is named
	Language                        string // of the sheet: "en", "es"; "" is English
}

func (s *Source) tongue() tongue { return tongue(s.Language) }

// check refuses what cannot be told on a sheet.
func (s *Source) check() error {
	if s.File == "" || len(s.SHA256) != 64 {
		return bad("a picture without its source")
	}
	if s.Language != "" && s.Language != "en" && s.Language != "es" {
		return bad(fmt.Sprintf("%q is no language of pictures", s.Language))
	}
	return nil
}

func bad(what string) error {
	return &atalaya.Error{Op: "still.draw", Kind: atalaya.BadUse, Err: errors.New(what), Hint: "Give the source, a language (en, es) and frames of the size they say"}
}

// fileLine names the file with its hash.
func (s *Source) fileLine(c canvas, size, most float64) string {
	text := s.tongue().say("sha", "file", "\x00", "bytes", strconv.FormatInt(s.Bytes, 10), "sha", s.SHA256[:16])
	rest := most - c.measure(strings.ReplaceAll(text, "\x00", ""), size, false)
	return strings.ReplaceAll(text, "\x00", cutTo(c, clean(s.File), size, false, rest))
}

// clean leaves out what no letter stands for.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, s)
}

// names are those that the metadata gives.
func (s *Source) names() string {
	t := s.tongue()
	var out []string
	for _, n := range []string{s.Platform, s.Sensor} {
		if n != "" {
			out = append(out, clean(n))
		}
	}
	if s.Tail != "" {
		out = append(out, t.say("tail", "name", clean(s.Tail)))
	}
	if s.Mission != "" {
		out = append(out, t.say("mission", "name", clean(s.Mission)))
	}
	if len(out) == 0 {
		return t.say("not named")
	}
	return strings.Join(out, " · ")
}

func (s *Source) made() string {
	t := s.tongue()
	by := ""
	if s.By != "" {
		by = t.say("made by", "name", clean(s.By))
	}
	return t.say("made", "program", clean(s.Program), "by", by) + " · " + t.say("working")
}

// Provenance is what a picture carries in its text chunks, atalaya.still/1. Places have no more digits than their error allows.
type Provenance struct {
	Schema  string `json:"schema"`
	Kind    string `json:"kind"` // frame, chip, storyboard, mosaic
	Marking string `json:"marking"`
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Program string `json:"program"`
	By      string `json:"by,omitempty"`

	Mission  string `json:"mission,omitempty"`
	Tail     string `json:"tail,omitempty"`
	Platform string `json:"platform,omitempty"`
	Sensor   string `json:"sensor,omitempty"`

	Frames []FrameProvenance `json:"frames,omitempty"`
	Mosaic *MosaicProvenance `json:"mosaic,omitempty"`
}

// FrameProvenance is one frame of a picture.
type FrameProvenance struct {
	PTS  float64 `json:"pts_s"`
	Time *string `json:"time"`
	// Part is x, y, width and height in pixels of the whole frame, whose size follows.
	Part  [4]int `json:"part_px"`
	Of    [2]int `json:"frame_px"`
	Drawn int    `json:"elements_a_pixel"`

	Center  *PlaceProvenance `json:"center"`
	Method  string           `json:"method,omitempty"` // ray, reported
	Ellipse *EllipseFigures  `json:"ellipse95"`
	// Across and Down are metres of ground a pixel in the middle; North is the direction of north there in the picture, degrees
	// clockwise from up.
	Across *float64          `json:"across_m_px"`
	Down   *float64          `json:"down_m_px"`
	North  *float64          `json:"north_deg"`
	Box    []PlaceProvenance `json:"box,omitempty"` // from the upper left corner clockwise
}

// PlaceProvenance is a place in steps no finer than its error.
type PlaceProvenance struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// EllipseFigures are the semi-axes in metres and the azimuth of the major one, in two figures and whole degrees.
type EllipseFigures struct {
	Major   float64 `json:"major_m"`
	Minor   float64 `json:"minor_m"`
	Azimuth float64 `json:"azimuth_deg"`
}

func (s *Source) provenance(kind string, m Mark) Provenance {
	return Provenance{Schema: "atalaya.still/1", Kind: kind, Marking: m.Banner(), File: s.File, Bytes: s.Bytes, SHA256: s.SHA256, Program: s.Program, By: s.By,
		Mission: s.Mission, Tail: s.Tail, Platform: s.Platform, Sensor: s.Sensor}
}

// told is a place as degrees writes it, as numbers.
func told(p geodesy.LatLon, stepM float64) PlaceProvenance {
	lat, lon, _ := strings.Cut(strings.ReplaceAll(degrees(p, stepM), "°", ""), ",\u00a0")
	var out PlaceProvenance
	out.Lat, _ = strconv.ParseFloat(lat, 64) // written by degrees
	out.Lon, _ = strconv.ParseFloat(lon, 64)
	return out
}

// twoFigures rounds for a reader who has no use for more.
func twoFigures(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 1, 64), 64)
	return r
}

// encode writes a picture as PNG with its provenance in tEXt chunks (PNG, third edition, 11.3.3.2), before the picture's data.
func encode(img *image.RGBA, p Provenance, title string) ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, err
	}
	j, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	const head = 8 + 4 + 4 + 13 + 4 // signature and IHDR
	out := bytes.Clone(b.Bytes()[:head])
	for _, t := range [...][2]string{{"Title", title}, {"Source", p.File + " sha256:" + p.SHA256}, {"Software", p.Program}, {"Disclaimer", p.Marking}, {"atalaya", string(j)}} {
		out = chunk(out, "tEXt", []byte(t[0]+"\x00"+latin(t[1])))
	}
	return append(out, b.Bytes()[head:]...), nil
}

func chunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	at := len(b)
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
}

// latin writes Latin-1, as tEXt wants it; other letters as JSON writes them.
func latin(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		switch {
		case r < 0x80 || r >= 0xa0 && r <= 0xff:
			b.WriteByte(byte(r))
		case r > 0xffff:
			b.WriteByte('?')
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
