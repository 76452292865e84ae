package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/atalaya-isr/atalaya/locate/dispersion"
	"github.com/atalaya-isr/atalaya/sense/klv"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// packets are ST 0601 packets as cameras send them: time, attitude, pointing, position, frame center and corners.
func packets(n int) ([][]byte, error) {
	began := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	out := make([][]byte, n)
	for i := range out {
		f := float64(i) / float64(n)
		values := []klv.Value{klv.Time(2, began.Add(time.Duration(i)*100*time.Millisecond)), klv.TextOf(3, "SYNTHETIC"), klv.Number(5, 360*f), klv.Number(6, 2*f), klv.Number(7, 10*f),
			klv.TextOf(10, "SYNTHETIC UAV"), klv.TextOf(11, "EO"), klv.TextOf(12, "Geodetic WGS84"), klv.Number(13, 24.9+f/100), klv.Number(14, -106.9+f/100), klv.Number(15, 3350),
			klv.Number(16, 9), klv.Number(17, 5), klv.Number(18, 360*f), klv.Number(19, -40+f), klv.Number(20, 0), klv.Number(21, 2300+f), klv.Number(22, 370),
			klv.Number(23, 24.91), klv.Number(24, -106.91), klv.Number(25, 1850)}
		for tag := uint32(26); tag <= 33; tag++ {
			values = append(values, klv.Number(tag, 0.002*f))
		}
		b, err := klv.Encode0601(append(values, klv.Integer(65, 19))...)
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

func klvPackets(_ context.Context, o Options) ([]pair, error) {
	all, err := packets(256)
	if err != nil {
		return nil, err
	}
	tree, err := klvTree(all)
	if err != nil {
		return nil, err
	}
	streams, err := klvStreams(all, min(o.LargeMB, 64)<<20)
	if err != nil {
		return nil, err
	}
	var set klv.Set
	return append([]pair{{
		name: "typed, checksum verified", unit: "packets/s", reference: "16-bit sum of the same bytes",
		ours: func() (float64, error) {
			for _, p := range all {
				if err := set.Decode(p); err != nil {
					return 0, err
				}
				if set.Checksum != klv.Right {
					return 0, errors.New("a checksum failed")
				}
			}
			return float64(len(all)), nil
		},
		theirs: sumOf(all),
	}, tree}, streams...), nil
}

func gasColumns(ctx context.Context, o Options) ([]pair, error) {
	plume := dispersion.NewPlume(dispersion.Wind{U: 4, HeightM: 10}, dispersion.Surface{RoughnessM: 0.1})
	shape := dispersion.Shape{}.Bend()
	const n = 1024
	var at [n][3]float64 // along, across, up: all within reach of the plume
	var arg [n]float64
	for i := range at {
		f := float64(i) / n
		at[i] = [3]float64{50 + 400*f, 40 * (math.Mod(7*f, 1) - 0.5), 10 + 20*math.Mod(13*f, 1)}
		arg[i] = -8 * math.Mod(31*f, 1)
	}
	var sink float64
	out := []pair{{
		name: "one source, one sample", unit: "evaluations/s", reference: "one math.Exp each",
		ours: func() (float64, error) {
			for i := range at {
				c := plume.At(at[i][0], at[i][1], at[i][2], 4, shape, 0).C
				sink += c
			}
			if !(sink > 0) {
				return 0, errors.New("the plume is empty")
			}
			return n, nil
		},
		theirs: func() (float64, error) {
			for i := range arg {
				sink += math.Exp(arg[i])
			}
			if !(sink > 0) {
				return 0, errors.New("exp is not positive")
			}
			return n, nil
		},
	}, early(ctx, 1800), posterior(ctx, 450), cells(ctx, 450, 250)}
	if !o.trial() {
		out = append(out, posterior(ctx, 225), posterior(ctx, 900), posterior(ctx, 1800), cells(ctx, 450, 1000), cells(ctx, 450, 4000))
	}
	return out, nil
}

func recordEvents(ctx context.Context, o Options) ([]pair, error) {
	db, err := sqlite.OpenDir(ctx, filepath.Join(o.Dir, "record"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	raw, err := os.Create(filepath.Join(o.Dir, "raw"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	n, row := 0, make([]byte, 512)
	add := func(batch int) func() (float64, error) {
		return func() (float64, error) {
			events := make([]store.NewEvent, batch)
			for i := range events {
				n++
				id := fmt.Sprintf("obs_%032x", n)
				body, err := json.Marshal(map[string]string{"id": id, "mission": "mis_bench", "blob": "", "note": "SYNTHETIC"})
				if err != nil {
					return 0, err
				}
				events[i] = store.NewEvent{Time: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC), Actor: "bench", Kind: store.ObservationMade, Subject: id, Marking: "(U//SYNTHETIC)", Body: body}
			}
			_, err := db.Append(ctx, events...)
			return float64(batch), err
		}
	}
	sync := func() (float64, error) {
		if _, err := raw.Write(row); err != nil {
			return 0, err
		}
		return 1, raw.Sync()
	}
	const unit, reference = "events/s", "512 bytes appended and synced"
	return []pair{
		{name: "one an append", unit: unit, reference: reference, ours: add(1), theirs: sync},
		{name: "500 an append", unit: unit, reference: reference, ours: add(500), theirs: sync, close: func() error { return errors.Join(raw.Close(), db.Close()) }},
	}, nil
}
