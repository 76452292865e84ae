// How numbers, times and places are written. Pure: the language tag comes in as a value.

export function fixed(value: number, digits: number, tag: string, sign = false): string {
  return new Intl.NumberFormat(tag, {
    minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false, signDisplay: sign ? 'exceptZero' : 'negative',
  }).format(value)
}

/** chance writes a probability with two decimals, and below a hundredth with as many as it takes to show a figure, four at most. */
export function chance(value: number, tag: string): string {
  const digits = [2, 3, 4].find((d) => value >= 10 ** -d) ?? (value > 0 ? 4 : 2)
  return fixed(value, digits, tag)
}

/** sameFigures writes a number that came as text with as many decimals, the way the reader writes numbers; what is no plain number stays. */
export function sameFigures(value: string, tag: string): string {
  const digits = /^[+-]?\d+(?:\.(\d+))?$/.exec(value)
  return digits ? fixed(Number(value), digits[1]?.length ?? 0, tag, value.startsWith('+')) : value
}

/** significant writes a value with n significant figures; small rates go to powers of ten. */
export function significant(value: number, n: number, tag: string): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  const scientific = size < 1e-3 || size >= 1e6
  return new Intl.NumberFormat(tag, { maximumSignificantDigits: n, minimumSignificantDigits: n, notation: scientific ? 'scientific' : 'standard', useGrouping: false }).format(value)
}

/** utc writes a time as 2026-01-14 14:03:22Z; without the date when asked. */
export function utc(at: string | number | Date, parts: 'time' | 'minute' | 'date' | 'both' = 'both'): string {
  const iso = new Date(at).toISOString()
  if (parts === 'time') return iso.slice(11, 19) + 'Z'
  if (parts === 'minute') return iso.slice(0, 10) + ' ' + iso.slice(11, 16) + 'Z'
  if (parts === 'date') return iso.slice(0, 10)
  return iso.slice(0, 10) + ' ' + iso.slice(11, 19) + 'Z'
}

export function local(at: string | number | Date, zone: string | undefined): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' }).formatToParts(new Date(at))
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${part('hour')}:${part('minute')} ${part('timeZoneName')}`
}

/** age writes how long ago something was, in the largest unit that gives a number of at least two, else the one below. */
export function age(from: string | number | Date, now: number, tag: string): string {
  const seconds = Math.max(0, (now - new Date(from).getTime()) / 1000)
  const units: [number, string][] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']]
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1, 'second']
  return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'narrow', maximumFractionDigits: 0 }).format(Math.floor(seconds / size))
}

/** place writes decimal degrees with as many decimals as the error allows. */
export function place(lat: number, lon: number, digits: number): string {
  return `${Math.abs(lat).toFixed(digits)}° ${lat < 0 ? 'S' : 'N'}  ${Math.abs(lon).toFixed(digits)}° ${lon < 0 ? 'W' : 'E'}`
}

/** degreesMinutes writes an edge tick of a map sheet: 24°48′, with seconds where the spacing asks for them. */
export function degreesMinutes(value: number, step: number, positive: string, negative: string): string {
  const total = Math.round(Math.abs(value) * 3600)
  const d = Math.floor(total / 3600), m = Math.floor((total % 3600) / 60), s = total % 60
  const hemisphere = value < 0 ? negative : positive
  const two = (n: number) => String(n).padStart(2, '0')
  if (step >= 1) return `${d}°${hemisphere}`
  if (step >= 1 / 60 - 1e-9) return `${d}°${two(m)}′${hemisphere}`
  return `${d}°${two(m)}′${two(s)}″${hemisphere}`
}

/** metres writes a length as 500 m or 2 km. */
export function metres(value: number, tag: string): string {
  return value >= 1000 ? `${new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 }).format(value / 1000)} km` : `${new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 }).format(value)} m`
}

/** tail is the end of an event's name: its start is the time, which many share. */
export function tail(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id
}

/** short is the name by which people speak of an id: the first four hex digits of a hash, the last four of a UUID, whose first
 * ones are the time. */
export function short(id: string): string {
  const rest = id.slice(id.indexOf('_') + 1)
  return rest.includes('-') ? rest.slice(-4) : rest.slice(0, 4)
}
