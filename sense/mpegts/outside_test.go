package mpegts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// told is what ffprobe says of a transport stream: its elementary streams by PID, and their packets in the order of the file.
type told struct {
	codec, tag, kind string
	streamID         int // of the PES
	packets          []heard
}

type heard struct {
	pts, dts int64
	size     int
	sum      string // SHA-256 of the payload
}

func ffprobeAll(t testing.TB, b []byte) map[uint16]*told {
	t.Helper()
	program, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed: what it would say of the same bytes is not compared")
	}
	c := exec.Command(program, "-v", "quiet", "-show_streams", "-show_packets", "-show_data_hash", "sha256", "-of", "json", "-f", "mpegts", "-")
	c.Stdin = bytes.NewReader(b)
	text, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Streams []struct {
			ID        string
			CodecName string `json:"codec_name"`
			CodecType string `json:"codec_type"`
			Tag       string `json:"codec_tag_string"`
		}
		Packets []struct {
			Stream   int `json:"stream_index"`
			PTS, DTS int64
			Size     string
			Hash     string `json:"data_hash"`
			Side     []struct {
				ID int
			} `json:"side_data_list"`
		}
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	out := map[uint16]*told{}
	pids := make([]uint16, len(said.Streams))
	for i, s := range said.Streams {
		pid, err := strconv.ParseUint(s.ID, 0, 16)
		if err != nil {
			t.Fatal(err)
		}
		pids[i] = uint16(pid)
		out[pids[i]] = &told{codec: s.CodecName, tag: s.Tag, kind: s.CodecType}
	}
	for _, p := range said.Packets {
		s := out[pids[p.Stream]]
		size, _ := strconv.Atoi(p.Size)
		s.packets = append(s.packets, heard{p.PTS, p.DTS, size, p.Hash})
		if len(p.Side) > 0 {
			s.streamID = p.Side[0].ID
		}
	}
	return out
}

const soundPID = 0x103

// sound is one frame of ADTS: AAC LC, 44100 Hz, two channels, 16 bytes.
func sound(pts int64) mpegts.Unit {
	return mpegts.Unit{Kind: mpegts.Sound, PID: soundPID, PTS: pts, DTS: pts, HasPTS: true,
		Data: []byte{0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc, 1, 2, 3, 4, 5, 6, 7, 8, 9}}
}

// Another demultiplexer finds the streams that were announced, by type and registration, and in each of them every unit that was
// written: its times to the tick, and its bytes.
func TestAnotherProgramReadsEveryUnit(t *testing.T) {
	var written []mpegts.Unit
	for i := range 60 {
		shown := int64(126000 + 3000*i)
		p := picture(i%12, shown)
		p.DTS = shown - int64(3000*(2-i%3)) // pictures are not decoded in the order in which they are shown
		written = append(written, p, klvUnit(klvPID, shown+1, 24+3*i), klvUnit(syncPID, shown+7, 8+40*i))
		if i%2 == 0 {
			written = append(written, sound(shown+11))
		}
	}
	written = append(written, klvUnit(syncPID, 126000+3000*60, 59_000)) // hardly less than one PES takes
	slices.SortStableFunc(written, func(a, b mpegts.Unit) int { return int(a.DTS - b.DTS) })
	file := programOf(t, []mpegts.Output{{PID: videoPID, StreamType: 0x1b}, {PID: klvPID, StreamType: 0x06}, {PID: syncPID, StreamType: 0x15}, {PID: soundPID, StreamType: 0x0f}}, written...)
	got := ffprobeAll(t, file)
	for pid, want := range map[uint16]told{
		videoPID: {codec: "h264", tag: "[27][0][0][0]", kind: "video", streamID: 0xe0},
		klvPID:   {codec: "klv", tag: "KLVA", kind: "data", streamID: 0xbd},
		syncPID:  {codec: "klv", tag: "KLVA", kind: "data", streamID: 0xfc},
		soundPID: {codec: "aac", tag: "[15][0][0][0]", kind: "audio", streamID: 0xc0},
	} {
		s := got[pid]
		if s == nil || s.codec != want.codec || s.tag != want.tag || s.kind != want.kind || s.streamID != want.streamID {
			t.Errorf("PID 0x%x: %+v, want %+v", pid, s, want)
			continue
		}
		for _, u := range written {
			if u.PID == pid {
				want.packets = append(want.packets, heard{u.PTS, u.DTS, len(u.Data), fmt.Sprintf("SHA256:%x", sha256.Sum256(u.Data))})
			}
		}
		if !slices.Equal(s.packets, want.packets) {
			for i := range min(len(s.packets), len(want.packets)) {
				if s.packets[i] != want.packets[i] {
					t.Errorf("PID 0x%x: packet %d: %+v, want %+v", pid, i, s.packets[i], want.packets[i])
					break
				}
			}
			t.Errorf("PID 0x%x: %d packets, want %d", pid, len(s.packets), len(want.packets))
		}
	}
	if len(got) != 4 {
		t.Errorf("%d streams", len(got))
	}
}

// What ffprobe 5.1 does not do: an access unit over several PES (ST 1402.2, fragmentation) is as many packets to it.
func TestAnotherProgramReadsFragmentsOfALongUnit(t *testing.T) {
	long := klvUnit(syncPID, 129000, 150_000)
	for i := range long.Data {
		long.Data[i] ^= byte(i >> 8)
	}
	file := programOf(t, []mpegts.Output{{PID: syncPID, StreamType: 0x15}}, klvUnit(syncPID, 126000, 100), long, klvUnit(syncPID, 132000, 100))
	s := ffprobeAll(t, file)[syncPID]
	if s == nil || len(s.packets) < 3 {
		t.Fatalf("%+v", s)
	}
	rest := long.Data
	for _, p := range s.packets[1 : len(s.packets)-1] {
		if p.pts != long.PTS || p.size > len(rest) || p.sum != fmt.Sprintf("SHA256:%x", sha256.Sum256(rest[:p.size])) {
			t.Fatalf("%+v is no piece of the unit where %d bytes of it are left", p, len(rest))
		}
		rest = rest[p.size:]
	}
	if len(rest) > 0 || s.packets[0].pts != 126000 || s.packets[len(s.packets)-1].pts != 132000 {
		t.Errorf("%d bytes of the unit are missing", len(rest))
	}
}
