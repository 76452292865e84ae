package klv_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// streamPackets are the metadata packets of a transport stream.
func streamPackets(t testing.TB, name string) (out [][]byte) {
	t.Helper()
	d := mpegts.NewDemuxer(bytes.NewReader(read(t, name)))
	var s klv.Splitter
	for {
		u, err := d.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			return out
		}
		s.Feed(u.Data)
		s.End()
		for p, ok := s.Next(); ok; p, ok = s.Next() {
			out = append(out, bytes.Clone(p.Bytes))
		}
	}
}

// fieldNames are the names that the truth has for the fields of packs, by ours.
var fieldNames = map[string]string{
	"x0": "Start x0", "y0": "Start y0", "x1": "End x1", "y1": "End y1",
	"latitude0": "Start Latitude", "longitude0": "Start Longitude", "latitude1": "End Latitude", "longitude1": "End Longitude",
	"coding-method": "Country Coding Method", "overflight-country": "Overflight Country", "operator-country": "Operator Country", "country-of-manufacture": "Country of Manufacture",
	"numerator": "Frame Rate Numerator", "denominator": "Frame Rate Denominator",
	"latitude": "Latitude", "longitude": "Longitude", "altitude": "HAE", "take-off-location": "Take-off Location", "recovery-location": "Recovery Location",
	"azimuth": "Azimuth", "elevation": "Elevation", "roll": "Roll", "start": "Start", "range": "Range",
	"local-id": "Local ID", "universal-id": "Universal ID", "row": "FPA Row", "column": "FPA Column", "index": "Pixel Number", "length": "Run Length",
	"east": "East", "north": "North", "up": "Up", "order": "Prosecution Order", "info": "Info Value", "location": "Location",
	"compression-method": "Compression Method", "data-type": "Data Type", "source": "Source",
	"section-x": "Section Number X", "section-y": "Section Number Y", "measurements": "Array of Range Measurements", "uncertainty": "Array of Uncertainty Measurements",
	"plane-x-scale": "Plane Fit X-Scale", "plane-y-scale": "Plane Fit Y-Scale", "plane-constant": "Plane Fit Constant",
	"version": "Version", "sensor-id": "Sensor Identifier", "platform-id": "Platform Identifier", "window-id": "Window Identifier", "minor-id": "Minor Identifier",
	"organization": "Organization", "subgroup": "Subgroup", "offset": "Time Offset",
	"min-x": "Starting Column", "min-y": "Starting Row", "max-x": "Ending Column", "max-y": "Ending Row", "set": "VTarget",
}

// fieldsOf tells names apart that the truth has for several packs.
var fieldsOf = map[string]map[string]string{
	"Control Command":          {"id": "Command ID", "string": "Command String", "timestamp": "Command Time"},
	"Wavelength Record":        {"id": "Wavelength ID", "min": "Min Wavelength", "max": "Max Wavelength", "name": "Wavelength Name"},
	"Payload Record":           {"id": "Payload ID", "type": "Payload Type", "name": "Payload Name"},
	"Waypoint Record":          {"id": "Waypoint ID"},
	"VTarget Pack":             {"id": "Target ID Number"},
	"Metric Period Pack":       {"timestamp": "Start Time"},
	"Numeric ID for Data Type": {"id": "Numeric ID", "type": "Data Type"},
}

// notFields are what the truth says of how a pack is written, not of what it says.
var notFields = map[string]bool{"semi-length": true, "sensor-id-type": true, "platform-id-type": true}

// truth compares nodes with the values that another decoder read.
type truth struct {
	t        *testing.T
	compared map[string]int // leaves by name
	// near compares two numbers of a node.
	near func(n *klv.Node, got, want float64) bool
}

// exactly compares to the precision that the truth promises.
func exactly(_ *klv.Node, got, want float64) bool { return near(got, want) }

func (c *truth) errorf(path, format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
}

