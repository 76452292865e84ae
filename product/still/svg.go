package still

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"math"
	"strconv"
)

// vector is a canvas that writes SVG. Numbers have two decimals at most: a hundredth of an element, which no eye sees.
type vector struct {
	b           bytes.Buffer
	plain, bold *face
	clips       int
	id          string // before the names of clips, which a page shares with other drawings
}

func newVector(id string) (*vector, error) {
	v := &vector{id: id}
	var err error
	v.plain, v.bold, err = faces()
	return v, err
}

// drawing is what was drawn as an SVG element of a size, with a title for who cannot see it.
func (v *vector) drawing(w, h float64, title, metadata string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="'DejaVu Sans Condensed','Inter','Arial Narrow',sans-serif"><title>`,
		num(w), num(h), num(w), num(h))
	escape(&b, title)
	b.WriteString("</title>\n")
	if metadata != "" {
		b.WriteString("<metadata>")
		escape(&b, metadata)
		b.WriteString("</metadata>\n")
	}
	b.Write(v.b.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func escape(b *bytes.Buffer, s string) {
	_ = xml.EscapeText(b, []byte(s)) // a buffer takes everything
}

// num writes a number without needless digits.
func num(v float64) string {
	s := strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

func (v *vector) walk(l []point) {
	for i, p := range l {
		v.b.WriteByte("ML"[min(i, 1)])
		v.b.WriteString(num(p.x) + " " + num(p.y))
	}
}

func (v *vector) fill(rings [][]point, colour string, opacity float64) {
	v.b.WriteString(`<path d="`)
	for _, r := range rings {
		v.walk(r)
		v.b.WriteByte('Z')
	}
	fmt.Fprintf(&v.b, `" fill="%s"`, colour)
	if opacity < 1 {
		fmt.Fprintf(&v.b, ` fill-opacity="%s"`, num(opacity))
	}
	v.b.WriteString("/>\n")
}

func (v *vector) draw(lines [][]point, colour string, width float64, dash []float64) {
	v.b.WriteString(`<path d="`)
	for _, l := range lines {
		v.walk(l)
	}
	fmt.Fprintf(&v.b, `" fill="none" stroke="%s" stroke-width="%s" stroke-linejoin="round"`, colour, num(width))
	for i, d := range dash {
		if i == 0 {
			v.b.WriteString(` stroke-dasharray="`)
		} else {
			v.b.WriteByte(' ')
		}
		v.b.WriteString(num(d))
	}
	if len(dash) > 0 {
		v.b.WriteByte('"')
	}
	v.b.WriteString("/>\n")
}

func (v *vector) write(x, y float64, words string, l letters) {
	fmt.Fprintf(&v.b, `<text x="%s" y="%s" font-size="%s" fill="%s"`, num(x), num(y), num(l.size), l.colour)
	if l.bold {
		v.b.WriteString(` font-weight="700"`)
	}
	switch l.anchor {
	case 0.5:
		v.b.WriteString(` text-anchor="middle"`)
	case 1:
		v.b.WriteString(` text-anchor="end"`)
	}
	if l.halo != "" {
		fmt.Fprintf(&v.b, ` stroke="%s" stroke-width="3" stroke-linejoin="round" paint-order="stroke"`, l.halo)
	}
	v.b.WriteByte('>')
	escape(&v.b, words)
	v.b.WriteString("</text>\n")
}

func (v *vector) show(x, y int, p image.Image, k int, about string) {
	fmt.Fprintf(&v.b, `<image x="%d" y="%d" width="%d" height="%d" preserveAspectRatio="none" image-rendering="pixelated" href="%s"><title>`, x, y, p.Bounds().Dx()*k, p.Bounds().Dy()*k, dataURI(p))
	escape(&v.b, about)
	v.b.WriteString("</title></image>\n")
}

// dataURI is a picture within the page itself.
func dataURI(p image.Image) string {
	var b bytes.Buffer
	_ = png.Encode(&b, p) // a buffer takes everything, and the picture's size is checked
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

func (v *vector) within(x, y, w, h float64) {
	v.clips++
	fmt.Fprintf(&v.b, `<clipPath id="%s%d"><rect x="%s" y="%s" width="%s" height="%s"/></clipPath><g clip-path="url(#%s%d)">`+"\n", v.id, v.clips, num(x), num(y), num(w), num(h), v.id, v.clips)
}

func (v *vector) without() { v.b.WriteString("</g>\n") }

func (v *vector) measure(words string, size float64, bold bool) float64 {
	f := v.plain
	if bold {
		f = v.bold
	}
	return float64(f.width(words)) * size / float64(f.em)
}
