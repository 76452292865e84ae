package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atalaya-isr/atalaya/sense/report"

	"github.com/atalaya-isr/atalaya/sense/yamlfile"
)

// text recognises what a person could read in an editor.
func (l *look) text() bool {
	if !readable(l.head) {
		return false
	}
	body := bytes.TrimLeft(bytes.TrimPrefix(l.head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(body) == 0:
		l.is(Text, "blank text")
		return true
	case body[0] == '<':
		return l.xml()
	case (body[0] == '{' || body[0] == '[') && l.json():
		return true
	}
	return l.mission() || l.enviText() || l.nmea(body) || l.avr(body) || l.table() || l.prose()
}

// readable reports whether b looks like text: UTF-16 with its mark, UTF-8, or an 8-bit code, with next to no control bytes.
func readable(b []byte) bool {
	if bytes.HasPrefix(b, []byte{0xFF, 0xFE}) || bytes.HasPrefix(b, []byte{0xFE, 0xFF}) {
		return true
	}
	control, high := 0, 0
	for _, c := range b {
		switch {
		case c == 0:
			return false
		case c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1a, c == 0x7f:
			control++
		case c >= 0x80:
			high++
		}
	}
	if !utf8.Valid(b[:wholeRunes(b)]) && high*3 > len(b) { // no 8-bit Western text has a third of its letters accented
		return false
	}
	return control*100 <= len(b)
}

// wholeRunes leaves out a character that the end of the head has cut.
func wholeRunes(b []byte) int {
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; c >= 0xC0 {
			return len(b) - i
		} else if c < 0x80 {
			break
		}
	}
	return len(b)
}

// mission recognises the file that describes a mission folder.
func (l *look) mission() bool {
	if l.name != "mission.yaml" && l.name != "mission.yml" || l.size > 1<<20 {
		return false
	}
	text, err := io.ReadAll(l.all())
	if err != nil {
		return false
	}
	l.is(Mission, "the description of the mission folder")
	var m struct {
		Name     string `yaml:"name"`
		From     string `yaml:"from"`
		To       string `yaml:"to"`
		Marking  string `yaml:"marking"`
		Platform []any  `yaml:"platforms"`
	}
	if err := yamlfile.Decode(text, &m, false); err != nil && !errors.Is(err, io.EOF) {
		l.lost("", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return true
	}
	for k, v := range map[string]string{"name": m.Name, "from": m.From, "to": m.To, "marking": m.Marking} {
		if v != "" {
			l.Summary[k] = clean(v)
		}
	}
	return true
}

// nmeaLine is one sentence of NMEA 0183, with the tag block that receivers put before it.
var nmeaLine = regexp.MustCompile(`^(?:\\[^\\]{0,200}\\)?[!$]([A-Z]{2,5}[A-Z0-9]{0,3}),([^*\r\n]*)\*([0-9A-Fa-f]{2})\s*$`)

func (l *look) nmea(body []byte) bool {
	good := 0
	for i, line := range bytes.SplitN(body, []byte("\n"), 6) {
		if i < 5 && nmeaLine.Match(bytes.TrimSpace(line)) {
			good++
		}
	}
	if good == 0 {
		return false
	}
	l.is(NMEA, "NMEA 0183 sentences, not decoded yet")
	sentences, bad, badSums := 0, 0, 0
	kinds := map[string]int{}
	err := eachLine(l.all(), func(n int, line []byte) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			return
		}
		m := nmeaLine.FindSubmatch(line)
		if m == nil {
			if bad++; bad <= 20 {
				l.lost(fmt.Sprintf("line %d", n), "no NMEA sentence: %.40q", line)
			}
			return
		}
		sentences++
		if len(kinds) < 100 {
			kinds[string(m[1])]++
		}
		from := bytes.IndexAny(line, "!$") + 1
		sum := byte(0)
		for _, c := range line[from:bytes.LastIndexByte(line, '*')] {
			sum ^= c
		}
		if want, err := strconv.ParseUint(string(m[3]), 16, 8); err != nil || byte(want) != sum {
			if badSums++; badSums <= 20 {
				l.lost(fmt.Sprintf("line %d", n), "checksum %s where the sentence gives %02X", m[3], sum)
			}
		}
	})
	if err != nil {
		l.lost("", "cannot be read to its end: %v", err)
	}
	l.Summary["sentences"], l.Summary["kinds"], l.Summary["unreadable_lines"], l.Summary["wrong_checksums"] = sentences, kinds, bad, badSums
	return true
}

// avrLine is one Mode S message as text: *hex; or, with a time, @hex;
var avrLine = regexp.MustCompile(`^(?:\*|@[0-9A-Fa-f]{12})(?:[0-9A-Fa-f]{4}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{28});$`)

func (l *look) avr(body []byte) bool {
	if first, _, _ := bytes.Cut(body, []byte("\n")); !avrLine.Match(bytes.TrimSpace(first)) {
		return false
	}
	l.is(ModeS, "Mode S messages (text form), not decoded yet")
	messages, bad := 0, 0
	err := eachLine(l.all(), func(n int, line []byte) {
		switch line = bytes.TrimSpace(line); {
		case len(line) == 0:
		case avrLine.Match(line):
			messages++
		default:
			if bad++; bad <= 20 {
				l.lost(fmt.Sprintf("line %d", n), "no Mode S message: %.40q", line)
			}
		}
	})
	if err != nil {
		l.lost("", "cannot be read to its end: %v", err)
	}
	l.Summary["messages"], l.Summary["unreadable_lines"] = messages, bad
	return true
}

// eachLine calls f for each line; of a line longer than 64 KB only the beginning is given.
func eachLine(r io.Reader, f func(n int, line []byte)) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for n, rest := 1, false; ; {
		line, err := in.ReadSlice('\n')
		if !rest && len(line) > 0 {
			f(n, line)
		}
		rest = errors.Is(err, bufio.ErrBufferFull)
		if !rest {
			n++
		}
		if err != nil && !rest {
			if err == io.EOF {
				err = nil
			}
			return err
		}
	}
}

// prose takes what is left as a text, and reads it as a report where it is short enough for one.
func (l *look) prose() bool {
	l.is(Text, "text")
	if e := strings.ToLower(path.Ext(l.name)); e != "" {
		l.Summary["ending"] = clean(e)
	}
	if l.size > report.MaxBytes || bytes.HasPrefix(l.head, []byte{0xFF, 0xFE}) || bytes.HasPrefix(l.head, []byte{0xFE, 0xFF}) {
		return true
	}
	r, err := report.Read(l.all(), l.name)
	if err != nil {
		l.failed(err)
		return true
	}
	l.Summary["encoding"] = r.Encoding
	l.Summary["language"] = r.Language
	l.Summary["coordinates"] = len(r.Coordinates)
	if r.Header != nil {
		l.Summary["report"] = true
		l.Summary["grade"] = r.Grade
	}
	for _, p := range r.Problems {
		l.note(p.At, "%s", p.What)
	}
	return true
}
