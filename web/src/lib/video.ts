// The video room's data (docs/reference/api.md, Videos), and what is looked up in them. Pure: no page, no clock. Times are seconds on
// the line of the video, which is also that of the media; `ticks` are 90 kHz.
import { call, type Banner, type EventRef, type ObservationRow, type Position, type Sentence, type Sorted } from './api'
import { perDegree } from './grid'

export type Playability = 'plays' | 'perhaps' | 'cannot' | 'no-start' | 'none'
export interface VideoPicture { play: Playability; codec: string; profile?: string; level?: string; width: number; height: number; rate_hz: number; interlaced?: boolean }
export interface VideoRow { observation: ObservationRow; bytes: number; packets: number; picture: VideoPicture }
export interface Ellipse { major_m: number; minor_m: number; azimuth_deg: number }
export type LonLat = [number, number]
export interface Glimpse { pts_s: number; sensor: LonLat | null; center: LonLat | null; ring: LonLat[] }
export interface Trouble { at: number; what: string }
export interface VideoView extends VideoRow {
  banner: Banner; mission: string; sha256: string; from_s: number; to_s: number; chunk_s: number; type: string; why?: string
  segments: number; pictures: number; frame_s: number; pictures_before_start: number
  streams: { pid: number; stream_type: number; codec: string; metadata?: boolean; how?: string; width?: number; height?: number; packets: number }[]
  shifts_s?: [number, number][]; trail: Glimpse[]; bounds: [number, number, number, number] | null; problems: Trouble[]; problems_dropped?: number
  metadata: {
    packets: number; sets: Record<string, number>; stale_checksums: number; clock: 'pts' | 'arrival' | 'time'; step_s: number; spans_s: [number, number][]
    mission?: string; tail?: string; platform?: string; sensor?: string; classification?: string; utc: [number, number][]
  }
}
export interface Place { lat: number; lon: number; height_hae_m: number | null; height_msl_m: number | null }
export interface Pointing { heading_deg: number; pitch_deg: number; roll_deg: number; azimuth_deg: number; elevation_deg: number; rotation_deg: number; hfov_deg: number; vfov_deg: number }
export interface Center extends Place { method: 'ray' | 'reported'; range_m?: number; ground?: string; errors?: string; ellipse95: Ellipse | null }
export interface Target extends Partial<Place> { id: number; row?: number; col?: number; ellipse95: Ellipse | null; method?: string; why?: string }
export interface Packet {
  pts_s: number; other?: boolean; set: string; time: string | null; clock_offset_s: number | null; sensor: Place | null; pointing: Pointing | null
  frame_center: Center | null; frame_center_reported: Place | null; footprint: LonLat[]; footprint_method?: string; horizon?: boolean; targets?: Target[]
  checks: { ray_to_reported_m: number | null; slant_range_m: number | null; corners_m: number | null; width_ratio: number | null; height_datum_spread: number | null }
  checksum_ok: boolean | null; problems?: string[]; items: [number, unknown, string?][]
}
export interface Segment { n: number; from_s: number; to_s: number }
export interface ItemName { tag: string; name: string; unit?: string }
export interface Chunk { chunk: number; from_s: number; to_s: number; frames: number[]; segments: Segment[]; names: ItemName[]; packets: Packet[] }
export interface Ground {
  lat: number; lon: number; height_hae_m: number | null; height_msl_m: number | null; range_m: number; ellipse95: Ellipse | null; ring?: LonLat[]; ring_px?: [number, number][]
  digits: number; position: Position; method: string; ground: string; interpolated: boolean; age_s: number; errors: string
}
export interface PixelPlace { pts_s: number; time: string | null; x_px: number; y_px: number; place: Ground | null; why?: string }
export interface SeekTime { from_s: number; to_s: number; best_s: number; time: string | null; x_px: number | null; y_px: number | null }
export interface Fault {
  class: string; severity: 'error' | 'warning' | 'note'; standard: string; item: string; about?: string; pid: number | null
  from_s: number | null; to_s: number | null; at: number; count: number; what: string; expected: string; remedy: string
}
export interface Conformance { banner: Banner; profile: string; container: string; errors: number; warnings: number; notes: number; verdict: 'conformant' | 'conformant with warnings' | 'not conformant'; unread: boolean; findings: Fault[] }
export type Confidence = 'low' | 'moderate' | 'high'
export const confidences: Confidence[] = ['low', 'moderate', 'high']
export interface CallOut {
  id: string; number: number; headline: string; said?: Sentence[]; pts_s: number; x_px: number | null; y_px: number | null; from_s: number | null; to_s: number | null; time: string | null; place: Ground | null
  place_why?: string; what: string; confidence: Confidence | ''; by: string; by_name: string; at: string; missing: string[]; standing: string; sorted: Sorted | null; marking: string
}
export interface CallOutList { banner: Banner; callouts: CallOut[]; may: boolean; why_not?: string }
export interface CallOutDraft { pts_s: number; x_px?: number; y_px?: number; from_s?: number; to_s?: number; what: string; confidence?: Confidence }

