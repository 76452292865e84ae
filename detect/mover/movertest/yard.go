package movertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// Yard is a scene at 15 frames a second under a camera that stays where it is (see Hovering): one thing goes by, one brakes to a stand
// from 3 s to 5 s, one turns round at 3.1 s and drives back beside its way.
func Yard() Scene {
	s := Usual(5)
	s.Width, s.Height, s.Frames, s.Rate, s.Targets, s.Structures, s.Symbols, s.Pan, s.TurnDeg, s.Jitter = 480, 270, 105, 15, 0, 0, false, [2]float64{}, 0, 0.3
	s.Courses = []Course{
		{X: 0.02, Y: 0.2, Long: 14, Wide: 9, Contrast: 30, Legs: []Leg{{Frames: 105, From: 4.4, To: 4.4}}},
		{X: 0.02, Y: 0.5, Long: 14, Wide: 9, Contrast: -30, Legs: []Leg{{Frames: 45, From: 4, To: 4}, {Frames: 30, From: 4, To: 0.1}}},
		{X: 0.3, Y: 0.75, Long: 12, Wide: 9, Contrast: 30, Legs: []Leg{{Frames: 35, From: 4, To: 4}, {Frames: 22, From: 2.8, To: 2.8, TurnDeg: 180}, {Frames: 48, From: 4, To: 4}}},
	}
	return s
}

// Hovering is the metadata of a sensor that stays 1000 m above ground and looks north and down by 50 degrees, from a time on: the yard then
// has 0.24 m a pixel across.
func Hovering(begin time.Time) func(s float64) ([]byte, error) {
	return func(s float64) ([]byte, error) {
		return klv.Encode0601(klv.Time(2, begin.Add(time.Duration(s*1e9))), klv.TextOf(3, "SYNTHETIC"), klv.TextOf(11, "EO hovering"), klv.Number(5, 0), klv.Number(6, 0), klv.Number(7, 0),
			klv.Number(13, 24.8), klv.Number(14, -107.4), klv.Number(75, 1050), klv.Number(78, 50), klv.Number(16, 5), klv.Number(17, 2.815),
			klv.Number(18, 0), klv.Number(19, -50), klv.Number(20, 0), klv.Integer(65, 19))
	}
}

// EncodeWith is Encode with a packet of metadata at every frame: what camera says of it so many seconds after the first.
func EncodeWith(ctx context.Context, s Scene, path string, bits int, camera func(s float64) ([]byte, error)) error {
	if _, err := Encode(ctx, s, path, bits); err != nil {
		return err
	}
	film, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const metadata = 0x1f0
	d := mpegts.NewDemuxer(bytes.NewReader(film))
	d.Take(mpegts.Stream.IsVideo)
	var all []mpegts.Unit
	var out bytes.Buffer
	for {
		u, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		u.Data = bytes.Clone(u.Data)
		first := u.PTS // an IDR picture comes first
		if len(all) > 0 {
			first = all[0].PTS
		}
		packet, err := camera(float64(u.PTS-first) / 90000)
		if err != nil {
			return err
		}
		all = append(all, u, mpegts.Unit{PID: metadata, Data: packet, PTS: u.PTS, DTS: u.PTS, HasPTS: true})
	}
	slices.SortStableFunc(all, func(a, b mpegts.Unit) int { return int(a.DTS - b.DTS) })
	w, err := mpegts.NewProgram(&out, mpegts.Output{PID: all[0].PID, StreamType: 0x1b}, mpegts.Output{PID: metadata, StreamType: 0x06})
	if err != nil {
		return err
	}
	for _, u := range all {
		if err := w.WriteUnit(u); err != nil {
			return err
		}
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}
