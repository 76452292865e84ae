package intake

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya/sense/cot"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// takFrame recognises protobuf events by the frame of the TAK protocol, version 1, and by one in the head that can be read, or by the first if it is
// larger than the head.
func (l *look) takFrame() bool {
	xml := (l.hasPrefix("<?xml") || l.hasPrefix("<event")) && !readable(l.head) // a feed that changed from XML to frames
	if len(l.head) < 4 || l.head[0] != 0xbf && !xml {
		return false
	}
	r := cot.NewReader(bytes.NewReader(l.head), "")
	for {
		it, err := r.Next()
		if err == nil && it.Problem == nil || r.Controls > 0 {
			l.cot()
			return true
		}
		if err != nil {
			break
		}
	}
	if l.size == int64(len(l.head)) {
		return false
	}
	if it, err := cot.NewReader(io.NewSectionReader(l.r, 0, min(l.size, cot.MaxEvent+16)), "").Next(); err != nil || it.Problem != nil {
		return false
	}
	l.cot()
	return true
}

// cot reads Cursor on Target events, in any form, to the end of the file.
func (l *look) cot() {
	l.is(CoT, "Cursor on Target")
	r := cot.NewReader(io.NewSectionReader(l.r, 0, min(l.size, maxTextBytes)), "")
	forms, events := map[cot.Form]int{}, 0
	for {
		it, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			l.failed(err)
			break
		}
		if it.Problem != nil {
			if l.size <= maxTextBytes || it.At < maxTextBytes-cot.MaxEvent { // else it may break off only because no more is looked at
				l.failed(it.Problem)
			}
			continue
		}
		if events++; events == 1 {
			l.Summary["type"] = clean(it.Event.Type)
		}
		forms[it.Form]++
	}
	l.Summary["events"] = events
	for form, name := range map[cot.Form]string{cot.XML: "xml", cot.Mesh: "datagrams", cot.Stream: "frames"} {
		if forms[form] > 0 {
			l.Summary[name] = forms[form]
		}
	}
	if r.Controls > 0 {
		l.Summary["control_messages"] = r.Controls
	}
	if l.size > maxTextBytes {
		l.Summary["looked_through_bytes"] = maxTextBytes
	}
}

// nitf reads the fields of the file header that say how long it is (MIL-STD-2500C table A-1; NITF 2.0 has FL at the same
// offset unless it carries a downgrade event).
func (l *look) nitf() {
	version := field(l.head, 0, 9)
	l.is(NITF, "%s image file, not decoded yet", version)
	if len(l.head) < 363 {
		l.lost(fmt.Sprintf("byte 0x%x", len(l.head)), "the file header breaks off: %d bytes where at least 363 are due", len(l.head))
		return
	}
	l.Summary["title"] = clean(strings.TrimSpace(field(l.head, 39, 80)))
	at := 342
	if strings.HasPrefix(version, "NITF02.00") && field(l.head, 280, 6) == "999998" {
		at += 40
	}
	length, err := strconv.ParseInt(field(l.head, at, 12), 10, 64)
	if err != nil {
		l.lost(fmt.Sprintf("byte 0x%x", at), "the file length %q is not a number", clean(field(l.head, at, 12)))
		return
	}
	if n, err := strconv.Atoi(field(l.head, at+18, 3)); err == nil {
		l.Summary["images"] = n
	}
	switch {
	case length == 999999999999: // streamed: the length was not known when the header was written
	case length > l.size:
		l.lost(fmt.Sprintf("byte 0x%x", l.size), "cut short: the header says %d bytes, %d are there", length, l.size)
	case length < l.size:
		l.note(fmt.Sprintf("byte 0x%x", length), "%d bytes after the end that the header gives", l.size-length)
	}
}

func field(b []byte, at, n int) string {
	if at+n > len(b) {
		return ""
	}
	return string(b[at : at+n])
}

