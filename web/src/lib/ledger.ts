// The ledger adds up on paper: the printed rows sum to the printed total, and the printed total gives the printed probability.

export interface Printed {
  digits: number // decimals of rows and sum
  rows: number[] // each row rounded up or down to that many decimals, so that they sum to `sum` exactly
  sum: number
  probability: number // of the printed sum, to two decimals
}

export const logistic = (x: number) => 1 / (1 + Math.exp(-x))
/** logit is the log-odds of a probability, at its ends those of a billionth. */
export const logit = (p: number) => { const q = Math.min(1 - 1e-9, Math.max(1e-9, p)); return Math.log(q / (1 - q)) }

const round = (x: number, digits: number) => Math.round(x * 10 ** digits) / 10 ** digits

/**
 * print rounds a column of log-odds by largest remainders: every row is its exact value rounded down or up in the last digit,
 * and the choice makes the column add up. Digits grow from two until the printed sum gives the probability that the server
 * states, to two decimals.
 */
export function print(logOdds: number[], total: number, probability: number): Printed {
  let digits = 2
  while (digits < 6 && round(logistic(round(total, digits)), 2) !== round(probability, 2)) digits++
  const unit = 10 ** digits
  const floors = logOdds.map((x) => Math.floor(x * unit))
  const target = Math.round(total * unit)
  const byRemainder = logOdds.map((x, i) => ({ i, rest: x * unit - floors[i]! })).sort((a, b) => b.rest - a.rest || a.i - b.i)
  let missing = target - floors.reduce((a, b) => a + b, 0)
  for (const { i } of byRemainder) {
    if (missing <= 0) break
    floors[i]! += 1
    missing--
  }
  return { digits, rows: floors.map((n) => n / unit), sum: target / unit + 0, probability: round(logistic(target / unit), 2) }
}

/** adds reports whether the server's rows make the server's total, within the rounding of the sum of n doubles. */
export function adds(logOdds: number[], total: number): boolean {
  const size = logOdds.reduce((a, b) => a + Math.abs(b), 1)
  return Math.abs(logOdds.reduce((a, b) => a + b, 0) - total) <= size * logOdds.length * 2 ** -52 + 1e-9
}
