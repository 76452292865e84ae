package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/atalaya-isr/atalaya/internal/fixture"
)

// A fence is one fenced block of a page: what follows the opening ticks, and the lines up to the closing ones.
type fence struct {
	info  string
	line  int // of the first line within, from 1
	lines []string
}

// fences gives the fenced blocks of a page, and the page's other lines with the fenced ones emptied, so that line numbers hold.
func fences(page string) (blocks []fence, prose []string) {
	open := false
	for i, l := range strings.Split(page, "\n") {
		mark := strings.HasPrefix(strings.TrimSpace(l), "```")
		switch {
		case mark && !open:
			open = true
			blocks = append(blocks, fence{info: strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(l), "`")), line: i + 2})
		case mark:
			open = false
		case open:
			b := &blocks[len(blocks)-1]
			b.lines = append(b.lines, l)
		default:
			prose = append(prose, l)
			continue
		}
		prose = append(prose, "")
	}
	return blocks, prose
}

// TestPagesRun does what the tutorials and how-to pages say, each page in a folder of its own: a block of a named file
// (```csv survey.csv) is saved under that name, and the lines of a ```console block that begin with "$ " are run in one shell,
// in order (a block "console needs=jq" only where there is a jq). What the page shows below a command must be what the command printed; "..." stands for any text or lines.
func TestPagesRun(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here to run the pages with")
	}
	for _, folder := range []string{"tutorials", "how-to"} {
		pages, err := filepath.Glob(filepath.Join(fixture.Root(), "docs", folder, "*.md"))
		if err != nil || len(pages) == 0 {
			t.Fatalf("no pages in docs/%s: %v", folder, err)
		}
		for _, page := range pages {
			t.Run(folder+"/"+strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) { runPage(t, sh, page) })
		}
	}
}

// A step is one command of a page with what the page shows below it.
type step struct {
	line    int
	command string
	want    []string
}

// steps reads a console block: "$ " begins a command, "> " carries it on, all else is what it prints.
func steps(b fence) (list []step, err error) {
	for i, l := range b.lines {
		switch {
		case strings.HasPrefix(l, "$ "):
			list = append(list, step{line: b.line + i, command: l[2:]})
		case len(list) == 0:
			return nil, fmt.Errorf("line %d: a console block begins with a line that begins with \"$ \"", b.line+i)
		case strings.HasPrefix(l, "> ") && len(list[len(list)-1].want) == 0:
			list[len(list)-1].command += "\n" + l[2:]
		default:
			list[len(list)-1].want = append(list[len(list)-1].want, l)
		}
	}
	return list, nil
}

func runPage(t *testing.T, sh, page string) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	work, outs := t.TempDir(), t.TempDir()
	var script strings.Builder
	var all []step
	blocks, _ := fences(string(text))
	for n, b := range blocks {
		words := strings.Fields(b.info)
		console := len(words) > 0 && words[0] == "console"
		if console && len(words) == 2 {
			program := strings.TrimPrefix(words[1], "needs=")
			if _, err := exec.LookPath(program); err != nil {
				t.Logf("%s:%d: not run, there is no %s here", page, b.line, program)
				continue
			}
		} else if len(words) == 2 { // a file that the reader saves; it is there when the commands below it run
			name := fmt.Sprintf("%s/file.%d", outs, n)
			if err := os.WriteFile(name, []byte(strings.Join(b.lines, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&script, "mkdir -p \"$(dirname '%s')\" && cp '%s' '%s' || exit 9\n", words[1], name, words[1])
		}
		if !console {
			continue
		}
		list, err := steps(b)
		if err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		for _, s := range list {
			// In braces, not in a shell of its own: what one command exports, the next one sees.
			fmt.Fprintf(&script, "{\n%s\n} >'%s/%d' 2>&1 </dev/null\necho $? >'%s/%d.code'\nread code <'%s/%d.code'; test \"$code\" = 0 || exit 1\n", s.command, outs, len(all), outs, len(all), outs, len(all))
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no console block", page)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, sh, "-c", script.String())
	c.Dir, c.Env, c.WaitDelay = work, pageEnv(work), time.Second
	said, runErr := c.CombinedOutput()
	for i, s := range all {
		code, err := os.ReadFile(fmt.Sprintf("%s/%d.code", outs, i))
		if err != nil {
			t.Fatalf("%s:%d: `%s` did not end: %v %s", page, s.line, s.command, runErr, said)
		}
		out, err := os.ReadFile(fmt.Sprintf("%s/%d", outs, i))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(code)); got != "0" {
			t.Fatalf("%s:%d: `%s` ends with %s and says\n%s", page, s.line, s.command, got, out)
		}
		if got := linesOf(string(out)); !matches(s.want, got) {
			t.Errorf("%s:%d: `%s` prints\n%s\nwhere the page shows\n%s", page, s.line, s.command, strings.Join(got, "\n"), strings.Join(s.want, "\n"))
		}
	}
}

// pageEnv is the environment of a reader whose home is an empty folder and who has set nothing of Atalaya's.
func pageEnv(home string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "ATALAYA_") && !strings.HasPrefix(name, "XDG_") && name != "HOME" {
			env = append(env, kv)
		}
	}
	return append(env, "HOME="+home, "TZ=UTC")
}

