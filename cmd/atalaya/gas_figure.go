package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/locate/source"
	chart "github.com/atalaya-isr/atalaya/product/figure"
	"github.com/atalaya-isr/atalaya/sense/gas"
)

// figureFlags ask for a map sheet of what was found.
type figureFlags struct{ file, marking, language string }

func (f *figureFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "figure", "", "also draw the survey: a file ending in .svg or .png; with several groups one file each, named by the group")
	c.Flags().StringVar(&f.marking, "marking", app.UnmarkedMission, "marking that the figure bears")
	c.Flags().StringVar(&f.language, "lang", "en", "language of the figure: en or es")
}

// check refuses a wrong use before the long work begins.
func (f figureFlags) check() error {
	if f.file == "" {
		return nil
	}
	refuse := func(hint string, err error) error {
		return &atalaya.Error{Op: "gas.figure", File: f.file, Kind: atalaya.BadUse, Hint: hint, Err: err}
	}
	if f.draw() == nil {
		return refuse("End the name in .svg or .png", errors.New("the name does not say which kind of figure"))
	}
	if f.language != "en" && f.language != "es" {
		return refuse("Write --lang en or --lang es", fmt.Errorf("%q is no language of figures", f.language))
	}
	if _, err := atalaya.ParseMarking(f.marking); err != nil {
		return refuse("Write --marking as 'U//SYNTHETIC' or 'U//REL TO USA, MEX'", err)
	}
	return nil
}

// draw is the encoder that the file's name asks for, nil when it asks for none.
func (f figureFlags) draw() func(chart.Sheet) ([]byte, error) {
	switch strings.ToLower(filepath.Ext(f.file)) {
	case ".svg":
		return chart.SVG
	case ".png":
		return chart.PNG
	}
	return nil
}

// write draws every group.
func (f figureFlags) write(path string, s *gas.Survey, join bool, in source.Input, res *source.Result, talk io.Writer) error {
	if f.file == "" {
		return nil
	}
	rows := s.GroupRows()
	if join {
		rows = [][]int{every(s.Len())}
	}
	if len(rows) != len(res.Groups) {
		return fmt.Errorf("%d groups were solved of %d", len(res.Groups), len(rows))
	}
	names := map[string]bool{}
	for k := range res.Groups {
		g := &res.Groups[k]
		p, err := chart.Of(s, rows[k], in, g)
		if err != nil {
			return err
		}
		b, err := f.draw()(chart.Sheet{Picture: p, Group: *g, Title: filepath.Base(path), Marking: f.marking, Language: f.language})
		if err != nil {
			return err
		}
		name := f.file
		if len(res.Groups) > 1 {
			ext := filepath.Ext(f.file)
			name = strings.TrimSuffix(f.file, ext) + "-" + plainName(g.Group) + ext
		}
		if names[name] { // two groups whose names differ in signs alone
			name = strings.TrimSuffix(name, filepath.Ext(name)) + fmt.Sprintf("-%d", k+1) + filepath.Ext(name)
		}
		names[name] = true
		if err := os.WriteFile(name, b, 0o644); err != nil {
			return &atalaya.Error{Op: "gas.figure", File: name, Kind: atalaya.Failed, Err: errors.Unwrap(err), Hint: "Name a file in a folder that can be written"}
		}
		fmt.Fprintf(talk, "figure: %s\n", name)
	}
	return nil
}

func every(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// plainName is a group's name as part of a file name.
func plainName(group string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, group)
}
