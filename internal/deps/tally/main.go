// Command tally reads the JSON of `go test -json`, shows what failed and why tests were skipped, and ends with one line that
// counts the tests.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	var passed, failed, skipped int
	output := map[string][]string{}
	reasons := map[string]int{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test == "" {
				fmt.Printf("ok    %-60s %7.1f s\n", e.Package, e.Elapsed)
			} else {
				passed++
			}
		case "fail":
			if e.Test != "" {
				failed++
			}
			fmt.Printf("FAIL  %s\n%s", key, strings.Join(output[key], ""))
		case "skip":
			if e.Test != "" {
				skipped++
				reasons[reason(output[key])]++
			}
		}
		if e.Action == "pass" || e.Action == "skip" {
			delete(output, key)
		}
	}
	for key, lines := range output { // a build that failed has no test of its own
		if text := strings.Join(lines, ""); failed == 0 && strings.Contains(text, "[build failed]") {
			failed++
			fmt.Printf("FAIL  %s\n%s", key, text)
		}
	}
	var why []string
	for r, n := range reasons {
		why = append(why, fmt.Sprintf("skipped %d: %s", n, r))
	}
	slices.Sort(why)
	for _, w := range why {
		fmt.Println(w)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if passed == 0 || failed > 0 {
		os.Exit(1)
	}
}

// reason is the line of a skipped test's output that says why.
func reason(lines []string) string {
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "===") || strings.HasPrefix(l, "---") {
			continue
		}
		if _, after, ok := strings.Cut(l, "_test.go:"); ok {
			if _, text, ok := strings.Cut(after, ": "); ok {
				return text
			}
		}
		if _, text, ok := strings.Cut(l, ".go:"); ok {
			if _, text, ok := strings.Cut(text, ": "); ok {
				return text
			}
		}
		return l
	}
	return "no reason given"
}
