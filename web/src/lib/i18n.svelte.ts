// The catalogue of the two languages. One JSON file each, equal keys and placeholders (tested in Go and in vitest); a key that
// does not exist does not compile. Sentences are whole: nothing is glued from parts.
import en from '../locales/en.json'
import es from '../locales/es.json'

export type Key = keyof typeof en
export type Locale = 'en' | 'es'
const catalogues: Record<Locale, Record<Key, string>> = { en, es }

const first = (): Locale => {
  const asked = new URLSearchParams(location.search).get('lang') ?? remembered('atalaya.lang') ?? navigator.language
  return asked.startsWith('es') ? 'es' : 'en'
}

function remembered(key: string): string | null {
  try { return localStorage.getItem(key) } catch { return null }
}

class Language {
  now: Locale = $state(first())
  // Mexican Spanish writes the decimal point as English does, so figures read the same in both.
  get tag() { return this.now === 'es' ? 'es-MX' : 'en-GB' }
  set(to: Locale) {
    this.now = to
    document.documentElement.lang = to
    try { localStorage.setItem('atalaya.lang', to) } catch { /* a browser without storage forgets the choice */ }
  }
}
export const language = new Language()
document.documentElement.lang = language.now

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return catalogues[language.now][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? `{${name}}`))
}

/** has says whether a key made from data (an event kind, a status) is in the catalogue. */
export function has(key: string): key is Key {
  return key in en
}

/** word is the catalogue's word for a value of the API, or the value itself where the catalogue knows none. */
export function word(group: string, value: string): string {
  const key = `${group}.${value}`
  return has(key) ? t(key) : value
}
