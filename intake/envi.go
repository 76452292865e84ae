package intake

import (
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// enviEndings are the endings of the data file of an ENVI pair; "" is a name without any.
var enviEndings = [...]string{".img", ".dat", ".bsq", ".bil", ".bip", ".raw", ".bin", ".sli", ".lut", ""}

// maxHeader bounds an ENVI header: 31,800 wavelengths take 0.4 MB.
const maxHeader = 16 << 20

// enviHeader is what an ENVI header says of its data file.
type enviHeader struct {
	fields map[string]string // keys in lower case with single blanks
	file   string
}

func (h *enviHeader) number(key string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.fields[key]), 10, 64)
	return n, err == nil
}

// parseENVI reads "key = value" lines; a value in braces may span lines.
func parseENVI(text string) *enviHeader {
	h := &enviHeader{fields: map[string]string{}}
	_, rest, _ := strings.Cut(text, "\n")
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if strings.HasPrefix(strings.TrimSpace(line), ";") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		if strings.HasPrefix(value, "{") && !strings.Contains(value, "}") {
			var more string
			more, rest, _ = strings.Cut(rest, "}")
			_, rest, _ = strings.Cut(rest, "\n")
			value += "\n" + more + "}"
		}
		h.fields[strings.Join(strings.Fields(strings.ToLower(key)), " ")] = value
	}
	return h
}

// typeBytes is the size of a sample by the header's "data type".
var typeBytes = map[int64]int64{1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 9: 16, 12: 2, 13: 4, 14: 8, 15: 8}

// want is the size in bytes of the data file.
func (h *enviHeader) want() (int64, bool) {
	samples, ok1 := h.number("samples")
	lines, ok2 := h.number("lines")
	bands, ok3 := h.number("bands")
	kind, ok4 := h.number("data type")
	offset, _ := h.number("header offset")
	each, ok5 := typeBytes[kind]
	p, ok6 := multiply(samples, lines, bands, each)
	return p + max(offset, 0), ok1 && ok2 && ok3 && ok4 && ok5 && ok6
}

func (h *enviHeader) describe(l *look) {
	if strings.EqualFold(h.fields["file type"], "ENVI Spectral Library") {
		l.is(SpectraTable, "ENVI spectral library")
	} else {
		l.is(ENVICube, "ENVI image cube")
	}
	for _, k := range []string{"samples", "lines", "bands"} {
		if n, ok := h.number(k); ok {
			l.Summary[k] = n
		} else {
			l.lost("header, "+k, "missing or not a number")
		}
	}
	kind, _ := h.number("data type")
	switch {
	case kind == 6 || kind == 9:
		l.lost("header, data type", "complex samples (type %d) are not read", kind)
	case typeBytes[kind] == 0:
		l.lost("header, data type", "%q is no ENVI data type", h.fields["data type"])
	}
	l.Summary["interleave"] = strings.ToLower(h.fields["interleave"])
	bands, _ := h.number("bands")
	if w := h.fields["wavelength"]; w != "" && l.Kind == ENVICube {
		n := int64(strings.Count(w, ",") + 1)
		if strings.HasSuffix(strings.Join(strings.Fields(w), ""), ",}") {
			n--
		}
		if n != bands {
			l.lost("header, wavelength", "%d wavelengths for %d bands", n, bands)
		}
	}
}

// compare holds the size of the data file against the header.
func (h *enviHeader) compare(l *look, file string, size int64) {
	want, ok := h.want()
	switch {
	case !ok: // said by describe
	case size < want:
		l.lost("byte 0x"+strconv.FormatInt(size, 16), "%s is cut short: %d bytes where its header says %d", file, size, want)
	case size > want:
		l.note("byte 0x"+strconv.FormatInt(want, 16), "%s has %d bytes more than its header says", file, size-want)
	}
}

// enviText recognises an ENVI header and looks for its data file.
func (l *look) enviText() bool {
	first, _, _ := strings.Cut(string(l.head[:min(len(l.head), 64)]), "\n")
	if strings.TrimSpace(strings.TrimPrefix(first, "\ufeff")) != "ENVI" {
		return false
	}
	text, err := io.ReadAll(io.LimitReader(l.all(), maxHeader))
	if err != nil {
		l.is(ENVICube, "ENVI header")
		l.lost("", "cannot be read: %v", err)
		return true
	}
	h := parseENVI(string(text))
	h.describe(l)
	l.Summary["part"] = "header"
	if l.beside == nil {
		return true
	}
	stem := strings.TrimSuffix(l.name, path.Ext(l.name))
	for _, e := range enviEndings {
		if st, err := fs.Stat(l.beside, stem+e); err == nil && st.Mode().IsRegular() && stem+e != l.name {
			l.Summary["data"] = stem + e
			h.compare(l, stem+e, st.Size())
			return true
		}
	}
	l.lost("", "no data file beside the header: %s with one of the endings .img .dat .bsq .bil .bip .raw .bin .sli .lut or none", stem)
	return true
}

// enviBinary recognises a data file by the ENVI header beside it.
func (l *look) enviBinary() bool {
	ext := path.Ext(l.name)
	known := false
	for _, e := range enviEndings {
		known = known || strings.EqualFold(ext, e)
	}
	if l.beside == nil || !known {
		return false
	}
	for _, name := range []string{strings.TrimSuffix(l.name, ext) + ".hdr", l.name + ".hdr"} {
		text := readBeside(l.beside, name)
		if !strings.HasPrefix(text, "ENVI") {
			continue
		}
		h := parseENVI(text)
		h.describe(l)
		l.Summary["part"], l.Summary["header"] = "data", name
		h.compare(l, l.name, l.size)
		return true
	}
	return false
}

// readBeside reads a header beside the file, "" when there is none. What is no regular file is not opened: a pipe would block.
func readBeside(beside fs.FS, name string) string {
	st, err := fs.Stat(beside, name)
	if err != nil || !st.Mode().IsRegular() {
		return ""
	}
	f, err := beside.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHeader))
	if err != nil {
		return ""
	}
	return string(text)
}
