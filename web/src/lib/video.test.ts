import { describe, expect, it } from 'vitest'
import { boundsOf, clock, digitsOf, ellipsePath, faded, fitting, frameAt, groundSpeed, itemsAt, lastBefore, neighbour, placeAt, planeOf, project, shown, sight, standing, timeOf, utcAt, type Chunk, type LonLat, type Packet } from './video'

const packet = (pts_s: number, more: Partial<Packet> = {}): Packet => ({ pts_s, set: '0601', time: null, clock_offset_s: null, sensor: null, pointing: null, frame_center: null, frame_center_reported: null, footprint: [],
  checks: { ray_to_reported_m: null, slant_range_m: null, corners_m: null, width_ratio: null, height_datum_spread: null }, checksum_ok: true, items: [], ...more })
const chunk = (packets: Packet[], frames: number[] = []): Chunk => ({ chunk: 0, from_s: 0, to_s: 10, frames, segments: [], names: [{ tag: '13', name: 'Sensor Latitude', unit: 'deg' }, { tag: '48/1', name: 'Security Classification' }], packets })

describe('what stands at a frame', () => {
  const c = chunk([packet(-0.1), packet(1), packet(1.2, { other: true }), packet(2)])
  it('is the last packet of the main stream at or before it, also to the microsecond that a browser rounds to', () => {
    expect(standing(c, 0)?.packet.pts_s).toBe(-0.1)
    expect(standing(c, 0.9999995)?.packet.pts_s).toBe(1)
    expect(standing(c, 0.99)?.packet.pts_s).toBe(-0.1)
    expect(standing(c, 1.9)?.packet.pts_s).toBe(1)
    expect(standing(c, 2.5)?.before?.pts_s).toBe(1)
  })
  it('is nothing before the first packet, and nothing half a minute after the last', () => {
    expect(standing(chunk([packet(1)]), 0.5)).toBeNull()
    expect(standing(c, 33)).toBeNull()
  })
  it('holds every item that was said, each as it was said last', () => {
    const d = chunk([packet(0, { items: [[0, 24.5], [1, 1, 'UNCLASSIFIED']] }), packet(1, { items: [[0, 24.6]] }), packet(2, { items: [[0, null, 'unknown']] })])
    expect(itemsAt(d, 1).map((i) => [i.tag, i.value, i.word, i.at])).toEqual([['13', 24.6, '', 1], ['48/1', 1, 'UNCLASSIFIED', 0]])
    expect(itemsAt(d, 2)[0]).toMatchObject({ value: null, word: 'unknown' })
  })
})

describe('frames', () => {
  const frames = [0, 3003, 6006, 9009]
  it('a time between two frames shows the earlier one', () => {
    expect(frameAt(frames, 3003 / 90000 - 0.0000004)).toBeCloseTo(3003 / 90000, 9)
    expect(frameAt(frames, 0.05)).toBeCloseTo(3003 / 90000, 9)
    expect(frameAt(frames, -1)).toBeNull()
  })
  it('the neighbours of a frame are one away, and none beyond the ends', () => {
    expect(neighbour(frames, 3003 / 90000, 1)).toBeCloseTo(6006 / 90000, 9)
    expect(neighbour(frames, 3003 / 90000, -1)).toBe(0)
    expect(neighbour(frames, 0.05, -1)).toBeCloseTo(3003 / 90000, 9)
    expect(neighbour(frames, 9009 / 90000, 1)).toBeNull()
    expect(neighbour(frames, 0, -1)).toBeNull()
  })
  it('an index of the last value at or before', () => { expect([-1, 0, 1, 5].map((t) => lastBefore([0, 2, 4], t, (v) => v))).toEqual([-1, 0, 0, 2]) })
  it('a clock reads hours, minutes, seconds, thousandths', () => { expect([clock(0), clock(847.2334), clock(3661.0006)]).toEqual(['00:00:00.000', '00:14:07.233', '01:01:01.001']) })
})

