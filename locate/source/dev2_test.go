package source
import ("testing";"os";"math";"fmt"
"github.com/atalaya-isr/atalaya/internal/fixture"
"github.com/atalaya-isr/atalaya/sense/gas"
"github.com/atalaya-isr/atalaya/locate/dispersion"
"gonum.org/v1/gonum/stat")
func TestCorr(t *testing.T) {
	f, _ := os.Open(fixture.Shared(t, "gas/chilbolton/survey.csv"))
	s, _ := gas.Read(f, "x")
	in, _ := FromSurvey(s, false)
	sc, _ := prepare(in.Groups[0])
	w := sc.newWork()
	for _, ly := range []float64{-.7,-.35, 0, .35} { for _, lz := range []float64{-.7,-.35,0,.35} {
	w.clear()
	sc.column(w, 237.91, 40.05, .3, .000378, dispersion.Shape{LnAy: ly, LnAz: lz}.Bend(), 0)
	out := ""
	for j := 0; j < sc.sensors; j++ {
		var a, b []float64
		for i := range sc.s { if sc.sensor[i]==j { a = append(a, w.c[i]); b = append(b, sc.obs[i].Amount)}}
		al, be := stat.LinearRegression(a, b, nil, false)
		out += fmt.Sprintf(" r=%.2f a=%.2g slope=%.2f sd=%.2g;", stat.Correlation(a, b, nil), al, be, math.Sqrt(stat.Variance(b,nil)))
	}
	t.Log(ly, lz, out)
	}}
	for i := 0; i < 12; i++ { t.Log(sc.s[i], w.c[i]) }
}