// node compares one value; want is as encoding/json decodes it.
func (c *truth) node(path string, n *klv.Node, want any) {
	switch {
	case n == nil || n.Row == nil:
		c.errorf(path, "there is no such value, want %v", want)
	case n.Row.Format == klv.Opaque:
		c.withheld(path, n, want)
	case want == nil:
		if n.State == klv.Given && len(n.Nodes) > 0 {
			c.errorf(path, "%v (state %d) where the truth has nothing", n.Kind, n.State)
		}
	default:
		c.compared[n.Name()]++
		c.value(path, n, want)
	}
}

// withheld items are compared by their bytes alone.
func (c *truth) withheld(path string, n *klv.Node, want any) {
	if n.Kind != klv.AsBytes || n.State != klv.Unread || n.Name() != klv.Withheld || len(n.Value) == 0 && want != nil {
		c.errorf(path, "%+v is not withheld", n)
	}
	if x, ok := want.(float64); ok {
		var v uint64
		for _, b := range n.Value {
			v = v<<8 | uint64(b)
		}
		if float64(v) != x {
			c.errorf(path, "bytes %x, want those of %v", n.Value, x)
		}
	}
	c.compared[klv.Withheld]++
}

func (c *truth) value(path string, n *klv.Node, want any) {
	switch w := want.(type) {
	case float64:
		if x, ok := n.Float(); !ok || !c.near(n, x, w) {
			c.errorf(path, "%v (state %d, kind %d), want %v", n.Number, n.State, n.Kind, w)
		}
	case string:
		c.text(path, n, w)
	case []any:
		c.list(path, n, w)
	case map[string]any:
		c.object(path, n, w)
	default:
		c.errorf(path, "no comparison with %T", want)
	}
}

func (c *truth) text(path string, n *klv.Node, want string) {
	if want == "-Infinity" { // no number, though the bytes say which
		if n.State != klv.OutOfRange || fmt.Sprintf("%x", n.Value) != "fff0000000000000" {
			c.errorf(path, "%x (state %d), want minus infinity", n.Value, n.State)
		}
		return
	}
	if n.Kind == klv.AsText {
		// The truth holds UTF-16 text byte by byte.
		if got := n.Text; got != want && string(n.Value) != want {
			c.errorf(path, "%q, want %q", got, want)
		}
		return
	}
	if b, err := base64.StdEncoding.DecodeString(want); err != nil || n.Kind != klv.AsBytes || !bytes.Equal(b, n.Value) {
		c.errorf(path, "bytes %x, want %q", n.Value, want)
	}
}

func (c *truth) list(path string, n *klv.Node, want []any) {
	switch {
	case n.Kind == klv.AsSet:
		c.items(path, n, want)
	case n.Row.Bits != nil:
		var bits int64
		for _, w := range want {
			bits |= 1 << int(w.(map[string]any)["integer"].(float64))
		}
		if n.Integer != bits {
			c.errorf(path, "flags %b, want %b", n.Integer, bits)
		}
	case n.Kind == klv.AsArray:
		c.numbers(path, n, n.Array.Numbers, want)
	case n.Kind == klv.AsList:
		if len(n.Nodes) != len(want) {
			c.errorf(path, "%d entries, want %d", len(n.Nodes), len(want))
			return
		}
		for i := range want {
			c.node(fmt.Sprintf("%s[%d]", path, i), &n.Nodes[i], want[i])
		}
	case n.State == klv.Cleared && len(want) == 0:
	default:
		c.errorf(path, "kind %d, state %d, want a list of %d", n.Kind, n.State, len(want))
	}
}

func (c *truth) items(path string, n *klv.Node, want []any) {
	if len(n.Nodes) != len(want) {
		c.errorf(path, "%d items, want %d", len(n.Nodes), len(want))
	}
	for _, w := range want {
		o := w.(map[string]any)
		tag := o["key"].(map[string]any)["integer"].(float64)
		if raw, ok := o["value-unparsed-bytes"]; ok && o["value"] == nil {
			o["value"] = raw
		}
		c.node(fmt.Sprintf("%s/%v", path, tag), n.Item(uint32(tag)), o["value"])
	}
}

func (c *truth) numbers(path string, n *klv.Node, got []float64, want any) {
	list, _ := want.([]any)
	if len(got) != len(list) {
		c.errorf(path, "%v, want %v", got, want)
		return
	}
	for i, w := range list {
		if !c.near(n, got[i], w.(float64)) {
			c.errorf(path, "element %d: %v, want %v", i, got[i], w)
		}
	}
}