describe('UTC', () => {
  const pairs: [number, number][] = [[10, 1000], [20, 1010.5], [30, 1020.5]]
  it('runs in proportion between pairs and beyond them, and back', () => {
    expect(utcAt(pairs, 15)).toBeCloseTo(1005250, 6)
    expect(utcAt(pairs, 35)).toBeCloseTo(1025500, 6)
    for (const t of [8, 15, 24, 33]) expect(timeOf(pairs, utcAt(pairs, t)!)).toBeCloseTo(t, 9)
  })
  it('of one pair runs a second a second, of none is not known', () => { expect(utcAt([[5, 100]], 7)).toBe(102000); expect(utcAt([], 7)).toBeNull(); expect(timeOf([], 7)).toBeNull() })
})

describe('the map', () => {
  const places: LonLat[] = [[179.9, 10], [-179.9, 10.1]]
  it('a plane and its inverse meet, north is up, also over the antimeridian', () => {
    const q = planeOf(179.95, 10, 0.01, 400, 300)
    expect(project(q, 179.95, 10)).toEqual([200, 150])
    expect(project(q, -179.9, 10)[0]).toBeGreaterThan(200)
    expect(project(q, 179.95, 10.1)[1]).toBeLessThan(150)
    const [lon, lat] = placeAt(q, ...project(q, -179.93, 10.07))
    expect(lon).toBeCloseTo(-179.93, 9)
    expect(lat).toBeCloseTo(10.07, 9)
  })
  it('what must be seen fits, with a margin, and bounds go east', () => {
    const q = fitting(places, 400, 300)!
    for (const [lon, lat] of places) { const [x, y] = project(q, lon, lat); expect(x).toBeGreaterThan(20); expect(x).toBeLessThan(380); expect(y).toBeGreaterThan(20); expect(y).toBeLessThan(280) }
    const [w, s, e, n] = boundsOf(q)
    expect(e).toBeGreaterThan(w)
    expect(n).toBeGreaterThan(s)
    expect(fitting([], 400, 300)).toBeNull()
  })
  it('an ellipse lies along its azimuth', () => {
    const q = planeOf(0, 0, 1, 200, 200)
    const points = ellipsePath(q, { lon: 0, lat: 0 }, { major_m: 50, minor_m: 10, azimuth_deg: 90 }).match(/[-\d.]+ [-\d.]+/g)!.map((p) => p.split(' ').map(Number))
    expect(Math.max(...points.map((p) => p[0]!))).toBeCloseTo(150, 0)
    expect(Math.max(...points.map((p) => p[1]!))).toBeCloseTo(110, 0)
  })
  it('a footprint fades with its age and never quite goes', () => { expect([0, 0.1, 1, 60].map(faded)).toEqual([1, 1, 0.64, 0.25]) })
  it('digits say no more than the error allows', () => { expect(digitsOf({ major_m: 30, minor_m: 20, azimuth_deg: 0 })).toBe(4); expect(digitsOf({ major_m: 3000, minor_m: 20, azimuth_deg: 0 })).toBe(2) })
  it('a picture keeps its shape in its frame', () => { expect(shown(640, 480, 640, 300)).toEqual({ x: 120, y: 0, k: 0.625 }) })
})

it('the line of sight and the speed over ground are those of the packets', () => {
  const at = (lat: number, lon: number, height_hae_m: number | null) => ({ lat, lon, height_hae_m, height_msl_m: null })
  const centre = (lat: number) => ({ ...at(lat, 0, 100), method: 'ray' as const, ellipse95: null })
  const a = packet(0, { sensor: at(0, 0, 1100), frame_center: centre(0.01) }), b = packet(2, { frame_center: centre(0.0102) })
  const s = sight(a)!
  expect(s.azimuth).toBeCloseTo(0, 6)
  expect(s.over).toBeCloseTo(1105.7, 0)
  expect(s.depression).toBeCloseTo(42.1, 1)
  expect(groundSpeed(a, b)).toBeCloseTo(11.06, 1)
  expect(groundSpeed(null, b)).toBe(0)
  expect(sight(packet(0, { sensor: at(0, 0, null), frame_center: centre(0.01) }))!.depression).toBeNaN()
})
