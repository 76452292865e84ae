package still

import (
	"image"

	"github.com/atalaya-isr/atalaya/detect/mover"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// Fit is fitPlane over points x, y, u, v of weight 1.
func Fit(points [][4]float64) (mover.Homography, bool) {
	ties := make([]tie, len(points))
	for i, p := range points {
		ties[i] = tie{p[0], p[1], p[2], p[3], 1}
	}
	return fitPlane(ties)
}

// Picture is the mosaic without its sheet.
func (m *Mosaic) Picture() *image.RGBA { return m.picture() }

// PixelM is what a pixel of the mosaic takes.
func (m *Mosaic) PixelM() float64 { return m.step }

// PlaceAt is the ground under the middle of a pixel of the mosaic.
func (m *Mosaic) PlaceAt(x, y int) geodesy.LatLon {
	return m.placeOf(m.x0+(float64(x)+0.5)*m.step, m.y1-(float64(y)+0.5)*m.step)
}

// HeightTIFF writes heights of 32-bit floats with the tags of a mosaic.
func HeightTIFF(w, h, epsg int, step, east, north float64, pix []byte) []byte {
	g := geoTIFF{w: w, h: h, epsg: epsg, step: step, east: east, north: north, samples: 1, bits: 32, format: 3, text: "SYNTHETIC", software: "test"}
	return g.encode(pix)
}
