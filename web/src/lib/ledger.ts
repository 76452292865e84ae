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

/** KindRows are the rows of one kind of two ledgers beside each other, with the sum of each side. */
export interface KindRows<T> { kind: string; pairs: [T | undefined, T | undefined][]; sums: [number, number] }

/** kindsOf lays two ledgers side by side: the kinds in the order in which either tells them, what is shared by the sum as a whole last; what speaks for a site
 * beside what does, and what speaks against one beside that. */
export function kindsOf<T extends { kind: string; log_odds: number }>(a: T[], b: T[]): KindRows<T>[] {
  const last = ['dependence', 'time', 'calibration', 'outcome']
  const place = (kind: string) => last.indexOf(kind)
  const kinds = [...new Set([...a, ...b].map((row) => row.kind))]
  return [...kinds].sort((x, y) => place(x) - place(y) || kinds.indexOf(x) - kinds.indexOf(y)).map((kind) => {
    const [x, y] = [a, b].map((rows) => rows.filter((row) => row.kind === kind)) as [T[], T[]]
    const sum = (rows: T[]) => rows.reduce((s, row) => s + row.log_odds, 0)
    const beside = (x: T[], y: T[]): [T | undefined, T | undefined][] => Array.from({ length: Math.max(x.length, y.length) }, (_, i) => [x[i], y[i]])
    const speaks = (row: T) => row.log_odds >= 0, denies = (row: T) => !speaks(row)
    if (last.includes(kind)) return { kind, pairs: beside(x, y), sums: [sum(x), sum(y)] }
    return { kind, pairs: [...beside(x.filter(speaks), y.filter(speaks)), ...beside(x.filter(denies), y.filter(denies))], sums: [sum(x), sum(y)] }
  })
}

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
