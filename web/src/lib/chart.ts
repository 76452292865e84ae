// The chart: one MapLibre style made of the page's tokens. Solid is observed, dashed is estimated, dotted is reported by others;
// hatched is not looked at. Colour repeats what the line already says.
import { Map as MapLibre, prewarm, setWorkerUrl, type ExpressionSpecification, type FilterSpecification, type GeoJSONSource, type GeoJSONSourceSpecification, type LayerSpecification } from 'maplibre-gl'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import 'maplibre-gl/dist/maplibre-gl.css'
import { feature, mesh } from 'topojson-client'
import type { Topology } from 'topojson-specification'
import type { Feature, FeatureCollection, Geometry } from 'geojson'
import coast110 from 'world-atlas/countries-110m.json?url'
import coast50 from 'world-atlas/countries-50m.json?url'
import type { MapData, Site } from './api'
import type { Layer } from './desk.svelte'
import { stops } from './cividis'
import { everywhere } from './ground'
import { short } from './numbers'
import { standingOf } from './standing'

// MapLibre 6 looks for its worker by a run-time address that the build does not emit; without this the map stays empty in silence.
setWorkerUrl(worker)
prewarm() // the worker is fetched and compiled while somebody signs in
// So are the coarse coast and the label's fonts, and the browser's drawing process is started: without a graphics processor that
// takes as long as a picture.
interface Basemap { land: Feature<Geometry> | FeatureCollection; borders: Feature<Geometry> }
async function basemapOf(address: string): Promise<Basemap> {
  const atlas = (await (await fetch(address)).json()) as Topology
  return { land: feature(atlas, atlas.objects.land!) as Feature<Geometry> | FeatureCollection, borders: { type: 'Feature', properties: {}, geometry: mesh(atlas, atlas.objects.countries as never, (a, b) => a !== b) } }
}
let coarse: Promise<Basemap> | undefined = basemapOf(coast110)
coarse.catch(() => { coarse = undefined }) // asked for again when the map is made
for (const weight of [400, 600]) void document.fonts.load(`${weight} 13px Inter`)
new OffscreenCanvas(1, 1).getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext()

const empty: FeatureCollection = { type: 'FeatureCollection', features: [] }
const sourceNames = ['land', 'borders', 'grid', 'unsurveyed', 'looked', 'footprints', 'tracks', 'gas', 'bearings', 'reports', 'detections', 'terrain', 'p90', 'p50', 'labels'] as const
export type SourceName = (typeof sourceNames)[number]
// Coasts are cut into tiles only down to zoom 6 and enlarged from there: a unit of such a tile is 76 m, far finer than a
// 1:50 million coast, and the cut costs a fraction.
const options: Partial<Record<SourceName, Partial<GeoJSONSourceSpecification>>> = { land: { maxzoom: 6 }, borders: { maxzoom: 6 } }

/** which style layers a switch of the room shows and hides */
export const members: Record<Layer, string[]> = {
  gas: ['gas'], tracks: ['tracks-casing', 'tracks'], footprints: ['footprints-fill', 'footprints'], bearings: ['bearings-fill', 'bearings'],
  reports: ['reports-fill', 'reports'], sites: ['sites', 'p90-line', 'p50-fill', 'p50-line', 'p90-solid', 'p50-solid', 'struck', 'chosen', 'site-labels'], ground: ['unsurveyed', 'looked'],
  detections: ['detections'], terrain: ['terrain-ways', 'terrain-waters', 'terrain-towns'],
}

