import { expect, it } from 'vitest'
import { chance, sameFigures } from './numbers'

it('chance shows a figure of small probabilities', () => {
  expect([0.714, 0.0149, 0.0042, 0.00042, 0.00001, 0, 1].map((p) => chance(p, 'en'))).toEqual(['0.71', '0.01', '0.004', '0.0004', '0.0000', '0.00', '1.00'])
})

it('a number that came as text keeps its decimals and is written as the reader writes numbers; other text stays', () => {
  expect(['0.050', '12', '-1.5', '+2.25', '1e-5', 'E1', '007 a'].map((v) => sameFigures(v, 'de'))).toEqual(['0,050', '12', '-1,5', '+2,25', '1e-5', 'E1', '007 a'])
})
