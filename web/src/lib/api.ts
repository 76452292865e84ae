// The API of `atalaya serve` (docs/reference/api.md), as types and calls.
import type { FeatureCollection, Geometry } from 'geojson'

export interface Interval { mean: number; p05: number; p50: number; p95: number }
/** Sentence is one statement of the server by its code; lib/said.ts says it in the reader's language. */
export interface Sentence { code: string; values?: Record<string, string> }
/** Position is a place in the other forms in which people write it; mgrs and utm are '' near the poles. */
export interface Position { dms: string; mgrs: string; utm: string }
export type Sorting = 'keep' | 'hold' | 'attach' | 'reopen'
/** Sorted is what was done with a detection last; only call-outs of a video are withdrawn. */
export interface Sorted { detection: string; sorting: Sorting | 'withdraw'; site: string | null; why: string; by: string; by_name: string; at: string }
export interface Attached extends Sorted { kind: string; headline: string; said?: Sentence[]; standing: string; marking: string }
export interface Banner { text: string; level: string }
export interface Session {
  account: { id: string; name: string; role: string } | null
  accounts?: string[]; demo_password?: string
  version: string; demo: boolean; test: boolean; banner: Banner
  programs?: Record<string, boolean>
}
export interface EventRef { id: string; time: string }
export interface LogEvent { id: string; prev: string; event: string; time: string; actor: string; actor_name: string; kind: string; subject: string; marking: string }
export type Status = 'new' | 'case' | 'approved-once' | 'approved' | 'held' | 'dismissed' | 'released' | 'outcome'
export interface Site {
  id: string; mission: string; rank: number; lat: number; lon: number; digits: number; position?: Position
  probability: number; word: string | null; log_odds: number
  range_90?: [number, number] | null; cases?: number // of the calibration; absent without one
  regions: { p50: Geometry | null; p90: Geometry | null; p95: Geometry | null }
  covariance_m2: number[][]; ellipse95: { major_m: number; minor_m: number; azimuth_deg: number }
  rate_kg_s: Record<string, Interval> | null
  status: Status; found?: Finding | null; marking: string; as_of: string; evidence_kinds: string[] | null
}
/** Change is what one more look with a sense would make of a probability. */
export interface Change { kind: string; if_seen: number; if_not: number; p_seen: number; gain_bit: number }
export interface LedgerRow { kind: string; observation: string; evidence?: string; log_odds: number; grade: string; note: string; said?: Sentence[]; marking: string }
export interface ObservationRow {
  id: string; kind: string; sensor: string; path: string; part: string; when: { from: string; to: string }
  marking: string; standing: 'stands' | 'retracted' | 'tombstoned'; summary: string; said?: Sentence[]
}
export interface LegalBasis { instrument: string; review_by: string }
export interface Case { id: string; candidate: string; opened_by: string; opened_by_name: string; opened_at: string; legal_basis: LegalBasis; basis: string }
export interface Review { id: string; by: string; by_name: string; at: string; decision: Decision; why: string; basis: string }
export interface Release { id: string; recipient: string; at: string; by_name: string; marking: string; manifest_sha256: string; url: string }
export interface Outcome { id: string; found: Finding; on: string; by: string; note: string; replaces: string }
export type Decision = 'approve' | 'hold' | 'dismiss'
export type Finding = 'confirmed' | 'empty' | 'abandoned' | 'not-visited' | 'unsafe'
export const findings: Finding[] = ['confirmed', 'empty', 'abandoned', 'not-visited', 'unsafe']
export interface Alternative { label: string; probability: number }
export interface SiteCard {
  banner: Banner; site: Site; basis: string; ledger: LedgerRow[]; alternatives: Alternative[] | null
  would_change?: Change[] | null
  case: Case | null; basis_changed: boolean; gone?: boolean; missing?: string; attached?: Attached[] | null
  reviews: Review[] | null; releases: Release[] | null; outcomes: Outcome[] | null; observations: ObservationRow[] | null; history: LogEvent[] | null
  may: { open: boolean; review: boolean; dismiss?: boolean; release: boolean; outcome: boolean; why_not?: Record<string, string> | null }
}
/** Weighing is what the evidence says of one place at one time. */
export interface Weighing { as_of: string; probability: number; word: string | null; range_90: [number, number] | null; cases: number; log_odds: number; ledger: LedgerRow[] }
export interface ClassShare { class: string; share: number }
export interface Look { observation: string; kind: string; sensor: string; sortie: string; when: { from: string; to: string }; chance: number; covered: number; mean_chance: number; marking: string }
/** NextLooks is advice: what one more look at a site would tell for an hour of flight. */
export interface NextLook extends Change { platform: string; sorties: number; looks: number; chance: number; hours_per_look: number; gain_bit_per_hour: number; bands: { from_h: number; to_h: number; looks: number; finds: number }[]; best_band: number }
export interface NextLooks { banner: Banner; site: string; lat: number; lon: number; window_m: number; probability: number; looks: NextLook[] }
/** Sorties are flights by week, the latest first. */
export interface SortieRow { id: string; platform: string; when: { from: string; to: string }; hours: number; kinds: string[]; looked_km2: number; candidates_looked_at: number; mean_chance: number; finds: number; marking: string }
export interface Sorties { banner: Banner; mission: string; weeks: { from: string; hours: number; looked_km2: number; sorties: SortieRow[] }[] }
/** PlaceAnswer is why a place is ranked as it is; outside of the mission's ground it holds no weighing. */
export interface PlaceAnswer extends Partial<Weighing> {
  banner: Banner; mission: string; lat: number; lon: number; digits: number; position: Position; inside: boolean; window_m: number; rank: number; candidates: number
  site: { id: string; rank: number; distance_m: number; same: boolean } | null; alternatives: ClassShare[]; named: Record<string, ClassShare[]>
  reach: { radius_m: number; unlooked: number; looks: Look[]; missing: string[] } | null; observations: ObservationRow[]
}
/** HistoryPoint is what had been sensed of a place by one time, weighed as of then. */
export interface HistoryPoint extends Weighing { came: { evidence: string; observation: string; kind: string }[] }
export interface SiteHistory { banner: Banner; site: string; items: number; points: HistoryPoint[] }
/** CalibrationView is what stands behind words of probability, and what came back from the ground so far. */
export interface CalibrationView {
  banner: Banner; least_cases: number
  calibration: { version?: string; from?: { scenario: string; first_seed: number; seeds: number }[] | null; cases: number; sites: number; outcomes: number; unvisited: number } | null
  knots: { claimed: number; between: [number, number]; came_true: number; calibrated: number; range_90: [number, number]; cases: number; sites: number; word: string | null }[]
  words: { word: string; from: number; to: number; cases: number; sites: number; used: boolean }[]
  outcomes: { candidates: number; visited: number; unvisited: number; found: Partial<Record<Finding, number>>; bands: { from: number; to: number; visited: number; confirmed: number; unvisited: number; mean_claimed: number; range_90: [number, number] | null }[] }
}
export interface TwoCards { banner: Banner; sites: [SiteCard, SiteCard] }
export interface InboxItem {
  id: string; kind: string; observation: ObservationRow; when: string; lat: number | null; lon: number | null; digits?: number; position?: Position; headline: string; said?: Sentence[]; sorted?: Sorted | null
  alternatives: string[] | null; evidence_log_odds: number; site: string | null; standing: string
  thumbnail: { kind: 'series' | 'speed'; unit: string; points: [number, number][]; background: number } | null
  text: { lang: string; source: string; gist: string | null; gist_by: string } | null
  video?: { id: string; pts_s: number } | null; marking: string
}
export type LayerName = 'tracks' | 'footprints' | 'gas' | 'bearings' | 'reports' | 'movers' | 'detections' | 'terrain' | 'looked' | 'unsurveyed'
export interface MapData {
  banner: Banner; as_of: string; mission: { id: string; name: string; from: string; to: string } | null
  missions: { id: string; name: string }[] | null; bounds: [number, number, number, number] | null
  sites: Site[] | null; layers: Partial<Record<LayerName, FeatureCollection | null>>
}
export interface Audit { verified: boolean; events: number; at: string; first_bad: number | null; detail: string }

