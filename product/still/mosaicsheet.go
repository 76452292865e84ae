package still

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"

	"github.com/atalaya-isr/atalaya/geodesy"
)

// MosaicProvenance is how a mosaic was put together.
type MosaicProvenance struct {
	From       float64 `json:"from_pts_s"`
	To         float64 `json:"to_pts_s"`
	Registered int     `json:"frames_registered"`
	Laid       int     `json:"frames_laid"`
	Cuts       int     `json:"cuts"`
	// ResidualPX is the registration's from frame to frame, px of a frame; SeamPX how far apart a point lies in two frames laid one after
	// the other, px of the mosaic.
	ResidualPX float64 `json:"residual_px"`
	SeamPX     float64 `json:"seam_px"`
	// What follows is null where nothing tells the ground.
	SeamM    *float64          `json:"seam_m"`
	ScatterM *float64          `json:"metadata_scatter_m"`
	WindowS  *float64          `json:"metadata_window_s"`
	EPSG     *int              `json:"epsg"`
	StepM    *float64          `json:"pixel_m"`
	Box      []PlaceProvenance `json:"box"` // upper left, upper right, lower right, lower left
	Ellipse  *EllipseFigures   `json:"ellipse95"`
}

// PNG draws the mosaic under its marking, once its frames were brought.
func (m *Mosaic) PNG(from Source, mark Mark) ([]byte, error) {
	if err := m.ready(&from, mark); err != nil {
		return nil, err
	}
	d := &mosaicSheet{Mosaic: m, from: &from, t: from.tongue()}
	img, err := d.paint(mark)
	if err != nil {
		return nil, err
	}
	return encode(img, m.provenance(&from, mark), d.t.say("mosaic")+": "+from.File)
}

func (m *Mosaic) ready(from *Source, mark Mark) error {
	if err := mark.check(); err != nil {
		return err
	}
	if err := from.check(); err != nil {
		return err
	}
	if m.brought != len(m.list) {
		return noMosaic(fmt.Sprintf("%d of %d frames could be laid", m.brought, len(m.list)), "Read the file from its start to its end again")
	}
	return nil
}

// epsg is the code of the zone (EPSG 32601 to 32660, 32701 to 32760).
func (p *plane) epsg() int {
	if p.south {
		return 32700 + p.zone
	}
	return 32600 + p.zone
}

// stepM is how finely places of the mosaic are written.
func (m *Mosaic) stepM() float64 {
	if m.plane.known {
		return m.plane.ellipse.MajorM
	}
	return unknownStepM
}

// box is the mosaic's corners on the ground.
func (m *Mosaic) box() [4]geodesy.LatLon {
	x1, y0 := m.x0+float64(m.w)*m.step, m.y1-float64(m.h)*m.step
	return [4]geodesy.LatLon{m.placeOf(m.x0, m.y1), m.placeOf(x1, m.y1), m.placeOf(x1, y0), m.placeOf(m.x0, y0)}
}

func (m *Mosaic) provenance(from *Source, mark Mark) Provenance {
	p := from.provenance("mosaic", mark)
	f := m.figures
	a, b := m.Span()
	q := &MosaicProvenance{From: a, To: b, Registered: f.Frames, Laid: f.Laid, Cuts: f.Cuts, ResidualPX: twoFigures(f.ResidualPX), SeamPX: twoFigures(f.SeamPX)}
	if m.plane.ground {
		seam, scatter, window, epsg, step := twoFigures(f.SeamM), twoFigures(f.ScatterM), twoFigures(f.WindowS), m.plane.epsg(), m.step
		q.SeamM, q.ScatterM, q.WindowS, q.EPSG, q.StepM = &seam, &scatter, &window, &epsg, &step
		for _, c := range m.box() {
			q.Box = append(q.Box, told(c, m.stepM()))
		}
		if e := m.plane.ellipse; m.plane.known {
			q.Ellipse = &EllipseFigures{twoFigures(e.MajorM), twoFigures(e.MinorM), math.Round(e.AzimuthDeg)}
		}
	}
	p.Mosaic = q
	return p
}

