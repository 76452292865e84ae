package source
import "fmt"
func init() { debug = func(a *anneal, stage int, beta, z float64) { fmt.Printf("k %d stage %d beta %.4g z %.2f lambda %.3f\n", a.k, stage, beta, z, a.lambda)
if stage==1 { for _, s := range a.summits { fmt.Println("summit", s.ln, s.at) } } } }
