// Cividis, ten equal steps (Nuñez, Anderton and Renslow 2018, doi:10.1371/journal.pone.0199239; values of viridisLite 0.4).
// For amounts only, dark is little.
export const cividis = ['#00204d', '#00336f', '#39486b', '#575c6d', '#707173', '#8a8779', '#a69d75', '#c4b56c', '#e4cf5b', '#ffea46'] as const

/** stops spreads the table over 0..max as a MapLibre expression input list. */
export function stops(max: number): (number | string)[] {
  return cividis.flatMap((color, i) => [(i / (cividis.length - 1)) * max, color])
}

/** shade is the table's colour at a share of its range, by nearest step. */
export function shade(share: number): string {
  return cividis[Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * (cividis.length - 1))]!
}
