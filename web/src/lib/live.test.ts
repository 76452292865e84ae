import { describe, expect, it } from 'vitest'
import { frames } from './live'

describe('server-sent events', () => {
  it('are cut at blank lines, whatever the line ends', () => {
    const cut = frames('id: a\r\ndata: {"x":1}\r\n\r\nevent: reset\ndata: \n\nid: b\ndata: {"x"')
    expect(cut.frames).toEqual([{ name: 'message', id: 'a', data: '{"x":1}' }, { name: 'reset', id: '', data: '' }])
    expect(frames('id: here\n: beat\n\n').frames).toEqual([{ name: 'message', id: 'here', data: '' }]) // the reader's place, alone
    expect(cut.rest).toBe('id: b\ndata: {"x"')
  })
  it('hear the beat, which is a comment', () => {
    expect(frames(': beat\n\n')).toEqual({ frames: [], rest: '', beat: true })
  })
})
