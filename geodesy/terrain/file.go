package terrain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A File is an elevation model that is read on demand.
type File interface {
	Model
	// Problems lists what could not be read so far: the ground there is void. At most a hundred lines.
	Problems() []string
}

// Open opens an elevation model by its first bytes: DTED or GeoTIFF. size is the file's, bytes; name tells its heights' source.
func Open(r io.ReaderAt, size int64, name string) (File, error) {
	var head [4]byte
	if _, err := r.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(head[:], []byte("UHL")):
		return OpenDTED(r, name)
	case bytes.HasPrefix(head[:], []byte("II")) || bytes.HasPrefix(head[:], []byte("MM")):
		return OpenGeoTIFF(r, size, name)
	}
	return nil, fmt.Errorf("%s: neither DTED (which begins with UHL) nor TIFF (II or MM)", name)
}
