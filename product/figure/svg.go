package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
)

// svg writes shapes as they come. Numbers have two decimals at most: a hundredth of a pixel, which no eye sees.
type svg struct {
	b     bytes.Buffer
	clips int
	open  bool
}

func newSVG(w, h float64, title string) *svg {
	c := &svg{}
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="'DejaVu Sans Condensed','Inter','Arial Narrow',sans-serif"><title>`, num(w), num(h), num(w), num(h))
	c.escaped(title)
	c.b.WriteString("</title>\n")
	return c
}

func (c *svg) bytes() []byte {
	c.part("")
	c.b.WriteString("</svg>\n")
	return c.b.Bytes()
}

// num writes a number without needless digits.
func num(v float64) string {
	s := strconv.FormatFloat(round(v, 2), 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

func (c *svg) escaped(s string) {
	_ = xml.EscapeText(&c.b, []byte(s)) // a buffer takes everything
}

func (c *svg) part(name string) {
	if c.open {
		c.b.WriteString("</g>\n")
	}
	if c.open = name != ""; c.open {
		c.b.WriteString(`<g id="`)
		c.escaped(name)
		c.b.WriteString("\">\n")
	}
}

func (c *svg) style(s style) {
	if s.fill == "" {
		c.b.WriteString(` fill="none"`)
	} else {
		fmt.Fprintf(&c.b, ` fill="%s"`, s.fill)
		if s.fillOpacity > 0 && s.fillOpacity < 1 {
			fmt.Fprintf(&c.b, ` fill-opacity="%s"`, num(s.fillOpacity))
		}
	}
	if s.stroke == "" || s.width <= 0 {
		return
	}
	fmt.Fprintf(&c.b, ` stroke="%s" stroke-width="%s"`, s.stroke, num(s.width))
	if s.opacity > 0 && s.opacity < 1 {
		fmt.Fprintf(&c.b, ` stroke-opacity="%s"`, num(s.opacity))
	}
	for k, d := range s.dash {
		c.b.WriteString(map[bool]string{true: ` stroke-dasharray="`, false: " "}[k == 0] + num(d))
	}
	if len(s.dash) > 0 {
		c.b.WriteByte('"')
	}
	if s.round {
		c.b.WriteString(` stroke-linecap="round"`)
	}
	c.b.WriteString(` stroke-linejoin="round"`)
}

func (c *svg) walk(points [][2]float64) {
	for k, q := range points {
		if k == 0 {
			c.b.WriteByte('M')
		} else {
			c.b.WriteByte('L')
		}
		c.b.WriteString(num(q[0]) + " " + num(q[1]))
	}
}

func (c *svg) rings(polygons [][][][2]float64, s style) {
	c.b.WriteString(`<path d="`)
	for _, poly := range polygons {
		for _, ring := range poly {
			c.walk(ring)
			c.b.WriteByte('Z')
		}
	}
	c.b.WriteString(`" fill-rule="evenodd"`)
	c.style(s)
	c.b.WriteString("/>\n")
}

func (c *svg) lines(lines [][][2]float64, s style) {
	if len(lines) == 0 {
		return
	}
	s.fill = ""
	c.b.WriteString(`<path d="`)
	for _, l := range lines {
		c.walk(l)
	}
	c.b.WriteByte('"')
	c.style(s)
	c.b.WriteString("/>\n")
}

func (c *svg) circle(x, y, r float64, s style) {
	fmt.Fprintf(&c.b, `<circle cx="%s" cy="%s" r="%s"`, num(x), num(y), num(r))
	c.style(s)
	c.b.WriteString("/>\n")
}

func (c *svg) text(x, y float64, words string, s letters) {
	c.b.WriteString(`<text`)
	if s.up {
		fmt.Fprintf(&c.b, ` transform="translate(%s %s) rotate(-90)"`, num(x), num(y))
	} else {
		fmt.Fprintf(&c.b, ` x="%s" y="%s"`, num(x), num(y))
	}
	fmt.Fprintf(&c.b, ` font-size="%s" fill="%s"`, num(s.size), s.colour)
	if s.bold {
		c.b.WriteString(` font-weight="700"`)
	}
	switch s.anchor {
	case 0.5:
		c.b.WriteString(` text-anchor="middle"`)
	case 1:
		c.b.WriteString(` text-anchor="end"`)
	}
	if s.halo != "" {
		fmt.Fprintf(&c.b, ` stroke="%s" stroke-width="3" stroke-linejoin="round" paint-order="stroke"`, s.halo)
	}
	c.b.WriteByte('>')
	c.escaped(words)
	c.b.WriteString("</text>\n")
}

func (c *svg) clip(x, y, w, h float64) {
	c.clips++
	fmt.Fprintf(&c.b, `<clipPath id="c%d"><rect x="%s" y="%s" width="%s" height="%s"/></clipPath><g clip-path="url(#c%d)">`+"\n", c.clips, num(x), num(y), num(w), num(h), c.clips)
}

func (c *svg) unclip() { c.b.WriteString("</g>\n") }
