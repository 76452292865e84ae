// The gas room's data (docs/reference/api.md, GasView) and the geometry of its pictures. Pure: no page, no clock.
import { call, type Banner, type Interval, type ObservationRow, type Sentence } from './api'

export interface Quantiles { p05: number; p50: number; p95: number }
export interface GasSource {
  lat?: number; lon?: number; x_m?: number; y_m?: number; height_m: Quantiles; covariance_m2: number[][]
  rate_kg_s: Record<string, Interval> | null
  rate_posterior?: Record<string, RateBins> // absent in a record of an older version
}
/** RateBins are the draws of a rate, counted in equal steps of its logarithm. */
export interface RateBins { ln_from: number; ln_step: number; counts: number[]; below: number; above: number }
/** Leaning is a share of the variance of the place, and of ln rate, that an assumption explains. */
export interface Leaning { assumption: string; of_place: number; of_rate: number }
export interface GasGroup {
  group: string; count: Record<string, number>; sources: GasSource[] | null
  dispersion: { method: string; sigma_y_factor: Quantiles; sigma_z_factor: Quantiles; wind_bias_deg: Quantiles; fluctuation: Quantiles; source_size_m: Quantiles; lag_s: Quantiles; drift_per_minute: Quantiles; effective_samples: number }
  dominant_assumption: string; assumptions?: Leaning[]; samples: number; seed: number; notes?: string[]; said?: Sentence[]
}
export type Column = (number | null)[]
type Ring = [number, number][]
export interface Channel { name: string; unit: string; value: Column; below?: boolean[]; baseline: Column; top_excess: number }
export interface Barb { x_m: number; y_m: number; from_deg: number; spread_deg: number; speed_mps: number; n: number }
export interface Mask { x0_m: number; y0_m: number; side_m: number; rows: string[] }
export interface Lattice { x0_m: number; y0_m: number; side_m: number; nx: number; ny: number; value: number[] }
export interface GasPicture {
  schema: string; start: string | null; origin: { lat: number; lon: number } | null; bounds_m: [number, number, number, number]; sensors: string[]; main: number
  samples: { all: number; t_s: number[]; x_m: Column; y_m: Column; z_m: Column; x2_m?: Column; y2_m?: Column; wind_from_deg: Column; wind_speed_mps: Column; sensor: number[] }
  compounds: Channel[]; barbs: Barb[]; sources: { x_m: number; y_m: number; p50: Ring[][] | null; p90: Ring[][] | null; p95: Ring[][] | null }[]
  heat: Lattice[]; looked: Mask | null; legs: { kind: string; from_m: [number, number]; to_m: [number, number]; height_agl_m: number }[] | null
  limit: { confidence: number; compound: string; side_m: number; cells: [number, number, number][] } | null
}
export interface GasRow { observation: ObservationRow; headline: string; said?: { code: string; values?: Record<string, string> }[]; judged: boolean; sources: number; probability_source: number | null }
export interface Advice {
  radius90_m: number; legs: { rank: number; kind: string; length_m: number; minutes: number; information_bits: Quantiles & { mean: number }; bits_per_minute: number; radius90_m: { before: number; after: { mean: number; p05: number; p95: number } }; probability_detect: number; points: { height_agl_m: number }[]; why: { en: string; es: string } }[] | null
  note: { en: string; es: string }
}
export interface Mixture {
  classes: { class: string; probability: number }[] | null; none_of_these: number; best_next_channel: string; notes?: string[]; said?: Sentence[]
  composition: { channel: string; excess_ppb: Interval; seen: boolean; below_ppb?: number }[] | null
}
export interface GasView extends GasRow {
  banner: Banner; mission: string; group: GasGroup | null; picture: GasPicture | null; sites: { id: string; rank: number; log_odds: number }[] | null
  advice: Advice | null; advice_why: string; advice_said?: Sentence[]; mixture: Mixture | null; mixture_why: string; mixture_said?: Sentence[]
}

const e = encodeURIComponent
export const gas = {
  list: (mission: string | null) => call<{ banner: Banner; surveys: GasRow[] | null }>('GET', `/api/gas${mission ? `?mission=${e(mission)}` : ''}`),
  survey: (id: string) => call<GasView>('GET', `/api/gas/${e(id)}`),
  figure: (id: string, kind: 'svg' | 'png', lang: string) => `/api/gas/${e(id)}/figure.${kind}?lang=${lang}`,
}

/** excess is by how much a sample stands over the baseline of its sensor; null where it was not measured. */
export function excess(p: GasPicture, channel: number, i: number): number | null {
  const c = p.compounds[channel]!
  const v = c.value[i], b = c.baseline[p.samples.sensor[i]!]
  return v == null || b == null ? null : v - b
}

/** inTime lists the samples in the order of time; sensors that ran side by side alternate. */
export function inTime(p: GasPicture): number[] {
  return p.samples.t_s.map((_, i) => i).sort((a, b) => p.samples.t_s[a]! - p.samples.t_s[b]! || a - b)
}

/** isPath says that a sample is the mean along an open path, which has no one place. */
export const isPath = (p: GasPicture, i: number): boolean => p.samples.x2_m?.[i] != null

