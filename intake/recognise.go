// Package intake looks at files from outside: what each one is, by its content; what is in it; what is wrong with it and
// where. It decides nothing about what a file means, and it expands, follows or runs nothing that a file asks for. All
// reading is a stream or a bounded piece, so that a file of any size costs bounded memory.
package intake

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/delimited"
)

// Kind is what a file is.
type Kind string

// The kinds of file.
const (
	GasSurvey    Kind = "gas-survey"
	Bearings     Kind = "bearings"
	ArrivalTimes Kind = "arrival-times"
	MPEGTS       Kind = "mpegts"
	KLV          Kind = "klv"
	ENVICube     Kind = "envi-cube"
	NITF         Kind = "nitf"
	GeoTIFF      Kind = "geotiff"
	STANAG4607   Kind = "stanag4607"
	NMEA         Kind = "nmea"
	ModeS        Kind = "modes"
	GeoJSON      Kind = "geojson"
	GPX          Kind = "gpx"
	KML          Kind = "kml"
	KMZ          Kind = "kmz"
	GeoPackage   Kind = "geopackage"
	STIX         Kind = "stix"
	CoT          Kind = "cot"
	ISMXML       Kind = "ism-xml"
	TMX          Kind = "tmx"
	NameList     Kind = "name-list"
	Edges        Kind = "edges"
	Plots        Kind = "plots"
	SpectraTable Kind = "spectra-table"
	FTM          Kind = "ftm"
	Table        Kind = "table"
	JSON         Kind = "json"
	Image        Kind = "image"
	Archive      Kind = "archive"
	PDF          Kind = "pdf"
	Text         Kind = "text"
	Truth        Kind = "truth"
	Mission      Kind = "mission"
	Detections   Kind = "detections"
	Unknown      Kind = "unknown"
)

// Kinds lists all kinds.
var Kinds = [...]Kind{GasSurvey, Bearings, ArrivalTimes, MPEGTS, KLV, ENVICube, NITF, GeoTIFF, STANAG4607, NMEA, ModeS, GeoJSON, GPX, KML, KMZ,
	GeoPackage, STIX, CoT, ISMXML, TMX, NameList, Edges, Plots, SpectraTable, FTM, Table, JSON, Image, Archive, PDF, Text, Truth, Mission, Detections, Unknown}

// A Problem is something wrong with a file, with its place: a line, a column, a byte offset, an entry of an archive.
type Problem struct {
	At   string `json:"at"`
	What string `json:"what"`
}

// A File is what was found out about one file.
type File struct {
	Path     string         `json:"path"`
	Kind     Kind           `json:"kind"`
	Bytes    int64          `json:"bytes"`
	SHA256   string         `json:"sha256,omitempty"`
	Summary  map[string]any `json:"summary"`
	Problems []Problem      `json:"problems"`
	// Partial says that the file is unknown, or that something in it cannot be read.
	Partial bool `json:"-"`
}

// maxProblems bounds the problems of one file; the rest is counted.
const maxProblems = 100

// Bounds of what is looked at. Beyond them a file is recognised, and its summary says how far it was looked through.
const (
	headBytes       = 64 << 10
	maxTextBytes    = 64 << 20 // of a table, JSON or XML document, also inside an archive
	maxDepth        = 1000     // of nested JSON or XML; deeper is no data
	maxZipDirectory = 32 << 20
)

// look is one file being looked at.
type look struct {
	File
	r      io.ReaderAt
	size   int64
	name   string
	head   []byte
	beside fs.FS // the folder that the file lies in, nil when not known
	more   int   // problems beyond maxProblems
}

func (l *look) is(k Kind, format string, args ...any) {
	l.Kind = k
	l.Summary["what"] = fmt.Sprintf(format, args...)
}

// note tells something that is wrong but cost nothing.
func (l *look) note(at, format string, args ...any) {
	if len(l.Problems) >= maxProblems {
		l.more++
		return
	}
	l.Problems = append(l.Problems, Problem{at, clean(fmt.Sprintf(format, args...))})
}

// lost tells something that cannot be read.
func (l *look) lost(at, format string, args ...any) {
	l.Partial = true
	l.note(at, format, args...)
}

// clean keeps a message on one line and short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "..."
	}
	return s
}

// failed tells an error of a reader, at its place when it has one.
func (l *look) failed(err error) {
	l.Partial = true
	l.passed(err)
}