const e = encodeURIComponent
const of = (id: string) => `/api/videos/${e(id)}`
export const videos = {
  list: (mission: string | null) => call<{ banner: Banner; videos: VideoRow[] | null }>('GET', `/api/videos${mission ? `?mission=${e(mission)}` : ''}`),
  video: (id: string) => call<VideoView>('GET', of(id)),
  track: (id: string, n: number) => call<Chunk>('GET', `${of(id)}/track/${n}`, undefined, 'no-cache'),
  pixel: (id: string, pts: number, x: number, y: number) => call<PixelPlace>('GET', `${of(id)}/pixel?pts=${pts}&x=${x}&y=${y}`),
  seek: (id: string, lat: number, lon: number) => call<{ times: SeekTime[]; more: number }>('GET', `${of(id)}/seek?lat=${lat}&lon=${lon}`),
  check: (id: string) => call<Conformance>('GET', `${of(id)}/check`),
  callOuts: (id: string) => call<CallOutList>('GET', `${of(id)}/callouts`),
  callOut: (id: string, draft: CallOutDraft) => call<{ event?: EventRef }>('POST', `${of(id)}/callouts`, draft),
  withdraw: (id: string, callOut: string, why: string) => call<{ event?: EventRef }>('POST', `${of(id)}/callouts/${e(callOut)}/withdrawal`, { why }),
  restore: (id: string, callOut: string) => call<{ event?: EventRef }>('DELETE', `${of(id)}/callouts/${e(callOut)}/withdrawal`),
  init: (id: string, n: number) => `${of(id)}/init.mp4?segment=${n}`,
  segments: (id: string, n: number, count: number) => `${of(id)}/segments/${n}?count=${count}`,
}

export const ticks = 90000
/** grain is how finely a browser tells the time of a frame: microseconds, rounded. A frame's packet has the same time to the tick. */
export const grain = 0.001

/** lastBefore is the index of the last value at or before t in an ascending list, -1 when there is none. */
export function lastBefore<T>(list: readonly T[], t: number, at: (v: T) => number): number {
  let lo = 0, hi = list.length
  while (lo < hi) { const mid = (lo + hi) >> 1; if (at(list[mid]!) <= t) lo = mid + 1; else hi = mid }
  return lo - 1
}

/** standing is the packet that stands at a time: the last of the main stream at or before it; null beyond 30 s, when nothing stands. */
export function standing(c: Chunk, t: number): { packet: Packet; index: number; before: Packet | null } | null {
  let index = lastBefore(c.packets, t + grain, (p) => p.pts_s)
  while (index >= 0 && c.packets[index]!.other) index--
  const packet = c.packets[index]
  if (!packet || t - packet.pts_s > 30) return null
  let k = index - 1
  while (k >= 0 && c.packets[k]!.other) k--
  return { packet, index, before: c.packets[k] ?? null }
}

