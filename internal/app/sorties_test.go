package app

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
)

// What was flown is told by week, and each flight with what its own records say; a look's chance is the one that the place's own answer gives.
func TestSortiesAreToldByWeek(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a, id := threePlaces(t, fitted())
	v, err := a.Sorties(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	sites, err := a.Sites(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	flights, finds, before := 0, 0, time.Now().AddDate(100, 0, 0)
	for _, w := range v.Weeks {
		if w.From.Weekday() != time.Monday || !w.From.Before(before) || !(w.Km2 > 0) {
			t.Errorf("week %+v", w)
		}
		before = w.From
		for _, s := range w.Sorties {
			flights, finds = flights+1, finds+s.Finds
			if s.When.From.Before(w.From) || !s.When.From.Before(w.From.AddDate(0, 0, 7)) || s.Marking == "" || s.Km2 > w.Km2+1e-9 || len(s.Kinds) == 0 || s.Candidates > len(sites.Sites) || s.Chance < 0 || s.Chance >= 1 {
				t.Errorf("sortie %+v", s)
			}
		}
	}
	if flights < 4 || finds < 5 {
		t.Errorf("%d flights, %d finds", flights, finds)
	}
	none, err := a.Sorties(ctx, access.View{}, id)
	if err == nil && len(none.Weeks) > 0 {
		t.Errorf("a reader who may see nothing sees %d weeks", len(none.Weeks))
	}
}

// Advice says what the assessment would say after a look with the chance that looks had, for the hours that they took.
func TestTheNextLookIsAdviceFromWhatFlew(t *testing.T) {
	ctx, whole := context.Background(), access.Whole()
	a, id := threePlaces(t, fitted())
	sites, err := a.Sites(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sites.Sites {
		v, err := a.NextLooks(ctx, whole, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Looks) < 4 || v.Now != s.Probability {
			t.Fatalf("rank %d: %d looks, %g now, %g on the card", s.Rank, len(v.Looks), v.Now, s.Probability)
		}
		for i, l := range v.Looks {
			if !(l.Hours > 0 && l.Pd > 0 && l.Pd < 1 && l.Bits >= 0 && l.Chance > 0 && l.Chance < 1) || math.Abs(l.PerHour*l.Hours-l.Bits) > 1e-12 || i > 0 && l.PerHour > v.Looks[i-1].PerHour {
				t.Errorf("rank %d: %+v", s.Rank, l)
			}
			looks := 0
			for _, b := range l.Bands {
				if looks += b.Looks; b.Finds > b.Looks {
					t.Errorf("%d finds in %d looks", b.Finds, b.Looks)
				}
			}
			if looks < l.Looked || l.Bands[l.Best].Looks == 0 {
				t.Errorf("rank %d: %d looks by the hours of day, %d by flights", s.Rank, looks, l.Looked)
			}
		}
	}
	q, err := a.asking(ctx, whole, id)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := q.asked().OneMore(geodesy.LatLon{Lat: -40, Lon: 10}, "thermal", 0.4); ok {
		t.Errorf("where nobody looked a look would change %+v", c)
	}
}
