package video

import (
	"fmt"
	"io"
	"time"

	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// A Track is what one video file says about its flight, thinned to what a map and a count of looked-at ground need.
type Track struct {
	Container string          `json:"container"`
	Streams   []mpegts.Stream `json:"streams,omitempty"`
	Names
	Sets    Counts `json:"sets"`
	Packets int64  `json:"packets"`
	Stale   int64  `json:"stale_checksums"`
	// From and To are the first and last time that a packet names, zero when none does.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Datum is that of the first sensor height, "" when there is none.
	Datum Datum `json:"height_datum,omitempty"`
	// Looks are at most MaxLooks, in the order of the file.
	Looks []Look `json:"-"`
	// Problems are at most a thousand; Dropped counts those beyond.
	Problems []Problem `json:"problems"`
	Dropped  int       `json:"problems_dropped,omitempty"`
}

// Names are what metadata call the flight and who looks, each the first that came.
type Names struct {
	// Mission, Tail, Platform and Sensor are items 3, 4, 10 and 11 of ST 0601, or their twins of the universal set (EG 0104).
	Mission  string `json:"mission,omitempty"`
	Tail     string `json:"tail,omitempty"`
	Platform string `json:"platform,omitempty"`
	Sensor   string `json:"sensor,omitempty"`
	// Classification is that of the embedded security set (ST 0102 item 1), "" when none is named.
	Classification string `json:"classification,omitempty"`
}

// Take keeps what a set names and no set before it named.
func (n *Names) Take(s *klv.Set) {
	if s.Standard != klv.ST0601 && s.Standard != klv.EG0104 {
		return
	}
	for i := range s.Items {
		it := &s.Items[i]
		if it.Row == nil {
			continue
		}
		tag := it.Tag
		if it.Row.Twin != 0 {
			tag = it.Row.Twin
		}
		var name *string
		switch tag {
		case 3:
			name = &n.Mission
		case 4:
			name = &n.Tail
		case 10:
			name = &n.Platform
		case 11:
			name = &n.Sensor
		case 48:
			if security, ok := it.Nested(); ok && n.Classification == "" {
				n.Classification = security.Text(1)
			}
			continue
		default:
			continue
		}
		if *name == "" {
			*name = it.Text()
		}
	}
}

// Counts of packets by the standard of their set.
type Counts struct {
	ST0601  int64 `json:"0601"`
	EG0104  int64 `json:"0104"`
	Unknown int64 `json:"other"`
}

// MaxLooks bounds a track: four hours at one look every 3.5 s.
const MaxLooks = 4096

// A Footprint is ground that was looked at: the picture's corners, and when.
type Footprint struct {
	Time    time.Time
	HasTime bool
	Ring    [4]geodesy.LatLon
}

// Footprints are the ground that the track's looks saw.
func (t *Track) Footprints() (out []Footprint) {
	for _, l := range t.Looks {
		if l.How != "" {
			out = append(out, Footprint{l.Time, l.HasTime, l.Corners})
		}
	}
	return out
}

// ReadTrack reads a file to its end. Damage is told in the track's problems; an error means that there is nothing to tell, or
// that r could not be read.
func ReadTrack(r io.Reader, s Sigmas) (Track, error) {
	reader := NewReader(r)
	t := Track{Container: reader.Container(), Problems: []Problem{}}
	thin := thinner{every: 1}
	err := ReadLooks(reader, s, func(p *Packet, l *Look) error {
		t.count(p, l)
		thin.offer(l)
		return nil
	})
	t.Streams = reader.Streams()
	list, dropped := reader.Problems()
	t.Dropped += dropped
	t.add(list)
	t.Looks = thin.kept
	return t, err
}

func (t *Track) count(p *Packet, l *Look) {
	t.Packets++
	switch p.Set.Standard {
	case klv.ST0601:
		t.Sets.ST0601++
	case klv.EG0104:
		t.Sets.EG0104++
	default:
		t.Sets.Unknown++
	}
	if p.Set.Checksum == klv.Stale {
		t.Stale++
	}
	if l.HasTime {
		if t.From.IsZero() || l.Time.Before(t.From) {
			t.From = l.Time
		}
		if l.Time.After(t.To) {
			t.To = l.Time
		}
	}
	if t.Datum == "" && l.HasSensor && l.Sensor.HasHeight {
		t.Datum = l.Sensor.Datum
	}
	t.Take(p.Set)
	t.add(p.Problems)
}

func (t *Track) add(list []Problem) {
	for _, p := range list {
		if len(t.Problems) < 1000 {
			t.Problems = append(t.Problems, p)
		} else {
			t.Dropped++
		}
	}
}

// thinner keeps looks a second or more apart, or whose picture has moved by a quarter of its own size (where there is none, the
// sensor by 50 m); when that is too many
// it keeps every second one of them, then every fourth, and so on.
type thinner struct {
	kept  []Look
	every int
	seen  int
	last  Look
}

func (t *thinner) offer(l *Look) {
	if !l.HasSensor && l.How == "" {
		return
	}
	if len(t.kept) > 0 && !t.moved(l) {
		return
	}
	t.last = *l
	if t.seen++; (t.seen-1)%t.every != 0 {
		return
	}
	if len(t.kept) == MaxLooks {
		for i := range MaxLooks / 2 {
			t.kept[i] = t.kept[2*i]
		}
		clear(t.kept[MaxLooks/2:])
		t.kept = t.kept[:MaxLooks/2]
		if t.every *= 2; (t.seen-1)%t.every != 0 {
			return
		}
	}
	kept := *l
	kept.Problem, kept.Targets = nil, nil
	t.kept = append(t.kept, kept)
}

func (t *thinner) moved(l *Look) bool {
	switch {
	case l.HasTime && t.last.HasTime && absDuration(l.Time.Sub(t.last.Time)) >= time.Second:
		return true
	case l.HasPTS && t.last.HasPTS && (l.PTS-t.last.PTS >= 1 || l.PTS < t.last.PTS):
		return true
	case l.How == "" || t.last.How == "":
		return l.How != t.last.How || l.HasSensor && geodesy.Distance(l.Sensor.LatLon(), t.last.Sensor.LatLon()) > 50
	}
	across := geodesy.Distance(l.Corners[0], l.Corners[2])
	return geodesy.Distance(l.Corners[0], t.last.Corners[0]) > across/4 || geodesy.Distance(l.Corners[2], t.last.Corners[2]) > across/4
}

func absDuration(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}

// Summary is one sentence about the track for a person.
func (t *Track) Summary() string {
	return fmt.Sprintf("%d metadata packets (ST 0601: %d, EG 0104: %d), %d stale checksums, %d looks", t.Packets, t.Sets.ST0601, t.Sets.EG0104, t.Stale, len(t.Looks))
}
