import { describe, expect, it } from 'vitest'
import { degreeStep, nice, perDegree, ticks } from './grid'

describe('the lines of a sheet', () => {
  it('stand at multiples of the step', () => { expect(ticks(-0.25, 0.5, 0.25).map((v) => v + 0)).toEqual([-0.25, 0, 0.25, 0.5]) })
  it('are as many as there is room for', () => { expect(degreeStep(1e-4, 100)).toBeCloseTo(1 / 60, 9) })
  it('measure a degree as the ellipsoid has it (WGS 84, at the equator 110574.3 m and 111319.5 m)', () => {
    expect(perDegree(0).lat).toBeCloseTo(110574.3, 0)
    expect(perDegree(0).lon).toBeCloseTo(111319.5, 0)
  })
  it('have bars of 1, 2 or 5', () => { expect([nice(499), nice(500), nice(1999)]).toEqual([200, 500, 1000]) })
})
