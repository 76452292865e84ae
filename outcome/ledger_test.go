package outcome

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atalaya-isr/atalaya/internal/storm"
	"pgregory.net/rapid"
)

// published are figures of press releases, entered as a ledger would be. The days are invented (SYNTHETIC).
const published = `id,on,reported,substance,amount,unit,said,partner,place,source,purity_low,purity_high
P1,2026-03-01,2026-03-04,methamphetamine,440,pounds,exact,MEX,north,SYNTHETIC,,
P2,2026-03-02,2026-03-10,methamphetamine,5,tons,nearly,MEX,coast,SYNTHETIC,,
P3,2026-03-05,2026-03-06,cocaine,453,kg,exact,COL,sea,SYNTHETIC,,
P4,2026-03-09,2026-03-09,fentanyl,55,kg,exact,MEX,north,SYNTHETIC,,
P5,2026-09-30,2026-10-30,fentanyl,21000,pounds,exact,USA,border,SYNTHETIC,,
`

func ledger(t *testing.T, text string) *Ledger {
	t.Helper()
	l, err := ReadLedger(strings.NewReader(text), "ledger.csv")
	if err != nil {
		t.Fatal(err)
	}
	if l.LostRows > 0 {
		t.Fatal(l.Problems)
	}
	return l
}

func totals(t *testing.T, l *Ledger, by string) map[string]Total {
	t.Helper()
	all, err := Totals(l.Standing(), by, Doses)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Total{}
	for _, x := range all {
		out[x.Key] = x
	}
	return out
}

