import { describe, expect, it } from 'vitest'
import { adds, logistic, print, kindsOf } from './ledger'

// A small seeded generator, so that a failure can be repeated.
function chance(seed: number) { let s = seed >>> 0; return () => { s = (s * 1664525 + 1013904223) >>> 0; return s / 2 ** 32 } }

describe('the printed ledger', () => {
  it('adds up on paper, and its sum gives the stated probability, for any rows', () => {
    const random = chance(11)
    for (let n = 0; n < 2000; n++) {
      const rows = Array.from({ length: 1 + Math.floor(random() * 14) }, () => (random() - 0.5) * 9)
      const total = rows.reduce((a, b) => a + b, 0)
      const printed = print(rows, total, logistic(total))
      const unit = 10 ** printed.digits
      const units = printed.rows.map((row) => Math.round(row * unit))
      expect(units.reduce((a, b) => a + b, 0) + 0).toBe(Math.round(printed.sum * unit) + 0)
      printed.rows.forEach((row, i) => expect(Math.abs(row - rows[i]!)).toBeLessThan(1 / unit + 1e-9))
      expect(printed.probability).toBe(Math.round(logistic(total) * 100) / 100)
    }
  })
  it('says when the rows of the server do not make its total', () => {
    expect(adds([1, 2, -0.5], 2.5)).toBe(true)
    expect(adds([1, 2, -0.5], 2.6)).toBe(false)
  })
})

describe('two ledgers beside each other', () => {
  const row = (kind: string, log_odds: number) => ({ kind, log_odds })
  it('pairs rows of one kind, keeps every row, and puts what is shared last', () => {
    const a = [row('prior', -11), row('gas', 5), row('dependence', -1), row('gas', 1)], b = [row('prior', -11), row('report', 2), row('gas', -0.5), row('calibration', 0.25)]
    const groups = kindsOf(a, b)
    expect(groups.map((g) => g.kind)).toEqual(['prior', 'gas', 'report', 'dependence', 'calibration'])
    expect(groups[1]).toEqual({ kind: 'gas', pairs: [[a[1], undefined], [a[3], undefined], [undefined, b[2]]], sums: [6, -0.5] })
    const total = (side: 0 | 1) => groups.reduce((s, g) => s + g.sums[side], 0)
    expect([total(0), total(1)]).toEqual([-6, -9.25])
  })
})