/** frameAt is the frame that is shown at a time, in seconds; null before the first of the chunk. */
export function frameAt(frames: readonly number[], t: number): number | null {
  const i = lastBefore(frames, (t + grain) * ticks, (v) => v)
  return i < 0 ? null : frames[i]! / ticks
}

/** neighbour is the frame before or after the one that is shown at a time; null where the chunk ends first. */
export function neighbour(frames: readonly number[], t: number, by: 1 | -1): number | null {
  const i = lastBefore(frames, (t + grain) * ticks, (v) => v)
  const to = frames[by > 0 ? i + 1 : (frames[i] ?? -1) / ticks < t - grain ? i : i - 1]
  return to === undefined ? null : to / ticks
}

export interface Item { tag: string; name: string; unit: string; value: unknown; word: string; at: number }

/** itemsAt are the items that stand with a packet of a chunk: those of the first packet, and what was said anew since. */
export function itemsAt(c: Chunk, index: number): Item[] {
  const out = new Map<number, Item>()
  for (let k = 0; k <= index; k++) {
    const p = c.packets[k]!
    for (const [name, value, word] of p.items) {
      const n = c.names[name]!
      out.set(name, { tag: n.tag, name: n.name, unit: n.unit ?? '', value, word: word ?? '', at: p.pts_s })
    }
  }
  return [...out.entries()].sort((a, b) => a[0] - b[0]).map(([, item]) => item)
}

/** utcAt is the UTC of a time, milliseconds since 1970, between the pairs that the metadata give; null where they give none. */
export function utcAt(pairs: readonly [number, number][], t: number): number | null {
  if (pairs.length === 0) return null
  const i = Math.max(0, lastBefore(pairs, t, (p) => p[0]))
  const a = pairs[i]!, b = pairs[i + 1] ?? pairs[i - 1] ?? [a[0] + 1, a[1] + 1]
  const pace = b[0] === a[0] ? 1 : (b[1] - a[1]) / (b[0] - a[0])
  return (a[1] + (t - a[0]) * pace) * 1000
}

/** timeOf is the time of a UTC, milliseconds: the inverse of utcAt. */
export function timeOf(pairs: readonly [number, number][], utc: number): number | null {
  const turned = pairs.map(([t, u]): [number, number] => [u, t]).sort((a, b) => a[0] - b[0])
  const t = utcAt(turned, utc / 1000)
  return t == null ? null : t / 1000
}

/** clock writes a time of the video as 00:14:07.233. */
export function clock(t: number): string {
  const ms = Math.max(0, Math.round(t * 1000))
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  return `${two(ms / 3600000)}:${two((ms / 60000) % 60)}:${two((ms / 1000) % 60)}.${String(ms % 1000).padStart(3, '0')}`
}

/** Plane turns places into pixels of a map of one size: metres east and north of its middle, which is enough for the tens of kilometres of a flight. */
export interface Plane { lon: number; lat: number; k: number; width: number; height: number; per: { lat: number; lon: number } }
export const wrap180 = (d: number) => ((((d + 180) % 360) + 360) % 360) - 180
export function planeOf(lon: number, lat: number, k: number, width: number, height: number): Plane { return { lon, lat, k, width, height, per: perDegree(lat) } }
export const project = (q: Plane, lon: number, lat: number): [number, number] => [q.width / 2 + wrap180(lon - q.lon) * q.per.lon * q.k, q.height / 2 - (lat - q.lat) * q.per.lat * q.k]
export const placeAt = (q: Plane, x: number, y: number): LonLat => [wrap180(q.lon + (x - q.width / 2) / q.k / q.per.lon), q.lat - (y - q.height / 2) / q.k / q.per.lat]
export const boundsOf = (q: Plane): [number, number, number, number] => { const [w, n] = placeAt(q, 0, 0), [e, s] = placeAt(q, q.width, q.height); return [w, s, e < w ? e + 360 : e, n] }