func TestPublishedFiguresComeToTheirTotals(t *testing.T) {
	of := totals(t, ledger(t, published), "substance")
	for key, want := range map[string][2]string{
		"methamphetamine": {"4281.912", "5199.581"}, // 440 x 0.45359237 + 4.5 short tons, and + 5 metric tons
		"cocaine":         {"453.000", "453.000"},
		"fentanyl":        {"9580.440", "9580.440"}, // 55 + 21,000 x 0.45359237
	} {
		if m := of[key].MassKg; m == nil || m.Low.FloatString(3) != want[0] || m.High.FloatString(3) != want[1] {
			t.Errorf("%s: %v, want %v", key, m, want)
		}
	}
	f := of["fentanyl"]
	// Two milligrams a dose are 500,000 a kilogram, if it is pure; of unknown purity it may be none.
	if want := "4790219885"; f.Doses == nil || f.Doses.Low.Sign() != 0 || f.Doses.High.FloatString(0) != want {
		t.Errorf("doses of fentanyl: %v, want 0 to %s", f.Doses, want)
	}
	if one := totals(t, ledger(t, "id,on,substance,amount,unit,purity_low,purity_high\nA,2026-03-01,fentanyl,1,kg,1,1\n"), "all")["all"].Doses; one.Low.FloatString(0) != "500000" || one.High.FloatString(0) != "500000" {
		t.Errorf("a pure kilogram: %v doses", one)
	}
	if !slices.Equal(of["cocaine"].NoDose, []string{"cocaine"}) || of["cocaine"].Doses != nil {
		t.Errorf("cocaine has no basis: %+v", of["cocaine"])
	}
	if of["methamphetamine"].Unspecified != 1 {
		t.Error("a ton that does not say which is not told")
	}
	b, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(b), `"mass_kg":{"low":9580.43977,"high":9580.43977}`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestUnitsAndWords(t *testing.T) {
	for row, want := range map[string]string{
		"1,lb,exact": "0.45359237 0.45359237", "1,short ton,exact": "907.18474 907.18474", "1,metric-ton,": "1000 1000", "2,tons,": "1814.36948 2000", "1,long-ton,": "1016.0469088 1016.0469088",
		"500,g,exact": "0.5 0.5", "440,lb,about": "197.31268095 201.84860465", "5,kg,nearly": "4.5 5", "5.0,kg,nearly": "4.95 5", "100,kg,over": "100 150", "100,kg,at-least": "100 100", "0.4,kg,about": "0.35 0.45",
	} {
		l := ledger(t, "id,on,substance,amount,unit,said\nA,2026-03-01,x,"+row+"\n")
		if m := l.Entries[0].Kg(); decimal(m.Low)+" "+decimal(m.High) != want {
			t.Errorf("%s: %s to %s kg, want %s", row, decimal(m.Low), decimal(m.High), want)
		}
	}
	l := ledger(t, "id,on,substance,amount,unit,tablet_mg_low,tablet_mg_high\nA,2026-03-01,fentanyl,1000,pills,0.5,2.5\nB,2026-03-01,other,3,litres,,\n")
	of := totals(t, l, "all")["all"]
	if of.Doses.Low.FloatString(0) != "250" || of.Doses.High.FloatString(0) != "1250" || of.Tablets.Low.FloatString(0) != "1000" || of.Litres.High.FloatString(0) != "3" || of.MassKg != nil {
		t.Errorf("%+v", of)
	}
}

func TestCorrectionsCountOnce(t *testing.T) {
	l := ledger(t, "id,on,substance,amount,unit,replaces,value,currency,value_source\nA,2026-03-01,x,10,kg,,,,\nB,2026-03-01,x,12,kg,A,1000.50,USD,SYNTHETIC\nC,2026-03-01,x,11,kg,B,99.5,USD,SYNTHETIC\n")
	of := totals(t, l, "all")["all"]
	if of.Seizures != 1 || of.MassKg.High.FloatString(0) != "11" || of.Value["USD"] != "99.5" {
		t.Errorf("%+v", of)
	}
}

func TestWhatCannotBeReadIsLostAlone(t *testing.T) {
	const head = "id,on,substance,amount,unit,reported,said,purity_low,purity_high,value,currency,replaces\n"
	for row, want := range map[string]string{
		"A,2026-03-01,x,1,stone,,,,,,,": "unit", "A,2026-03-01,x,-1,kg,,,,,,,": "amount", "A,2026-03-01,x,1e400,kg,,,,,,,": "amount", "A,2026-03-01,x,1 kg,kg,,,,,,,": "amount", "A,2026-03-01,x,.,kg,,,,,,,": "amount",
		"A,1 March,x,1,kg,,,,,,,": "on", "A,,x,1,kg,,,,,,,": "on", "A,2026-03-01,,1,kg,,,,,,,": "substance", ",2026-03-01,x,1,kg,,,,,,,": "id", "A,2026-03-01,x,1,kg,2026-02-01,,,,,,": "reported",
		"A,2026-03-01,x,1,kg,,roughly,,,,,": "said", "A,2026-03-01,x,1,kg,,,30,40,,,": "purity_high", "A,2026-03-01,x,1,kg,,,0.4,0.3,,,": "purity_low", "A,2026-03-01,x,1,kg,,,0.4,,,,": "purity_low",
		"A,2026-03-01,x,1,kg,,,,,5,USD,": "value", "Z,2026-03-01,x,1,kg,,,,,,,": "id",
	} {
		l, err := ReadLedger(strings.NewReader(head+"Z,2026-03-01,x,1,kg,,,,,,,\n"+row+"\n"), "ledger.csv")
		if err != nil || l.LostRows != 1 || len(l.Entries) != 1 || !strings.Contains(l.Problems[0].At, "line 3, column "+want) {
			t.Errorf("%s: %d lost, %v, %v; want column %s", row, l.LostRows, l.Problems, err, want)
		}
	}
	l := ledger(t, head+"A,2026-03-01,x,1,kg,,,,,,,nobody\n")
	if len(l.Problems) != 1 || !strings.Contains(l.Problems[0].What, "not here") {
		t.Errorf("a correction of nothing: %v", l.Problems)
	}
	if _, err := ReadLedger(strings.NewReader("id,on\n"), "x"); err == nil {
		t.Error("a table without amounts was read")
	}
}

func TestDosesOfTheUser(t *testing.T) {
	doses, err := ReadDoses(strings.NewReader("substance,mg_low,mg_high,source\nCocaine,50,100,SYNTHETIC\n"), "doses.csv")
	if err != nil || doses["fentanyl"].Source == "" || doses["cocaine"].Mg.High.FloatString(0) != "100" {
		t.Fatalf("%v, %v", doses, err)
	}
	all, err := Totals(ledger(t, "id,on,substance,amount,unit,purity_low,purity_high\nA,2026-03-01,cocaine,1,kg,0.5,1\n").Standing(), "all", doses)
	if err != nil || all[0].Doses.Low.FloatString(0) != "5000" || all[0].Doses.High.FloatString(0) != "20000" {
		t.Errorf("%+v, %v", all, err)
	}
	for _, bad := range []string{"substance,mg_low,mg_high\n", "substance,mg_low,mg_high,source\nx,0,1,S\n", "substance,mg_low,mg_high,source\nx,2,1,S\n", "substance,mg_low,mg_high,source\nx,1,2,\n", "substance,mg_low,mg_high,source\n,1,2,S\n"} {
		if _, err := ReadDoses(strings.NewReader(bad), "doses.csv"); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// Sums do not depend on order or grouping, and are exact.
func TestTotalsAreExactInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		rows := make([]string, n)
		sum := new(big.Rat)
		for i := range rows {
			u := rapid.SampledFrom([]string{"kg", "g", "lb", "oz", "short-ton", "metric-ton"}).Draw(t, "unit")
			amount := fmt.Sprintf("%d.%02d", rapid.IntRange(0, 99999).Draw(t, "whole"), rapid.IntRange(0, 99).Draw(t, "part"))
			rows[i] = fmt.Sprintf("R%d,2026-03-0%d,x,%s,%s", i, 1+i%9, amount, u)
			v, _ := new(big.Rat).SetString(amount)
			unit, _ := unitOf(u)
			sum.Add(sum, v.Mul(v, unit.Kg.Low))
		}
		read := func(rows []string) Total {
			l, err := ReadLedger(strings.NewReader("id,on,substance,amount,unit\n"+strings.Join(rows, "\n")+"\n"), "x")
			if err != nil || l.LostRows > 0 {
				t.Fatal(err, l.Problems)
			}
			all, err := Totals(l.Standing(), "all", Doses)
			if err != nil {
				t.Fatal(err)
			}
			return all[0]
		}
		a := read(rows)
		slices.Reverse(rows)
		if b := read(rows); a.MassKg.Low.Cmp(sum) != 0 || b.MassKg.Low.Cmp(sum) != 0 || a.MassKg.High.Cmp(sum) != 0 {
			t.Fatalf("%s and %s, want %s", a.MassKg.Low, b.MassKg.Low, sum)
		}
	})
}

