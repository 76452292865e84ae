package app

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/yamlfile"
)

// What the YAML reader says, taken apart: it speaks of Go types, its reader of keys.
var (
	unknownKey = regexp.MustCompile(`^line (\d+): field (.+) not found in type (\S+)$`)
	twiceKey   = regexp.MustCompile(`^line (\d+): mapping key "(.+)" already defined at line (\d+)$`)
	wrongValue = regexp.MustCompile("^line (\\d+): cannot unmarshal (\\S+?)(?: `(.*)`)? into (\\S+)$")
	anyLine    = regexp.MustCompile(`^line (\d+): (.+)$`)
	wrongTime  = regexp.MustCompile(`^parsing time "(.*?)"(?: as|:)`)
	keyOfLine  = regexp.MustCompile(`^[\s{-]*([\pL\pN_ -]+?)\s*:`)
)

// missionKeys are the types of mission.yaml in which a key can be wrong.
var missionKeys = map[string]reflect.Type{"app.MissionFile": reflect.TypeFor[MissionFile](), "atalaya.Sortie": reflect.TypeFor[atalaya.Sortie]()}

// missionTypes are the types of its values, in words.
var missionTypes = map[string]string{
	"time.Time": "a time, such as 2026-03-14T12:00:00Z", "string": "text", "bool": "true or false", "float64": "a number", "[]float64": "a list of numbers", "[]string": "a list of texts",
	"[]atalaya.Sortie": "a list of sorties, such as - {id: S1, platform: drone, collection_authority: order 1}", "atalaya.Sortie": "a sortie, such as {id: S1, platform: drone}",
	"map[string]atalaya.SortieID": "files with their sortie, such as gas/: S1", "atalaya.SortieID": "the id of a sortie", "app.MissionFile": "keys with values, such as name: river",
	"map[string]float64": "classes with how many there are a km², such as {site: 1e-4, farm: 0.02}",
}

// missionError says what is wrong with mission.yaml, and where, in the words of its reference page. Of several things it tells
// the first, and how many more there are.
func missionError(err error, text string) error {
	e := &atalaya.Error{Op: "mission.read", File: "mission.yaml", Kind: atalaya.BadInput, Hint: "See docs/reference/mission.md for the keys"}
	said := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		said = several.Errors
	}
	explain(e, said[0], text)
	if n := len(said) - 1; n > 0 {
		e.Err = fmt.Errorf("%w (and %d more like it)", e.Err, n)
	}
	return e
}

func explain(e *atalaya.Error, said, text string) {
	if m := unknownKey.FindStringSubmatch(said); m != nil {
		e.Place, e.Err = "line "+m[1]+", key "+m[2], errors.New("there is no such key")
		keys := keysOf(missionKeys[m[3]])
		e.Hint = "The keys here are " + strings.Join(keys, ", ")
		if near := nearestKey(m[2], keys); near != "" {
			e.Hint = "Did you mean " + near + "? docs/reference/mission.md lists the keys"
		}
	} else if m := twiceKey.FindStringSubmatch(said); m != nil {
		e.Place, e.Err, e.Hint = "line "+m[1]+", key "+m[2], fmt.Errorf("it stands in line %s already", m[3]), "Keep one of the two"
	} else if m := wrongValue.FindStringSubmatch(said); m != nil {
		e.Place, e.Err = "line "+m[1]+keyAt(text, m[1]), fmt.Errorf("%q is of another kind than what belongs here", m[3])
		if m[3] == "" {
			e.Err = errors.New("what stands here is of another kind than what belongs here")
		}
		if want, ok := missionTypes[m[4]]; ok {
			e.Hint = "Write " + want
		}
	} else if m := wrongTime.FindStringSubmatch(said); m != nil { // the one error that names no line
		e.Place, e.Err, e.Hint = lineWith(text, m[1]), fmt.Errorf("%q is no time", m[1]), "Write "+missionTypes["time.Time"]
	} else if m := anyLine.FindStringSubmatch(said); m != nil {
		e.Place, e.Err, e.Hint = "line "+m[1], errors.New(m[2]), "Write it as YAML: `key: value`, what belongs together set in alike with blanks"
	} else {
		e.Err = errors.New(said)
	}
}

// lineWith is the first line of the file whose value that is, as a place.
func lineWith(text, value string) string {
	for i, line := range strings.Split(text, "\n") {
		if _, after, ok := strings.Cut(line, ":"); ok && strings.Contains(after, value) {
			n := strconv.Itoa(i + 1)
			return "line " + n + keyAt(text, n)
		}
	}
	return ""
}

// keyAt is the key in a line of the file, as the end of a place; "" where there is none to be seen.
func keyAt(text, line string) string {
	n, _ := strconv.Atoi(line)
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	if m := keyOfLine.FindStringSubmatch(lines[n-1]); m != nil {
		return ", key " + m[1]
	}
	return ""
}

// keysOf lists the keys of a type in the order in which it declares them.
func keysOf(t reflect.Type) []string {
	var keys []string
	if t == nil {
		return keys
	}
	for f := range t.NumField() {
		if key := t.Field(f).Tag.Get("yaml"); key != "-" && key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// nearestKey is the key that differs from what was written by the fewest letters; "" where none is like it.
func nearestKey(written string, keys []string) string {
	written = strings.ToLower(written)
	best, least := "", 2+len(written)/4 // so many letters apart is another word
	for _, k := range keys {
		d := lettersApart(written, k)
		if len(written) > 3 && (strings.Contains(k, written) || strings.Contains(written, k)) {
			d = min(d, 1)
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// lettersApart is how many letters must be put in, taken out or changed to make one word of the other (Levenshtein's distance).
func lettersApart(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = min(change, row[j]+1, last+1)
		}
	}
	return row[len(b)]
}

// readYAML reads mission.yaml; an empty one is one without keys.
func readYAML(text string, into *MissionFile) error {
	if err := yamlfile.Decode([]byte(text), into, true); err != nil && !errors.Is(err, io.EOF) {
		return missionError(err, text)
	}
	return nil
}
