// Package ffmpeg decodes the pixels of video by the FFmpeg program, where it is installed: grey frames over a pipe, each with
// the presentation time that the stream itself gives. The program is started directly, never through a shell, reads files
// only, and ends with its context. Metadata are read without it.
package ffmpeg

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
)

// Remedy is how to get the program.
const Remedy = "Install it, on Debian or Ubuntu with: apt-get install ffmpeg"

// A Program is an installed ffmpeg.
type Program struct {
	Path    string
	Version string // "5.1.9-0+deb12u1"

	open func() (io.ReadCloser, error) // see Reading; nil where the program opens files itself
}

// Reading is the program with one video that it cannot open itself, as one that lies encrypted on the disk: open gives its bytes from
// the beginning, once for each run, and they go through a pipe. The paths given to its methods are then only what errors call the
// video. A container that must be sought in cannot be read so; a transport stream can.
func (p *Program) Reading(open func() (io.ReadCloser, error)) *Program {
	return &Program{p.Path, p.Version, open}
}

// Find looks for ffmpeg and asks its version. When it is missing the error says so, and how to get it.
func Find(ctx context.Context) (*Program, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, &atalaya.Error{Op: "ffmpeg.find", Kind: atalaya.Failed, Err: errors.New("ffmpeg is not installed"), Hint: Remedy}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, &atalaya.Error{Op: "ffmpeg.find", File: path, Kind: atalaya.Failed, Err: err, Hint: "Run ffmpeg -version by hand to see what is wrong"}
	}
	v, ok := version(string(out))
	if !ok {
		return nil, &atalaya.Error{Op: "ffmpeg.find", File: path, Kind: atalaya.Failed, Err: errors.New("the program does not say that it is ffmpeg"), Hint: Remedy}
	}
	return &Program{Path: path, Version: v}, nil
}

// version reads the first line: "ffmpeg version 5.1.9-0+deb12u1 Copyright ...".
func version(out string) (string, bool) {
	f := strings.Fields(out)
	if len(f) < 3 || f[0] != "ffmpeg" || f[1] != "version" {
		return "", false
	}
	return f[2], true
}
