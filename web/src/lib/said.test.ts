import { beforeEach, expect, test, vi } from 'vitest'
import type { Sentence } from './api'

vi.stubGlobal('location', { search: '?lang=es' })
vi.stubGlobal('navigator', { language: 'es' })
vi.stubGlobal('document', { documentElement: {} })
const { line, told } = await import('./said')
const { language } = await import('./i18n.svelte')

beforeEach(() => language.set('es'))

test('a note is said in the language of the reader, its words of the API too', () => {
  const said = [{ code: 'bounded', values: { kind: 'signal', least: '-1', most: '3' } }, { code: 'same-origin' }]
  expect(line(told(said, 'in English'))).toBe('los elementos de Señal juntos cuentan de -1 a 3; del mismo origen que otro elemento, que cuenta solo')
  language.set('en')
  expect(line(told(said, 'in English'))).toBe('Signal items together count from -1 to 3; of the same origin as another item, which counts alone')
})

test('what has no codes, or one that the page does not know, stays the English line', () => {
  for (const said of [null, undefined, [], [{ code: 'looked', values: { n: '2' } }, { code: 'of a later version' }]])
    expect(told(said, 'in English')).toEqual([{ text: 'in English', lang: 'en' }])
})

test('words of a source keep their own language', () => {
  expect(told([{ code: 'quoted', values: { text: 'Dicen que {n} hay un olor' } }, { code: 'no-position' }], '', 'es')).toEqual([
    { text: 'Dicen que {n} hay un olor', lang: 'es' }, { text: 'no nombra ninguna posición', lang: undefined },
  ])
})

test('what a gas survey and its mixture warn of is said in both languages, numbers as the reader writes them', () => {
  const said: Sentence[] = [{ code: 'survey-skipped', values: { n: '1200' } }, { code: 'mixture-passed-over', values: { channel: '12', reference: 'toluene' } }]
  expect(line(told(said, 'in English'))).toBe('se pasaron por alto 1200 muestras sin lugar, viento o valor; se pasó por alto 12: no comparte fila, tiempo y lugar con toluene')
  language.set('en')
  expect(line(told(said, 'in English'))).toBe('1200 samples without place, wind or value were passed over; 12 was passed over: it shares no row, time and place with toluene')
})

test('why there is no advice is said in both languages, and what to do about it', () => {
  const said: Sentence[] = [{ code: 'advice-no-leg', values: { length: '60', minutes: '2.5' } }, { code: 'advice-no-leg-remedy' }]
  expect(told(said, 'in English').map((part) => part.text)).toEqual(['no cabe ningún tramo de 60 m o más dentro del cerco y de 2.5 minutos', 'Amplíe el cerco, dé más minutos o no vuele'])
  language.set('en')
  expect(told(said, 'in English').map((part) => part.text)).toEqual(['no leg of 60 m or more is allowed within the fence and 2.5 minutes', 'Widen the fence, give more minutes, or do not fly'])
})