type mosaicSheet struct {
	*Mosaic
	from *Source
	t    tongue
}

func (d *mosaicSheet) rows(c canvas, most, s float64) []row {
	t, f := d.t, d.figures
	from, to := d.Span()
	first, last := d.frames[d.list[0].at], d.frames[d.list[len(d.list)-1].at]
	span := t.say("stream", "pts", seconds(from)+" – "+seconds(to))
	a, b := (&Shot{PTS: first.PTS, Moment: first.Moment}).utc(), (&Shot{PTS: last.PTS, Moment: last.Moment}).utc()
	if a != "" && b != "" {
		span = a + " – " + b + " · " + span
	}
	rows := []row{{t.say("label.file"), d.from.fileLine(c, rowSize*s, most)}, {t.say("label.time"), span}, {t.say("label.platform"), d.from.names()}}
	registered := t.say("registered", "laid", strconv.Itoa(f.Laid), "n", strconv.Itoa(f.Frames), "rms", figs(f.ResidualPX))
	if f.Cuts > 0 {
		registered += " · " + t.say("cuts", "n", strconv.Itoa(f.Cuts))
	}
	seam := t.say("seams", "px", figs(f.SeamPX))
	if d.plane.ground {
		seam = t.say("seams ground", "px", figs(f.SeamPX), "m", metres(f.SeamM))
	}
	rows = append(rows, row{t.say("label.registered"), registered + " · " + seam})
	if !d.plane.ground {
		rows = append(rows, row{t.say("label.anchored"), t.say("unanchored", "pts", seconds(d.plane.baseTime))})
	} else {
		rows = append(rows, row{t.say("label.anchored"), t.say("anchored", "s", figs(f.WindowS), "m", metres(f.ScatterM))})
		errs := t.say("error unknown")
		if e := d.plane.ellipse; d.plane.known {
			errs = (&fix{ellipse: e}).ellipseText(t) + ", " + t.say("as a whole")
		}
		corners := make([]string, 4)
		for i, p := range d.box() {
			corners[i] = degrees(p, d.stepM())
		}
		w, h := float64(d.w)*d.step, float64(d.h)*d.step
		rows = append(rows, row{t.say("label.error"), errs},
			row{t.say("label.extent"), t.say("box", "w", metres(w), "h", metres(h), "corners", strings.Join(corners, "; ")) + " · EPSG " + strconv.Itoa(d.plane.epsg())})
	}
	size := t.say("drawn", "w", strconv.Itoa(d.w), "h", strconv.Itoa(d.h))
	if d.plane.ground {
		size += " · " + t.say("pixel is", "m", metres(d.step))
	}
	return append(rows, row{t.say("label.picture"), size + " · " + t.say("key.hatch")}, row{t.say("label.made"), d.from.made()})
}