/** fitting is a plane that shows all of these places, with a margin, and never less than `least` metres. */
export function fitting(places: readonly LonLat[], width: number, height: number, least = 60, margin = 0.12): Plane | null {
  const first = places[0]
  if (!first || width <= 0 || height <= 0) return null
  let w = 0, e = 0, s = first[1], n = first[1]
  for (const [lon, lat] of places) { const d = wrap180(lon - first[0]); w = Math.min(w, d); e = Math.max(e, d); s = Math.min(s, lat); n = Math.max(n, lat) }
  const lat = (s + n) / 2, per = perDegree(lat)
  const k = Math.min(width / Math.max(least, (e - w) * per.lon), height / Math.max(least, (n - s) * per.lat)) / (1 + 2 * margin)
  return planeOf(wrap180(first[0] + (w + e) / 2), lat, k, width, height)
}

export const ringPath = (q: Plane, ring: readonly LonLat[]): string => (ring.length < 3 ? '' : 'M' + ring.map(([lon, lat]) => project(q, lon, lat).map((v) => v.toFixed(1)).join(' ')).join('L') + 'Z')

/** ellipsePath is an ellipse around a place, its axes longer by `more` metres. */
export function ellipsePath(q: Plane, at: { lon: number; lat: number }, el: Ellipse, more = 0): string {
  const [cx, cy] = project(q, at.lon, at.lat)
  const az = (el.azimuth_deg * Math.PI) / 180, a = Math.max(1.5, (el.major_m + more) * q.k), b = Math.max(1.5, (el.minor_m + more) * q.k)
  return 'M' + Array.from({ length: 48 }, (_, i) => {
    const t = (2 * Math.PI * i) / 48
    const along = a * Math.cos(t), across = b * Math.sin(t)
    return `${(cx + along * Math.sin(az) + across * Math.cos(az)).toFixed(1)} ${(cy - along * Math.cos(az) + across * Math.sin(az)).toFixed(1)}`
  }).join('L') + 'Z'
}

/** groundSpeed is how fast the middle of the picture moves over the ground between two packets, m/s. */
export function groundSpeed(a: Packet | null, b: Packet): number {
  const p = a?.frame_center, q = b.frame_center
  if (!a || !p || !q || b.pts_s <= a.pts_s) return 0
  const per = perDegree(q.lat)
  return Math.hypot(wrap180(q.lon - p.lon) * per.lon, (q.lat - p.lat) * per.lat) / (b.pts_s - a.pts_s)
}

/** faded is how strongly a footprint of that age is drawn: in full up to a frame or two, a quarter from two seconds on. */
export const faded = (age: number): number => Math.min(1, Math.max(0.25, 1.04 - 0.4 * Math.max(0, age)))

/** sight is azimuth, distance over ground and depression of the line from sensor to frame center. */
export function sight(p: Packet): { azimuth: number; over: number; down: number; depression: number; range: number } | null {
  const a = p.sensor, b = p.frame_center
  if (!a || !b) return null
  const per = perDegree(a.lat)
  const east = wrap180(b.lon - a.lon) * per.lon, north = (b.lat - a.lat) * per.lat, over = Math.hypot(east, north)
  const height = (q: Place) => q.height_hae_m ?? q.height_msl_m
  const ha = height(a), hb = height(b)
  const down = ha != null && hb != null ? ha - hb : NaN
  return { azimuth: (Math.atan2(east, north) * 180) / Math.PI + (east < 0 ? 360 : 0), over, down, depression: (Math.atan2(down, over) * 180) / Math.PI, range: Math.hypot(over, Number.isFinite(down) ? down : 0) }
}

/** digitsOf is how many decimals of a degree an ellipse allows: a third of its 50 % axis, as the server has it. */
export const digitsOf = (el: Ellipse | null | undefined): number => (el ? Math.max(0, Math.min(6, Math.floor(Math.log10(111e3 / (Math.max(el.major_m * 0.481, 1) / 3))))) : 4)

/** shown is where a picture of w by h lies in a box that it fits into. */
export function shown(w: number, h: number, width: number, height: number): { x: number; y: number; k: number } {
  const k = w > 0 && h > 0 ? Math.min(width / w, height / h) : 1
  return { x: (width - w * k) / 2, y: (height - h * k) / 2, k }
}
