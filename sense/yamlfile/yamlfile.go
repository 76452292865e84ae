// Package yamlfile reads YAML of people and of strangers in bounded memory. The decoder of gopkg.in/yaml.v3 compares every pair of keys of a mapping and
// writes an error for each equal pair: 22 kB of one key take 670 MB. Here repeated keys are looked for with a map first, and a mapping of
// too many keys is refused.
package yamlfile

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"
)

// mostKeys of one mapping: no file of the project has a hundred.
const mostKeys = 2000

// Decode reads the first document into a value, as yaml.Decoder does, with its words for what is wrong; io.EOF where there is none. Known says
// that keys without a field are errors.
func Decode(b []byte, into any, known bool) error {
	var n yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(b)).Decode(&n); err != nil {
		return err
	}
	if problems := repeated(&n, nil); len(problems) > 0 {
		return &yaml.TypeError{Errors: problems}
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(known)
	return d.Decode(into)
}

// mostTold of what is wrong with keys.
const mostTold = 20

// repeated lists the keys of mappings that come twice, and mappings of too many keys. Aliases are not followed: what they name stands elsewhere.
func repeated(n *yaml.Node, told []string) []string {
	if n.Kind == yaml.MappingNode {
		if len(n.Content)/2 > mostKeys {
			return append(told, fmt.Sprintf("line %d: a mapping of %d keys, the most is %d", n.Line, len(n.Content)/2, mostKeys))
		}
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content) && len(told) < mostTold; i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode {
				continue
			}
			if line, again := first[k.Value]; again {
				told = append(told, fmt.Sprintf("line %d: mapping key %#v already defined at line %d", k.Line, k.Value, line))
			} else {
				first[k.Value] = k.Line
			}
		}
	}
	for _, c := range n.Content {
		if len(told) >= mostTold {
			break
		}
		told = repeated(c, told)
	}
	return told
}
