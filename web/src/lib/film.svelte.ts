// One video under the hand: its playhead, its pictures (H.264 or H.265 by Media Source Extensions, group by group around the playhead),
// and the metadata that stand at the frame that is shown. Without pictures that play, a clock moves the playhead over the metadata alone.
//
// What is drawn always follows the frame that the browser says it shows (requestVideoFrameCallback), never the clock of the player: so a
// paused picture and its overlay have one time.
import { pending, refused } from './api'
import { said } from './desk.svelte'
import { frameAt, grain, itemsAt, lastBefore, neighbour, standing, ticks, timeOf, utcAt, videos, type Chunk, type Item, type Packet, type Segment, type VideoView } from './video'

/** Screen says what the picture's frame holds: pictures, or why there are none. */
export type Screen = 'picture' | 'unsupported' | 'cannot' | 'no-start' | 'none'

const ahead = 12, behind = 8 // seconds of pictures kept around the playhead
const batch = 3, mostGroups = 64 // seconds of pictures, and groups of them, that are asked for at once
const mostChunks = 24

export class Film {
  view: VideoView | null = $state.raw(null)
  problem = $state('')
  screen: Screen = $state('none')
  t = $state(0) // of the frame that is shown; of the playhead, where there is no picture
  settled = $state(false) // what is shown is what was asked for
  playing = $state(false)
  rate = $state(1)
  late = $state(false) // waits for pictures
  away = $state(false) // of a wall: there is nothing at the time of the film that leads
  from: number | null = $state(null) // marks
  to: number | null = $state(null)
  now: { packet: Packet; before: Packet | null; age: number; chunk: Chunk; index: number } | null = $state.raw(null)
  frame = $state(0) // counts frames that were shown

  private chunks = new Map<number, Chunk | Promise<Chunk>>()
  private video: HTMLVideoElement | null = null
  private media: MediaSource | null = null
  private buffer: SourceBuffer | null = null
  private url = ''
  private init = ''
  private kind = ''
  private held = new Map<number, Segment>()
  private fetching: AbortController | null = null
  private fetchingN = -1
  private pumping = false
  private again = false
  private closed = false
  private wanted: number | null = null // where a seek under way goes
  private timer: ReturnType<typeof setInterval> | undefined
  private last = 0
  private frameCall = 0
  private nudges = 0
  private told: number | null = null // the frame that the browser told of last, since the last seek

  constructor(readonly id: string) {}

  /** step is how long a frame is shown; without a picture, how far packets lie apart. */
  get step(): number { const v = this.view; return (this.screen === 'picture' ? v?.frame_s : 0) || v?.metadata.step_s || 0.1 }
  get utc(): number | null { return this.view ? utcAt(this.view.metadata.utc, this.t) : null }
  get length(): number { return this.view ? this.view.to_s - this.view.from_s : 0 }

  async open(): Promise<void> {
    try {
      const view = await videos.video(this.id)
      if (this.closed) return
      view.trail ??= []
      this.view = view
      this.screen = view.picture.play === 'none' || view.picture.play === 'cannot' || view.picture.play === 'no-start' ? view.picture.play
        : view.type && 'MediaSource' in window && MediaSource.isTypeSupported(view.type) ? 'picture' : 'unsupported'
      this.t = view.from_s
      const first = await this.chunk(Math.floor(view.from_s / view.chunk_s))
      if (this.screen === 'picture' && first.frames.length) this.t = first.frames[0]! / ticks
      if (this.screen !== 'picture') this.settle()
      else if (this.video) await this.start()
    } catch (p) { if (!this.closed) this.problem = said(p) }
  }

