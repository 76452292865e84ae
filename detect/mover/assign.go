package mover

import "math"

// Assign pairs rows with columns so that the sum of cost is least: the Hungarian method in the form with shortest augmenting
// paths (R. Jonker, A. Volgenant, Computing 38, 1987, doi:10.1007/BF02278710). It gives the column of each row, or -1. A cost
// of +Inf forbids a pair; rows whose every free pair is forbidden stay alone. With rows and columns n and m it takes time of
// the order of n·n·m.
func Assign(cost [][]float64) []int {
	n := len(cost)
	if n == 0 {
		return nil
	}
	m := len(cost[0])
	// A forbidden pair costs more than any set of allowed ones: then as few as can be are taken, and they are struck out after.
	sum := 1.0
	for _, row := range cost {
		for _, c := range row {
			if !math.IsInf(c, 1) {
				sum += math.Abs(c)
			}
		}
	}
	size := max(n, m)
	at := func(i, j int) float64 {
		if i >= n || j >= m {
			return 0
		}
		return min(cost[i][j], sum)
	}
	u, v := make([]float64, size+1), make([]float64, size+1)
	row, way := make([]int, size+1), make([]int, size+1) // of column j, 1-based; 0 is none
	least, used := make([]float64, size+1), make([]bool, size+1)
	for i := 1; i <= size; i++ {
		row[0] = i
		for j := range least {
			least[j], used[j] = math.Inf(1), false
		}
		j0 := 0
		for row[j0] != 0 {
			used[j0] = true
			i0, j1, delta := row[j0], 0, math.Inf(1)
			for j := 1; j <= size; j++ {
				if used[j] {
					continue
				}
				if c := at(i0-1, j-1) - u[i0] - v[j]; c < least[j] {
					least[j], way[j] = c, j0
				}
				if least[j] < delta {
					delta, j1 = least[j], j
				}
			}
			for j := range least {
				if used[j] {
					u[row[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			j0 = j1
		}
		for j0 != 0 {
			row[j0] = row[way[j0]]
			j0 = way[j0]
		}
	}
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	for j := 1; j <= m; j++ {
		if i := row[j] - 1; i >= 0 && i < n && !math.IsInf(cost[i][j-1], 1) {
			out[i] = j - 1
		}
	}
	return out
}
