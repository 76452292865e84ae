package check

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// A Place is where in a file something is.
type Place struct {
	At     int64    `json:"at"`     // byte of the file; in a transport stream, of the transport packet
	PTS    *float64 `json:"pts_s"`  // seconds; null where the file has none before it
	Packet int64    `json:"packet"` // number of the transport packet, or of the KLV packet in a raw file, counted from 1
}

// A Finding is one fault, or many of one class about one thing, gathered.
type Finding struct {
	Class    string   `json:"class"`
	Severity Severity `json:"severity"`
	Standard string   `json:"standard"`
	Item     string   `json:"item"`            // clause, requirement or item of the standard
	About    string   `json:"about,omitempty"` // the item, requirement or table that it is about
	PID      *uint16  `json:"pid"`             // null in raw KLV, and of what belongs to no PID
	Place             // the first
	Last     Place    `json:"last"`
	Count    int64    `json:"count"`
	What     string   `json:"what"` // of the first
	Expected string   `json:"expected"`
	Remedy   string   `json:"remedy"`
}

// A Stream is one elementary stream of the file with its metadata.
type Stream struct {
	mpegts.Stream
	Sets    map[string]int64 `json:"sets,omitempty"` // metadata packets by standard
	Version *int64           `json:"version,omitempty"`
	From    string           `json:"from,omitempty"` // first and last time of the metadata, RFC 3339
	To      string           `json:"to,omitempty"`
	RateHz  float64          `json:"rate_hz,omitempty"` // metadata packets a second
}

// A Report is what was found, worst first and then in the order of the file.
type Report struct {
	Schema    string    `json:"schema"` // atalaya.check/1
	File      string    `json:"file"`
	Profile   string    `json:"profile"`
	Container string    `json:"container"` // "mpegts" or "klv"
	Bytes     int64     `json:"bytes"`
	Packets   int64     `json:"packets"` // transport packets; KLV packets of a raw file
	Streams   []Stream  `json:"streams"`
	Findings  []Finding `json:"findings"`
	Errors    int       `json:"errors"` // findings of each severity
	Warnings  int       `json:"warnings"`
	Notes     int       `json:"notes"`
	Verdict   string    `json:"verdict"` // "conformant", "conformant with warnings", "not conformant"
	// Unread says that some of the file was not understood, and so not checked.
	Unread bool `json:"unread"`
}

// maxFindings bounds a report, and maxAbout the things that one class of one PID is told about apart: beyond, they are gathered.
const (
	maxFindings = 1000
	maxAbout    = 40
)

type findingKey struct {
	class code
	pid   int32 // noPID for none
	about string
}

const noPID = -1

// place is where something was met, before it is known which packet and which time that is.
type place struct {
	at     int64
	pts    float64
	hasPTS bool
	packet int64 // 0: to be counted from at
}

type gathered struct {
	first, last place
	count       int64
	what        string
}

// book gathers findings.
type book struct {
	found map[findingKey]*gathered
	about map[findingKey]int // how many things a class of a PID was told about
}

func newBook() *book { return &book{map[findingKey]*gathered{}, map[findingKey]int{}} }

// tell notes a fault. What is written of the first one alone, so that a fault in every packet costs little.
func (b *book) tell(c code, pid int32, about string, at place, format string, args ...any) {
	k := findingKey{c, pid, about}
	g := b.found[k]
	if g == nil {
		k = b.room(k)
		g = b.found[k]
	}
	if g == nil {
		g = &gathered{first: at, what: fmt.Sprintf(format, args...)}
		b.found[k] = g
	}
	g.last = at
	g.count++
}

// room is the key itself while there is room for another, else that of the rest.
func (b *book) room(k findingKey) findingKey {
	of := findingKey{k.class, k.pid, ""}
	if b.about[of] >= maxAbout {
		k.about = "others"
	}
	if len(b.found) >= maxFindings {
		k.pid, k.about = noPID, "others"
	}
	if b.found[k] == nil {
		b.about[of]++
	}
	return k
}

// findings are those gathered, by a profile.
func (b *book) findings(p *Profile, where func(place) Place) (out []Finding) {
	for k, g := range b.found {
		c := &classes[k.class]
		f := Finding{Class: c.Name, Severity: p.weighs(k.class), Standard: c.Standard, Item: c.Item, About: k.about, Place: where(g.first), Last: where(g.last),
			Count: g.count, What: g.what, Expected: c.expected(), Remedy: c.Remedy}
		if k.pid != noPID {
			pid := uint16(k.pid)
			f.PID = &pid
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(y.Severity, x.Severity), cmp.Compare(x.At, y.At), cmp.Compare(x.Class, y.Class), cmp.Compare(x.About, y.About), cmp.Compare(pidOf(x), pidOf(y)))
	})
	return out
}

