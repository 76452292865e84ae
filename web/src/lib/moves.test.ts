import { describe, expect, it } from 'vitest'
import { movesOf } from './moves'

describe('what became of a ranking', () => {
  const a = { id: 'a', rank: 1, probability: 0.7, lat: 24.8, lon: -107.4 }, b = { id: 'b', rank: 2, probability: 0.4, lat: 24.9, lon: -107.4 }, c = { id: 'c', rank: 3, probability: 0.1, lat: 24.8, lon: -107.3 }
  it('says nothing where nothing changed', () => {
    const { moved, gone } = movesOf([a, b, c], [a, b, { ...c, probability: 0.10001 }])
    expect([moved.size, gone.length]).toEqual([0, 0])
  })
  it('tells who went up, down, came and went', () => {
    const { moved, gone } = movesOf([a, b, c], [{ ...c, rank: 1, probability: 0.8 }, { ...a, rank: 2 }, { id: 'd', rank: 3, probability: 0.2, lat: 25, lon: -107 }])
    expect(moved.get('c')).toEqual({ places: 2, by: expect.closeTo(0.7, 9), before: c })
    expect(moved.get('a')).toEqual({ places: -1, by: 0, before: a })
    expect(moved.get('d')).toEqual({ places: 0, by: 0, before: null })
    expect(gone).toEqual([b])
  })
  it('follows a place that has another name now', () => {
    const { moved, gone } = movesOf([a, b], [{ ...b, rank: 1 }, { id: 'e', rank: 2, probability: 0.3, lat: 24.801, lon: -107.4005 }]) // 120 m away
    expect(moved.get('e')).toEqual({ places: -1, by: expect.closeTo(-0.4, 9), before: a })
    expect(gone).toEqual([])
  })
})
