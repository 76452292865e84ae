package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/yamlfile"
)

// config is atalaya.yaml in the data directory.
type config struct {
	Listen string `yaml:"listen"`
}

// defaultConfig holds without a file. defaultConfigText says the same to a person; a test keeps them equal.
var defaultConfig = config{Listen: "127.0.0.1:7347"}

const defaultConfigText = `# Atalaya's configuration: put this file into the data directory as atalaya.yaml. Flags win over it.

# The address of the workbench. Loopback by default; put a proxy with TLS before it to let others in.
listen: 127.0.0.1:7347
`

func readConfig(dir string) (config, error) {
	c := defaultConfig
	path := filepath.Join(dir, "atalaya.yaml")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := yamlfile.Decode(b, &c, true); err != nil && err != io.EOF {
		return c, &atalaya.Error{Op: "config.read", File: path, Kind: atalaya.BadInput, Err: errors.New(strings.TrimPrefix(err.Error(), "yaml: ")), Hint: "Compare it with `atalaya config default`"}
	}
	return c, nil
}

func configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "The configuration file"}
	c.AddCommand(&cobra.Command{
		Use:     "default",
		Short:   "Print the one commented configuration file",
		Example: "  atalaya config default > ~/.local/share/atalaya/atalaya.yaml\n  atalaya config default",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), defaultConfigText)
			return err
		},
	})
	return c
}
