// Package product writes what leaves for a partner: a released place as GeoJSON, KML, KMZ, STIX and one bilingual page, with a manifest.
//
// Nothing leaves unreviewed: every encoder takes a review.Released, which only two people's decisions can make, and refuses its
// zero value. What leaves is a template (see lead) of allowed fields: positions on a fixed grid no finer than their own error
// and the recipient's policy, days instead of times, evidence in fixed words instead of sensors and platforms, and ids that
// are keyed hashes for this recipient. The same release, key and time of making give the same bytes.
package product

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/atalaya-isr/atalaya/review"
)

// An Encoder is one form that a released place can leave in. The set is sealed: Encoders lists all of it.
type Encoder interface {
	// Name is the name of the file in a package.
	Name() string
	// MediaType is its RFC 6838 media type.
	MediaType() string
	// Encode writes the file. It refuses a Released that did not come from a review.
	Encode(review.Released, Options) ([]byte, error)

	encode(*lead) ([]byte, error) // seals the set
}

// Encoders lists every form, in the order of the manifest.
func Encoders() []Encoder { return []Encoder{GeoJSON{}, KML{}, KMZ{}, STIX{}, PDF{}} }

// File is one file of a package.
type File struct {
	Name  string
	Bytes []byte
}

// Package is what one recipient gets about one place. Reference names it as the recipient knows it; the manifest is the last
// file, and the hash of the manifest stands for the whole.
type Package struct {
	Reference      string
	Files          []File
	ManifestSHA256 string
}

// ManifestName is the name of the manifest in a package.
const ManifestName = "manifest.json"

// manifest is the form of manifest.json; docs/reference/package.md explains each key.
type manifest struct {
	Schema      string          `json:"schema"`
	Reference   string          `json:"reference"`
	Marking     string          `json:"marking"`
	Portion     string          `json:"portion"`
	Synthetic   bool            `json:"synthetic"`
	Recipient   string          `json:"recipient"`
	Case        string          `json:"case"`
	Release     string          `json:"release"`
	Basis       string          `json:"basis"`
	LegalBasis  string          `json:"legal_basis"`
	Released    string          `json:"released"`
	Expires     string          `json:"expires"`
	Created     string          `json:"created_at"`
	Coordinates coordinatePart  `json:"coordinates"`
	Files       []manifestEntry `json:"files"`
}

type coordinatePart struct {
	ErrorM float64 `json:"error_p50_m"`
	Lat    float64 `json:"step_lat_deg"`
	Lon    float64 `json:"step_lon_deg"`
}

type manifestEntry struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Bytes     int    `json:"bytes"`
	SHA256    string `json:"sha256"`
}

// A Form is one more form of a released place, for which floors above have what it needs, such as a database. It is made from the GeoJSON of the package, and so
// from nothing that does not leave anyway.
type Form struct {
	Name, MediaType string
	From            func(geojson []byte) ([]byte, error)
}

// Build makes the whole package of a release, in memory: it is small (below 600 KB). Other forms stand between the encoders' and the manifest. Writing it,
// all or nothing, is the caller's. Last the bytes of every file are searched for what is withheld, in every spelling: where something stands, nothing is given.
func Build(r review.Released, o Options, others ...Form) (Package, error) {
	l, err := leadOf(r, o)
	if err != nil {
		return Package{}, err
	}
	m := manifest{Schema: "atalaya.package/1", Reference: l.ref, Marking: l.marking.Banner(), Portion: l.marking.Portion(), Synthetic: l.marking.Synthetic(),
		Recipient: l.recipient, Case: l.caseRef, Release: l.releaseRef, Basis: l.basisRef, LegalBasis: l.instrument,
		Released: l.released, Expires: l.expires, Created: l.made,
		Coordinates: coordinatePart{l.errorM, l.grid.lat.degrees(), l.grid.lon.degrees()}}
	p := Package{Reference: l.ref}
	add := func(name, media string, body []byte, err error) error {
		p.Files = append(p.Files, File{name, body})
		m.Files = append(m.Files, manifestEntry{name, media, len(body), hash(body)})
		return err
	}
	for _, e := range Encoders() {
		body, err := e.encode(l)
		if err := add(e.Name(), e.MediaType(), body, err); err != nil {
			return Package{}, err
		}
	}
	for _, f := range others {
		body, err := f.From(p.Files[0].Bytes)
		if err := add(f.Name, f.MediaType, body, err); err != nil {
			return Package{}, err
		}
	}
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return Package{}, err
	}
	body = append(body, '\n')
	p.Files = append(p.Files, File{ManifestName, body})
	p.ManifestSHA256 = hash(body)
	rec, err := r.Open()
	if err != nil {
		return Package{}, err
	}
	if err := sealed(p.Files, secretsOf(rec, l)); err != nil {
		return Package{}, err
	}
	return p, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// encodeWith is what every Encode does: open the release, refuse what is none, then write.
func encodeWith(e Encoder, r review.Released, o Options) ([]byte, error) {
	l, err := leadOf(r, o)
	if err != nil {
		return nil, err
	}
	return e.encode(l)
}
