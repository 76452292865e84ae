package product

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/review"
)

// A Leak is a withheld value that was found in the bytes of a file.
type Leak struct {
	File string
	What string // which value, by its kind, never the value itself
	How  string // in which spelling, and within what
}

// secret is a withheld value, with every way in which bytes could spell it.
type secret struct {
	what  string
	words []string // whole words, letters of either case
	bytes [][]byte // anywhere
	how   []string // of bytes
	texts []text   // anywhere
}

// text is a spelling with variants. One of its hints stands wherever it does.
type text struct {
	hints []string
	is    *regexp.Regexp
}

// secretsOf are the values of a release that no file of its package may hold: names and identifiers of the record, notes of its ledger, and positions,
// probability and rates to more digits than leave.
func secretsOf(rec review.Record, l *lead) []secret {
	var out []secret
	for _, name := range withheld(rec) {
		out = append(out, named("a name of the record", name))
	}
	c := rec.Case.Snapshot
	for _, item := range c.Ledger {
		if utf8.RuneCountInString(item.Note) >= 2*shortestName {
			out = append(out, named("a note of the ledger", item.Note))
		}
	}
	out = append(out, number("the latitude", c.Place.Lat, int(l.grid.lat.digits)), number("the longitude", c.Place.Lon, int(l.grid.lon.digits)), number("the probability", c.Probability, 2))
	out = append(out, notations(c.Place.Lat, c.Place.Lon)...)
	return out
}

// named is a secret of words.
func named(what, name string) secret {
	s := secret{what: what, words: []string{strings.ToLower(name)}}
	put := func(how string, b []byte) {
		if !bytes.Equal(b, []byte(name)) {
			s.bytes, s.how = append(s.bytes, b), append(s.how, how)
		}
	}
	units := utf16.Encode([]rune(name))
	low, high := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		low, high = binary.LittleEndian.AppendUint16(low, u), binary.BigEndian.AppendUint16(high, u)
	}
	put("UTF-16", low)
	put("UTF-16", high)
	put("percent-encoding", []byte(url.QueryEscape(name)))
	put("percent-encoding", []byte(url.PathEscape(name)))
	ascii := strconv.QuoteToASCII(name)
	put("JSON", []byte(ascii[1:len(ascii)-1]))
	if b, err := json.Marshal(name); err == nil {
		put("JSON", b[1:len(b)-1])
	}
	var b bytes.Buffer
	if xml.EscapeText(&b, []byte(name)) == nil {
		put("XML", b.Bytes())
	}
	if len(name) >= 8 { // in base64 a name stands in one of three alignments
		for shift := range 3 {
			e := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), name...))
			from, to := (8*shift+5)/6, (8*(shift+len(name)))/6
			put("base64", []byte(e[from:to]))
		}
		put("hexadecimal", fmt.Appendf(nil, "%x", name))
		put("hexadecimal", fmt.Appendf(nil, "%X", name))
	}
	return s
}

// number is a secret of a number of which so many decimals may leave: more of its digits, or its bits.
func number(what string, v float64, decimals int) secret {
	s := secret{what: what}
	full := strconv.FormatFloat(math.Abs(v), 'f', -1, 64)
	whole, part, _ := strings.Cut(full, ".")
	if len(part) < decimals+2 { // it has no digits of its own
		return s
	}
	s.texts = []text{{[]string{part[:decimals+2]}, regexp.MustCompile(`(^|[^0-9.])0*` + whole + `[.,]` + part[:decimals+2])}}
	for how, b := range map[string][]byte{"bits": binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)), "bits, the first last": binary.BigEndian.AppendUint64(nil, math.Float64bits(v))} {
		s.bytes, s.how = append(s.bytes, b), append(s.how, how)
	}
	return s
}

