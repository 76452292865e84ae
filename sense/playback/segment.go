package playback

import (
	"bytes"
	"fmt"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/atalaya-isr/atalaya/sense/mpegts"
)

// A Group is pictures that follow each other in the order of decoding, as a rule from a random access point up to the next.
type Group struct {
	// Number is the sequence number of the segment, from 1.
	Number uint32
	// Origin is what is 0 on the time line of the media, in ticks of 90 kHz on the line of the units. With 0 the times are those
	// of the stream.
	Origin int64
	// Pictures are units of one stream; their bytes are read, not kept.
	Pictures []mpegts.Unit
	// Next is the decoding time of the picture after the group, which ends the last one here; without HasNext that lasts as long
	// as the one before it.
	Next    int64
	HasNext bool
}

// A Segment is one media segment (moof, mdat).
type Segment struct {
	Bytes []byte
	// From and To are the first and the last presentation time in it, and where the last picture ends, on the line of the units.
	From, To, End int64
	Pictures      int
	// Starts says that the first picture is a random access point, so that a browser may begin here.
	Starts bool
	// Repaired counts pictures whose times the stream did not say or said wrongly: without time stamps (several in one PES), or
	// to be decoded no later than the one before. They follow it by the frame rate, or by a tick.
	Repaired int
}

// Segment packs a group. A picture with parameter sets that the configuration lacks is ErrChanged.
func (c *Config) Segment(g Group) (*Segment, error) {
	times, repaired := c.timesOf(g)
	if len(times) == 0 {
		return nil, fmt.Errorf("playback: a group without a picture")
	}
	f, err := mp4.CreateFragment(g.Number, 1)
	if err != nil {
		return nil, fmt.Errorf("playback: %w", err)
	}
	out := &Segment{From: math.MaxInt64, To: math.MinInt64, Repaired: repaired, Starts: g.Pictures[0].Random}
	for i, u := range g.Pictures {
		data, err := c.sample(u.Data)
		if err != nil {
			return nil, err
		}
		if len(data) == 0 {
			continue
		}
		s, err := times.sample(i, g)
		if err != nil {
			return nil, err
		}
		s.Data, s.Size = data, uint32(len(data))
		f.AddFullSample(s)
		out.Pictures++
		out.From, out.To = min(out.From, times[i].pts), max(out.To, times[i].pts)
		out.End = max(out.End, times[i].pts+int64(s.Dur))
	}
	if out.Pictures == 0 {
		return nil, fmt.Errorf("playback: no coded picture in a group of %d units", len(g.Pictures))
	}
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		return nil, fmt.Errorf("playback: segment: %w", err)
	}
	out.Bytes = b.Bytes()
	return out, nil
}

// sample is a picture as a container has it: each unit after its length in four bytes, without what the container says itself.
func (c *Config) sample(b []byte) ([]byte, error) {
	out := make([]byte, 0, len(b)+16)
	for nal := range units(b) {
		switch r := roleOf(c.Codec, nal); {
		case r == coded:
			n := uint32(len(nal))
			out = append(out, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
			out = append(out, nal...)
		case isSet(r) && !c.has(r, nal):
			return nil, ErrChanged
		}
	}
	return out, nil
}

// times are when the pictures of a group are decoded and shown.
type times []struct{ dts, pts int64 }

// timesOf takes the times of the units, and gives those times that have none, or cannot be true.
func (c *Config) timesOf(g Group) (t times, repaired int) {
	t = make(times, len(g.Pictures))
	for i, u := range g.Pictures {
		t[i].dts, t[i].pts = u.DTS, u.PTS
		switch {
		case !u.HasPTS && i == 0:
			t[i].dts, t[i].pts = g.Origin, g.Origin
			repaired++
		case !u.HasPTS:
			t[i].dts = t[i-1].dts + c.frame()
			t[i].pts = t[i].dts + t[i-1].pts - t[i-1].dts
			repaired++
		case i > 0 && u.DTS <= t[i-1].dts:
			t[i].dts = t[i-1].dts + 1
			repaired++
		}
	}
	return t, repaired
}

// frame is how long a picture lasts by the stream's own word, 1/30 s where it says nothing, in ticks.
func (c *Config) frame() int64 {
	if c.Video.RateNum <= 0 || c.Video.RateDen <= 0 {
		return timescale / 30
	}
	return max(int64(math.Round(timescale*float64(c.Video.RateDen)/float64(c.Video.RateNum))), 1)
}

// sample says of one picture when it is decoded, how long it lasts and when it is shown.
func (t times) sample(i int, g Group) (s mp4.FullSample, err error) {
	until, lasts := g.Next, g.HasNext
	if i+1 < len(t) {
		until, lasts = t[i+1].dts, true
	}
	duration := until - t[i].dts
	if !lasts || duration <= 0 {
		if duration = timescale / 30; i > 0 {
			duration = t[i].dts - t[i-1].dts
		}
	}
	offset := t[i].pts - t[i].dts
	base := t[i].dts - g.Origin
	if base < 0 || duration > math.MaxUint32 || offset < math.MinInt32 || offset > math.MaxInt32 {
		return s, fmt.Errorf("playback: picture %d of the group: decoded at %d, shown at %d, for %d ticks from %d: no such times fit a segment",
			i, t[i].dts, t[i].pts, duration, g.Origin)
	}
	s.Flags = mp4.NonSyncSampleFlags | 0x01000000 // depends on others
	if g.Pictures[i].Random {
		s.Flags = mp4.SyncSampleFlags
	}
	s.Dur, s.CompositionTimeOffset, s.DecodeTime = uint32(duration), int32(offset), uint64(base)
	return s, nil
}
