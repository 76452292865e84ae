// Lines of a map sheet. Graticule in degrees for wide views; a local kilometre grid for close ones, where a coast map is empty.
import type { Feature, FeatureCollection, LineString } from 'geojson'

/** steps of a graticule in degrees: whole degrees, then minutes, then seconds. */
export const degreeSteps = [30, 20, 10, 5, 2, 1, 0.5, 1 / 3, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 180, 1 / 360, 1 / 720, 1 / 1800, 1 / 3600]
export const metreSteps = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]

/** ticks are the multiples of step within [from, to]. */
export function ticks(from: number, to: number, step: number): number[] {
  const out: number[] = []
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-12; k++) out.push(k * step)
  return out
}

/** degreeStep is the smallest step whose ticks lie at least `least` pixels apart, given the degrees that one pixel covers. */
export function degreeStep(degreesPerPixel: number, least: number): number {
  return [...degreeSteps].reverse().find((step) => step / degreesPerPixel >= least) ?? degreeSteps[0]!
}

/** perDegree gives metres a degree of latitude and of longitude at a latitude, on the WGS 84 ellipsoid (radii M and N·cos φ). */
export function perDegree(latitude: number): { lat: number; lon: number } {
  const a = 6378137, e2 = 0.00669437999014, phi = (latitude * Math.PI) / 180
  const w = Math.sqrt(1 - e2 * Math.sin(phi) ** 2)
  return { lat: ((Math.PI / 180) * a * (1 - e2)) / w ** 3, lon: ((Math.PI / 180) * a * Math.cos(phi)) / w }
}

const line = (coordinates: [number, number][], heavy: boolean): Feature<LineString> => ({ type: 'Feature', properties: { heavy }, geometry: { type: 'LineString', coordinates } })

export function graticule(west: number, south: number, east: number, north: number, step: number): FeatureCollection {
  return { type: 'FeatureCollection', features: [
    ...ticks(west, east, step).map((lon) => line([[lon, Math.max(-85, south)], [lon, Math.min(85, north)]], false)),
    ...ticks(Math.max(-85, south), Math.min(85, north), step).map((lat) => line([[west, lat], [east, lat]], false)),
  ] }
}

/** kilometres draws a grid of `step` metres on the tangent plane at an origin; every fifth line is heavier. Within 50 km of the
 * origin a line is off by less than 1 % of its distance, from the change of the radii with latitude: it is for the eye. */
export function kilometres(origin: [number, number], bounds: [number, number, number, number], step: number): FeatureCollection {
  const [lon0, lat0] = origin
  const per = perDegree(lat0)
  const [west, south, east, north] = bounds
  const xs = ticks((west - lon0) * per.lon, (east - lon0) * per.lon, step)
  const ys = ticks((south - lat0) * per.lat, (north - lat0) * per.lat, step)
  const heavy = (v: number) => Math.round(v / step) % 5 === 0
  return { type: 'FeatureCollection', features: [
    ...xs.map((x) => line([[lon0 + x / per.lon, south], [lon0 + x / per.lon, north]], heavy(x))),
    ...ys.map((y) => line([[west, lat0 + y / per.lat], [east, lat0 + y / per.lat]], heavy(y))),
  ] }
}

/** nice is the longest of 1, 2 or 5 times a power of ten metres that is at most `limit`. */
export function nice(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit))
  return ([5, 2, 1].find((n) => n * power <= limit) ?? 1) * power
}