  /** attach gives the film its picture; it may come before or after the view. */
  attach(video: HTMLVideoElement): () => void {
    this.video = video
    const pump = () => { void this.pump() }
    const waiting = () => { this.late = true; pump(); this.overGap() }
    const on = () => { this.late = false }
    const ended = () => this.pause()
    const seeking = () => { this.told = null; pump() }
    // A browser may show a frame and not tell of it: the one that comes between a callback and the next asking for one. Then it is asked
    // for again, a tenth of a millisecond further, until the browser has told which frame it shows.
    const seeked = () => {
      const at = this.wanted
      setTimeout(() => {
        if (this.settled || at === null || at !== this.wanted || video.seeking || this.video !== video) return
        if (this.nudges < 5) { this.nudges++; video.currentTime = at + this.within + this.nudges * 1e-4 }
        else { this.wanted = null; void this.shownAt(this.told ?? video.currentTime) }
      }, 250)
    }
    // A stream that the browser promised to play and cannot: the rest goes on without pictures.
    const failed = () => {
      if (!video.error || !this.media) return
      this.problem = video.error.message || `MediaError ${video.error.code}`
      this.screen = 'unsupported'
      this.drop()
      this.settle()
    }
    const events: [string, () => void][] = [['timeupdate', pump], ['seeking', seeking], ['waiting', waiting], ['playing', on], ['ended', ended], ['seeked', seeked], ['error', failed]]
    for (const [name, job] of events) video.addEventListener(name, job)
    this.listen()
    if (this.view && this.screen === 'picture' && !this.media) void this.start()
    return () => {
      for (const [name, job] of events) video.removeEventListener(name, job)
      if (this.frameCall) video.cancelVideoFrameCallback(this.frameCall)
      if (this.video === video) { this.drop(); this.video = null }
    }
  }

  /** drop lets go of the pictures: the film can be attached to another element, and goes on at its playhead. */
  private drop(): void {
    this.pause()
    this.fetching?.abort()
    const had = this.media !== null
    this.media = this.buffer = null
    this.held.clear()
    this.init = ''
    this.wanted = null
    if (had && this.video) { this.video.removeAttribute('src'); this.video.load() }
    if (this.url) URL.revokeObjectURL(this.url)
    this.url = ''
    if (had) this.settled = false
  }

  close(): void {
    this.closed = true
    this.drop()
    this.chunks.clear()
  }

  // --- pictures ---------------------------------------------------------------------------------------------------------------------------

  private listen() {
    const video = this.video
    if (!video) return
    this.frameCall = video.requestVideoFrameCallback((_, meta) => {
      this.listen()
      this.told = meta.mediaTime
      void this.shownAt(meta.mediaTime)
    })
  }

  private async start() {
    const video = this.video, view = this.view
    if (!video || !view || this.media) return
    const media = new MediaSource()
    this.media = media
    this.url = URL.createObjectURL(media)
    video.src = this.url
    await new Promise((open) => media.addEventListener('sourceopen', open, { once: true }))
    if (this.media !== media) return
    media.duration = view.to_s
    this.kind = view.type
    this.buffer = media.addSourceBuffer(view.type)
    this.wanted = this.t
    this.nudges = 0
    video.currentTime = this.t + this.within
    await this.pump()
  }

  /** pump fetches groups of pictures until those around the playhead are there. One runs at a time. */
  private async pump(): Promise<void> {
    if (this.pumping) { this.again = true; return }
    const media = this.media
    this.pumping = true
    try {
      do {
        this.again = false
        for (let list = await this.next(); list && this.media === media; list = await this.next()) await this.append(list)
      } while (this.again && this.media === media)
    } catch (p) {
      if (this.media === media && !(p instanceof DOMException && p.name === 'AbortError')) this.problem = said(p)
      else this.again = true // a seek or another element came between
    } finally {
      this.pumping = false
      if (this.again && this.media) queueMicrotask(() => void this.pump())
    }
  }

  /** within is how far behind its beginning a frame is sought, so that rounding cannot lead to the one before. */
  private get within(): number { return Math.min(2 * grain, this.step / 4) }
  private get target(): number { return this.wanted ?? this.video?.currentTime ?? this.t }