// sqlite tells a GeoPackage from other SQLite files by its application id, or by the table that every GeoPackage has.
func (l *look) sqlite() {
	if len(l.head) < 100 {
		l.lost("", "a database header of %d bytes where 100 are due", len(l.head))
		return
	}
	id := string(l.head[68:72])
	if id != "GPKG" && id != "GP10" && id != "GP11" && !bytes.Contains(l.head, []byte("gpkg_contents")) {
		l.unknown()
		l.Summary["what"] = "SQLite database that is no GeoPackage"
		return
	}
	l.is(GeoPackage, "GeoPackage, not decoded yet")
	page := int64(binary.BigEndian.Uint16(l.head[16:]))
	if page == 1 {
		page = 65536
	}
	if want := page * int64(binary.BigEndian.Uint32(l.head[28:])); want > l.size {
		l.lost(fmt.Sprintf("byte 0x%x", l.size), "cut short: the database has %d bytes, %d are there", want, l.size)
	}
}

// tiff reads the first directory (TIFF 6.0 section 2; BigTIFF) and looks for the tags that put a picture on the Earth
// (OGC 19-008r4, GeoTIFF 1.1, section 7).
func (l *look) tiff() {
	var order binary.ByteOrder = binary.LittleEndian
	if l.head[0] == 'M' {
		order = binary.BigEndian
	}
	big := l.head[2] == '+' || l.head[3] == '+'
	l.is(Image, "TIFF picture without a place on the Earth")
	at, entry, count := int64(0), int64(12), uint64(0)
	b := make([]byte, 16)
	read := func(at int64, n int) bool {
		_, err := l.r.ReadAt(b[:n], at)
		return at > 0 && at < l.size && err == nil
	}
	ok := false
	if big {
		if ok = read(8, 8); ok {
			at, entry = int64(order.Uint64(b)), 20
			ok = read(at, 8)
			count = order.Uint64(b)
			at += 8
		}
	} else if ok = read(4, 4); ok {
		at = int64(order.Uint32(b))
		ok = read(at, 2)
		count = uint64(order.Uint16(b))
		at += 2
	}
	if !ok || count == 0 || count > 4096 {
		l.lost(fmt.Sprintf("byte 0x%x", at), "the first directory of the picture cannot be read")
		return
	}
	for i := range int64(count) {
		if !read(at+i*entry, 12) {
			l.lost(fmt.Sprintf("byte 0x%x", at+i*entry), "the first directory of the picture breaks off")
			return
		}
		value := uint32(order.Uint16(b[8:]))
		if order.Uint16(b[2:]) == 4 {
			value = order.Uint32(b[8:])
		}
		switch order.Uint16(b) {
		case 256:
			if !big {
				l.Summary["width"] = value
			}
		case 257:
			if !big {
				l.Summary["height"] = value
			}
		case 33550, 33922, 34264, 34735:
			l.is(GeoTIFF, "GeoTIFF, not decoded yet")
		}
	}
}

