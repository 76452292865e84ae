package product

import (
	"archive/zip"
	"bytes"
	"fmt"

	"github.com/atalaya-isr/atalaya/review"
)

// KMZ is the KML document in an archive, as telephones and map clients open it: one entry, doc.kml, without times, owners or comments, so that the
// same release gives the same bytes.
type KMZ struct{}

// Name is the file's name.
func (KMZ) Name() string { return "lead.kmz" }

// MediaType is its media type.
func (KMZ) MediaType() string { return "application/vnd.google-earth.kmz" }

// Encode writes the file.
func (k KMZ) Encode(r review.Released, o Options) ([]byte, error) { return encodeWith(k, r, o) }

func (KMZ) encode(l *lead) ([]byte, error) {
	doc, err := KML{}.encode(l)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "doc.kml", Method: zip.Deflate})
	if err == nil {
		_, err = w.Write(doc)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("product: kmz: %w", err)
	}
	return b.Bytes(), nil
}
