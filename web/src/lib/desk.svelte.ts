// What lies on the desk: who sits at it, what is loaded, what is selected, what is shown. One object for the whole page, so that
// a selection made in one room holds in all.
import { dropReads, api, pending, Refused, type Banner, type Decision, type EventRef, type InboxItem, type LayerName, type LogEvent, type MapData, type PlaceAnswer, type Session, type Site, type SiteCard, type Sorting, type TwoCards } from './api'
import { t } from './i18n.svelte'
import { movesOf, type Moves, type Ranked } from './moves'
import { tail, utc } from './numbers'
import { follow, type Tail } from './live'

export type Room = 'map' | 'inbox' | 'site' | 'compare' | 'gas' | 'video' | 'plan' | 'outcomes' | 'oversight'
export type Theme = 'light' | 'dark'
export type Layer = 'gas' | 'tracks' | 'footprints' | 'bearings' | 'reports' | 'sites' | 'ground' | 'movers' | 'detections' | 'terrain'
export const layers: Layer[] = ['gas', 'tracks', 'footprints', 'bearings', 'reports', 'sites', 'ground', 'movers', 'detections', 'terrain']
export type Sheet =
  | { kind: 'open' | 'release' | 'outcome' | 'looked-at'; card: SiteCard }
  | { kind: 'review'; card: SiteCard; decision: Decision }
  | { kind: 'retract' | 'restore'; observation: string; what: string; why?: string }
  | { kind: 'sort'; sorting: Sorting; detection: string; what: string; site: string; why?: string }
/** Undoable is what a person did that a new event can undo: an observation taken back, or a detection sorted. */
export interface Undoable { observation: string; what: string; why: string; undone: boolean; sorted?: { detection: string; sorting: Sorting; site: string } }
export interface Toast { text: string; tone: 'done' | 'problem'; event: string }
export type Load = 'loading' | 'ready' | 'failed'

const query = new URLSearchParams(location.search)

function stored(key: string): string | null {
  try { return localStorage.getItem(key) } catch { return null }
}
function store(key: string, value: string) {
  try { localStorage.setItem(key, value) } catch { /* without storage the choice lasts until the page is closed */ }
}

