package ffmpeg

import "testing"

func TestVersion(t *testing.T) {
	if v, ok := version("ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers\nbuilt with gcc\n"); v != "5.1.9-0+deb12u1" || !ok {
		t.Errorf("%q %v", v, ok)
	}
	if _, ok := version("usage: something else"); ok {
		t.Error("another program was taken for ffmpeg")
	}
}

func TestSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context()); err == nil || err.Error() != "ffmpeg is not installed. "+Remedy {
		t.Error(err)
	}
}