// zip tells a KMZ from other archives. Nothing is written anywhere, and of the one KML that a KMZ shows no more than
// maxTextBytes are ever unpacked.
func (l *look) zip() {
	l.is(Archive, "ZIP archive")
	named := strings.EqualFold(path.Ext(l.name), ".kmz")
	if named {
		l.is(KMZ, "KMZ archive")
	}
	if n := zipDirectory(l.all()); n > maxZipDirectory {
		l.lost("", "a directory of %d bytes; archives with more than %d are not opened", n, maxZipDirectory)
		return
	}
	z, err := zip.NewReader(l.r, l.size)
	if err != nil {
		l.lost("", "the archive's directory cannot be read: %v", err)
		return
	}
	l.Summary["entries"] = len(z.File)
	var shown *zip.File
	kmls := 0
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "/") || strings.Contains(f.Name, "..") || strings.Contains(f.Name, `\`) {
			l.note(clean("entry "+f.Name), "the name leads out of the archive's own folder")
		}
		if strings.EqualFold(path.Ext(f.Name), ".kml") {
			kmls++
			if shown == nil { // the first one is the one that is shown: OGC 12-007r2 annex C
				shown = f
			}
		}
	}
	if shown == nil {
		if named {
			l.lost("", "a KMZ without any KML in it")
		}
		return
	}
	l.is(KMZ, "KMZ archive")
	l.Summary["kml"] = clean(shown.Name)
	if kmls > 1 {
		l.note("", "%d KML files; the first, %s, is the one that is shown", kmls, clean(shown.Name))
	}
	entry := clean("entry " + shown.Name)
	if shown.UncompressedSize64 > maxTextBytes {
		l.lost(entry, "claims %d bytes unpacked; more than %d are not unpacked", shown.UncompressedSize64, maxTextBytes)
		return
	}
	in, err := shown.Open()
	if err != nil {
		l.lost(entry, "cannot be unpacked: %v", err)
		return
	}
	defer in.Close()
	x := scanXML(in)
	switch {
	case x.err != nil:
		l.lost(entry+", "+x.at, "%v", x.err)
	case kmlElements[x.root]:
		l.note(entry, "a bare %s where the root element should be kml", x.root)
	case x.root != "kml":
		l.lost(entry, "not KML: its root element is %q", clean(x.root))
	}
	l.Summary["placemarks"] = x.count["Placemark"]
	x.entities(l, entry)
}

// kmlElements are the elements that older programs wrote as the root of a document.
var kmlElements = map[string]bool{"Document": true, "Folder": true, "Placemark": true, "NetworkLink": true, "GroundOverlay": true}

// zipDirectory is the size in bytes of the directory that the end record claims, 0 when there is no such record within the
// last 64 KB.
func zipDirectory(r *io.SectionReader) uint32 {
	tail := make([]byte, min(r.Size(), 65557))
	if _, err := r.ReadAt(tail, r.Size()-int64(len(tail))); err != nil && err != io.EOF {
		return 0
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || i+22 > len(tail) {
		return 0
	}
	return binary.LittleEndian.Uint32(tail[i+12:])
}

// metadataTail is how every key of the local sets that are read here ends, save for the standard's own bytes.
var metadataTail = []byte{0x0B, 0x01, 0x01, 0x0E, 0x01, 0x03}

// klv recognises raw metadata: a key of SMPTE 336 at the start, whole or with its first bytes lost.
func (l *look) klv() bool {
	if !l.hasPrefix("\x06\x0e\x2b\x34") {
		if i := bytes.Index(l.head[:min(len(l.head), 64)], metadataTail); i < 0 || i > 10 {
			return false
		}
	}
	l.is(KLV, "metadata packets without video")
	l.metadata()
	return true
}

// innerPlace is a place that a packet's problem repeats; the place in the file is told beside it.
var innerPlace = regexp.MustCompile(`^byte \d+: `)

func (l *look) mpegts() bool {
	if !mpegts.Looks(l.head[:min(len(l.head), 1024)]) {
		return false
	}
	l.is(MPEGTS, "MPEG transport stream")
	v := l.metadata()
	l.Summary["streams"] = v.Streams()
	return true
}

// metadata counts the packets of a file, with their standards, times and checksums.
func (l *look) metadata() *video.Reader {
	v := video.NewReader(l.all())
	var packets, stale int
	var first, last time.Time
	standards := map[string]int{}
	for {
		p, err := v.Next()
		if err != nil {
			if packets == 0 && errors.Is(err, video.ErrNoMetadata) && slices.ContainsFunc(v.Streams(), mpegts.Stream.IsVideo) {
				l.Summary["what"] = "MPEG transport stream, pictures without metadata"
				l.passed(err) // a film is whole without them
			} else if packets == 0 {
				l.failed(err)
			} else if !errors.Is(err, io.EOF) {
				l.failed(err)
			}
			break
		}
		packets++
		if p.Set.Standard != nil {
			standards[p.Set.Standard.Name]++
		} else {
			standards["unknown"]++
		}
		if t, ok := p.Time(); ok {
			if first.IsZero() || t.Before(first) {
				first = t
			}
			if t.After(last) {
				last = t
			}
		}
		at := fmt.Sprintf("byte 0x%x", p.Offset)
		if p.Set.Checksum == klv.Stale {
			stale++
			l.lost(at, "packet %d: the checksum is not that of the bytes", packets)
		}
		for _, q := range p.Problems {
			if strings.Contains(q.What, "checksum") {
				continue // said above
			}
			l.note(fmt.Sprintf("byte 0x%x", q.At), "packet %d: %s", packets, innerPlace.ReplaceAllString(q.What, ""))
			l.Partial = l.Partial || strings.Contains(q.What, "cut short") || strings.Contains(q.What, "truncated")
		}
	}
	list, dropped := v.Problems()
	for _, q := range list {
		l.lost(fmt.Sprintf("byte 0x%x", q.At), "%s", q.What)
	}
	l.more += dropped
	l.Summary["packets"], l.Summary["checksums_stale"], l.Summary["sets"] = packets, stale, standards
	if !first.IsZero() {
		l.Summary["from"], l.Summary["to"] = first, last
	}
	return v
}

// stanag4607 follows the chain of packets: each header of 32 bytes gives the size of its packet (AEDP-4607 section 3.1).
func (l *look) stanag4607() bool {
	h := l.head
	if len(h) < 32 || h[0] < '1' || h[0] > '9' || h[1] < '0' || h[1] > '9' || h[8] < 1 || h[8] > 5 {
		return false
	}
	size := int64(binary.BigEndian.Uint32(h[2:]))
	if size < 32 || size > l.size && l.size > 1<<20 || !letters(h[6:8]) || !letters(h[9:11]) {
		return false
	}
	l.is(STANAG4607, "STANAG 4607 radar file, not decoded yet")
	l.Summary["edition"] = string(h[:1]) + "." + string(h[1:2])
	packets, at := 0, int64(0)
	simulated := false
	for at < l.size && packets < 1<<20 {
		var b [32]byte
		if n, _ := l.r.ReadAt(b[:], at); n < 32 {
			l.lost(fmt.Sprintf("byte 0x%x", at), "cut short: %d bytes where a packet header has 32", n)
			break
		}
		size := int64(binary.BigEndian.Uint32(b[2:]))
		if size < 32 || at+size > l.size {
			l.lost(fmt.Sprintf("byte 0x%x", at), "packet %d claims %d bytes, %d are there", packets+1, size, l.size-at)
			break
		}
		simulated = simulated || b[13] >= 128
		packets++
		at += size
	}
	l.Summary["packets"], l.Summary["simulated_or_exercise"] = packets, simulated
	return true
}

// letters reports whether b is a code of letters, padded by blanks or zeros.
func letters(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != ' ' && c != 0 {
			return false
		}
	}
	return true
}

// beast recognises the binary form of Mode S receivers: escape 0x1a, a type, six bytes of time, signal, and the message.
func (l *look) beast() bool {
	sizes := map[byte]int{'1': 2, '2': 7, '3': 14}
	at, frames := 0, 0
	for at+2 < len(l.head) && frames < 4 {
		n, ok := sizes[l.head[at+1]]
		if l.head[at] != 0x1a || !ok {
			return false
		}
		at += 2
		for left := 7 + n; left > 0 && at < len(l.head); left-- {
			if l.head[at] == 0x1a { // doubled inside a message
				at++
			}
			at++
		}
		frames++
	}
	if frames < 2 {
		return false
	}
	l.is(ModeS, "Mode S messages (Beast form), not decoded yet")
	return true
}

// multiply gives the product of positive numbers, and false when it passes 1<<62.
func multiply(vs ...int64) (int64, bool) {
	p := int64(1)
	for _, v := range vs {
		if v < 0 || v > 0 && p > math.MaxInt64/2/v {
			return 0, false
		}
		p *= v
	}
	return p, true
}