func (d *mosaicSheet) paint(mark Mark) (*image.RGBA, error) {
	k := enlarged(d.w, d.h)
	w, h := float64(d.w*k), float64(d.h*k)
	s := math.Max(1, math.Round(w/1100))
	wide := math.Ceil(math.Max(w+2*edgeWide*s, leastWide*s))
	scratch, err := newPaint(1, 1)
	if err != nil {
		return nil, err
	}
	most := wide - (2*edgeWide+labelWide+sideWide+12)*s
	var lines []row
	for _, r := range d.rows(scratch, most, s) {
		for i, text := range wrapped(scratch, together.Replace(r.text), rowSize*s, false, most) {
			label := r.label
			if i > 0 {
				label = ""
			}
			lines = append(lines, row{label, text})
		}
	}
	b := stripOf(scratch, mark, wide, s)
	top := b.high() + 30*s
	below := top + h + 12*s
	tall := math.Ceil(below + math.Max(float64(len(lines))*rowHigh*s, 122*s) + 8*s + b.high())
	c, err := newPaint(int(wide), int(tall))
	if err != nil {
		return nil, err
	}
	c.fill([][]point{box(0, 0, wide, tall)}, surface, 1)
	b.draw(c, 0)
	b.draw(c, tall-b.high())
	c.write(edgeWide*s, b.high()+19*s, cutTo(c, d.t.say("mosaic")+": "+clean(d.from.File), 16*s, true, wide-2*edgeWide*s), letters{size: 16 * s, colour: ink, bold: true})
	x, y := math.Floor((wide-w)/2), math.Floor(top)
	hatch(c, x, y, w, h, 9*s)
	over(c.img, int(x), int(y), d.picture(), k)
	neatline(c, x, y, w, h, s)
	at := below + 12*s
	for _, l := range lines {
		c.write(edgeWide*s, at, l.label, letters{size: rowSize * s, colour: ink3})
		c.write((edgeWide+labelWide)*s, at, l.text, letters{size: rowSize * s, colour: ink})
		at += rowHigh * s
	}
	d.side(c, wide-(sideWide+edgeWide)*s, below, s, k)
	return c.img, nil
}

// over lays a picture over another where it is opaque.
func over(on *image.RGBA, x, y int, p *image.RGBA, k int) {
	for v := range p.Rect.Dy() * k {
		for u := range p.Rect.Dx() * k {
			if from := p.Pix[p.PixOffset(u/k, v/k):]; from[3] != 0 {
				copy(on.Pix[on.PixOffset(x+u, y+v):][:3], from)
			}
		}
	}
}

func (d *mosaicSheet) side(c canvas, x, y, s float64, k int) {
	if !d.plane.ground {
		at := y + 12*s
		for _, l := range wrapped(c, d.t.say("why.unanchored"), rowSize*s, false, sideWide*s) {
			c.write(x, at, l, letters{size: rowSize * s, colour: ink2})
			at += rowHigh * s
		}
		return
	}
	northArrow(c, x+sideWide*s/2, y+46*s, s, point{0, -1}, d.t.say("north"))
	c.write(x+sideWide*s/2+24*s, y+42*s, d.t.say("grid north"), letters{size: 11 * s, colour: ink2})
	scaleBar(c, x, y+90*s, sideWide*s, s, d.step/float64(k), func(l string) string { return d.t.say("ground length", "length", l) })
}

// GeoTIFF writes the mosaic as a baseline TIFF on UTM of WGS 84, north up: red, green, blue, and opacity, which is 0 where nothing was
// looked at. The marking is burned into rows of its own above and below the ground, and stands with the provenance in the description.
func (m *Mosaic) GeoTIFF(from Source, mark Mark) ([]byte, error) {
	if err := m.ready(&from, mark); err != nil {
		return nil, err
	}
	if !m.plane.ground {
		return nil, noMosaic("nothing tells the ground of this mosaic, so it has no place on a map", "Leave --geotiff away")
	}
	j, err := json.Marshal(m.provenance(&from, mark))
	if err != nil {
		return nil, err
	}
	s := math.Max(1, math.Round(float64(m.w)/1100))
	scratch, err := newPaint(1, 1)
	if err != nil {
		return nil, err
	}
	b := stripOf(scratch, mark, float64(m.w), s)
	strip := int(b.high())
	c, err := newPaint(m.w, strip)
	if err != nil {
		return nil, err
	}
	b.draw(c, 0)
	pix := append(append(append([]byte{}, c.img.Pix...), m.picture().Pix...), c.img.Pix...)
	g := geoTIFF{w: m.w, h: m.h + 2*strip, epsg: m.plane.epsg(), step: m.step, east: m.plane.e0 + m.x0, north: m.plane.n0 + m.y1 + float64(strip)*m.step,
		samples: 4, bits: 8, format: 1, text: mark.Banner() + "\n" + latin(string(j)), software: from.Program}
	return g.encode(pix), nil
}