  /** next lists the groups to be fetched next, which follow each other: the one at the playhead alone, so that it is there soon. */
  private async next(): Promise<Segment[] | null> {
    const view = this.view!, t = this.target, buffer = this.buffer
    if (!buffer || buffer.updating) return null
    await this.evict(t)
    const far = ahead * Math.max(1, this.rate / 2), list: Segment[] = []
    for (let at = Math.floor(t / view.chunk_s); at * view.chunk_s <= Math.min(t + far, view.to_s); at++) {
      if (at < Math.floor(view.from_s / view.chunk_s)) continue
      const c = await this.chunk(at)
      if (this.buffer !== buffer) return null
      for (const s of c.segments) {
        if (s.to_s <= t - grain || s.from_s > t + far || this.held.has(s.n)) { if (list.length) return list; continue }
        const last = list[list.length - 1]
        if (last && (s.n === last.n)) continue // a group that lies in two chunks
        if (last && (s.n !== last.n + 1 || s.to_s - list[0]!.from_s > batch * Math.max(1, this.rate) || list.length === mostGroups)) return list
        list.push(s)
        if (s.from_s <= t && s.to_s > t) return list
      }
    }
    if (list.length) return list
    if (this.buffer === buffer && this.media?.readyState === 'open' && this.held.has(view.segments - 1) && !buffer.updating) this.media.endOfStream()
    return null
  }

  private async append(list: Segment[]): Promise<void> {
    const s = list[0]!
    pending.count++
    pending.changed()
    const buffer = this.buffer, fetching = new AbortController()
    this.fetching = fetching
    this.fetchingN = s.n
    try {
      const signal = fetching.signal
      const answer = await fetch(videos.segments(this.id, s.n, list.length), { credentials: 'same-origin', cache: 'no-cache', signal })
      if (!answer.ok) throw await refused(answer)
      const init = answer.headers.get('Atalaya-Init') ?? '', kind = answer.headers.get('Content-Type') ?? this.kind
      const bytes = await answer.arrayBuffer()
      if (init !== this.init) {
        const head = await fetch(videos.init(this.id, s.n), { credentials: 'same-origin', cache: 'no-cache', signal })
        if (!head.ok) throw await refused(head)
        const first = await head.arrayBuffer()
        if (kind !== this.kind) { this.buffer!.changeType(kind); this.kind = kind }
        await this.write(first)
        this.init = init
      }
      await this.write(bytes)
      const groups = Number(answer.headers.get('Atalaya-Groups') ?? 1)
      if (this.buffer === buffer) for (const one of list.slice(0, groups)) this.held.set(one.n, one)
    } finally {
      if (this.fetching === fetching) { this.fetching = null; this.fetchingN = -1 }
      pending.count--
      pending.changed()
    }
  }

  private async write(bytes: ArrayBuffer): Promise<void> {
    if (!this.buffer) throw new DOMException('', 'AbortError')
    const put = () => this.update(() => this.buffer!.appendBuffer(bytes))
    try { await put() } catch (p) {
      if (!(p instanceof DOMException && p.name === 'QuotaExceededError')) throw p
      await this.evict(this.target, 1)
      await put()
    }
  }

  private update(job: () => void): Promise<void> {
    return new Promise((done, fail) => {
      const b = this.buffer!
      const end = () => { b.removeEventListener('updateend', end); b.removeEventListener('error', wrong); done() }
      const wrong = () => { b.removeEventListener('updateend', end); b.removeEventListener('error', wrong); fail(new Error(this.video?.error?.message || 'the pictures cannot be read')) }
      b.addEventListener('updateend', end)
      b.addEventListener('error', wrong)
      try { job() } catch (p) { b.removeEventListener('updateend', end); b.removeEventListener('error', wrong); fail(p) }
    })
  }

  /** evict drops whole groups that lie far from the playhead, so that an hour of video takes no more memory than half a minute. */
  private async evict(t: number, keep = behind): Promise<void> {
    const far = [...this.held.values()].filter((s) => s.to_s < t - keep || s.from_s > t + ahead * Math.max(1, this.rate / 2) + 2 * behind)
    if (far.length === 0 || (far.length < 4 && keep === behind) || !this.buffer) return
    for (const s of far) this.held.delete(s.n)
    const before = Math.min(...[...this.held.values()].map((s) => s.from_s), t), after = Math.max(...[...this.held.values()].map((s) => s.to_s), t)
    if (before > 0) await this.update(() => this.buffer!.remove(0, before))
    if (this.buffer.buffered.length && this.buffer.buffered.end(this.buffer.buffered.length - 1) > after + 1) await this.update(() => this.buffer!.remove(after, Infinity))
  }