type Paint = [layer: string, property: string, token: string]
// Every colour of the style, by token: set at the start and again when the theme changes.
const colours: Paint[] = [
  ['water', 'background-color', '--water'], ['land', 'fill-color', '--land'], ['coast', 'line-color', '--coast'], ['borders', 'line-color', '--coast'],
  ['grid', 'line-color', '--grid'], ['grid-heavy', 'line-color', '--grid'], ['looked', 'line-color', '--edge'],
  ['reports-fill', 'fill-color', '--report'], ['reports', 'line-color', '--report'],
  ['footprints-fill', 'fill-color', '--video'], ['footprints', 'line-color', '--video'],
  ['tracks-casing', 'line-color', '--surface'], ['tracks', 'line-color', '--ink-2'],
  ['bearings-fill', 'fill-color', '--signal'], ['bearings', 'line-color', '--signal'],
  ['terrain-ways', 'line-color', '--ink-3'], ['terrain-waters', 'line-color', '--coast'], ['terrain-towns', 'line-color', '--ink-2'], ['detections', 'line-color', '--spectra'],
  ['gas', 'circle-stroke-color', '--ink-2'],
  ['sites', 'fill-color', '--estimated'], ['p50-fill', 'fill-color', '--estimated'], ['p90-line', 'line-color', '--estimated'], ['p50-line', 'line-color', '--estimated'],
  ['p90-solid', 'line-color', '--confirmed'], ['p50-solid', 'line-color', '--confirmed'],
  ['chosen', 'line-color', '--ink'], ['site-labels', 'text-color', '--ink'], ['site-labels', 'text-halo-color', '--surface'],
]

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const standing = (value: string): ExpressionSpecification => ['==', ['get', 'standing'], value]

