import { expect, it } from 'vitest'
import { chance } from './numbers'

it('chance shows a figure of small probabilities', () => {
  expect([0.714, 0.0149, 0.0042, 0.00042, 0.00001, 0, 1].map((p) => chance(p, 'en'))).toEqual(['0.71', '0.01', '0.004', '0.0004', '0.0000', '0.00', '1.00'])
})