  /** overGap goes on behind a gap in the stream, where the pictures on both sides of it are there. */
  private overGap() {
    const video = this.video
    if (!video || video.seeking) return
    const t = video.currentTime
    for (let i = 0; i < video.buffered.length; i++) {
      const start = video.buffered.start(i)
      if (start > t && start < t + ahead && ![...this.held.values()].every((s) => s.to_s <= t)) { if (start - t > 0.02) video.currentTime = start + grain; return }
    }
  }

  // --- metadata -------------------------------------------------------------------------------------------------------------------------

  /** chunk is a part of the track, asked for once. */
  chunk(n: number): Promise<Chunk> {
    const have = this.chunks.get(n)
    if (have) return Promise.resolve(have)
    const asked = videos.track(this.id, n)
    asked.then((c) => { this.chunks.set(n, c) }, () => { this.chunks.delete(n) })
    if (this.chunks.size >= mostChunks) this.chunks.delete(this.chunks.keys().next().value!)
    this.chunks.set(n, asked)
    return asked
  }
  private chunkAt(t: number): Chunk | null {
    const c = this.view ? this.chunks.get(Math.floor((t + grain) / this.view.chunk_s)) : null
    return c && !(c instanceof Promise) ? c : null
  }

  /** shownAt takes what the browser says it shows. */
  private async shownAt(mediaTime: number): Promise<void> {
    const view = this.view
    if (!view || this.closed) return
    let c = this.chunkAt(mediaTime)
    if (!c) {
      this.settled = false
      try { c = await this.chunk(Math.floor((mediaTime + grain) / view.chunk_s)) } catch (p) { if (!this.closed) this.problem = said(p); return }
      if (this.closed || (this.video && this.screen === 'picture' && Math.abs(this.video.currentTime - mediaTime) > 0.5 && !this.video.paused)) return // another is shown meanwhile
    }
    const t = this.screen === 'picture' ? frameAt(c.frames, mediaTime) ?? mediaTime : mediaTime
    if (this.wanted !== null && this.screen === 'picture') {
      if (Math.abs(t - this.wanted) > 0.75 * this.step) return // a frame from before the seek
      this.wanted = null
    }
    this.t = t
    const s = standing(c, t)
    this.now = s ? { packet: s.packet, before: s.before, age: Math.max(0, t - s.packet.pts_s), chunk: c, index: s.index } : null
    this.settled = true
    this.frame++
  }

  private settle() { void this.shownAt(this.t) }

  items(): Item[] { return this.now ? itemsAt(this.now.chunk, this.now.index) : [] }

  // --- the hand -------------------------------------------------------------------------------------------------------------------------

  /** seek goes to the frame that is shown at a time. */
  async seek(to: number): Promise<void> {
    const view = this.view
    if (!view) return
    let t = Math.min(Math.max(to, view.from_s), Math.max(view.from_s, view.to_s - grain))
    const shown = this.settled && this.wanted === null && !this.playing && this.screen === 'picture' ? this.t : null
    this.settled = false
    this.wanted = t
    const asked = t
    try {
      const c = await this.chunk(Math.floor((t + grain) / view.chunk_s))
      if (this.wanted !== asked || this.closed) return // another seek came meanwhile
      if (this.screen === 'picture' && this.video) {
        t = frameAt(c.frames, t) ?? (c.frames.length ? c.frames[0]! / ticks : t)
        if (shown !== null && Math.abs(t - shown) < grain) { this.wanted = null; this.settled = true; return } // it is shown: the browser would not tell of it again
        this.wanted = t
        this.nudges = 0
        if (this.fetching && !c.segments.some((s) => s.n === this.fetchingN) && !c.segments.some((s) => this.held.has(s.n) && s.from_s <= t && s.to_s > t)) { this.again = true; this.fetching.abort() }
        this.video.currentTime = t + this.within
        void this.pump()
      } else {
        this.wanted = null
        await this.shownAt(t)
      }
    } catch (p) { if (!this.closed) this.problem = said(p) }
  }

