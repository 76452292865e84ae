import { afterEach, expect, it, vi } from 'vitest'
import { call, dropReads } from './api'

afterEach(() => vi.unstubAllGlobals())

it('who signs out waits for no read, and a write goes on', async () => {
  const asked: Record<string, AbortSignal | null | undefined> = {}
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked[path] = init.signal
    return new Promise((answer, refuse) => {
      init.signal?.addEventListener('abort', () => refuse(new DOMException('given up', 'AbortError')))
      if (!init.signal || path === '/after') answer(new Response('{}'))
    })
  })
  const read = call('GET', '/before')
  const write = call('POST', '/kept', {})
  dropReads()
  await expect(read).rejects.toThrow('given up')
  await expect(write).resolves.toEqual({})
  await expect(call('GET', '/after')).resolves.toEqual({}) // what is read afterwards is not given up
  expect(asked['/after']?.aborted).toBe(false)
})