/** Refused is an answer that is not a success: the server's line, its status, and whatever it sent with it. */
export class Refused extends Error {
  constructor(readonly status: number, readonly line: string, readonly errors: unknown) { super(line) }
}

/** refused reads an answer that is no success. */
export async function refused(answer: Response): Promise<Refused> {
  const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string; errors?: unknown }
  return new Refused(answer.status, problem.detail || problem.title || `${answer.status} ${answer.statusText}`, problem.errors)
}

/** pending counts requests under way: the map is idle only when it is zero. */
export const pending = { count: 0, changed: () => {} }

let reads = new AbortController()

/** dropReads gives up what is being read: its reader signs out, and the answer would be that nobody may see it. */
export function dropReads(): void {
  reads.abort()
  reads = new AbortController()
}

/** call asks the server. What is named by its content may be kept: 'no-cache' then asks each time whether it may still be seen. */
export async function call<T>(method: string, path: string, body?: unknown, cache: 'no-store' | 'no-cache' = 'no-store'): Promise<T> {
  pending.count++
  pending.changed()
  try {
    const answer = await fetch(path, {
      method, credentials: 'same-origin', cache, signal: method === 'GET' ? reads.signal : null,
      headers: method === 'GET' ? { Accept: 'application/json' } : { Accept: 'application/json', 'Content-Type': 'application/json', 'X-Atalaya': '1' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    let content: unknown = null
    try { content = text === '' ? null : JSON.parse(text) } catch { /* an answer that is not JSON is shown by its status alone */ }
    if (!answer.ok) {
      const problem = (content ?? {}) as { title?: string; detail?: string; errors?: unknown }
      throw new Refused(answer.status, problem.detail || problem.title || `${answer.status} ${answer.statusText}`, problem.errors)
    }
    return content as T
  } finally {
    pending.count--
    pending.changed()
  }
}

const q = (mission: string | null) => (mission ? `?mission=${encodeURIComponent(mission)}` : '')
const e = encodeURIComponent
// Without a mission the server's bounds are four zeros: that is nowhere, not a point off Africa.
const somewhere = (map: MapData): MapData => (map.bounds && map.bounds[2] > map.bounds[0] && map.bounds[3] > map.bounds[1] ? map : { ...map, bounds: null })

export const api = {
  session: () => call<Session>('GET', '/api/session'),
  signIn: (name: string, password: string) => call<Session>('POST', '/api/session', { name, password }),
  signOut: () => call<unknown>('DELETE', '/api/session'),
  map: (mission: string | null) => call<MapData>('GET', `/api/map${q(mission)}`).then(somewhere),
  site: (id: string) => call<SiteCard>('GET', `/api/sites/${e(id)}`),
  place: (mission: string | null, lat: number, lon: number) => call<PlaceAnswer>('GET', `/api/assess?lat=${lat}&lon=${lon}${mission ? `&mission=${e(mission)}` : ''}`),
  history: (id: string) => call<SiteHistory>('GET', `/api/sites/${e(id)}/history`),
  next: (id: string) => call<NextLooks>('GET', `/api/sites/${e(id)}/next`),
  sorties: () => call<Sorties>('GET', '/api/sorties'),
  calibration: () => call<CalibrationView>('GET', '/api/calibration'),
  compare: (a: string, b: string) => call<TwoCards>('GET', `/api/compare?a=${e(a)}&b=${e(b)}`),
  inbox: (mission: string | null) => call<{ banner: Banner; detections: InboxItem[] | null }>('GET', `/api/inbox${q(mission)}`),
  openCase: (candidate: string, legal_basis: LegalBasis) => call<{ case: Case; event?: EventRef }>('POST', '/api/cases', { candidate, legal_basis }),
  review: (id: string, decision: Decision, why: string, basis: string) => call<{ event?: EventRef } | null>('POST', `/api/cases/${e(id)}/reviews`, { decision, why, basis }),
  lookedAt: (id: string, basis: string) => call<{ event?: EventRef } | null>('POST', `/api/cases/${e(id)}/looked-at`, { basis }),
  release: (id: string, recipient: string, legal_basis: LegalBasis) => call<{ release: Release; event?: EventRef }>('POST', `/api/cases/${e(id)}/releases`, { recipient, legal_basis }),
  outcome: (id: string, body: { found: Finding; on: string; by: string; note: string; replaces: string }) => call<{ event?: EventRef } | null>('POST', `/api/cases/${e(id)}/outcomes`, body),
  sort: (id: string, sorting: Sorting, site: string, why: string) => call<{ event?: EventRef } | null>('POST', `/api/detections/${e(id)}/sorting`, { sorting, site, why }),
  retract: (id: string, why: string) => call<{ event?: EventRef } | null>('POST', `/api/observations/${e(id)}/retraction`, { why }),
  restore: (id: string) => call<{ event?: EventRef } | null>('DELETE', `/api/observations/${e(id)}/retraction`),
  events: (after: string) => call<{ events: LogEvent[] | null; next: string; reset: boolean }>('GET', `/api/events?after=${e(after)}`),
  audit: () => call<Audit>('GET', '/api/audit'),
}
