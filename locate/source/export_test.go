package source

// LimitAt is the rate, kg/s, that a source in a square about a place, beside those that were found, stays below with 95 % confidence; 0: the
// survey says nothing of it.
func (g *Group) LimitAt(x, y, sideM float64) float64 {
	return g.post.limitAt(g.post.sc.newWork(), x, y, sideM)
}