// notations are a position in degrees, minutes and seconds to a hundredth of a second (0.3 m), and on the military grid to a metre: finer than anything that leaves.
func notations(lat, lon float64) []secret {
	var out []secret
	for i, v := range []float64{math.Abs(lat), math.Abs(lon)} {
		d, m := math.Floor(v), math.Floor(math.Mod(v*60, 60))
		s := math.Floor(math.Mod(v*3600, 60) * 100)
		out = append(out, secret{what: []string{"the latitude", "the longitude"}[i], texts: []text{{
			[]string{fmt.Sprintf("%.0f.%02.0f", math.Floor(s/100), math.Mod(s, 100)), fmt.Sprintf("%.0f,%02.0f", math.Floor(s/100), math.Mod(s, 100))},
			regexp.MustCompile(fmt.Sprintf(`(^|[^0-9.])0*%.0f[^0-9]{1,8}0?%.0f[^0-9]{1,8}0?%.0f[.,]%02.0f`, d, m, math.Floor(s/100), math.Mod(s, 100)))}}})
	}
	if grid := strings.Fields(geodesy.MGRS(geodesy.LatLon{Lat: lat, Lon: lon}, 1)); len(grid) > 1 {
		out = append(out, secret{what: "the position on the military grid", texts: []text{{grid[len(grid)-1:], regexp.MustCompile(`(?i)` + strings.Join(grid, ` ?`))}}})
	}
	return out
}

// The most that is unpacked of one file, and how deep: what is packed deeper or larger is a finding itself.
const (
	mostUnpacked = 64 << 20
	deepest      = 4
)

// leaks looks for secrets in the final bytes of files: as they stand, within archives and compressed streams (zip, gzip, zlib of PDF and PNG), in every spelling.
func leaks(files []File, secrets []secret) []Leak {
	var out []Leak
	words, spelt := newFinder(), newFinder()
	for i := range secrets {
		for _, w := range secrets[i].words {
			words.add([]byte(w), i, "as it is")
		}
		for k, b := range secrets[i].bytes {
			spelt.add(b, i, secrets[i].how[k])
		}
	}
	for _, f := range files {
		left := mostUnpacked
		look(f.Bytes, "", deepest, &left, func(b []byte, within string) {
			found := func(i int, how string) { out = append(out, Leak{f.Name, secrets[i].what, how + within}) }
			fields := bytes.IndexByte(b, 0) >= 0 // fields stand side by side there, without a blank between
			lower := lowered(b)
			words.find(lower, func(p pattern, at int) {
				if len(p.bytes) >= longName && fields || alone(lower, at, len(p.bytes)) {
					found(p.secret, p.how)
				}
			})
			spelt.find(b, func(p pattern, _ int) { found(p.secret, p.how) })
			for i := range secrets {
				for _, t := range secrets[i].texts {
					if slices.ContainsFunc(t.hints, func(h string) bool { return bytes.Contains(b, []byte(h)) }) && t.is.Match(b) {
						found(i, "in digits")
					}
				}
			}
		})
		if left < 0 {
			out = append(out, Leak{f.Name, "what cannot be looked through", "packed too deep or too large"})
		}
	}
	return out
}

// longName is from how many bytes on a name is taken for one wherever it stands in what is no text.
const longName = 8

// alone reports whether the n bytes there are no part of a longer word.
func alone(b []byte, at, n int) bool {
	before, _ := utf8.DecodeLastRune(b[:at])
	after, _ := utf8.DecodeRune(b[at+n:])
	return !wordRune(before) && !wordRune(after)
}

// A finder finds many patterns in one pass: by their first four bytes.
type finder struct {
	may   []bool // by a hash of four bytes: a pattern may begin there
	begin map[uint32][]pattern
}

type pattern struct {
	bytes  []byte
	secret int
	how    string
}

func newFinder() *finder { return &finder{make([]bool, 1<<16), map[uint32][]pattern{}} }

func hashed(four uint32) uint32 { return four * 0x9e3779b1 >> 16 }