// What varies from feature to feature is sorted into layers by filters where that will do: each expression over features makes
// a shader of its own, and in software a shader costs as much as half a picture. Fills draw no edge; the lines beside them do.
function styleLayers(): LayerSpecification[] {
  const layers: LayerSpecification[] = [
    { id: 'water', type: 'background' },
    { id: 'land', type: 'fill', source: 'land', paint: { 'fill-antialias': false } },
    { id: 'coast', type: 'line', source: 'land', paint: { 'line-width': ['interpolate', ['linear'], ['zoom'], 3, 0.6, 9, 1.4] } },
    { id: 'borders', type: 'line', source: 'borders', paint: { 'line-width': 1, 'line-dasharray': [6, 3, 1, 3] } },
    { id: 'grid', type: 'line', source: 'grid', filter: ['!', ['get', 'heavy']], paint: { 'line-width': 0.7 } },
    { id: 'grid-heavy', type: 'line', source: 'grid', filter: ['get', 'heavy'], paint: { 'line-width': 1.2 } },
    { id: 'terrain-ways', type: 'line', source: 'terrain', filter: ['in', ['get', 'kind'], ['literal', ['road', 'track']]], paint: { 'line-width': 0.9 } },
    { id: 'terrain-waters', type: 'line', source: 'terrain', filter: ['in', ['get', 'kind'], ['literal', ['river', 'water']]], paint: { 'line-width': 1.6, 'line-opacity': 0.8 } },
    { id: 'terrain-towns', type: 'line', source: 'terrain', filter: ['==', ['get', 'kind'], 'town'], paint: { 'line-width': 1.2 } },
    { id: 'unsurveyed', type: 'fill', source: 'unsurveyed', paint: { 'fill-pattern': 'hatch', 'fill-opacity': 0.55, 'fill-antialias': false } },
    { id: 'looked', type: 'line', source: 'looked', paint: { 'line-width': 0.8, 'line-opacity': 0.8 } },
    { id: 'reports-fill', type: 'fill', source: 'reports', paint: { 'fill-opacity': 0.05, 'fill-antialias': false } },
    { id: 'reports', type: 'line', source: 'reports', layout: { 'line-cap': 'round' }, paint: { 'line-width': 2, 'line-dasharray': [0.1, 2.2] } },
    { id: 'footprints-fill', type: 'fill', source: 'footprints', paint: { 'fill-opacity': 0.05, 'fill-antialias': false } },
    { id: 'footprints', type: 'line', source: 'footprints', paint: { 'line-width': 0.9, 'line-opacity': 0.6 } },
    { id: 'bearings-fill', type: 'fill', source: 'bearings', paint: { 'fill-opacity': 0.06, 'fill-antialias': false } },
    { id: 'bearings', type: 'line', source: 'bearings', paint: { 'line-width': 0.6, 'line-opacity': 0.2 } },
    { id: 'tracks-casing', type: 'line', source: 'tracks', layout: { 'line-join': 'round' }, paint: { 'line-width': 4, 'line-opacity': 0.7 } },
    { id: 'tracks', type: 'line', source: 'tracks', layout: { 'line-join': 'round' }, paint: { 'line-width': 1.3 } },
    { id: 'detections', type: 'line', source: 'detections', paint: { 'line-width': 1.4, 'line-dasharray': [3, 2] } },
    { id: 'gas', type: 'circle', source: 'gas', layout: { 'circle-sort-key': ['get', 'excess'] }, paint: { 'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 1.5, 13, 3, 15, 5, 17, 8], 'circle-stroke-width': 0.4, 'circle-stroke-opacity': 0.6 } },
    { id: 'sites', type: 'fill', source: 'p90', paint: { 'fill-opacity': 0.1, 'fill-antialias': false } },
    { id: 'p50-fill', type: 'fill', source: 'p50', filter: ['!=', ['get', 'standing'], 'refuted'], paint: { 'fill-opacity': 0.22, 'fill-antialias': false } },
    { id: 'struck', type: 'fill', source: 'p90', filter: standing('refuted'), paint: { 'fill-pattern': 'struck' } },
    { id: 'chosen', type: 'line', source: 'p90', filter: ['==', ['get', 'id'], ''], paint: { 'line-width': 5, 'line-opacity': 0.25 } },
    { id: 'p90-line', type: 'line', source: 'p90', filter: ['!=', ['get', 'standing'], 'confirmed'], paint: { 'line-width': 1.6, 'line-dasharray': [4, 2.5] } },
    { id: 'p50-line', type: 'line', source: 'p50', filter: ['!=', ['get', 'standing'], 'confirmed'], paint: { 'line-width': 2, 'line-dasharray': [2, 1.4] } },
    { id: 'p90-solid', type: 'line', source: 'p90', filter: standing('confirmed'), paint: { 'line-width': 1.6 } },
    { id: 'p50-solid', type: 'line', source: 'p50', filter: standing('confirmed'), paint: { 'line-width': 2 } },
    { id: 'site-labels', type: 'symbol', source: 'labels', layout: { 'text-field': ['get', 'label'], 'text-font': ['Inter', 'Inter Semibold'], 'text-size': 13, 'text-anchor': 'top', 'text-offset': [0, 0.3], 'text-allow-overlap': false, 'symbol-sort-key': ['get', 'rank'], 'text-variable-anchor': ['top', 'bottom', 'left', 'right'], 'text-radial-offset': 0.6 }, paint: { 'text-halo-width': 1.6 } },
  ]
  return layers
}

/** hatch draws a tile of parallel strokes that joins with itself: rising for not looked at, crossed for refuted. */
function hatch(colour: string, crossed: boolean): ImageData {
  const size = crossed ? 24 : 18
  const canvas = new OffscreenCanvas(size, size)
  const pen = canvas.getContext('2d')!
  pen.strokeStyle = colour
  pen.lineWidth = crossed ? 1.8 : 1.5
  for (const shift of [-size, 0, size]) {
    pen.beginPath(); pen.moveTo(shift, size); pen.lineTo(shift + size, 0); pen.stroke()
    if (crossed) { pen.beginPath(); pen.moveTo(shift, 0); pen.lineTo(shift + size, size); pen.stroke() }
  }
  return pen.getImageData(0, 0, size, size)
}

/**
 * Chart is the map and the few things the room asks of it. `changed(false)` says that the picture is no longer final.
 *
 * Until `start` nothing is drawn: what the room asks for goes into the style itself. The first picture is then made once, of
 * all that is known and at its own place, where a map that is filled source by source draws a score of pictures on its way
 * (measured in software: 20 pictures of 0.18 s).
 */
export class Chart {
  readonly map: MapLibre
  private readonly sources = Object.fromEntries(sourceNames.map((name): [SourceName, GeoJSONSourceSpecification] => [name, { type: 'geojson', data: empty, ...options[name] }])) as Record<SourceName, GeoJSONSourceSpecification>
  private readonly layers = styleLayers()
  private started = false
  private loaded = false
  private still = false
  private finest = false // the 1:50 million coast was asked for
  private waiting: (() => void)[] = []
  readonly basemap: Promise<void>

  constructor(container: HTMLElement, private readonly changed: (idle: boolean) => void, test: boolean) {
    this.map = new MapLibre({
      container, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      fadeDuration: test ? 0 : 120, center: [-107.4, 24.8], zoom: 5, maxZoom: 19, renderWorldCopies: false, keyboard: true, canvasContextAttributes: { preserveDrawingBuffer: test },
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.on('style.load', () => { this.loaded = true; this.images(); for (const job of this.waiting) job(); this.waiting = [] })
    this.map.on('idle', () => { if (!this.started) return; this.still = true; this.changed(true); void this.finer() })
    for (const what of ['movestart', 'zoomstart', 'dataloading'] as const) this.map.on(what, () => this.stir())
    this.basemap = this.coast(coarse ?? basemapOf(coast110))
  }

  /** start draws what was asked for so far. */
  start() {
    if (this.started) return
    this.started = true
    this.map.setStyle({ version: 8, sources: this.sources, layers: this.layers }, { diff: false, validate: false })
  }

  private stir() { this.still = false; this.changed(false) }
  get idle() { return this.still }
  get ready() { return this.loaded }

  /** after runs a job on the style that is drawn, or has `before` write into the style that will be. */
  private after(job: () => void, before: () => void) {
    if (!this.started) before()
    else if (this.loaded) { this.stir(); job() }
    else this.waiting.push(job)
  }

  // The coarse coast is part of the first picture; the finer one comes when that stands, so that nobody waits for it.
  private async finer() {
    if (this.finest) return
    this.finest = true
    await new Promise<void>((quiet) => { if ('requestIdleCallback' in window) requestIdleCallback(() => quiet(), { timeout: 2000 }); else setTimeout(quiet, 500) })
    await this.coast(basemapOf(coast50))
    document.body.dataset.coast = '50'
  }
  private async coast(read: Promise<Basemap>) {
    try {
      const { land, borders } = await read
      this.set('land', land)
      this.set('borders', borders)
    } catch { /* a sheet without coasts still has its grid; the page says what it loads from elsewhere, and this is not it */ }
  }

  set(name: SourceName, data: Feature<Geometry> | FeatureCollection) {
    this.after(() => { (this.map.getSource(name) as GeoJSONSource | undefined)?.setData(data) }, () => { this.sources[name].data = data })
  }

  private property(id: string, group: 'paint' | 'layout', name: string, value: unknown) {
    this.after(() => { if (group === 'paint') this.map.setPaintProperty(id, name as never, value as never); else this.map.setLayoutProperty(id, name as never, value as never) },
      () => { const layer = this.layers.find((l) => l.id === id)! as { paint?: Record<string, unknown>; layout?: Record<string, unknown> }; layer[group] = { ...layer[group], [name]: value } })
  }
  private filter(id: string, filter: FilterSpecification) {
    this.after(() => { this.map.setFilter(id, filter) }, () => { (this.layers.find((l) => l.id === id) as { filter?: FilterSpecification }).filter = filter })
  }

  private images() {
    for (const [name, tokenName, crossed] of [['hatch', '--hatch', false], ['struck', '--refuted', true]] as const) {
      const image = hatch(token(tokenName), crossed)
      if (this.map.hasImage(name)) this.map.updateImage(name, image)
      else this.map.addImage(name, image, { pixelRatio: 2 })
    }
  }

  /** paint sets every colour from the tokens of the present theme. */
  paint() {
    this.after(() => this.images(), () => {})
    for (const [layer, property, name] of colours) this.property(layer, 'paint', property, token(name))
  }

  show(layer: Layer, on: boolean) {
    for (const id of members[layer]) this.property(id, 'layout', 'visibility', on ? 'visible' : 'none')
  }

  choose(site: string | null) { this.filter('chosen', ['==', ['get', 'id'], site ?? '']) }

  /** time shows only what was sensed within the brush; a track counts when any part of it was. */
  time(from: number, to: number, compound: string) {
    const within: FilterSpecification = ['all', ['>=', ['get', 't1'], from], ['<=', ['get', 't0'], to]]
    for (const id of ['footprints', 'footprints-fill', 'bearings', 'bearings-fill', 'tracks', 'tracks-casing', 'detections']) this.filter(id, within)
    this.filter('gas', ['all', ['>=', ['get', 't1'], from], ['<=', ['get', 't0'], to], ['==', ['get', 'compound'], compound]])
  }

  amounts(max: number) { this.property('gas', 'paint', 'circle-color', ['interpolate', ['linear'], ['get', 'excess'], ...stops(max)]) }

  data(map: MapData, labelOf: (site: Site) => string) {
    this.set('unsurveyed', everywhere(map.layers.unsurveyed ?? empty))
    for (const name of ['looked', 'footprints', 'tracks', 'gas', 'bearings', 'reports', 'detections', 'terrain'] as const) this.set(name, timed(map.layers[name] ?? empty))
    // Fans reach across the whole sheet and lie over each other, footprints along a whole pass: the more there are, the fainter
    // each, and the sites stay on top.
    const n = Math.max(1, map.layers.footprints?.features.length ?? 0)
    this.property('footprints-fill', 'paint', 'fill-opacity', Math.min(0.05, 2 / n))
    this.property('footprints', 'paint', 'line-opacity', Math.min(0.6, 25 / n))
    this.property('bearings-fill', 'paint', 'fill-opacity', Math.min(0.06, 0.3 / Math.max(1, map.layers.bearings?.features.length ?? 0)))
    const sites = map.sites ?? []
    const region = (size: 'p50' | 'p90'): FeatureCollection => ({ type: 'FeatureCollection', features: sites.flatMap((site) => {
      const geometry = site.regions?.[size]
      return geometry ? [{ type: 'Feature' as const, geometry, properties: { id: site.id, rank: site.rank, standing: standingOf(site) } }] : []
    }) })
    this.set('p90', region('p90'))
    this.set('p50', region('p50'))
    this.set('labels', { type: 'FeatureCollection', features: sites.map((site) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: lowest(site) }, properties: { id: site.id, rank: site.rank, label: labelOf(site) } })) })
  }

  fit(bounds: [number, number, number, number], calm: boolean) {
    this.map.fitBounds([[bounds[0], bounds[1]], [bounds[2], bounds[3]]], { padding: 24, animate: calm && this.loaded, duration: 200 })
  }

  remove() { this.map.remove() }
}

/** lowest is the southernmost point of the 90 % region, where its label stands clear of what is inside. */
function lowest(site: Site): [number, number] {
  let best: [number, number] = [site.lon, site.lat]
  const visit = (c: unknown): void => {
    if (!Array.isArray(c)) return
    if (typeof c[0] === 'number') { if ((c[1] as number) < best[1]) best = [c[0], c[1] as number] } else c.forEach(visit)
  }
  const geometry = site.regions?.p90
  if (geometry && 'coordinates' in geometry) visit(geometry.coordinates)
  return best
}

/** timed adds t0 and t1, seconds since 1970, for the filters of the time brush. What has no time is always shown. */
function timed(collection: FeatureCollection): FeatureCollection {
  return { ...collection, features: collection.features.map((f) => {
    const p = f.properties ?? {}
    const at = Date.parse(String(p.time ?? '')) / 1000
    const from = Date.parse(String(p.from ?? '')) / 1000, to = Date.parse(String(p.to ?? '')) / 1000
    return { ...f, properties: { ...p, t0: Number.isFinite(at) ? at : Number.isFinite(from) ? from : -1e12, t1: Number.isFinite(at) ? at : Number.isFinite(to) ? to : 1e12 } }
  }) }
}

export const siteLabel = (site: Site, probability: string) => `${site.rank} · ${short(site.id)}  ${probability}`
