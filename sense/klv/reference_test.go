package klv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya/internal/fixture"
	"github.com/atalaya-isr/atalaya/sense/klv"
)

var formatNames = map[klv.Format]string{
	klv.Bytes: "bytes", klv.Opaque: "withheld", klv.Text: "text", klv.TextUTF16: "UTF-16 text", klv.Micros: "time", klv.Unsigned: "unsigned", klv.Signed: "signed",
	klv.Enum: "enumerated", klv.ScaledUint: "linear, unsigned", klv.ScaledInt: "linear, signed", klv.IMAPB: "ST 1201", klv.Float: "floating point", klv.Nested: "set",
	klv.List: "list", klv.ChecksumSum: "checksum", klv.BEROID: "BER-OID", klv.BERLength: "BER", klv.Pack: "pack", klv.Identifier: "UUID", klv.BitList: "list of bits",
	klv.MDArray: "ST 1303 array", klv.SDCCPack: "ST 1010", klv.CoreIdentifier: "ST 1204", klv.BitFields: "bit fields",
}

// says is what a row says in the page: format, and for sets, packs and lists what is in them.
func says(r *klv.Row) string {
	s := formatNames[r.Format]
	switch r.Format {
	case klv.Nested:
		return "set of " + r.Set.Name
	case klv.List:
		if r.Entry.Format == klv.Pack {
			return "list of packs: " + fieldsOfPack(r.Entry.Fields)
		}
		return "list: " + says(&r.Entry.Row)
	case klv.Pack, klv.BitFields:
		return s + ": " + fieldsOfPack(r.Fields)
	}
	if r.Size != 0 {
		s += strings.TrimSuffix(fmt.Sprintf(", %d bytes", r.Size), "s")
		if r.Size > 1 {
			s += "s"
		}
	}
	if r.Lo != r.Hi {
		s += fmt.Sprintf(", %g to %g", r.Lo, r.Hi)
	}
	if r.Unit != "" {
		s += ", " + r.Unit
	}
	return s
}

func fieldsOfPack(fields []klv.Field) string {
	var names []string
	for i := range fields {
		name := fields[i].Name
		if fields[i].Format == klv.Nested {
			name += " (set of " + fields[i].Set.Name + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// referenceTables are the tables of the page, made from those of the package.
func referenceTables() string {
	var b strings.Builder
	b.WriteString("## Standards\n\n| set | version | what | key | items | withheld |\n|---|---|---|---|---|---|\n")
	for _, std := range klv.Standards() {
		items, withheld := 0, 0
		count := func(r *klv.Row) {
			if items++; r.Format == klv.Opaque {
				withheld++
			}
		}
		for _, r := range std.Rows() {
			count(r)
		}
		for _, r := range std.UniversalRows() {
			count(r)
		}
		key := ""
		if std.Key != (klv.UL{}) {
			key = "`" + std.Key.String() + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d |\n", std.Name, std.Version, std.Title, key, items, withheld)
	}
	for _, std := range klv.Standards() {
		if std == klv.ST1607 {
			continue
		}
		fmt.Fprintf(&b, "\n## Items of %s\n\n| item | name | written as |\n|---|---|---|\n", std.Name)
		for tag, r := range std.Rows() {
			fmt.Fprintf(&b, "| %d | %s | %s |\n", tag, r.Name, says(r))
		}
		for k, r := range std.UniversalRows() {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k, r.Name, says(r))
		}
	}
	return b.String()
}

// The tables of docs/reference/klv.md are those of the package. ATALAYA_GOLDEN=1 writes them anew.
func TestReferencePage(t *testing.T) {
	path := filepath.Join(fixture.Root(), "docs", "reference", "klv.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, was, ok := strings.Cut(string(raw), "## Standards\n")
	if !ok {
		t.Fatal("the page has no section Standards")
	}
	want := referenceTables()
	if "## Standards\n"+was != want && os.Getenv("ATALAYA_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(head+want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if "## Standards\n"+was != want {
		t.Error("the tables are not those of the package: ATALAYA_GOLDEN=1 go test ./sense/klv -run TestReferencePage")
	}
	for f, name := range formatNames {
		if f != klv.Opaque && !strings.Contains(want, name) && name != "bytes" {
			t.Errorf("no item is written as %q", name)
		}
	}
}