// add takes a pattern of at least four bytes; a shorter one says nothing.
func (f *finder) add(b []byte, secret int, how string) {
	if len(b) < 4 {
		return
	}
	four := binary.LittleEndian.Uint32(b)
	f.may[hashed(four)] = true
	f.begin[four] = append(f.begin[four], pattern{b, secret, how})
}

func (f *finder) find(b []byte, found func(p pattern, at int)) {
	for i := 0; i+4 <= len(b); i++ {
		four := binary.LittleEndian.Uint32(b[i:])
		if !f.may[hashed(four)] {
			continue
		}
		for _, p := range f.begin[four] {
			if bytes.HasPrefix(b[i:], p.bytes) {
				found(p, i)
			}
		}
	}
}

// lowered has ASCII letters small, at the same places.
func lowered(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if l := unicode.ToLower(r); utf8.RuneLen(l) == utf8.RuneLen(r) {
			return l
		}
		return r
	}, b)
}

func wordRune(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

var (
	pdfStream = regexp.MustCompile(`stream\r?\n`)
	pngHead   = []byte("\x89PNG\r\n\x1a\n")
)

// look gives bytes, and what is packed within them.
func look(b []byte, within string, depth int, left *int, see func(b []byte, within string)) {
	see(b, within)
	unpack := func(r io.Reader, err error, what string) {
		if err != nil {
			return // no stream of that kind: it was looked at as it stands
		}
		body, _ := io.ReadAll(io.LimitReader(r, int64(max(*left, 0))+1)) // what is broken off is looked at as far as it goes
		if *left -= len(body); depth == 0 {
			*left = -1
		}
		if *left >= 0 && len(body) > 0 {
			look(body, within+" within "+what, depth-1, left, see)
		}
	}
	switch {
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, f := range z.File {
			for _, tells := range []string{f.Name, f.Comment, string(f.Extra)} {
				see([]byte(tells), within+" within the header of an archive")
			}
			r, err := f.Open()
			unpack(r, err, "an archive")
		}
	case bytes.HasPrefix(b, []byte("%PDF")):
		for _, at := range pdfStream.FindAllIndex(b, -1) {
			body := b[at[1]:]
			if end := bytes.Index(body, []byte("endstream")); end >= 0 {
				body = body[:end]
			}
			r, err := zlib.NewReader(bytes.NewReader(body))
			unpack(r, err, "a stream of the page")
		}
	case bytes.HasPrefix(b, pngHead):
		for rest := b[len(pngHead):]; len(rest) >= 12; {
			n := int(binary.BigEndian.Uint32(rest))
			if n < 0 || n > len(rest)-12 {
				return
			}
			chunk := rest[8 : 8+n]
			if kind := string(rest[4:8]); kind == "zTXt" || kind == "iTXt" || kind == "iCCP" || kind == "eXIf" {
				if i := bytes.IndexByte(chunk, 'x'); i >= 0 { // where a zlib stream begins
					r, err := zlib.NewReader(bytes.NewReader(chunk[i:]))
					unpack(r, err, "a chunk of a picture")
				}
			}
			rest = rest[12+n:]
		}
	case bytes.HasPrefix(b, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(bytes.NewReader(b))
		unpack(r, err, "a gzip stream")
	}
	if bytes.Contains(b, []byte(" Tj")) { // text of a page, whose parentheses and strokes are escaped
		see(unescaped(b), within)
	}
}

// unescaped takes the escapes of PDF strings away (ISO 32000-1, 7.3.4.2).
func unescaped(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, b[i])
		}
	}
	return out
}

// sealed refuses a package in which something withheld stands.
func sealed(files []File, secrets []secret) error {
	found := leaks(files, secrets)
	if len(found) == 0 {
		return nil
	}
	return &atalaya.Error{Op: "product", File: found[0].File, Kind: atalaya.Refused, Err: fmt.Errorf("%s stands in it, %s: nothing was written", found[0].What, found[0].How),
		Hint: "Report this as a defect: no field of a package may hold it"}
}