func (c *truth) object(path string, n *klv.Node, o map[string]any) {
	switch {
	case o["elements"] != nil:
		if n.Array == nil {
			c.errorf(path, "no array")
			return
		}
		sizes := []any{}
		for _, k := range n.Array.Sizes {
			sizes = append(sizes, float64(k))
		}
		if fmt.Sprint(sizes) != fmt.Sprint(o["sizes"]) {
			c.errorf(path, "sizes %v, want %v", sizes, o["sizes"])
		}
		c.numbers(path, n, n.Array.Numbers, o["elements"])
	case o["sigma-length"] != nil:
		if n.SDCC == nil {
			c.errorf(path, "no deviations")
			return
		}
		c.numbers(path+" sigma", n, n.SDCC.Sigma, o["sigma"])
		c.numbers(path+" rho", n, n.SDCC.Rho, o["rho"])
	case o["kind"] != nil:
		c.special(path, n, o)
	case o["bytes"] != nil:
		c.bytes(path, n, o["bytes"].(string))
	case n.Kind == klv.AsPack:
		c.fields(path, n, o)
	case o["integer"] != nil:
		if k, ok := n.Int(); !ok || float64(k) != o["integer"].(float64) {
			c.errorf(path, "%v (state %d), want %v", n.Integer, n.State, o["integer"])
		}
	case o["value"] != nil:
		c.value(path, n, o["value"])
	default:
		c.errorf(path, "kind %d, no comparison with %v", n.Kind, o)
	}
}

func (c *truth) bytes(path string, n *klv.Node, text string) {
	if b, err := base64.StdEncoding.DecodeString(text); err != nil || !bytes.Equal(b, n.Value) {
		c.errorf(path, "bytes %x, want %s", n.Value, text)
	}
}

var imapKinds = []klv.IMAPKind{klv.UserDefined, klv.QuietNaN, klv.SignallingNaN, klv.BelowMinimum, klv.OnScale, klv.AboveMaximum}

func (c *truth) special(path string, n *klv.Node, o map[string]any) {
	v, ok := n.IMAP()
	kind := imapKinds[int(o["kind"].(map[string]any)["integer"].(float64))]
	bits, _ := o["other-bits"].(float64)
	sign, _ := o["sign"].(bool)
	if !ok || v.Kind != kind || v.Payload != uint64(bits) || v.Kind != klv.BelowMinimum && v.Negative != sign || n.State != klv.OutOfRange {
		c.errorf(path, "%+v (state %d), want %v", v, n.State, o)
	}
}

func (c *truth) fields(path string, n *klv.Node, o map[string]any) {
	if sigma, ok := o["sigma"].(map[string]any); ok { // a group of three within the pack
		for axis, w := range sigma {
			c.node(path+" sigma "+axis, n.Field("Sigma "+map[string]string{"east": "East", "north": "North", "up": "Up"}[axis]), w)
		}
	}
	if rho, ok := o["rho"].(map[string]any); ok {
		for axis, w := range rho {
			c.node(path+" rho "+axis, n.Field("Rho "+map[string]string{"east-north": "East North", "east-up": "East Up", "north-up": "North Up"}[axis]), w)
		}
	}
	for key, w := range o {
		name := fieldNames[key]
		if special, ok := fieldsOf[n.Name()][key]; ok {
			name = special
		}
		f := n.Field(name)
		switch {
		case key == "sigma" || key == "rho" || notFields[key]:
		case name == "":
			c.errorf(path, "the test knows no field for %q", key)
		case w == nil && (f == nil || f.State == klv.Cleared):
		case f == nil && key == "denominator" && w == 1.0, f == nil && key == "recovery-location": // left out: 1; the same as take-off
		case f == nil && key == "set" && len(w.([]any)) == 0:
		default:
			c.node(path+"."+key, f, w)
		}
	}
}

