// What the server says by codes, in the reader's language. The catalogue holds every code under note.*, word for word as the server
// says it in English (web_test.go compares them); values that are words of the API are said in the reader's words too.
import type { Sentence } from './api'
import { has, language, t, word, type Key } from './i18n.svelte'
import { sameFigures } from './numbers'

export interface Told { text: string; lang?: string }

/** words are the values that the catalogue has words for, by the name of the value. */
const words: Record<string, (value: string) => string> = { kind: (v) => word('kind', v), integrity: (v) => word('integrity', v), class: (v) => word('class', v) }

/** numbers are the values that are numbers, and are written as the reader writes them; a name of digits stays as it came. */
const numbers = new Set(['density', 'area', 'p', 'cep50', 'used', 'rejected', 'n', 'least', 'most', 'km', 'looks', 'ways', 'waters', 'towns', 'speed', 'frames', 'events', 'slow', 'days', 'length', 'minutes'])

/**
 * told says a note: each sentence by its code, or the English line as it came where there are no codes (a record of an earlier
 * version) or one that this page does not know. `quoted` is the language of words that are repeated as they were said.
 */
export function told(said: Sentence[] | null | undefined, english: string, quoted?: string): Told[] {
  if (!said?.length || said.some((s) => !has(`note.${s.code}`))) return [{ text: english, lang: 'en' }]
  return said.map((s) => {
    const values = Object.fromEntries(Object.entries(s.values ?? {}).map(([name, value]) => [name, words[name]?.(value) ?? (numbers.has(name) ? sameFigures(value, language.tag) : value)]))
    return { text: t(`note.${s.code}` as Key, values), lang: s.code === 'quoted' ? quoted : undefined }
  })
}

/** line is the same as one text. */
export const line = (parts: Told[]) => parts.map((p) => p.text).join('; ')