func linesOf(s string) []string {
	if s = strings.TrimRight(s, "\n"); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// matches compares what a page shows with what was printed: a line "..." stands for any lines, "..." within a line for any
// text, and runs of blanks count as one.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == "..." {
		for skip := range len(got) + 1 {
			if matches(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && lineMatches(want[0], got[0]) && matches(want[1:], got[1:])
}

func lineMatches(want, got string) bool {
	parts := strings.Split(oneBlank(want), "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(oneBlank(got))
}

func oneBlank(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestMatchesIsNoRubberStamp(t *testing.T) {
	for _, row := range []struct {
		claim, want, got string
		is               bool
	}{
		{"the same", "a\nb", "a\nb", true},
		{"nothing shown, nothing printed", "", "", true},
		{"nothing shown, something printed", "", "a", false},
		{"something shown, nothing printed", "a", "", false},
		{"a line left out at the end", "a", "a\nb", false},
		{"a line left out in the middle", "a\nc", "a\nb\nc", false},
		{"lines elided", "a\n...\nc", "a\nb\nb\nc", true},
		{"no lines elided", "a\n...\nc", "a\nc", true},
		{"lines elided, another end", "a\n...\nc", "a\nb\nd", false},
		{"text elided", "site_... 24.93... new", "site_407d   24.93021  new", true},
		{"text elided, another figure", "site_... 24.93... new", "site_407d   24.83021  new", false},
		{"a point is a point", "a.b", "axb", false},
	} {
		if got := matches(linesOf(row.want), linesOf(row.got)); got != row.is {
			t.Errorf("%s: shown %q, printed %q: %v", row.claim, row.want, row.got, got)
		}
	}
}

// pagesOf gives every page of the project, by its slash path from the root.
func pagesOf(t *testing.T) map[string]string {
	t.Helper()
	root, pages := fixture.Root(), map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "build", "bin", "data"}, d.Name())) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".md") {
			return nil
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		pages[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	linkTarget = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headLine   = regexp.MustCompile(`^#{1,6} +(.*)$`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// anchor is the name that a heading gets, as the usual viewers of Markdown make it.
func anchor(heading string) string {
	heading = strings.ReplaceAll(linkText.ReplaceAllString(heading, "$1"), "`", "")
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// anchors are those of a page; a heading that comes again has -1, -2 ... after its name.
func anchors(page string) map[string]bool {
	_, prose := fences(page)
	out, seen := map[string]bool{}, map[string]int{}
	for _, l := range prose {
		if m := headLine.FindStringSubmatch(l); m != nil {
			a := anchor(m[1])
			name := a
			if seen[a] > 0 {
				name += "-" + strconv.Itoa(seen[a])
			}
			seen[a]++
			out[name] = true
		}
	}
	return out
}

// brokenLinks names every link of the pages that leads nowhere within the project.
func brokenLinks(root string, pages map[string]string) []string {
	var out []string
	for name, text := range pages {
		_, prose := fences(text)
		for i, l := range prose {
			for _, m := range linkTarget.FindAllStringSubmatch(inlineCode.ReplaceAllString(l, ""), -1) {
				target, frag, _ := strings.Cut(m[1], "#")
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				to := name
				if target != "" {
					to = filepath.ToSlash(filepath.Join(filepath.Dir(name), filepath.FromSlash(target)))
				}
				if _, err := os.Stat(filepath.Join(root, to)); err != nil && pages[to] == "" {
					out = append(out, fmt.Sprintf("%s:%d: %s leads to no file", name, i+1, m[1]))
				} else if frag != "" && !anchors(pages[to])[frag] {
					out = append(out, fmt.Sprintf("%s:%d: %s has no heading %q", name, i+1, to, frag))
				}
			}
		}
	}
	return out
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, broken := range brokenLinks(fixture.Root(), pagesOf(t)) {
		t.Error(broken)
	}
	planted := map[string]string{"docs/a.md": "# One `two`\n[x](b.md) [y](#one-two) [z](#three) [u](../docs/a.md#one-two)\n`[no](link.md)`\n```\n[no](link.md)\n```\n"}
	if got := brokenLinks(t.TempDir(), planted); len(got) != 2 || !strings.Contains(got[0], "b.md") || !strings.Contains(got[1], `"three"`) {
		t.Errorf("two planted links are broken, found were %q", got)
	}
}

// TestEveryPageIsReachable: a page that no other page links to is read by nobody.
func TestEveryPageIsReachable(t *testing.T) {
	pages, linked := pagesOf(t), map[string]bool{"README.md": true, "docs/README.md": true}
	for name, text := range pages {
		for _, m := range linkTarget.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			linked[filepath.ToSlash(filepath.Join(filepath.Dir(name), filepath.FromSlash(target)))] = true
		}
	}
	for name := range pages {
		folder := linked[filepath.ToSlash(filepath.Dir(name))] // docs/decisions/ stands for each of them
		if !linked[name] && !folder && !strings.HasPrefix(name, "changelog/") && !strings.HasPrefix(name, "web/") {
			t.Errorf("%s: no page links to it", name)
		}
	}
}

var schemaName = regexp.MustCompile(`\batalaya\.[a-z]+(?:-[a-z]+)*/[0-9]+`)

// TestEverySchemaIsDescribed: each schema that the code names has its page under docs/reference, and no page names another.
func TestEverySchemaIsDescribed(t *testing.T) {
	root, code, docs := fixture.Root(), map[string]string{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		into := docs
		switch {
		case strings.HasSuffix(rel, ".go") && !strings.HasSuffix(rel, "_test.go"):
			into = code
		case !strings.HasPrefix(rel, "docs/reference/") || !strings.HasSuffix(rel, ".md"):
			return nil
		}
		b, err := os.ReadFile(path)
		for _, name := range schemaName.FindAllString(string(b), -1) {
			into[name] = rel
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(code) < 10 {
		t.Fatalf("only %d schemas found in the code: the search is broken", len(code))
	}
	for name, file := range code {
		if docs[name] == "" {
			t.Errorf("%s names %s, which no page under docs/reference describes", file, name)
		}
	}
	for name, file := range docs {
		if code[name] == "" {
			t.Errorf("%s describes %s, which no code names", file, name)
		}
	}
}

var madeTable = regexp.MustCompile(`(?im)^create table (?:if not exists )?"?(\w+)"?`)

// TestEveryStoredFormatIsDescribed: each file in a data folder and each table in its database stands in docs/reference/record.md.
func TestEveryStoredFormatIsDescribed(t *testing.T) {
	page := pagesOf(t)["docs/reference/record.md"]
	dir := filepath.Join(t.TempDir(), "record")
	filledRecord(t, dir)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("an empty record: %v", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimSuffix(f.Name(), "-wal"), "-shm")
		if !strings.Contains(page, name) {
			t.Errorf("the data folder holds %s, of which docs/reference/record.md says nothing", f.Name())
		}
	}
	migrations, err := filepath.Glob(filepath.Join(fixture.Root(), "store", "sqlite", "migrations", "*.sql"))
	if err != nil || len(migrations) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, m := range migrations {
		b, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range madeTable.FindAllStringSubmatch(string(b), -1) {
			if !regexp.MustCompile("`" + table[1] + "`|`" + table[1] + "\\.|table " + table[1]).MatchString(page) {
				t.Errorf("%s makes the table %s, of which docs/reference/record.md says nothing", filepath.Base(m), table[1])
			}
		}
	}
}

// TestConfigSaysOneThing: the commented file, the values that hold without a file, and the page are the same.
func TestConfigSaysOneThing(t *testing.T) {
	var read config
	d := yaml.NewDecoder(bytes.NewReader([]byte(defaultConfigText)))
	d.KnownFields(true)
	if err := d.Decode(&read); err != nil || read != defaultConfig {
		t.Errorf("`config default` reads as %+v, %v; without a file %+v holds", read, err, defaultConfig)
	}
	var keys map[string]any
	if err := yaml.Unmarshal([]byte(defaultConfigText), &keys); err != nil {
		t.Fatal(err)
	}
	for key := range keys {
		if !strings.Contains(pagesOf(t)["docs/reference/config.md"], "`"+key+"`") {
			t.Errorf("docs/reference/config.md says nothing of the key %s", key)
		}
	}
}

// changeHeads are what the first line of a note in changelog/unreleased may begin with.
var changeHeads = []string{"Fix: ", "New: ", "Change: ", "Faster: ", "Security: "}

func TestEveryChangeHasItsNote(t *testing.T) {
	notes, err := filepath.Glob(filepath.Join(fixture.Root(), "changelog", "unreleased", "*"))
	if err != nil || len(notes) == 0 {
		t.Fatalf("no notes in changelog/unreleased: %v", err)
	}
	for _, path := range notes {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if problem := noteProblem(filepath.Base(path), string(b)); problem != "" {
			t.Error(problem)
		}
	}
	for name, text := range map[string]string{"a.md": "Added: x\ny\n", "b.md": "Fix: x\n", "c.txt": "Fix: x\ny\n", "d.md": "New: x.\ny\n"} {
		if noteProblem(name, text) == "" {
			t.Errorf("the planted note %s %q passes", name, text)
		}
	}
}

// noteProblem says what is wrong with a note, "" when nothing is.
func noteProblem(name, text string) string {
	lines := linesOf(text)
	switch {
	case !strings.HasSuffix(name, ".md"):
		return name + ": a note ends in .md"
	case len(lines) == 0 || !slices.ContainsFunc(changeHeads, func(h string) bool { return strings.HasPrefix(lines[0], h) }):
		return fmt.Sprintf("%s: its first line must begin with one of %q", name, changeHeads)
	case strings.HasSuffix(lines[0], "."):
		return name + ": its first line is a headline, without a full stop"
	case len(lines) < 2:
		return name + ": a headline alone; say below it what was so and what is so now"
	}
	return ""
}
