package figure

import "math"

// A canvas takes shapes in pixels of the sheet, y downwards, in the order in which they lie over each other. There are two: SVG and
// a raster. What both can do is little, so that they cannot differ.
type canvas interface {
	// rings fills closed rings (the first of each polygon its rim, the others holes) and strokes their edges.
	rings(polygons [][][][2]float64, s style)
	// lines strokes open lines.
	lines(lines [][][2]float64, s style)
	circle(x, y, r float64, s style)
	text(x, y float64, words string, s letters)
	// clip confines what follows to a rectangle, until unclip.
	clip(x, y, w, h float64)
	unclip()
	// part names what follows, for whoever reads the file.
	part(name string)
}

// style is how a shape is drawn; an empty colour draws nothing.
type style struct {
	fill        string // #rrggbb
	fillOpacity float64
	stroke      string
	width       float64
	opacity     float64 // of the stroke; 0 is full
	dash        []float64
	round       bool // ends of strokes
}

// letters is how text is drawn.
type letters struct {
	size   float64
	colour string
	bold   bool
	anchor float64 // 0 starts at x, 0.5 is centred, 1 ends at x
	up     bool    // runs upwards
	halo   string  // colour of an edge that keeps it legible over a drawing
}

func rect(x, y, w, h float64) [][][][2]float64 {
	return [][][][2]float64{{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}}}
}

// disc is a circle as a ring, its corners less than a twentieth of a pixel inside for radii to 5.
func disc(x, y, r float64) [][][][2]float64 {
	const n = 24
	ring := make([][2]float64, n)
	for k := range ring {
		s, c := math.Sincos(2 * math.Pi * float64(k) / n)
		ring[k] = [2]float64{x + r*c, y + r*s}
	}
	return [][][][2]float64{{ring}}
}

func line(x1, y1, x2, y2 float64) [][][2]float64 { return [][][2]float64{{{x1, y1}, {x2, y2}}} }

// dashed cuts lines into the dashes of a pattern of on and off lengths.
func dashed(lines [][][2]float64, pattern []float64) [][][2]float64 {
	total := 0.0
	for _, d := range pattern {
		total += d
	}
	if total <= 0 {
		return lines
	}
	var out [][][2]float64
	for _, l := range lines {
		k, left := 0, pattern[0]
		var cur [][2]float64
		if len(l) > 0 {
			cur = [][2]float64{l[0]}
		}
		for i := 1; i < len(l); i++ {
			a, b := l[i-1], l[i]
			long := math.Hypot(b[0]-a[0], b[1]-a[1])
			for done := 0.0; done < long; {
				step := min(left, long-done)
				done, left = done+step, left-step
				q := [2]float64{a[0] + (b[0]-a[0])*done/long, a[1] + (b[1]-a[1])*done/long}
				if k%2 == 0 {
					cur = append(cur, q)
				}
				if left > 1e-9 {
					continue
				}
				if k%2 == 0 {
					out = append(out, cur)
				}
				k = (k + 1) % len(pattern)
				left, cur = pattern[k], [][2]float64{q}
			}
		}
		if k%2 == 0 && len(cur) > 1 {
			out = append(out, cur)
		}
	}
	return out
}