func pidOf(f Finding) int {
	if f.PID == nil {
		return noPID
	}
	return int(*f.PID)
}

// judge counts the findings and gives the verdict.
func (r *Report) judge() {
	for i := range r.Findings {
		switch r.Findings[i].Severity {
		case Error:
			r.Errors++
		case Warning:
			r.Warnings++
		default:
			r.Notes++
		}
	}
	r.Unread = len(r.Unreadable()) > 0
	switch {
	case r.Errors > 0:
		r.Verdict = "not conformant"
	case r.Warnings > 0:
		r.Verdict = "conformant with warnings"
	default:
		r.Verdict = "conformant"
	}
}

// Unreadable are the findings by which some of the file was not understood.
func (r *Report) Unreadable() (out []Finding) {
	for _, f := range r.Findings {
		if slices.ContainsFunc(classes[:], func(c Class) bool { return c.Name == f.Class && c.Unreadable }) {
			out = append(out, f)
		}
	}
	return out
}

// WriteTable writes the report for eyes: the streams, and each finding with what to do about it.
func (r *Report) WriteTable(w io.Writer) error {
	var rows strings.Builder
	t := tabwriter.NewWriter(&rows, 0, 8, 2, ' ', 0)
	for i := range r.Streams {
		fmt.Fprintln(t, r.Streams[i].row())
	}
	_ = t.Flush() // a Builder takes all
	for row := range strings.Lines(rows.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(row, " \n")); err != nil {
			return err
		}
	}
	for i := range r.Findings {
		if r.first(i) {
			if _, err := io.WriteString(w, r.text(i)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "\n%s: %d errors, %d warnings, %d notes (profile %s)\n", r.Verdict, r.Errors, r.Warnings, r.Notes, r.Profile)
	return err
}

func (s *Stream) row() string {
	var sets []string
	for name, n := range s.Sets {
		sets = append(sets, fmt.Sprintf("%d of ST %s", n, name))
	}
	slices.Sort(sets)
	pid := "raw"
	if s.PID != 0 {
		pid = fmt.Sprintf("PID 0x%x", s.PID)
	}
	codec := cmp.Or(s.Codec, "unknown")
	size := ""
	if s.Width > 0 {
		size = fmt.Sprintf("%dx%d", s.Width, s.Height)
	}
	return strings.Join([]string{pid, codec, size, strings.Join(sets, ", "), strings.TrimSuffix(s.From+" to "+s.To, " to ")}, "\t")
}

// String is the finding on one line, without what to do about it.
func (f Finding) String() string {
	s := fmt.Sprintf("%s %s: %s (%s, %s); %s", f.Severity, f.Class, f.What, f.Standard, f.Item, f.Place)
	if f.About != "" {
		s += "; " + f.About
	}
	return s
}

// first says that a finding is the first of its class.
func (r *Report) first(i int) bool {
	return !slices.ContainsFunc(r.Findings[:i], func(f Finding) bool { return f.Class == r.Findings[i].Class })
}

// text is a class of findings, of which i is the first, in a few lines.
func (r *Report) text(i int) string {
	var b strings.Builder
	of := &r.Findings[i]
	fmt.Fprintf(&b, "\n%-7s %s (%s, %s)\n", of.Severity, of.Class, of.Standard, of.Item)
	for _, f := range r.Findings[i:] {
		if f.Class != of.Class {
			continue
		}
		b.WriteString("        ")
		if f.About != "" {
			b.WriteString(f.About + ": ")
		}
		fmt.Fprintf(&b, "%s; %s", f.What, f.Place)
		if f.Count > 1 {
			fmt.Fprintf(&b, "; %d times, the last at %s", f.Count, f.Last)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "        expected: %s\n        %s\n", of.Expected, of.Remedy)
	return b.String()
}

// String is the place on one line.
func (p Place) String() string {
	s := fmt.Sprintf("byte %d, packet %d", p.At, p.Packet)
	if p.PTS != nil {
		s += fmt.Sprintf(", PTS %.3f s", *p.PTS)
	}
	return s
}