// passed tells an error that cost nothing.
func (l *look) passed(err error) {
	var e *atalaya.Error
	if errors.As(err, &e) {
		bare := *e
		bare.File, bare.Place = "", ""
		l.note(e.Place, "%s", bare.Error())
		return
	}
	l.note("", "%v", err)
}

func (l *look) rowProblems(ps []delimited.Problem) {
	for _, p := range ps {
		if p.Lost == delimited.Note {
			l.note(p.At, "%s", p)
		} else {
			l.lost(p.At, "%s", p)
		}
	}
}

// all is the whole file from its beginning.
func (l *look) all() *io.SectionReader { return io.NewSectionReader(l.r, 0, l.size) }

// Recognise says what a file is. name is its base name: it breaks ties that the content leaves open, and pairs a data file
// with the header beside it; beside is its folder, nil when there is none. It never fails: what cannot be read is told in
// Problems.
func Recognise(r io.ReaderAt, size int64, name string, beside fs.FS) File {
	l := &look{r: r, size: size, name: name, beside: beside, File: File{Path: name, Kind: Unknown, Bytes: size, Summary: map[string]any{}, Problems: []Problem{}}}
	l.head = make([]byte, min(size, headBytes))
	n, err := r.ReadAt(l.head, 0)
	l.head = l.head[:n]
	if err != nil && err != io.EOF {
		l.lost(fmt.Sprintf("byte 0x%x", n), "cannot be read: %v", err)
	}
	switch {
	case size == 0:
		l.lost("", "the file is empty")
	case l.binary(), l.text():
	default:
		l.unknown()
	}
	if l.more > 0 {
		l.Summary["problems_not_listed"] = l.more
	}
	return l.File
}

func (l *look) unknown() {
	l.Kind = Unknown
	l.Summary["first_bytes"] = hex.EncodeToString(l.head[:min(len(l.head), 16)])
	l.lost("byte 0x0", "not recognised; it begins with %s. Remove it, or say what it is in a README", hex.EncodeToString(l.head[:min(len(l.head), 16)]))
}

// signature is a kind that the first bytes tell.
type signature struct {
	at    int
	magic string
	look  func(*look)
}

// signatures are the files that say in their first bytes what they are. Sources: the formats' own specifications.
var signatures = []signature{
	{0, "NITF0", (*look).nitf},
	{0, "NSIF0", (*look).nitf},
	{0, "SQLite format 3\x00", (*look).sqlite},
	{0, "II*\x00", (*look).tiff},
	{0, "MM\x00*", (*look).tiff},
	{0, "II+\x00", (*look).tiff},
	{0, "MM\x00+", (*look).tiff},
	{0, "PK\x03\x04", (*look).zip},
	{0, "PK\x05\x06", (*look).zip},
	{0, "%PDF-", func(l *look) { l.is(PDF, "PDF document") }},
	{0, "\x89PNG\r\n\x1a\n", image("PNG")},
	{0, "\xff\xd8\xff", image("JPEG")},
	{0, "GIF8", image("GIF")},
	{8, "WEBP", image("WebP")},
	{0, "\x00\x00\x00\x0cjP  \r\n\x87\n", image("JPEG 2000")},
	{0, "\xff\x4f\xff\x51", image("JPEG 2000 code stream")},
	{0, "\x1f\x8b\x08", archive("gzip")},
	{0, "BZh", archive("bzip2")},
	{0, "\xfd7zXZ\x00", archive("xz")},
	{0, "\x28\xb5\x2f\xfd", archive("zstd")},
	{0, "7z\xbc\xaf\x27\x1c", archive("7-Zip")},
	{0, "Rar!\x1a\x07", archive("RAR")},
	{257, "ustar", archive("tar")},
}

func image(format string) func(*look) {
	return func(l *look) { l.is(Image, "%s picture without a place on the Earth", format) }
}

func archive(format string) func(*look) {
	return func(l *look) { l.is(Archive, "%s archive, not opened", format) }
}

// binary recognises what is not text.
func (l *look) binary() bool {
	for _, s := range signatures {
		if len(l.head) >= s.at+len(s.magic) && string(l.head[s.at:s.at+len(s.magic)]) == s.magic {
			s.look(l)
			return true
		}
	}
	return l.enviBinary() || l.takFrame() || l.klv() || l.mpegts() || l.stanag4607() || l.beast()
}

func (l *look) hasPrefix(s string) bool { return bytes.HasPrefix(l.head, []byte(s)) }