// TestTheTrendHoldsWhatIsStillToCome simulates seizures of two years whose reports take 45 days on average, seen on one day, and looks whether the final count
// of each of the last six months lies in its interval. Of 6 x 300 months 95 % are asked for. Months of one campaign share their delays, so that they count as
// 300 draws: the share of a right interval then falls below 92 % once in a thousand (binomial, three deviations of 1.3 %).
func TestTheTrendHoldsWhatIsStillToCome(t *testing.T) {
	began := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	asOf := began.AddDate(2, 0, 0)
	held, of, naive := 0, 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		var seen []Entry
		final := map[string]int{}
		for i := range 400 {
			on := began.AddDate(0, 0, r.IntN(731))
			e := Entry{ID: fmt.Sprint(i), On: on, Reported: on.AddDate(0, 0, min(int(r.ExpFloat64()*45), 365))}
			if !on.Before(asOf) {
				continue
			}
			final[on.Format("2006-01")]++
			if !e.Reported.After(asOf) {
				seen = append(seen, e)
			}
		}
		months, d := Trend(seen, asOf)
		if d == nil || math.Abs(float64(d.Median)-31) > 15 {
			t.Fatalf("seed %d: delays %+v, want a median near 31 days", seed, d)
		}
		for _, m := range months[max(len(months)-6, 0):] {
			of++
			if n := final[m.Month]; m.Low <= n && n <= m.High {
				held++
			}
			if m.Reported == final[m.Month] {
				naive++
			}
		}
	}
	t.Logf("final counts within their intervals: %d of %d; as reported by then: %d", held, of, naive)
	if share := float64(held) / float64(of); share < 0.92 {
		t.Errorf("%.3f of the final counts lie in their 95 %% intervals", share)
	}
	if share := float64(naive) / float64(of); share > 0.5 {
		t.Errorf("%.2f of the months are whole as reported: this test shows nothing", share)
	}
}

func FuzzReadLedger(f *testing.F) {
	f.Add([]byte(published))
	f.Add([]byte("id;on;substance;amount;unit;said;replaces\nA;2026-03-01;x;1.5;tons;nearly;\nB;2026-03-02;x;2;pills;;A\n"))
	storm.Fuzz(f, func(t testing.TB, b []byte) {
		l, err := ReadLedger(strings.NewReader(string(b)), "ledger.csv")
		if err != nil {
			return
		}
		for _, by := range Groups {
			all, err := Totals(l.Standing(), by, Doses)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := json.Marshal(all); err != nil {
				t.Fatal(err)
			}
			for _, x := range all {
				if x.MassKg != nil && (x.MassKg.Low.Sign() < 0 || x.MassKg.Low.Cmp(x.MassKg.High) > 0) {
					t.Fatalf("%s: %s to %s kg", x.Key, x.MassKg.Low, x.MassKg.High)
				}
			}
		}
		Trend(l.Standing(), time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	})
}