function routeOf(hash: string): { room: Room; site: string | null; survey?: string; video?: string; pair?: [string, string] } {
  const [room, id, other] = hash.replace(/^#\/?/, '').split('/')
  if (room === 'compare' && id && other) return { room, site: null, pair: [decodeURIComponent(id), decodeURIComponent(other)] }
  if (room === 'sites') return { room: 'site', site: id ? decodeURIComponent(id) : null }
  if (room === 'gas') return { room, site: null, survey: id ? decodeURIComponent(id) : undefined }
  if (room === 'video') return { room, site: null, video: id ? decodeURIComponent(id) : undefined }
  return { room: room === 'inbox' || room === 'plan' || room === 'outcomes' || room === 'oversight' ? room : 'map', site: null }
}

class Desk {
  session: Session | null = $state.raw(null)
  sessionFailed: string | null = $state(null)
  map: MapData | null = $state.raw(null)
  mapLoad: Load = $state('loading')
  mapProblem = $state('')
  inbox: InboxItem[] | null = $state.raw(null)
  inboxLoad: Load = $state('loading')
  inboxProblem = $state('')
  card: SiteCard | null = $state.raw(null)
  cardLoad: Load = $state('loading')
  cardProblem = $state('')
  place: PlaceAnswer | null = $state.raw(null) // what is said of the place that was asked about last
  asked: { lat: number; lon: number } | null = $state.raw(null)
  placeLoad: Load = $state('loading')
  placeProblem = $state('')
  mission: string | null = $state(query.get('mission'))

  room: Room = $state('map')
  site: string | null = $state(null) // the selected site
  seen: { mission: string; at: number; sites: Ranked[] } | null = $state.raw(null) // the ranking as its reader last looked at it; kept in this page alone
  marked: string | null = $state(null) // the site that the next one is compared with
  compared: [string, string] | null = $state.raw(null)
  two: TwoCards | null = $state.raw(null) // what is said of them
  detection: string | null = $state(null) // the selected inbox item
  survey: string | null = $state(null) // the selected gas survey
  gasBanner: Banner | null = $state.raw(null) // of what the gas room shows
  video: string | null = $state(null) // the selected video
  outcomesBanner: Banner | null = $state.raw(null)
  planBanner: Banner | null = $state.raw(null)
  videoBanner: Banner | null = $state.raw(null)
  videoAt: { video: string; at: number } | null = $state.raw(null) // where a video is to be opened, seconds on its line; once
  shown: Record<Layer, boolean> = $state({ gas: true, tracks: true, footprints: true, bearings: true, reports: true, sites: true, ground: true, movers: true, detections: true, terrain: true })
  from = $state(0) // the time brush, seconds since 1970, UTC
  to = $state(0)
  span: [number, number] = $state([0, 0]) // all that the brush may cover

  theme: Theme = $state(query.get('theme') === 'dark' || query.get('theme') === 'light' ? query.get('theme') as Theme
    : stored('atalaya.theme') === 'dark' || stored('atalaya.theme') === 'light' ? stored('atalaya.theme') as Theme
    : matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
  singleKeys = $state(stored('atalaya.keys') !== 'off')
  sheet: Sheet | null = $state.raw(null)
  help = $state(false)
  finder = $state(false)
  toast: Toast | null = $state.raw(null)
  undo: Undoable[] = $state([])
  events: LogEvent[] = $state.raw([]) // heard live, newest first
  heardAt = $state(0)
  behindSince = $state(0)
  clock = $state(Date.now())

  get test() { return query.get('test') === '1' && this.session?.test === true }
  /** moves is what became of the ranking since its reader last looked. */
  moves: Moves = $derived(movesOf(this.seen?.sites ?? [], this.seen ? this.sites : []))
  get sites(): Site[] { return this.map?.sites ?? [] }
  get banner() {
    const card = this.room === 'site' ? this.card?.banner : this.room === 'compare' ? this.two?.banner : this.room === 'outcomes' ? this.outcomesBanner : this.room === 'plan' ? this.planBanner : this.room === 'gas' ? this.gasBanner : this.room === 'video' ? this.videoBanner : null
    return card ?? this.map?.banner ?? this.session?.banner ?? { text: '', level: '' }
  }
  /** now is the clock of the page: fixed to the time of assessment under test, so that ages and pictures repeat. */
  get now() { return this.test && this.map ? Date.parse(this.map.as_of) + 3_600_000 : this.clock }
  get zone(): string | undefined { return this.test ? 'America/Mazatlan' : undefined }

  private tail: Tail | null = null
  private soon: ReturnType<typeof setTimeout> | undefined

  start() {
    const route = () => {
      const { room, site, survey, video, pair } = routeOf(location.hash)
      this.room = room
      if (pair) this.compared = pair
      if (survey) this.survey = survey
      if (video) this.video = video
      if (site) { this.site = site; if (this.card?.site.id !== site) void this.loadCard(site) }
      else if (room === 'site' && this.site) location.replace(`#/sites/${encodeURIComponent(this.site)}`)
    }
    addEventListener('hashchange', route)
    this.routed = route
    setInterval(() => { this.clock = Date.now() }, 1000)
    // A page that is left may be kept for the way back. It must not keep its line: six kept lines, and nothing loads any more.
    addEventListener('pagehide', () => { this.tail?.stop(); this.tail = null })
    addEventListener('pageshow', (event) => { if (event.persisted && this.session?.account) { this.listen(); void this.loadAll() } })
    pending.changed = () => { queueMicrotask(() => dispatchEvent(new Event('atalaya:pending'))) }
    void this.begin()
  }
  private routed = () => {}

  async begin() {
    try {
      this.session = await api.session()
      this.sessionFailed = null
      if (this.session.account) this.enter()
    } catch (problem) {
      this.sessionFailed = said(problem)
    }
  }

  async signIn(name: string, password: string) {
    this.session = await api.signIn(name, password)
    this.enter()
  }

  async signOut() {
    this.tail?.stop()
    this.tail = null
    clearTimeout(this.soon)
    this.soon = undefined
    dropReads()
    try { await api.signOut() } finally {
      this.map = null; this.inbox = null; this.card = null; this.place = null; this.asked = null; this.marked = null; this.compared = null; this.two = null; this.seen = null; this.outcomesBanner = null; this.planBanner = null; this.events = []; this.undo = []; this.sheet = null
      await this.begin()
    }
  }

  private enter() {
    this.routed()
    void this.loadAll()
    this.listen()
  }

  private listen() {
    this.tail?.stop()
    this.tail = follow(this.session?.account?.id ?? '', {
      heard: (at) => { this.heardAt = at; if (this.behindSince) { this.behindSince = 0; this.reloadSoon() } },
      behind: (since) => { if (!this.behindSince) this.behindSince = since },
      event: (event) => {
        this.events = [event, ...this.events].slice(0, 500)
        document.body.dataset.live = event.id
        this.reloadSoon()
      },
      reset: () => { this.reloadSoon() },
    }, api.events)
  }

  /** reloadSoon gathers what arrives within a quarter of a second into one reload. */
  reloadSoon() {
    if (this.soon !== undefined) return
    this.soon = setTimeout(() => { this.soon = undefined; void this.loadAll() }, 250)
  }

  async loadAll() {
    await Promise.all([this.loadMap(), this.loadInbox(), this.room === 'site' && this.site ? this.loadCard(this.site, true) : undefined, this.asked ? this.ask(this.asked.lat, this.asked.lon, true) : undefined])
  }

  async loadMap() {
    try {
      const map = await api.map(this.mission)
      const first = this.map?.mission?.id !== map.mission?.id
      this.map = map
      this.mapLoad = 'ready'
      if (first) this.setSpan(map)
      if (this.seen?.mission !== map.mission?.id) this.look()
      if (this.site === null || !map.sites?.some((s) => s.id === this.site)) {
        if (this.room !== 'site') this.site = map.sites?.[0]?.id ?? null
      }
      if (this.room === 'site' && !this.site && map.sites?.[0]) this.open(map.sites[0].id)
    } catch (problem) { this.signedOut(problem); this.mapProblem = said(problem); this.mapLoad = 'failed' }
  }

  /** look says that the ranking as it is now has been seen. */
  look() { this.seen = this.map?.mission ? { mission: this.map.mission.id, at: this.now, sites: this.sites.map(({ id, rank, probability, lat, lon }) => ({ id, rank, probability, lat, lon })) } : null }

  async loadInbox() {
    try {
      this.inbox = (await api.inbox(this.mission)).detections ?? []
      this.inboxLoad = 'ready'
    } catch (problem) { this.signedOut(problem); this.inboxProblem = said(problem); this.inboxLoad = 'failed' }
  }

  async loadCard(id: string, quiet = false) {
    if (!quiet) this.cardLoad = 'loading'
    try {
      const card = await api.site(id)
      if (this.site !== id) return // another was chosen meanwhile
      this.card = card
      this.cardLoad = 'ready'
    } catch (problem) {
      this.signedOut(problem)
      this.cardProblem = said(problem)
      this.cardLoad = 'failed'
    }
  }

  /** ask has a place weighed. */
  async ask(lat: number, lon: number, quiet = false) {
    const asked = this.asked = { lat, lon }
    if (!quiet) this.placeLoad = 'loading'
    try {
      const place = await api.place(this.map?.mission?.id ?? this.mission, lat, lon)
      if (this.asked !== asked) return // another was asked about meanwhile
      this.place = place
      this.placeLoad = 'ready'
    } catch (problem) {
      this.signedOut(problem)
      if (this.asked !== asked) return
      this.placeProblem = said(problem)
      this.placeLoad = 'failed'
    }
  }
  again() { if (this.asked) void this.ask(this.asked.lat, this.asked.lon) }

  private signedOut(problem: unknown) {
    if (problem instanceof Refused && problem.status === 401 && this.session?.account) {
      this.tail?.stop()
      this.session = { ...this.session, account: null }
    }
  }

  private setSpan(map: MapData) {
    let from = map.mission ? Date.parse(map.mission.from) / 1000 : NaN
    let to = map.mission ? Date.parse(map.mission.to) / 1000 : NaN
    if (!Number.isFinite(from) || !Number.isFinite(to) || to <= from) {
      const times = seconds(map)
      from = times.length ? Math.min(...times) : 0
      to = times.length ? Math.max(...times) : 1
    }
    this.span = [Math.floor(from), Math.ceil(to)]
    this.from = this.span[0]
    this.to = this.span[1]
  }

  async chooseMission(id: string) {
    this.mission = id
    this.site = null
    this.survey = null
    this.video = null
    this.place = null
    this.asked = null
    this.marked = null
    this.mapLoad = 'loading'
    await this.loadAll()
  }

  go(room: Room) {
    if (room === 'site') { if (this.site) this.open(this.site); else location.hash = '#/sites' }
    else location.hash = `#/${room}`
  }
  /** watch opens a video at a time. */
  watch(id: string, at: number) { this.video = id; this.videoAt = { video: id, at }; location.hash = `#/video/${encodeURIComponent(id)}` }
  /** mark keeps the selected site, lets go of it, or lays the selected one beside the one that was kept. */
  mark() {
    if (!this.site) return
    if (this.marked === null) this.marked = this.site
    else if (this.marked === this.site) this.marked = null
    else location.hash = `#/compare/${encodeURIComponent(this.marked)}/${encodeURIComponent(this.site)}`
  }
  open(id: string) { this.site = id; location.hash = `#/sites/${encodeURIComponent(id)}` }

  setTheme(theme: Theme) {
    this.theme = theme
    store('atalaya.theme', theme)
  }
  setSingleKeys(on: boolean) { this.singleKeys = on; store('atalaya.keys', on ? 'on' : 'off') }

  /** undoLast and redoLast open the sheet that takes back, or does again, what was done last. */
  undoLast() {
    const last = this.undo.findLast((u) => !u.undone)
    if (last?.sorted) this.sheet = { kind: 'sort', ...last.sorted, sorting: 'reopen', what: last.what }
    else if (last) this.sheet = { kind: 'restore', observation: last.observation, what: last.what }
  }
  redoLast() {
    const last = this.undo.findLast((u) => u.undone)
    if (last?.sorted) this.sheet = { kind: 'sort', ...last.sorted, what: last.what, why: last.why }
    else if (last) this.sheet = { kind: 'retract', observation: last.observation, what: last.what, why: last.why }
  }

  /** recorded says that the log has it, by the log's own name for it; never before. */
  recorded(event: EventRef | undefined | null) {
    this.toast = { tone: 'done', event: event?.id ?? '', text: event ? t('toast.recorded', { event: tail(event.id), time: utc(event.time, 'time') }) : t('toast.recorded.unnamed') }
    void this.loadAll()
  }
  fail(problem: unknown) { this.toast = { tone: 'problem', event: '', text: said(problem) } }
}

export const desk = new Desk()

/** said is the one line of a problem, in the words of whoever refused. */
export function said(problem: unknown): string {
  if (problem instanceof Refused) return problem.line
  if (problem instanceof TypeError) return t('failed.unreachable')
  return problem instanceof Error ? problem.message : String(problem)
}

/** seconds lists the times of all timed features, as seconds since 1970. */
export function seconds(map: MapData): number[] {
  const out: number[] = []
  for (const name of ['gas', 'footprints', 'bearings', 'tracks', 'movers', 'detections'] as LayerName[]) {
    for (const feature of map.layers[name]?.features ?? []) {
      const at = Date.parse((feature.properties?.time ?? feature.properties?.from) as string) / 1000
      if (Number.isFinite(at)) out.push(at)
    }
  }
  return out
}
