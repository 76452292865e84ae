// The live tail: server-sent events with gap repair. The stream is read with fetch rather than EventSource because the beat is
// a comment line, which EventSource hides: only a reader that sees the beat can tell a quiet log from a dead line.
import type { LogEvent } from './api'

export interface Tail { stop(): void }
export interface Hearing {
  heard(at: number): void // any byte: event or beat
  behind(since: number): void // the line is down, or silent for longer than two beats
  event(event: LogEvent): void // in order, without gaps
  reset(): void // too far behind: load everything again
}

const silence = 40_000 // ms: two beats of 15 s and some slack

export interface Frame { name: string; id: string; data: string }

/** frames cuts a text stream into SSE frames; what is left over is returned to be continued. */
export function frames(text: string): { frames: Frame[]; rest: string; beat: boolean } {
  const blocks = text.replace(/\r\n?/g, '\n').split('\n\n')
  const rest = blocks.pop() ?? ''
  let beat = false
  const out: Frame[] = []
  for (const block of blocks) {
    const frame: Frame = { name: 'message', id: '', data: '' }
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) { beat = true; continue }
      const at = line.indexOf(':')
      const field = at < 0 ? line : line.slice(0, at)
      const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '')
      if (field === 'event') frame.name = value
      else if (field === 'id') frame.id = value
      else if (field === 'data') frame.data += (frame.data ? '\n' : '') + value
    }
    if (frame.data !== '' || frame.id !== '' || frame.name !== 'message') out.push(frame)
  }
  return { frames: out, rest, beat }
}

type Told = { what: 'heard'; at: number } | { what: 'behind'; since: number } | { what: 'event'; event: LogEvent } | { what: 'reset'; cursor: string }

/**
 * follow keeps one line a browser, however many windows it has open: HTTP/1.1 gives an origin six connections, and six windows
 * with a line each would leave none to load anything with. The windows hold a lock in turn; the one that has it reads the line
 * and tells the others. `who` keeps the windows of two people apart.
 */
export function follow(who: string, hearing: Hearing, eventsAfter: (cursor: string) => Promise<{ events: LogEvent[] | null; next: string; reset: boolean }>): Tail {
  let cursor = ''
  let stopped = false
  let reading = false
  let lastHeard = Date.now()
  let line = new AbortController()
  const left = new AbortController()
  const others = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(`atalaya-live-${who}`)
  const watch = setInterval(() => {
    if (Date.now() - lastHeard <= silence) return
    if (reading) line.abort()
    else hearing.behind(lastHeard)
  }, 5_000)

  function hear(told: Told) {
    if (told.what === 'heard') { lastHeard = told.at; hearing.heard(told.at) }
    else if (told.what === 'behind') hearing.behind(told.since)
    else if (told.what === 'event') { cursor = told.event.id; hearing.event(told.event) }
    else { cursor = told.cursor || cursor; hearing.reset() }
  }
  function tell(told: Told) { hear(told); others?.postMessage(told) }
  if (others) others.onmessage = (message: MessageEvent<Told>) => { if (!reading && !stopped) hear(message.data) }

  async function take(event: LogEvent) {
    if (event.id === cursor) return
    if (cursor !== '' && event.prev !== cursor) {
      const answer = await eventsAfter(cursor)
      if (answer.reset) { tell({ what: 'reset', cursor: event.id }); return }
      for (const missed of answer.events ?? []) tell({ what: 'event', event: missed })
      if (cursor === event.id || (answer.events ?? []).some((missed) => missed.id === event.id)) return
    }
    tell({ what: 'event', event })
  }

  async function read() {
    const answer = await fetch('/api/live', { signal: line.signal, cache: 'no-store', headers: { Accept: 'text/event-stream', ...(cursor ? { 'Last-Event-ID': cursor } : {}) } })
    if (!answer.ok || !answer.body) throw new Error(`live: ${answer.status}`)
    tell({ what: 'heard', at: Date.now() })
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      tell({ what: 'heard', at: Date.now() })
      const cut = frames(text + value)
      text = cut.rest
      for (const frame of cut.frames) {
        if (frame.name === 'reset') tell({ what: 'reset', cursor: frame.id })
        else if (frame.data.startsWith('{')) await take(JSON.parse(frame.data) as LogEvent)
        else if (frame.id !== '' && cursor === '') cursor = frame.id // our place, before the first event
      }
    }
  }

  async function run() {
    reading = true
    let wait = 500
    while (!stopped) {
      try { await read(); wait = 500 } catch { /* said below: the header shows that we are behind */ }
      if (stopped) return
      tell({ what: 'behind', since: lastHeard })
      await new Promise((resolve) => setTimeout(resolve, wait))
      wait = Math.min(wait * 2, 10_000)
      line = new AbortController()
      lastHeard = Math.max(lastHeard, Date.now() - silence / 2)
    }
  }
  if (others && navigator.locks) void navigator.locks.request(`atalaya-live-${who}`, { signal: left.signal }, run).catch(() => { /* stopped before its turn */ })
  else void run()
  return { stop() { stopped = true; clearInterval(watch); left.abort(); line.abort(); others?.close() } }
}
