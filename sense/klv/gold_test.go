package klv_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/klv"
)

// written makes the value that a row says from the truth's form of it; the inverse of truth.node.
func written(t *testing.T, tag uint32, row *klv.Row, want any) klv.Value {
	t.Helper()
	switch w := want.(type) {
	case nil:
		return klv.Clear(tag)
	case float64:
		if row.Format == klv.Bytes {
			break
		}
		return number64(tag, row, w)
	case string:
		if row.Format == klv.Bytes {
			return klv.RawBytes(tag, unbase(t, w))
		}
		return klv.TextOf(tag, w)
	case []any:
		return writtenList(t, tag, row, w)
	case map[string]any:
		return writtenObject(t, tag, row, w)
	}
	t.Fatalf("item %d (%s): the test cannot write %v", tag, row.Name, want)
	return klv.Value{}
}

// number64 is a number; those that ST 0601 writes whole (airspeed) are rounded, as the writer of the truth did.
func number64(tag uint32, row *klv.Row, x float64) klv.Value {
	switch row.Format {
	case klv.Unsigned, klv.Signed, klv.Enum, klv.Micros, klv.BEROID, klv.BERLength:
		return klv.Integer(tag, int64(math.Round(x)))
	}
	return klv.Number(tag, x)
}

func unbase(t *testing.T, s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writtenList(t *testing.T, tag uint32, row *klv.Row, list []any) klv.Value {
	switch {
	case row.Format == klv.Nested:
		return klv.SetOf(tag, writtenItems(t, row.Set, list)...)
	case row.Bits != nil:
		var bits int64
		for _, w := range list {
			bits |= 1 << int(w.(map[string]any)["integer"].(float64))
		}
		return klv.Integer(tag, bits)
	case row.Format == klv.BitList || row.Entry.Format != klv.Pack && row.Entry.Format != klv.Nested:
		var numbers []float64
		for _, w := range list {
			numbers = append(numbers, w.(float64))
		}
		return klv.NumbersOf(tag, numbers...)
	}
	var entries []klv.Value
	for _, w := range list {
		entries = append(entries, written(t, 0, &row.Entry.Row, w))
	}
	return klv.ListOf(tag, entries...)
}

func writtenItems(t *testing.T, std *klv.Standard, list []any) (out []klv.Value) {
	for _, w := range list {
		o := w.(map[string]any)
		key := o["key"].(map[string]any)
		var row *klv.Row
		var v klv.Value
		if tag, ok := key["integer"].(float64); ok {
			if row = std.Row(uint32(tag)); row != nil && row.Format == klv.Opaque {
				continue
			}
			if raw, ok := o["value-unparsed-bytes"].(string); ok {
				v = klv.RawBytes(uint32(tag), unbase(t, raw))
			} else {
				v = written(t, uint32(tag), row, o["value"])
			}
		} else {
			u := klv.UL(unbase(t, key["bytes"].(string)))
			for k, r := range std.UniversalRows() {
				if row == nil && bytes.Equal(k[8:], u[8:]) {
					row = r
				}
			}
			v = written(t, 0, row, o["value"]).Keyed(u)
		}
		out = append(out, v)
	}
	return out
}

func writtenObject(t *testing.T, tag uint32, row *klv.Row, o map[string]any) klv.Value {
	switch {
	case o["elements"] != nil:
		return klv.ArrayOf(tag, writtenArray(o))
	case o["sigma-length"] != nil:
		return klv.SDCCOf(tag, writtenSDCC(o))
	case o["kind"] != nil:
		bits, _ := o["other-bits"].(float64)
		sign, _ := o["sign"].(bool)
		return klv.SpecialOf(tag, klv.IMAPValue{Kind: imapKinds[int(o["kind"].(map[string]any)["integer"].(float64))], Negative: sign, Payload: uint64(bits)})
	case o["bytes"] != nil:
		return klv.RawBytes(tag, unbase(t, o["bytes"].(string)))
	case row.Format == klv.CoreIdentifier:
		id := klv.CoreID{Version: int(o["version"].(float64)), SensorKind: klv.IDKind(o["sensor-id-type"].(map[string]any)["integer"].(float64))}
		copy(id.Sensor[:], unbase(t, o["sensor-id"].(map[string]any)["bytes"].(string)))
		return klv.CoreIDOf(tag, id)
	case row.Format == klv.Pack || row.Format == klv.BitFields:
		return klv.PackOf(tag, writtenFields(t, row, o)...)
	case o["integer"] != nil:
		return klv.Integer(tag, int64(o["integer"].(float64)))
	}
	v := number64(tag, row, finite(o["value"]))
	if size := int(o["length"].(float64)); size > 0 {
		v = v.Sized(size)
	}
	return v
}

// finite reads a number, or the infinity that the truth file writes as text.
func finite(v any) float64 {
	if v == "-Infinity" {
		return math.Inf(-1)
	}
	return v.(float64)
}

func writtenArray(o map[string]any) klv.Array {
	a := klv.Array{Form: klv.Natural, ElementSize: 8}
	for _, n := range o["sizes"].([]any) {
		a.Sizes = append(a.Sizes, int(n.(float64)))
	}
	for _, x := range o["elements"].([]any) {
		a.Numbers = append(a.Numbers, x.(float64))
	}
	return a
}

func writtenSDCC(o map[string]any) klv.SDCC {
	c := klv.SDCC{Mode: 2, Size: len(o["members"].([]any)), SigmaSize: int(o["sigma-length"].(float64)), RhoSize: int(o["rho-length"].(float64)), RhoIMAP: true}
	for _, x := range o["sigma"].([]any) {
		c.Sigma = append(c.Sigma, x.(float64))
	}
	for _, x := range o["rho"].([]any) {
		c.Rho = append(c.Rho, x.(float64))
	}
	return c
}

func writtenFields(t *testing.T, row *klv.Row, o map[string]any) (out []klv.Value) {
	place := func(name string) (uint32, *klv.Row) {
		for i := range row.Fields {
			if row.Fields[i].Name == name {
				return uint32(i + 1), &row.Fields[i].Row
			}
		}
		t.Fatalf("%s has no field %q", row.Name, name)
		return 0, nil
	}
	for key, w := range o {
		if group, ok := w.(map[string]any); ok && (key == "sigma" || key == "rho") {
			for axis, x := range group {
				names := map[string]string{"east": "Sigma East", "north": "Sigma North", "up": "Sigma Up", "east-north": "Rho East North", "east-up": "Rho East Up", "north-up": "Rho North Up"}
				i, r := place(names[axis])
				out = append(out, written(t, i, r, x))
			}
			continue
		}
		if w == nil || notFields[key] {
			continue
		}
		name := fieldNames[key]
		if special, ok := fieldsOf[row.Name][key]; ok {
			name = special
		}
		i, r := place(name)
		out = append(out, written(t, i, r, w))
	}
	return out
}

// withinStep compares numbers that were written on a scale: to its step, or to single precision where that is what was written.
func withinStep(n *klv.Node, got, want float64) bool {
	step := 0.0
	switch n.Row.Format {
	case klv.ScaledInt, klv.ScaledUint:
		step = (n.Row.Hi - n.Row.Lo) / (math.Exp2(float64(8*len(n.Value))) - 2)
	case klv.IMAPB:
		step = (n.Row.Hi - n.Row.Lo) / math.Exp2(float64(8*len(n.Value)-2))
	case klv.Unsigned: // airspeed
		step = 0.5
	case klv.SDCCPack, klv.Float:
		step = math.Abs(want)*0x1p-23 + 0x1p-22 // three bytes of ST 1201 over -1..1; 2.1e-64 is zero in single precision
	}
	return near(got, want) || math.Abs(got-want) <= step
}

// What is written from the gold values is read again as they are, and writes the same bytes from what was read.
func TestGoldValues(t *testing.T) {
	var gold []struct {
		Key   struct{ Bytes string }
		Value []any
	}
	// The file has -Infinity, which JSON lacks.
	raw := bytes.ReplaceAll(read(t, "klv_gold.json"), []byte("-Infinity"), []byte(`"-Infinity"`))
	if err := json.Unmarshal(raw, &gold); err != nil {
		t.Fatal(err)
	}
	names := []string{"0102", "0104", "0601", "1107", "1108"}
	if len(gold) != len(names) {
		t.Fatalf("%d packets", len(gold))
	}
	for i, g := range gold {
		std := klv.StandardOf(klv.UL(unbase(t, g.Key.Bytes)))
		if std.Name != names[i] {
			t.Fatalf("packet %d is of %q, want %s", i, std.Name, names[i])
		}
		values := writtenItems(t, std, g.Value)
		packet, err := std.Encode(inOrder(std, values, g.Value)...)
		if err != nil {
			t.Errorf("ST %s: %v", std.Name, err)
			continue
		}
		compareGold(t, std, packet, g.Value)
	}
}

// inOrder puts the item of deviations of ST 0601 after the two that it is about.
func inOrder(std *klv.Standard, values []klv.Value, list []any) []klv.Value {
	if std != klv.ST0601 {
		return values
	}
	out := []klv.Value{}
	k := 0
	for _, w := range list {
		tag := uint32(w.(map[string]any)["key"].(map[string]any)["integer"].(float64))
		if std.Row(tag).Format == klv.Opaque {
			continue
		}
		if tag == 102 {
			out = append(out, klv.Number(13, 24.8), klv.Number(14, -107.4))
		}
		out = append(out, values[k])
		k++
	}
	return out
}

func compareGold(t *testing.T, std *klv.Standard, packet []byte, want []any) {
	set, err := klv.Decode(packet)
	if err != nil || set.Checksum == klv.Stale {
		t.Fatalf("ST %s: %v, %v", std.Name, err, set.Problems)
	}
	tree, _ := set.Tree()
	c := &truth{t, map[string]int{}, withinStep}
	for i, w := range want {
		o := w.(map[string]any)
		path := fmt.Sprintf("ST %s item %d", std.Name, i)
		key := o["key"].(map[string]any)
		n := tree.Field("")
		if tag, ok := key["integer"].(float64); ok {
			if n = tree.Item(uint32(tag)); std.Row(uint32(tag)).Format == klv.Opaque || tag == 3 && o["value"] != nil {
				continue // not made; and of two texts with the tag 3 the malformed one comes last
			}
		} else {
			u := klv.UL(unbase(t, key["bytes"].(string)))
			for k := range tree.Nodes {
				if tree.Nodes[k].Key() == u {
					n = &tree.Nodes[k]
				}
			}
		}
		if o["value"] != nil {
			c.node(path, n, o["value"])
		}
	}
	if len(c.compared) == 0 {
		t.Errorf("ST %s: nothing was compared", std.Name)
	}
	roundTrip(t, &tree)
	if !bytes.Equal(set.AppendTo(nil), packet) {
		t.Errorf("ST %s does not re-encode", std.Name)
	}
}

func TestGoldTextThatIsNone(t *testing.T) {
	packet := made(t, klv.TextOf(3, "TEST\x00STRING"), klv.RawBytes(3, []byte{0, 0xff}))
	set, err := klv.Decode(packet)
	if err != nil || set.Items[1].Text() != "TEST\x00STRING" || set.Item(3).State != klv.Malformed || len(set.Problems) != 2 {
		t.Errorf("%v %q %v", err, set.Items[1].Text(), set.Problems)
	}
}
