package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya/sense/bearing"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// decodeFiles reads files that lie in memory: no disk is in these figures.
func decodeFiles(context.Context, Options) ([]pair, error) {
	const rows = 20_000
	survey, bearings := surveyCSV(rows), bearingsCSV(rows)
	var stream bytes.Buffer
	if err := transportStream(&stream, 8<<20, 0); err != nil {
		return nil, err
	}
	return []pair{
		{name: "gas survey, every value checked", unit: "MB/s", reference: "encoding/csv on the same bytes",
			ours: func() (float64, error) {
				s, err := gas.Read(strings.NewReader(survey), "bench")
				if err == nil && (s.Len() != rows || len(s.Problems) > 0) {
					err = fmt.Errorf("%d of %d rows, problems %v", s.Len(), rows, s.Problems)
				}
				return float64(len(survey)) / 1e6, err
			}, theirs: plainCSV(survey)},
		{name: "bearings, every value checked", unit: "MB/s", reference: "encoding/csv on the same bytes",
			ours: func() (float64, error) {
				s, err := bearing.Read(strings.NewReader(bearings), "bench")
				if err == nil && (len(s.Bearings) != rows || len(s.Problems) > 0) {
					err = fmt.Errorf("%d of %d rows, problems %v", len(s.Bearings), rows, s.Problems)
				}
				return float64(len(bearings)) / 1e6, err
			}, theirs: plainCSV(bearings)},
		{name: "transport stream to typed metadata packets", unit: "MB/s", reference: "every byte of the same stream added up",
			ours: func() (float64, error) {
				r, n := video.NewReader(bytes.NewReader(stream.Bytes())), 0
				for {
					_, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						return 0, err
					}
					n++
				}
				if n == 0 {
					return 0, errors.New("no packet was found")
				}
				return float64(stream.Len()) / 1e6, nil
			},
			theirs: func() (float64, error) {
				var sum uint64
				for _, b := range stream.Bytes() {
					sum += uint64(b)
				}
				if sum == 0 { // the sum must not be optimised away
					return 0, errors.New("the stream is empty")
				}
				return float64(stream.Len()) / 1e6, nil
			}},
	}, nil
}

func plainCSV(text string) func() (float64, error) {
	return func() (float64, error) {
		r := csv.NewReader(strings.NewReader(text))
		r.Comment, r.ReuseRecord = '#', true
		for {
			if _, err := r.Read(); err == io.EOF {
				return float64(len(text)) / 1e6, nil
			} else if err != nil {
				return 0, err
			}
		}
	}
}

// surveyCSV is a flight at 1 Hz with four compounds' worth of columns, as instruments write them.
func surveyCSV(rows int) string {
	var b strings.Builder
	b.WriteString("# start: 2026-03-14T12:00:00Z\n# sensor: SYNTHETIC\n# molar_mass_acetone: 58.08\n# molar_mass_toluene: 92.141\n" +
		"t_s,lat,lon,height_agl_m,wind_u_mps,wind_v_mps,temperature_c,pressure_hpa,acetone_ppb,acetone_sd,toluene_ppb,toluene_sd\n")
	for i := range rows {
		f := float64(i)
		fmt.Fprintf(&b, "%d,%.7f,%.7f,%.1f,%.2f,%.2f,22.4,815.2,%.3f,1.004,%.3f,0.402\n", i, 24.9+1e-6*f, -106.9-1e-6*f, 20+3*math.Sin(f/7), 4+math.Sin(f/11), -2+math.Cos(f/13), 5+4*math.Sin(f/29), 3+2*math.Cos(f/31))
	}
	return b.String()
}

func bearingsCSV(rows int) string {
	began := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	var b strings.Builder
	b.WriteString("time,lat,lon,height_hae_m,bearing_deg,sigma_deg,emitter,bias_group\n")
	for i := range rows {
		f := float64(i)
		fmt.Fprintf(&b, "%s,%.6f,%.6f,8200,%.2f,1,E%d,S1\n", began.Add(time.Duration(i)*time.Second).Format(time.RFC3339), 24.9+1e-5*f, -106.4, math.Mod(0.7*f, 360), i%5)
	}
	return b.String()
}
