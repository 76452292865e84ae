package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/product/figure"
	"github.com/atalaya-isr/atalaya/sense/gas"
	"github.com/atalaya-isr/atalaya/store"
)

// gasMission is a record with the first flight of the small campaign in it.
func gasMission(t *testing.T) *App {
	t.Helper()
	a := openTest(t, t.TempDir())
	if _, _, err := a.Run(context.Background(), missionOf(t, "gas/flight-1.csv"), RunOptions{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheGasRoomShowsWhatTheRunStored(t *testing.T) {
	ctx, a := context.Background(), gasMission(t)
	whole := access.Whole()
	list, err := a.GasSurveys(ctx, whole, "")
	if err != nil || len(list.Surveys) != 1 {
		t.Fatalf("%+v %v, want the one survey", list, err)
	}
	row := list.Surveys[0]
	if !row.Judged || row.Sources != 1 || row.Found == nil || *row.Found < 0.5 || !strings.Contains(list.Banner.Text, "SYNTHETIC") {
		t.Errorf("the list says %+v under %q", row, list.Banner.Text)
	}
	before, err := a.Record.Follow(ctx, whole, "0", 1000)
	if err != nil {
		t.Fatal(err)
	}
	v, err := a.GasSurvey(ctx, whole, row.Observation.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("nothing is estimated or written by looking", func(t *testing.T) {
		after, err := a.Record.Follow(ctx, whole, "0", 1000)
		if err != nil || len(after.Events) != len(before.Events) {
			t.Errorf("%d events before, %d after, %v", len(before.Events), len(after.Events), err)
		}
	})
	t.Run("picture, figures and candidates belong together", func(t *testing.T) {
		p, g := v.Picture, v.Group
		if p == nil || g == nil || len(p.Sources) != len(g.Sources) || p.Samples.All != g.Samples || p.Start == nil {
			t.Fatalf("picture %+v of group %+v", p, g)
		}
		if p.Compounds[p.Main].Name != "acetone" { // the strongest of the working site (simulate)
			t.Errorf("drawn by %s", p.Compounds[p.Main].Name)
		}
		if len(v.Sites) == 0 || v.Sites[0].LogOdds <= 0 {
			t.Errorf("a survey that found a source speaks for no candidate: %+v", v.Sites)
		}
		if len(p.Barbs) == 0 || p.Looked == nil || !strings.Contains(strings.Join(p.Looked.Rows, ""), "0") || !strings.Contains(strings.Join(p.Looked.Rows, ""), "1") {
			t.Error("no wind, or no line between looked at and not looked at")
		}
		var advice struct {
			Schema string `json:"schema"`
			Legs   []any  `json:"legs"`
		}
		var mixture struct {
			Classes []struct{ Probability float64 } `json:"classes"`
			None    float64                         `json:"none_of_these"`
		}
		if err := errorsOf(json.Unmarshal(v.Advice, &advice), json.Unmarshal(v.Mixture, &mixture)); err != nil || advice.Schema != "atalaya.advice/1" || len(advice.Legs) == 0 || len(advice.Legs) != len(p.Legs) {
			t.Errorf("advice %s (%s), %d legs drawn, %v", v.Advice, v.AdviceWhy, len(p.Legs), err)
		}
		sum := mixture.None
		for _, c := range mixture.Classes {
			sum += c.Probability
		}
		if len(mixture.Classes) < 5 || math.Abs(sum-1) > 1e-9 { // sums of a few numbers below one
			t.Errorf("the kinds of emitter sum to %v (%s)", sum, v.MixtureWhy)
		}
		peak := 0.0
		for _, l := range p.Heat {
			for _, s := range l.Value {
				peak = math.Max(peak, s)
			}
		}
		if peak != 1 {
			t.Errorf("the heat peaks at %v, want 1", peak)
		}
	})
	t.Run("as a file, in both languages, under the survey's marking", func(t *testing.T) {
		for kind, head := range map[string]string{"svg": "<svg ", "png": "\x89PNG"} {
			f, err := a.GasFigure(ctx, whole, row.Observation.ID, kind, "es")
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(f)
			if err != nil || !bytes.HasPrefix(b, []byte(head)) || f.Name != "flight-1."+kind {
				t.Errorf("%s: %q begins %q, %v", kind, f.Name, b[:min(8, len(b))], err)
			}
			if kind == "svg" {
				for _, want := range []string{"UNCLASSIFIED//SYNTHETIC", "Cuántas fuentes", "sin observar", "WGS 84"} {
					if !bytes.Contains(b, []byte(want)) {
						t.Errorf("the Spanish sheet lacks %q", want)
					}
				}
			}
		}
	})
	t.Run("what a reader may not see is not there", func(t *testing.T) {
		id, err := a.Record.Label(ctx, "U") // of accounts; the mission bears another
		if err != nil {
			t.Fatal(err)
		}
		narrow := access.Of(id)
		if l, err := a.GasSurveys(ctx, narrow, ""); err != nil || len(l.Surveys) != 0 || l.Mission != nil || strings.Contains(l.Banner.Text, "SYNTHETIC") {
			t.Errorf("withheld list: %+v %v", l, err)
		}
		absent := atalaya.ObservationID(string(row.Observation.ID[:len(row.Observation.ID)-4]) + "zzzz")
		said := func(id atalaya.ObservationID) string {
			_, err := a.GasSurvey(ctx, narrow, id)
			_, err2 := a.GasFigure(ctx, narrow, id, "svg", "en")
			if atalaya.KindOf(err) != atalaya.NotFound || atalaya.KindOf(err2) != atalaya.NotFound {
				t.Fatalf("%s: %v, %v", id, err, err2)
			}
			return strings.ReplaceAll(err.Error()+err2.Error(), string(id), "ID")
		}
		if x, y := said(row.Observation.ID), said(absent); x != y {
			t.Errorf("withheld says %q, absent %q", x, y)
		}
	})
	t.Run("what was taken back is listed as that", func(t *testing.T) {
		who, _, err := a.AddAccount(ctx, "", "Ana SYNTHETIC", "analyst", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Retract(ctx, who, whole, row.Observation.ID, "wrong clock"); err != nil {
			t.Fatal(err)
		}
		if err := a.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		l, err := a.GasSurveys(ctx, whole, "")
		if err != nil || len(l.Surveys) != 1 || l.Surveys[0].Observation.Standing != store.Retracted || !l.Surveys[0].Judged {
			t.Errorf("%+v %v", l, err)
		}
	})
}

// The record keeps the picture as JSON: what is drawn from it must be what was made.
func TestAPictureSurvivesTheRecord(t *testing.T) {
	p := figure.Picture{Schema: figure.Schema, Samples: figure.Samples{T: figure.Column{0, 1.5, math.NaN()}}, Compounds: []figure.Channel{{Value: figure.Column{1e-7, math.NaN(), 12}}}}
	once := mustJSON(p)
	var q figure.Picture
	if err := json.Unmarshal(once, &q); err != nil {
		t.Fatal(err)
	}
	if twice := mustJSON(q); !bytes.Equal(once, twice) || !strings.Contains(string(once), "[1e-07,null,12]") {
		t.Errorf("%s\n%s", once, twice)
	}
}

// A reason has codes for a screen and English for a reader of the record; records of older versions have the English alone.
func TestWhyThereIsNoMixtureIsSaidByCodes(t *testing.T) {
	rows := "# SYNTHETIC\nt_s,x_m,y_m,z_m,wind_u_mps,wind_v_mps,toluene_ppb\n"
	for i := range 40 {
		rows += fmt.Sprintf("%d,%d,0,10,3,0,%g\n", i, 5*i, 2+0.1*float64(i%3))
	}
	s, err := gas.Read(strings.NewReader(rows), "clean.csv")
	if err != nil {
		t.Fatal(err)
	}
	var m gasMore
	if err := m.resemble(context.Background(), s, 1); err != nil || m.Mixture != nil {
		t.Fatalf("%s %v, want no answer and no fault", m.Mixture, err)
	}
	if want := "no channel rises out of its background. Fly through the plume"; !strings.Contains(m.MixtureWhy, want) {
		t.Errorf("in English %q, want %q in it", m.MixtureWhy, want)
	}
	if said := m.MixtureSaid; len(said) != 2 || said[0].Code != "mixture-none-rise" || said[1].Code != "mixture-none-rise-remedy" {
		t.Errorf("by codes %v", said)
	}
	var old GasFinding
	if err := json.Unmarshal([]byte(`{"mixture_why":"no channel rises out of its background","advice_why":"calm"}`), &old); err != nil || old.MixtureWhy == "" || old.AdviceWhy != "calm" || old.MixtureSaid != nil {
		t.Errorf("an older record reads as %+v, %v", old.gasMore, err)
	}
}