  async stepFrame(by: 1 | -1): Promise<void> {
    const view = this.view
    if (!view) return
    this.pause()
    const first = Math.floor(view.from_s / view.chunk_s), lastChunk = Math.floor(view.to_s / view.chunk_s)
    for (let n = Math.floor((this.t + grain) / view.chunk_s); n >= first && n <= lastChunk; n += by) {
      const c = await this.chunk(n)
      const frames = this.screen === 'picture' ? c.frames : [...new Set(c.packets.filter((p) => !p.other && p.pts_s >= c.from_s).map((p) => Math.round(p.pts_s * ticks)))]
      const to = neighbour(frames, this.t, by)
      if (to !== null && Math.abs(to - this.t) > grain) return this.seek(to)
    }
  }

  play(rate = 1): void {
    const view = this.view
    if (!view) return
    this.stopTimer()
    this.rate = rate
    this.playing = true
    if (this.screen === 'picture' && this.video && rate > 0) {
      if (this.t >= view.to_s - 1.5 * this.step) void this.seek(view.from_s).then(() => this.roll(rate))
      else this.roll(rate)
      return
    }
    this.video?.pause()
    if (rate > 0 && this.t >= view.to_s - grain) { this.t = view.from_s }
    this.last = performance.now()
    // Backwards, and without a picture, the playhead is moved by hand: ten times a second.
    this.timer = setInterval(() => {
      const at = performance.now(), to = (this.wanted ?? this.t) + (this.rate * (at - this.last)) / 1000
      if (this.screen === 'picture' && (this.wanted !== null || this.video?.seeking)) return
      this.last = at
      void this.seek(to)
      if (to <= view.from_s || to >= view.to_s) this.pause()
    }, 100)
  }

  private roll(rate: number) {
    const video = this.video
    if (!video || !this.playing) return
    video.playbackRate = rate
    video.play().catch(() => { this.playing = false })
  }

  pause(): void {
    this.stopTimer()
    this.playing = false
    this.rate = 1
    this.late = false
    const video = this.video
    if (video && !video.paused) video.pause()
  }

  private stopTimer() { clearInterval(this.timer); this.timer = undefined }

  toggle(): void { if (this.playing) this.pause(); else this.play(1) }

  /** shuttle is L and J: each press is twice as fast, the other way starts anew. */
  shuttle(by: 1 | -1): void {
    const fast = this.playing && Math.sign(this.rate) === by ? Math.min(8, Math.abs(this.rate) * 2) : 1
    this.play(by * fast)
  }

  /** follow keeps this film at the time of another: by UTC where both have it, else by how long they have run. */
  follow(lead: Film): void {
    const view = this.view, other = lead.view
    if (!view || !other) return
    const utc = utcAt(other.metadata.utc, lead.t)
    const by = utc !== null ? timeOf(view.metadata.utc, utc) : null
    const to = by ?? view.from_s + (lead.t - other.from_s)
    this.away = to < view.from_s - this.step || to > view.to_s
    if (this.away) { if (this.playing) this.pause(); return }
    const off = to - (this.wanted ?? this.t)
    if (lead.playing && lead.rate > 0) {
      if (Math.abs(off) > 0.4) void this.seek(to)
      if (!this.playing) this.play(lead.rate)
      // A little faster or slower until it is in step: nobody sees that, and a seek would be seen.
      if (this.video && this.screen === 'picture') this.video.playbackRate = lead.rate * (1 + Math.max(-0.08, Math.min(0.08, off / 2)))
    } else {
      if (this.playing) this.pause()
      if (Math.abs(off) > Math.max(this.step, 0.02) && this.wanted === null) void this.seek(to)
    }
  }

  /** packets are those of the main stream in the present chunk, for the table. */
  get near(): Packet[] { return this.now?.chunk.packets.filter((p) => !p.other) ?? [] }
  indexIn(list: Packet[]): number { return lastBefore(list, this.t + grain, (p) => p.pts_s) }
}
