package blob_test

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/atalaya-isr/atalaya/store/blob"
)

// A blob is named by what it holds.
func Example() {
	dir, _ := os.MkdirTemp("", "blobs")
	defer os.RemoveAll(dir)
	blobs, _ := blob.Open(dir, nil)
	id, size, _ := blobs.Put(strings.NewReader("t_s,x_m,acetone_ppb\n"))
	b, _ := blobs.Open(id)
	defer b.Close()
	raw, err := io.ReadAll(b)
	fmt.Printf("%.8s %d %q %v\n", id, size, raw, err)
	// Output: 7989ebcf 20 "t_s,x_m,acetone_ppb\n" <nil>
}
