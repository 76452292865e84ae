package movertest

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/atalaya-isr/atalaya/external/ffmpeg"
)

// Encode renders a film and writes it as H.264 in a transport stream, as cameras send it: a key frame a second, two frames
// that are predicted both ways between others, so many bits a second. It gives the truth by frame; the first frame's time is
// that of the stream. Without ffmpeg, or where it has no encoder, the error says so.
func Encode(ctx context.Context, s Scene, path string, bits int) ([][]Box, error) {
	p, err := ffmpeg.Find(ctx)
	if err != nil {
		return nil, err
	}
	order := []string{}
	if s.Interlaced {
		order = []string{"-flags", "+ilme+ildct", "-top", "0"}
	}
	args := []string{"-hide_banner", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", fmt.Sprintf("%dx%d", s.Width, s.Height),
		"-r", fmt.Sprint(s.Rate), "-i", "pipe:0", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", fmt.Sprint(int(s.Rate)), "-b:v", fmt.Sprint(bits)}
	cmd := exec.CommandContext(ctx, p.Path, append(append(args, order...), "-f", "mpegts", "-y", path)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	f := New(s)
	pix := make([]byte, s.Width*s.Height)
	var truth [][]Box
	for n := range s.Frames {
		truth = append(truth, f.Render(n, pix))
		if _, err = in.Write(pix); err != nil {
			break
		}
	}
	in.Close()
	if end := cmd.Wait(); end != nil {
		return nil, fmt.Errorf("ffmpeg cannot encode H.264 here: %w", end)
	}
	return truth, err
}