/** Plane turns metres into pixels of a map of one size; `zoom` is 1 when all of the bounds show. */
export interface Plane { west: number; north: number; k: number; width: number; height: number }
export function plane(bounds: [number, number, number, number], width: number, height: number, zoom = 1, centre?: [number, number]): Plane {
  const [w, s, e, n] = bounds
  const k = Math.min(width / (e - w), height / (n - s)) * zoom
  const [cx, cy] = centre ?? [(w + e) / 2, (s + n) / 2]
  return { west: cx - width / 2 / k, north: cy + height / 2 / k, k, width, height }
}
export const at = (q: Plane, x: number, y: number): [number, number] => [(x - q.west) * q.k, (q.north - y) * q.k]
export const metresAt = (q: Plane, px: number, py: number): [number, number] => [q.west + px / q.k, q.north - py / q.k]

export const ringsPath = (q: Plane, polygons: Ring[][] | null): string => (polygons ?? []).flat().map((ring) => 'M' + ring.map(([x, y]) => at(q, x, y).map((v) => v.toFixed(1)).join(' ')).join('L') + 'Z').join('')

type Box = [number, number, number, number] // x0, y0, x1, y1 in pixels

/** unlooked is the ground that the survey says nothing about, as boxes. Beyond what was asked nobody has looked either. */
export function unlooked(q: Plane, m: Mask | null): Box[] {
  if (!m || m.rows.length === 0) return []
  const [x0, y0] = at(q, m.x0_m, m.y0_m + m.rows.length * m.side_m)
  const [x1, y1] = at(q, m.x0_m + m.rows[0]!.length * m.side_m, m.y0_m)
  const out: Box[] = [[0, 0, q.width, y0], [0, y1, q.width, q.height], [0, y0, x0, y1], [x1, y0, q.width, y1]]
  m.rows.forEach((row, j) => {
    for (let i = 0; i < row.length; i++) {
      if (row[i] !== '0') continue
      let end = i
      while (row[end + 1] === '0') end++
      const [ax, ay] = at(q, m.x0_m + i * m.side_m, m.y0_m + (j + 1) * m.side_m)
      out.push([ax, ay, ax + (end - i + 1) * m.side_m * q.k, ay + m.side_m * q.k])
      i = end
    }
  })
  return out.filter(([a, b, c, d]) => c > a && d > b && a < q.width && c > 0 && b < q.height && d > 0)
}

export const boxesPath = (boxes: Box[]): string => boxes.map(([a, b, c, d]) => `M${a.toFixed(1)} ${b.toFixed(1)}H${c.toFixed(1)}V${d.toFixed(1)}H${a.toFixed(1)}Z`).join('')

/** cellsBySteps sorts squares into steps of a share, each one path: a hundred paths draw faster than two thousand. */
export function cellsBySteps(q: Plane, cells: { x: number; y: number; side: number; share: number }[], steps: number): { share: number; d: string }[] {
  const by: Box[][] = Array.from({ length: steps + 1 }, () => [])
  for (const c of cells) {
    const n = Math.min(steps, Math.max(0, Math.round(c.share * steps)))
    const [x, y] = at(q, c.x, c.y + c.side)
    by[n]!.push([x, y, x + c.side * q.k, y + c.side * q.k])
  }
  return by.map((boxes, n) => ({ share: n / steps, d: boxesPath(boxes) })).filter((s) => s.d !== '')
}

export function heatCells(p: GasPicture): { x: number; y: number; side: number; share: number }[] {
  return p.heat.flatMap((l) => l.value.flatMap((v, k) => (v < 0.01 ? [] : [{ x: l.x0_m + (k % l.nx) * l.side_m, y: l.y0_m + Math.floor(k / l.nx) * l.side_m, side: l.side_m, share: v }])))
}

export function limitSpan(p: GasPicture): [number, number] | null {
  const rates = p.limit?.cells.map((c) => c[2]) ?? []
  return rates.length ? [Math.min(...rates), Math.max(...rates)] : null
}

export function limitCells(p: GasPicture): { x: number; y: number; side: number; share: number }[] {
  const span = limitSpan(p)
  if (!p.limit || !span) return []
  const h = p.limit.side_m / 2
  return p.limit.cells.map(([x, y, rate]) => ({ x: x - h, y: y - h, side: 2 * h, share: span[1] > span[0] ? Math.log(rate / span[0]) / Math.log(span[1] / span[0]) : 0 }))
}

const knot = 1852 / 3600 // m/s

/** barbPaths is the station sign of a wind, its tip where the air comes from: feathers are 5 and 10 knots, a pennant 50, clockwise of
 * the shaft north of the equator; the wedge is one standard deviation to each side. */
