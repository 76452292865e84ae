package main

import (
	"errors"
	"io"
	"os"

	"github.com/atalaya-isr/atalaya"
)

// openInput opens a file that an argument names, for the operation that errors name.
func openInput(op, path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &atalaya.Error{Op: op, File: path, Kind: atalaya.NotFound, Err: errors.Unwrap(err), Hint: "Name a readable file"}
	}
	return f, nil
}

// withFile opens it, reads it and closes it.
func withFile(op, path string, read func(io.Reader) error) error {
	f, err := openInput(op, path)
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f)
}
