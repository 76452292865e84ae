// Why something may not be done is said by the server, in English. The catalogue holds the same lines under why.*, word for word
// (web_test.go compares them with the Go sources), so that each can be said in the reader's language.
import en from '../locales/en.json'
import { t, type Key } from './i18n.svelte'

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const lines = Object.entries(en).filter(([key]) => key.startsWith('why.')).map(([key, text]) => ({ key: key as Key, shape: new RegExp(`^${text.split('{who}').map(escape).join('(.+)')}$`) }))

/** whyKey is the catalogue's name of a line of the server, null when it knows none. */
export function whyKey(line: string): Key | null {
  return lines.find(({ shape }) => shape.test(line))?.key ?? null
}

/** why says a line of the server in the reader's language; one that the catalogue lacks stays as it came. */
export function why(line: string): { text: string; lang: 'en' | undefined } {
  const found = lines.find(({ shape }) => shape.test(line))
  return found ? { text: t(found.key, { who: found.shape.exec(line)?.[1] ?? '' }), lang: undefined } : { text: line, lang: 'en' }
}