export function barbPaths(b: Barb, south: boolean, long = 28): { lines: string; fill: string; wedge: string; calm: boolean } {
  const to = (deg: number, r: number): [number, number] => [r * Math.sin((deg * Math.PI) / 180), -r * Math.cos((deg * Math.PI) / 180)]
  const write = (p: [number, number]) => p.map((v) => v.toFixed(1)).join(' ')
  let five = Math.round(b.speed_mps / knot / 5)
  if (five === 0) return { lines: '', fill: '', wedge: '', calm: true }
  const side = b.from_deg + (south ? -60 : 60)
  let r = long
  let lines = `M0 0L${write(to(b.from_deg, long))}`, fill = ''
  const feather = (size: number) => { const a = to(b.from_deg, r), d = to(side, size); lines += `M${write(a)}L${write([a[0] + d[0], a[1] + d[1]])}` }
  for (; five >= 10; five -= 10) {
    const a = to(b.from_deg, r), d = to(side, 10)
    fill += `M${write(a)}L${write([a[0] + d[0], a[1] + d[1]])}L${write(to(b.from_deg, r - 5))}Z`
    r -= 7
  }
  if (five === 1) r -= 5 // a lone half feather stands off the end, or it would read as a whole one
  for (; five >= 2; five -= 2) { feather(10); r -= 4.5 }
  if (five === 1) feather(5.5)
  const spread = Math.min(b.spread_deg, 180)
  const wedge = 'M0 0L' + Array.from({ length: 13 }, (_, k) => write(to(b.from_deg - spread + (2 * spread * k) / 12, long))).join('L') + 'Z'
  return { lines, fill, wedge, calm: false }
}

/** rateUnit is the unit in which numbers of this size come out between 1 and 1,000. */
export function rateUnit(scale: number): [string, number] {
  return scale >= 1 ? ['kg/s', 1] : scale >= 1e-3 ? ['g/s', 1e3] : scale >= 1e-6 ? ['mg/s', 1e6] : ['µg/s', 1e9]
}

/** axes95 are the full lengths of the axes of the 95 % ellipse of a covariance. */
export function axes95(c: number[][]): [number, number] {
  const a = c[0]![0]!, b = c[0]![1]!, d = c[1]![1]!
  const mean = (a + d) / 2, root = Math.hypot((a - d) / 2, b)
  const q = -2 * Math.log(0.05) // of chi-square with two degrees of freedom
  return [2 * Math.sqrt(q * (mean + root)), 2 * Math.sqrt(q * Math.max(0, mean - root))]
}

/** figs writes two significant figures, without an exponent where four digits will do. */
export function figs(v: number, tag: string): string {
  const a = Math.abs(v)
  return new Intl.NumberFormat(tag, { maximumSignificantDigits: 2, useGrouping: false, notation: a !== 0 && (a < 1e-3 || a >= 1e5) ? 'scientific' : 'standard' }).format(v)
}

/** rateTicks are the round rates on an axis, as product/figure has them: powers of ten, with steps between them where those alone are too
 * few, and its ends where it is narrower than the steps of any round number. */
export function rateTicks(b: RateBins): number[] {
  const lo = Math.exp(b.ln_from), hi = Math.exp(b.ln_from + b.ln_step * b.counts.length)
  for (const [of, enough] of [[[1], 3], [[1, 3], 3], [[1, 2, 5], 2], [[1, 1.5, 2, 3, 5, 7], 2]] as const) {
    const out: number[] = []
    for (let decade = Math.floor(Math.log10(lo)); decade <= Math.ceil(Math.log10(hi)); decade++)
      for (const m of of) {
        const v = Number((m * 10 ** decade).toPrecision(2))
        if (v >= lo && v <= hi) out.push(v)
      }
    if (out.length >= enough) return out
  }
  return [lo, hi]
}

/** rateChart is the posterior of a rate as a drawing of a width and a height: its columns, and where on the axis the median and the 5th and
 * 95th percentile lie. Null where there was no draw above zero. */
export function rateChart(b: RateBins, r: Interval, width: number, height: number) {
  const n = b.below + b.above + b.counts.reduce((sum, c) => sum + c, 0)
  const top = Math.max(0, ...b.counts)
  if (top === 0 || !(b.ln_step > 0)) return null
  const at = (rate: number) => (rate > 0 ? width * Math.min(1, Math.max(0, (Math.log(rate) - b.ln_from) / (b.ln_step * b.counts.length))) : 0)
  const wide = width / b.counts.length
  const columns = b.counts.map((c, k) => (c ? `M${(k * wide).toFixed(1)} ${height}v${((-height * c) / top).toFixed(1)}h${wide.toFixed(2)}V${height}Z` : '')).join('')
  return { n, columns, p05: at(r.p05), p50: at(r.p50), p95: at(r.p95), ticks: rateTicks(b).map((rate) => ({ rate, x: at(rate) })), below: b.below / n,
    steps: b.counts.map((c, k) => ({ from: Math.exp(b.ln_from + k * b.ln_step), to: Math.exp(b.ln_from + (k + 1) * b.ln_step), share: c / n })) }
}

/** hourUnit is as rateUnit, of rates by the hour. */
export function hourUnit(scale: number): [string, number] {
  const h = scale * 3600
  return h >= 1 ? ['kg/h', 3600] : h >= 1e-3 ? ['g/h', 3600e3] : h >= 1e-6 ? ['mg/h', 3600e6] : ['µg/h', 3600e9]
}
