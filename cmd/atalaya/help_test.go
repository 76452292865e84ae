package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// everyCommand lists the root and all below it, by name.
func everyCommand() []*cobra.Command {
	var list []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		list = append(list, c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())
	return list
}

// golden compares what a test made with a committed file; with ATALAYA_GOLDEN set it rewrites the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("ATALAYA_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v. Write it with `make golden`, and read the diff", err)
		return
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if lineAt(g, i) != lineAt(w, i) {
			t.Errorf("%s, line %d: the program says\n  %q\nand the file\n  %q\nRewrite it with `make golden`, and read the diff", path, i+1, lineAt(g, i), lineAt(w, i))
			return
		}
	}
}

func lineAt(of []string, i int) string {
	if i < len(of) {
		return of[i]
	}
	return "(no line)"
}

// TestHelp holds what `--help` prints, for every command, against testdata/help.
func TestHelp(t *testing.T) {
	const dir = "testdata/help"
	known := map[string]bool{}
	for _, c := range everyCommand() {
		words := strings.Fields(c.CommandPath())
		name := strings.Join(words, "_") + ".txt"
		known[name] = true
		var out, talk bytes.Buffer
		if code := run(append(words[1:], "--help"), &out, &talk); code != 0 || talk.Len() > 0 {
			t.Errorf("%s --help ends with %d and says %q", c.CommandPath(), code, talk.String())
		}
		golden(t, filepath.Join(dir, name), out.String())
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f.Name()] {
			t.Errorf("%s/%s belongs to no command: delete it", dir, f.Name())
		}
	}
}

// TestEveryCommandSaysWhatItDoesAndHow: a sentence for each, and for each that does something at least two real examples, whose
// flags exist.
func TestEveryCommandSaysWhatItDoesAndHow(t *testing.T) {
	for _, c := range everyCommand() {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its Short is %q: one sentence, without a full stop", c.CommandPath(), c.Short)
		}
		if c.HasSubCommands() && c.HasParent() {
			continue
		}
		ran, own := 0, 0
		for _, ex := range examples(c) {
			of := commandOf(ex)
			if of == nil {
				t.Errorf("%s: the example %q runs no command of this program", c.CommandPath(), ex)
				continue
			}
			ran++
			if of.CommandPath() == c.CommandPath() || c.CommandPath() == "atalaya" {
				own++
			}
			for _, flag := range flagWord.FindAllStringSubmatch(atalayaPart(ex), -1) {
				if of.Flag(flag[1]) == nil {
					t.Errorf("%s: the example %q has --%s, which %s does not know", c.CommandPath(), ex, flag[1], of.CommandPath())
				}
			}
		}
		if ran < 2 || own < 1 {
			t.Errorf("%s: %d examples run atalaya and %d of them this command; want at least 2 and 1", c.CommandPath(), ran, own)
		}
	}
}

var (
	flagWord  = regexp.MustCompile(`(?:^| )--([a-z][a-z0-9-]*)`)
	atalayaIs = regexp.MustCompile(`(?:^|\| ?)(?:[A-Z_]+=\S+ )*(atalaya(?: [^|>]*)?)`)
)

// examples are the example lines of a command.
func examples(c *cobra.Command) []string {
	var out []string
	for l := range strings.Lines(c.Example) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// atalayaPart is what of an example line is addressed to atalaya: `X=1 atalaya run m | jq .` gives `atalaya run m`.
func atalayaPart(example string) string {
	if m := atalayaIs.FindStringSubmatch(example); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}

// commandOf is the command that an example line runs, nil when it runs none.
func commandOf(example string) *cobra.Command {
	words := strings.Fields(atalayaPart(example))
	if len(words) == 0 {
		return nil
	}
	c, _, err := rootCommand().Find(words[1:])
	if err != nil {
		return nil
	}
	return c
}

// generatedMark parts the page that a person writes from what is generated below it.
const generatedMark = "<!-- Below this line the page is generated from the program: edit the command, then `make golden`. -->\n"

// TestCommandsPage holds docs/reference/commands.md against the commands: every one, with its usage, flags and examples.
func TestCommandsPage(t *testing.T) {
	path := filepath.Join(fixture.Root(), "docs", "reference", "commands.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(page), generatedMark)
	if !found {
		t.Fatalf("%s has lost its line\n%s", path, generatedMark)
	}
	golden(t, path, head+generatedMark+commandSections())
}

func commandSections() string {
	list := everyCommand()
	var b strings.Builder
	b.WriteString("\n## All of them\n\n| command | does |\n|---|---|\n")
	for _, c := range list[1:] {
		if !c.HasSubCommands() {
			fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", usageOf(c), anchor(c.CommandPath()), cell(c.Short))
		}
	}
	b.WriteString("\n## Flags that every command takes\n\n")
	flagTable(&b, list[0].PersistentFlags())
	for _, c := range list[1:] {
		if c.HasSubCommands() {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", c.CommandPath())
		if !strings.HasPrefix(c.Long, firstWords(c.Short)) { // a Long that begins as the Short does says it all again
			fmt.Fprintf(&b, "\n%s.\n", c.Short)
		}
		if c.Long != "" {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Long))
		}
		fmt.Fprintf(&b, "\n    %s\n\n", c.UseLine())
		flagTable(&b, c.LocalNonPersistentFlags())
		fmt.Fprintf(&b, "\n```sh\n%s\n```\n", strings.Join(examples(c), "\n"))
	}
	return b.String()
}

func firstWords(s string) string {
	words := strings.Fields(s)
	return strings.Join(words[:min(3, len(words))], " ")
}

// usageOf is a command with its arguments, without the general "[flags]".
func usageOf(c *cobra.Command) string {
	return strings.ReplaceAll(strings.TrimSuffix(c.UseLine(), " [flags]"), "|", "\\|")
}

func flagTable(b *strings.Builder, set *pflag.FlagSet) {
	var rows []string
	set.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		def := ""
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			def = "`" + f.DefValue + "`"
		}
		rows = append(rows, fmt.Sprintf("| `--%s` | %s | %s | %s |\n", f.Name, f.Value.Type(), def, cell(f.Usage)))
	})
	if len(rows) == 0 {
		b.WriteString("No flags of its own.\n")
		return
	}
	slices.Sort(rows)
	b.WriteString("| flag | takes | default | meaning |\n|---|---|---|---|\n" + strings.Join(rows, ""))
}

// cell makes a text safe within a row of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
