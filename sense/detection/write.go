package detection

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/sense/jsonfile"
)

// Write writes a sheet so that Read gives it back to the last bit, and that written again has the same bytes: one look and one detection a
// line. What Read would refuse is not written.
func Write(w io.Writer, s Sheet) error {
	s.Schema = Schema
	fail := func(place string, f *fault) error {
		return &atalaya.Error{Op: "detection.write", Place: place, Kind: atalaya.BadInput, Hint: f.hint, Err: fmt.Errorf("%s", f.what)}
	}
	if f := s.header(); f != nil {
		return fail(f.place, f)
	}
	if len(s.Looks) > MaxLooks || len(s.Found) > MaxFound {
		return fail("", wrong("Split the sheet", "%d looks and %d detections; at most %d and %d are read", len(s.Looks), len(s.Found), MaxLooks, MaxFound))
	}
	ids := map[string]bool{}
	for i := range s.Looks {
		if f := s.Looks[i].fault(); f != nil {
			return fail(fmt.Sprintf("look %d", i+1), f)
		}
	}
	for i := range s.Found {
		f := s.Found[i].fault()
		if f == nil && ids[s.Found[i].ID] {
			f = wrong("Give each detection an id of its own", "%q is the id of an earlier one", jsonfile.Short(s.Found[i].ID))
		}
		if f != nil {
			return fail(fmt.Sprintf("detection %d", i+1), f)
		}
		ids[s.Found[i].ID] = true
	}
	return s.write(bufio.NewWriter(w))
}

func (s Sheet) write(b *bufio.Writer) error {
	head := s
	head.Looks, head.Found = nil, []Found{}
	text, err := line(head)
	if err != nil {
		return err
	}
	b.Write(bytes.TrimSuffix(text, []byte(`"detections":[]}`)))
	if len(s.Looks) > 0 {
		b.WriteString("\n\"looks\":[")
		for i := range s.Looks {
			if err := row(b, i, s.Looks[i]); err != nil {
				return err
			}
		}
		b.WriteString("],")
	}
	b.WriteString("\n\"detections\":[")
	for i, f := range s.Found {
		f.Time = f.Time.UTC()
		if err := row(b, i, f); err != nil {
			return err
		}
	}
	b.WriteString("]}\n")
	return b.Flush()
}

func row(b *bufio.Writer, i int, v any) error {
	text, err := line(v)
	if err != nil {
		return err
	}
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteByte('\n')
	_, err = b.Write(text)
	return err
}

// line is a value as JSON on one line, with its letters as they are.
func line(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// MarshalJSON writes a look with its corners as [latitude, longitude].
func (l Look) MarshalJSON() ([]byte, error) {
	ring := make([][2]float64, len(l.Ring))
	for i, c := range l.Ring {
		ring[i] = [2]float64{c.Lat, c.Lon}
	}
	return line(struct {
		When atalaya.Span `json:"when"`
		Ring [][2]float64 `json:"ring"`
		PD   float64      `json:"pd"`
	}{atalaya.Span{From: l.When.From.UTC(), To: l.When.To.UTC()}, ring, l.PD})
}

// UnmarshalJSON reads what MarshalJSON writes. Read checks what this takes as it comes.
func (l *Look) UnmarshalJSON(b []byte) error {
	var v struct {
		When atalaya.Span `json:"when"`
		Ring [][2]float64 `json:"ring"`
		PD   float64      `json:"pd"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*l = Look{When: v.When, PD: v.PD}
	for _, c := range v.Ring {
		l.Ring = append(l.Ring, geodesy.LatLon{Lat: c[0], Lon: c[1]})
	}
	return nil
}
