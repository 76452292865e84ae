package storm

import (
	"fmt"
	"math"
	"strings"
)

// corpusFile writes an input as the go command keeps it under testdata/fuzz ("go test fuzz v1", go.dev/doc/security/fuzz).
func corpusFile(input []any) string {
	var w strings.Builder
	w.WriteString("go test fuzz v1\n")
	for _, v := range input {
		switch v := v.(type) {
		case []byte:
			fmt.Fprintf(&w, "[]byte(%q)\n", v)
		case string:
			fmt.Fprintf(&w, "string(%q)\n", v)
		case float32:
			fmt.Fprintf(&w, "math.Float32frombits(%#x)\n", math.Float32bits(v))
		case float64:
			if math.IsNaN(v) {
				fmt.Fprintf(&w, "math.Float64frombits(%#x)\n", math.Float64bits(v))
			} else {
				fmt.Fprintf(&w, "float64(%v)\n", v)
			}
		default:
			fmt.Fprintf(&w, "%T(%v)\n", v, v)
		}
	}
	return w.String()
}
