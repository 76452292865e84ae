import { describe, expect, it } from 'vitest'
import { at, axes95, barbPaths, excess, hourUnit, inTime, metresAt, plane, rateChart, rateTicks, rateUnit, unlooked, type GasPicture } from './gas'

const picture = {
  samples: { all: 3, t_s: [2, 0, 1], x_m: [0, 1, 2], y_m: [0, 0, 0], z_m: [1, 1, 1], wind_from_deg: [0, 0, 0], wind_speed_mps: [1, 1, 1], sensor: [0, 1, 1] },
  compounds: [{ name: 'a', unit: 'ppb', value: [5, null, 3], baseline: [2, 1], top_excess: 3 }],
} as unknown as GasPicture

describe('gas', () => {
  it('takes each sensor its own baseline, and nothing where nothing was measured', () => {
    expect([0, 1, 2].map((i) => excess(picture, 0, i))).toEqual([3, null, 2])
  })
  it('steps through samples in time, not in the order of sensors', () => { expect(inTime(picture)).toEqual([1, 2, 0]) })
  it('a plane and its inverse meet, north is up, and zoom keeps the centre', () => {
    const q = plane([-100, -50, 100, 50], 400, 300, 3, [10, -20])
    expect(at(q, 10, -20)).toEqual([200, 150])
    expect(at(q, 10, 0)[1]).toBeLessThan(150)
    const [x, y] = metresAt(q, ...at(q, 33, 7))
    expect(x).toBeCloseTo(33, 9)
    expect(y).toBeCloseTo(7, 9)
  })
  it('what was not asked and what says nothing is not looked at; the rest is', () => {
    const q = plane([0, 0, 40, 20], 400, 200)
    const boxes = unlooked(q, { x0_m: 10, y0_m: 0, side_m: 10, rows: ['01', '11'] })
    const holds = (x: number, y: number) => { const [px, py] = at(q, x, y); return boxes.some(([a, b, c, d]) => px > a && px < c && py > b && py < d) }
    expect([holds(15, 5), holds(25, 5), holds(15, 15), holds(5, 10), holds(35, 10)]).toEqual([true, false, false, true, true])
  })
  it('a wind from the north of 15 knots has one whole and one half feather, east of the shaft, and west south of the equator', () => {
    const b = { x_m: 0, y_m: 0, from_deg: 0, spread_deg: 10, speed_mps: 15 * 0.5144, n: 1 }
    const north = barbPaths(b, false)
    expect(north.lines.match(/M/g)!.length).toBe(3)
    expect(north.lines).toContain('L0.0 -28.0')
    const tips = (s: string) => [...s.matchAll(/L(-?[\d.]+) /g)].slice(1).map((m) => Number(m[1]))
    expect(tips(north.lines).every((x) => x > 0)).toBe(true)
    expect(tips(barbPaths(b, true).lines).every((x) => x < 0)).toBe(true)
    expect(barbPaths({ ...b, speed_mps: 1 }, false).calm).toBe(true)
    expect(barbPaths({ ...b, speed_mps: 26 }, false).fill).not.toBe('')
  })
  it('the 95 % ellipse of a circle of 10 m is 49 m wide', () => {
    const [major, minor] = axes95([[100, 0], [0, 100]])
    expect(major).toBeCloseTo(2 * 10 * Math.sqrt(5.991), 1) // chi-square, two degrees of freedom
    expect(minor).toBeCloseTo(major, 9)
  })
  it('the columns of a rate are its draws, on a logarithmic axis', () => {
    const bins = { ln_from: Math.log(1e-3), ln_step: Math.LN2, counts: [1, 2, 0, 4], below: 2, above: 1 }
    const chart = rateChart(bins, { mean: 0, p05: 0, p50: 4e-3, p95: 8e-3 }, 100, 40)!
    expect(chart.n).toBe(10)
    expect(chart.columns).toBe('M0.0 40v-10.0h25.00V40ZM25.0 40v-20.0h25.00V40ZM75.0 40v-40.0h25.00V40Z')
    expect([chart.p05, chart.p50, chart.p95].map((x) => Math.round(x))).toEqual([0, 50, 75]) // 4 and 8 g/s are two and three doublings of four
    expect(chart.steps.reduce((sum, s) => sum + s.share, 0)).toBeCloseTo(0.7, 12) // the rest lies below and above
    expect(chart.below).toBe(0.2)
    expect(rateChart({ ...bins, counts: [0, 0, 0, 0] }, { mean: 0, p05: 0, p50: 0, p95: 0 }, 100, 40)).toBeNull()
  })
  it('the axis of a rate has round marks, as the sheet has them', () => {
    const ticks = (lo: number, hi: number) => rateTicks({ ln_from: Math.log(lo * 0.9999), ln_step: Math.log((hi * 1.0001) / (lo * 0.9999)) / 20, counts: Array<number>(20).fill(1), below: 0, above: 0 })
    expect(ticks(1e-4, 1e-1)).toEqual([1e-4, 1e-3, 1e-2, 1e-1])
    expect(ticks(7e-4, 2.8e-3)).toEqual([1e-3, 2e-3])
    expect(ticks(9e-4, 2e-2)).toEqual([1e-3, 3e-3, 1e-2])
    expect(ticks(1.01e-3, 1.02e-3).length).toBe(2)
  })
  it('rates are written by the second and by the hour in units of readable size', () => {
    expect([rateUnit(1.4e-3), hourUnit(1.4e-3), hourUnit(2e-5), hourUnit(1e-8), hourUnit(1e-11)].map(([unit]) => unit)).toEqual(['g/s', 'kg/h', 'g/h', 'mg/h', 'µg/h'])
    expect(1.4e-3 * hourUnit(1.4e-3)[1]).toBeCloseTo(5.04, 12)
  })
})