// Every item of the golden packets, nested ones too, is what another decoder read; and from the parts come the bytes again.
func TestGoldenTree(t *testing.T) {
	var golden []struct{ Value []any }
	if err := json.Unmarshal(read(t, "klv_golden.json"), &golden); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"h264_klv.ts", "h265_klv.ts", "mpeg2_klv.ts"} {
		c := &truth{t, map[string]int{}, exactly}
		got := streamPackets(t, name)
		if len(got) != 30 || len(golden) != 30 {
			t.Fatalf("%s: %d packets, %d in the truth, want 30", name, len(got), len(golden))
		}
		for i, p := range got {
			set, err := klv.Decode(p)
			if err != nil {
				t.Fatal(err)
			}
			tree, problems := set.Tree()
			if len(problems) > 0 {
				t.Errorf("%s packet %d: %v", name, i, problems)
			}
			sum := tree.Item(1)
			if sum == nil || len(tree.Nodes) != len(golden[i].Value)+1 { // the truth leaves out the checksum
				t.Errorf("%s packet %d: %d items, want %d and a checksum", name, i, len(tree.Nodes), len(golden[i].Value))
			}
			tree.Nodes = tree.Nodes[:len(tree.Nodes)-1]
			c.items(fmt.Sprintf("%s packet %d", name, i), &tree, golden[i].Value)
			roundTrip(t, &tree)
		}
		if len(c.compared) < 150 || c.compared[klv.Withheld] < 6*30 {
			t.Errorf("%s: only %d names compared, %d withheld items", name, len(c.compared), c.compared[klv.Withheld])
		}
	}
}

// roundTrip holds that every node is its parts, and that what was read writes the same bytes again.
func roundTrip(t testing.TB, tree *klv.Node) {
	t.Helper()
	for _, n := range tree.All() {
		if n.Kind == klv.AsSet && n != tree || n.Kind == klv.AsList || n.Kind == klv.AsPack {
			if got := n.AppendTo(nil); !bytes.Equal(got, n.Value) {
				t.Fatalf("%s: its parts are %x, it came as %x", n.Name(), got, n.Value)
			}
		}
	}
	for i := range tree.Nodes {
		n := &tree.Nodes[i]
		if n.Row != nil && n.Row.Format == klv.ChecksumSum {
			continue
		}
		values := []klv.Value{klv.ValueOf(n)}
		if n.SDCC != nil { // it is about the items before it
			values = nil
			for k := max(0, i-n.SDCC.Size); k <= i; k++ {
				values = append(values, klv.ValueOf(&tree.Nodes[k]))
			}
		}
		got, err := tree.Set.EncodeItems(values...)
		if got = got[max(0, len(got)-len(n.Raw)):]; err != nil {
			t.Errorf("item %d (%s) cannot be written again: %v", n.Tag, n.Name(), err)
		} else if !bytes.Equal(got, n.Raw) {
			t.Errorf("item %d (%s) is written as\n%x, came as\n%x", n.Tag, n.Name(), got, n.Raw)
		}
	}
}

// The item of deviations is about the three before it in the packet, whatever their tags.
func TestGoldenDeviations(t *testing.T) {
	set, err := klv.Decode(streamPackets(t, "h264_klv.ts")[0])
	if err != nil {
		t.Fatal(err)
	}
	list, err := set.Deviations()
	if err != nil || len(list) != 1 || len(list[0].Items) != 3 {
		t.Fatalf("%v %v", list, err)
	}
	d := list[0]
	for i, tag := range []uint32{13, 14, 5} {
		if d.Items[i].Tag != tag {
			t.Errorf("member %d is item %d, want %d", i, d.Items[i].Tag, tag)
		}
	}
	if d.Covariance(0, 0) != 1 || d.Covariance(0, 1) != -1 || d.Covariance(1, 0) != -1 || d.Covariance(1, 1) != 4 || d.Correlation(1, 2) != 0 || d.Correlation(2, 2) != 1 {
		t.Errorf("deviations %v, correlations %v", d.Sigma, d.Rho)
	}
	if !math.IsNaN(d.Covariance(0, 3)) || d.Correlation(0, 3) != 0 {
		t.Error("there is no fourth item")
	}
}
