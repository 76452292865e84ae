// A stand-in for `atalaya serve`, for work on the page alone: the API of docs/reference/api.md over SYNTHETIC data around an
// invented campaign in the Culiacán valley. Not shipped, not a test double for Go. node mock/server.mjs [port]; serves dist too.
import { createServer } from 'node:http'
import { createHash } from 'node:crypto'
import { readFileSync, existsSync } from 'node:fs'

const port = Number(process.argv[2] ?? 8091)
const dist = new URL('../dist/', import.meta.url)
let state = 7
const rnd = () => { state = (state * 1664525 + 1013904223) >>> 0; return state / 4294967296 }
const normal = () => Math.sqrt(-2 * Math.log(rnd() + 1e-12)) * Math.cos(2 * Math.PI * rnd())
const hash = (s) => createHash('sha256').update(s).digest('hex').slice(0, 32)
const t0 = Date.parse('2026-01-14T15:00:00Z'), t1 = Date.parse('2026-01-14T21:03:22Z')
const iso = (ms) => new Date(ms).toISOString().replace('.000', '')
const lat0 = 24.86, lon0 = -107.32, M = 110780, L = 101100
const at = (x, y) => [lon0 + x / L, lat0 + y / M]
const ring = (cx, cy, a, b, az, n = 48) => { const out = []; for (let i = 0; i <= n; i++) { const w = (2 * Math.PI * (i % n)) / n, u = a * Math.cos(w), v = b * Math.sin(w), s = Math.sin(az), c = Math.cos(az); out.push(at(cx + u * s - v * c, cy + u * c + v * s)) } return out }
const polygon = (r) => ({ type: 'Polygon', coordinates: [r] })
const fc = (features) => ({ type: 'FeatureCollection', features })
const f = (geometry, properties) => ({ type: 'Feature', geometry, properties })

const spots = [[1200, 900, 0.9, 210, 120, 0.6], [-3200, -1500, -0.65, 380, 190, 1.2], [3900, -2600, -1.9, 640, 300, 2.2], [-1100, 3500, -2.9, 900, 520, 0.2]]
const obs = [
  { kind: 'gas-survey', sensor: 'PTR-1', path: 'gas/survey.csv', summary: '4 legs downwind; acetone stands 14 ppb over background' },
  { kind: 'bearings', sensor: 'DF-2', path: 'signal/bearings.csv', part: 'E1', summary: '11 bearings on one emitter, 95 % ellipse 820 by 300 m' },
  { kind: 'video-track', sensor: 'EO-1', path: 'video/pass.ts', summary: '6 minutes of footprints; no vehicle seen' },
  { kind: 'report', sensor: 'text', path: 'reports/r1.txt', summary: 'Mentions smells at night near a canal' },
].map((o, i) => ({ id: 'obs_' + hash('o' + i), part: '', marking: '(U)', standing: 'stands', when: { from: iso(t0 + i * 3.6e6), to: iso(t0 + i * 3.6e6 + 3e6) }, ...o }))
const accounts = { ana: { id: 'acct_1', name: 'ana', role: 'analyst' }, bruno: { id: 'acct_2', name: 'bruno', role: 'reviewer' }, carla: { id: 'acct_3', name: 'carla', role: 'reviewer' }, diego: { id: 'acct_4', name: 'diego', role: 'observer' } }
const cases = new Map()
let log = [], listeners = new Set()
function event(actor, kind, subject) {
  const e = { id: 'e' + (log.length + 1), prev: log.length ? 'e' + log.length : '', time: iso(Date.now() - (Date.now() % 1000)), actor: actor.id, actor_name: actor.name, kind, subject, marking: '(U)' }
  log.push(e)
  for (const r of listeners) r.write(`id: ${e.id}\ndata: ${JSON.stringify(e)}\n\n`)
  return { id: e.id, time: e.time }
}
const system = { id: 'acct_0', name: 'atalaya' }
for (const o of obs) event(system, 'observation.made', o.id)

function ledger(i) {
  const total = spots[i][2]
  const gas = 3.1 - i * 0.77, signal = -0.42 + i * 0.31, video = -0.9, report = 0.55
  const on = (n) => obs[n].standing === 'stands'
  const rows = [{ kind: 'prior', observation: '', log_odds: 0, grade: '', note: 'Sites a square kilometre in this kind of country', marking: '(U)' }]
  if (on(0)) rows.push({ kind: 'gas', observation: obs[0].id, log_odds: gas, grade: '', note: 'Acetone and toluene together on 4 legs, steady wind', marking: '(U)' })
  if (on(1)) rows.push({ kind: 'signal', observation: obs[1].id, log_odds: signal, grade: '', note: 'Emitter 1.2 km away, outside the region', marking: '(U)' })
  if (on(2)) rows.push({ kind: 'video', observation: obs[2].id, log_odds: video, grade: '', note: 'Looked for 6 minutes, no traffic seen', marking: '(U)' })
  if (on(3) && i < 2) rows.push({ kind: 'report', observation: obs[3].id, log_odds: report, grade: 'C3', note: 'One source, not confirmed by another', marking: '(U)' })
  rows.push({ kind: 'dependence', observation: '', log_odds: -0.31 + 0.05 * i, grade: '', note: 'Legs share one wind', marking: '(U)' })
  const before = [gas, signal, video, i < 2 ? report : 0, -0.31 + 0.05 * i].reduce((a, b) => a + b, 0)
  rows[0].log_odds = total - before
  return rows
}
function site(i) {
  const [x, y, , a, b, az] = spots[i]
  const log_odds = ledger(i).reduce((s, r) => s + r.log_odds, 0)
  const c = at(x, y), id = 'site_' + hash('s' + i)
  const kase = [...cases.values()].find((k) => k.candidate === id)
  const q = (p) => { const k = Math.sqrt(-2 * Math.log(1 - p)); return polygon(ring(x, y, a * k, b * k, az)) }
  const approvals = new Set((kase?.reviews ?? []).filter((r) => r.decision === 'approve').map((r) => r.by)).size
  const last = kase?.reviews.at(-1)?.decision
  const status = !kase ? 'new' : kase.outcomes.length ? 'outcome' : kase.releases.length ? 'released' : last === 'dismiss' ? 'dismissed' : last === 'hold' ? 'held' : approvals > 1 ? 'approved' : approvals ? 'approved-once' : 'case'
  return { id, mission: 'mis_1', rank: i + 1, lat: c[1], lon: c[0], digits: 3, probability: 1 / (1 + Math.exp(-log_odds)), word: null, log_odds, regions: { p50: q(0.5), p90: q(0.9), p95: q(0.95) }, covariance_m2: [[a * a, 0], [0, b * b]], ellipse95: { major_m: a * 2.45, minor_m: b * 2.45, azimuth_deg: (az * 180) / Math.PI }, rate_kg_s: i < 2 ? { acetone: { mean: 0.00041, p05: 0.00021, p50: 0.00039, p95: 0.0007 }, toluene: { mean: 0.00012, p05: 0.00004, p50: 0.00011, p95: 0.00024 } } : {}, status, marking: '(U)', as_of: iso(t1), evidence_kinds: ['gas', 'signal', 'video', ...(i < 2 ? ['report'] : [])] }
}
const sites = () => spots.map((_, i) => site(i)).sort((a, b) => b.probability - a.probability).map((s, i) => ({ ...s, rank: i + 1 }))

const gas = [], legs = []
for (let leg = 0; leg < 8; leg++) {
  const path = []
  for (let i = 0; i <= 120; i++) {
    const x = -5200 + (10400 * (leg % 2 ? 120 - i : i)) / 120, y = -4200 + leg * 1150 + normal() * 25
    path.push(at(x, y))
    let acetone = 0
    for (const [sx, sy, w] of spots.slice(0, 3)) { const d = y - sy + 350; if (d > 0) { const s = 60 + 0.18 * d; acetone += ((w + 2.2) * 9e2 / (s + 40)) * Math.exp(-0.5 * ((x - sx - 0.12 * d) / s) ** 2) } }
    const time = iso(t0 + (leg * 121 + i) * 18000)
    gas.push(f({ type: 'Point', coordinates: at(x, y) }, { observation: obs[0].id, time, compound: 'acetone', unit: 'ppb', value: 2.1 + acetone, excess: Math.max(0, acetone + normal() * 0.2), wind_from_deg: 184, wind_speed_mps: 3.4 }))
    if (i % 2 === 0) gas.push(f({ type: 'Point', coordinates: at(x, y) }, { observation: obs[0].id, time, compound: 'toluene', unit: 'ppb', value: 0.4 + acetone / 5, excess: Math.max(0, acetone / 5 + normal() * 0.05), wind_from_deg: 184, wind_speed_mps: 3.4 }))
  }
  legs.push(f({ type: 'LineString', coordinates: path }, { observation: obs[0].id, sensor: 'PTR-1', kind: 'gas-survey', from: iso(t0 + leg * 121 * 18000), to: iso(t0 + (leg + 1) * 121 * 18000) }))
}
const feet = Array.from({ length: 24 }, (_, i) => { const cx = 1500 - 1400 + i * 120, cy = 600 + 300 * Math.sin(i / 4); return f(polygon([[-260, -150], [260, -150], [340, 220], [-340, 220], [-260, -150]].map(([x, y]) => at(cx + x, cy + y))), { observation: obs[2].id, sensor: 'EO-1', time: iso(t0 + 7.2e6 + i * 15000) }) })
const fans = [[-4800, 2800, 118], [-4200, 3600, 131], [4700, 3900, 236], [4900, 2600, 252]].map(([x, y, b], i) => { const wedge = [at(x, y)]; for (let k = -4; k <= 4; k++) { const a = ((b + k * 0.75) * Math.PI) / 180; wedge.push(at(x + 9000 * Math.sin(a), y + 9000 * Math.cos(a))) } wedge.push(at(x, y)); return f(polygon(wedge), { observation: obs[1].id, emitter: 'E1', time: iso(t0 + 3.6e6 + i * 600000), bearing_deg: b, sigma_deg: 3 }) })
const seen = polygon([at(-5600, -4600), at(5600, -4600), at(5600, 4400), at(2400, 4900), at(-5600, 4300), at(-5600, -4600)])
const area = [at(-8000, -7000), at(8000, -7000), at(8000, 7000), at(-8000, 7000), at(-8000, -7000)]
const banner = { text: 'UNCLASSIFIED//SYNTHETIC', level: 'U' }
const map = () => ({ banner, as_of: iso(t1), mission: { id: 'mis_1', name: 'SYNTHETIC Valle 1', from: iso(t0), to: iso(t1) }, missions: [{ id: 'mis_1', name: 'SYNTHETIC Valle 1' }], bounds: [area[0][0], area[0][1], area[2][0], area[2][1]], sites: sites(), layers: { tracks: fc(legs), footprints: fc(feet), gas: fc(obs[0].standing === 'stands' ? gas : []), bearings: fc(fans), reports: fc([f(polygon(ring(700, 1300, 1500, 1100, 0.4)), { observation: obs[3].id, grade: 'C3', headline: 'Olor fuerte de noche junto al canal' })]), looked: fc([f({ type: 'MultiPolygon', coordinates: [seen.coordinates] }, {})]), unsurveyed: fc([f({ type: 'MultiPolygon', coordinates: [[area, seen.coordinates[0].slice().reverse()]] }, {})]) } })
const series = Array.from({ length: 90 }, (_, i) => [i * 2, 2.1 + 12 * Math.exp(-0.5 * ((i - 46) / 6) ** 2) + normal() * 0.35])
const sorted = new Map() // what people did with detections last
const inbox = () => detections().map((d) => ({ ...d, sorted: sorted.get(d.id) ?? null }))
const detections = () => [
  { id: 'det_' + hash('d0'), kind: 'gas-source', observation: obs[0], when: iso(t0 + 5e6), lat: site(0).lat, lon: site(0).lon, headline: 'Acetone 14 ppb over background on 4 legs, source upwind', alternatives: ['paint shop', 'farm', 'burning'], evidence_log_odds: 2.3, site: site(0).id, standing: obs[0].standing, thumbnail: { kind: 'series', unit: 'ppb', points: series, background: 2.1 }, text: null, marking: '(U)' },
  { id: 'det_' + hash('d1'), kind: 'emitter-fix', observation: obs[1], when: iso(t0 + 4e6), lat: 24.87, lon: -107.33, headline: 'Emitter E1 fixed by 11 bearings, 95 % ellipse 820 by 300 m', alternatives: ['farm radio', 'truck', 'repeater'], evidence_log_odds: -0.42, site: site(0).id, standing: obs[1].standing, thumbnail: null, text: null, marking: '(U)' },
  { id: 'det_' + hash('d2'), kind: 'coverage', observation: obs[2], when: iso(t0 + 7.4e6), lat: 24.866, lon: -107.31, headline: 'Ground looked at for 6 minutes, nothing stood out', alternatives: ['hidden under trees', 'not active then', 'not there'], evidence_log_odds: -0.9, site: site(0).id, standing: obs[2].standing, thumbnail: null, text: null, marking: '(U)' },
  { id: 'det_' + hash('d3'), kind: 'mention', observation: obs[3], when: iso(t0 + 1.1e7), lat: 24.871, lon: -107.313, headline: 'Report of a strong smell at night by the canal', alternatives: ['sewage', 'crop spraying', 'rumour'], evidence_log_odds: 0.55, site: site(0).id, standing: obs[3].standing, thumbnail: null, text: { lang: 'es', source: 'Dicen que de noche huele muy fuerte junto al canal, cerca de la parcela. ¿Quién va ahí?', gist: 'They say that at night it smells very strong by the canal, near the plot. Who goes there?', gist_by: 'apertium spa-eng' }, marking: '(U)' },
]
function card(id, me) {
  const s = sites().find((x) => x.id === id)
  if (!s) return null
  const i = spots.findIndex((_, n) => site(n).id === id), rows = ledger(i), k = [...cases.values()].find((c) => c.candidate === id)
  const basis = hash(JSON.stringify(rows))
  const approvals = new Set((k?.reviews ?? []).filter((r) => r.decision === 'approve').map((r) => r.by))
  const may = { open: !k, review: !!k && !approvals.has(me.id), release: !!k && approvals.size > 1 , outcome: !!k && k.releases.length > 0, why_not: {} }
  if (k && approvals.has(me.id)) may.why_not.review = 'you have approved already; a second person must'
  if (k && !may.release) may.why_not.release = approvals.size < 2 ? `needs ${2 - approvals.size} more approval(s)` : 'needs the role release'
  return { banner, site: s, basis, ledger: rows, alternatives: [{ label: 'paint shop', probability: 0.17 }, { label: 'farm', probability: 0.08 }, { label: 'burning', probability: 0.04 }], case: k ? { ...k, reviews: undefined } : null, basis_changed: !!k && k.basis !== basis, reviews: k?.reviews ?? [], releases: k?.releases ?? [], outcomes: k?.outcomes ?? [], observations: obs, attached: detections().filter((d) => sorted.get(d.id)?.site === id).map((d) => ({ ...sorted.get(d.id), kind: d.kind, headline: d.headline, standing: d.standing, marking: d.marking })), history: log.filter((e) => e.subject === id || e.subject === k?.id), may }
}
const logistic = (l) => 1 / (1 + Math.exp(-l))
const weighing = (when, rows) => { const log_odds = rows.reduce((n, r) => n + r.log_odds, 0); return { as_of: when, probability: logistic(log_odds), word: null, range_90: null, cases: 0, log_odds, ledger: rows } }
const named = (i, r) => ({ ...r, evidence: r.observation ? 'ev_' + hash(r.observation + i) : '' })
// The last point is the card as it is now.
function past(c) {
  const all = c.ledger.map((r, i) => named(i, r)), timed = all.filter((r) => r.observation)
  const points = timed.map((r, i) => ({ ...weighing(i === timed.length - 1 ? iso(t1) : obs.find((o) => o.id === r.observation).when.to, all.filter((x) => !x.observation || timed.indexOf(x) <= i)), came: [{ evidence: r.evidence, observation: r.observation, kind: r.kind }] }))
  return { banner, site: c.site.id, items: timed.length, points }
}
function assess(lat, lon) {
  const x = (lon - lon0) * L, y = (lat - lat0) * M, inside = Math.abs(x) <= 8000 && Math.abs(y) <= 7000
  const ranked = sites(), away = (s) => Math.hypot((s.lon - lon) * L, (s.lat - lat) * M), near = ranked.toSorted((a, b) => away(a) - away(b))[0], same = away(near) < 150
  const base = { banner, mission: 'mis_1', lat, lon, digits: 3, position: { dms: '', mgrs: '', utm: '' }, inside, window_m: 150, rank: same ? near.rank : ranked.length + 1, candidates: ranked.length, site: { id: near.id, rank: near.rank, distance_m: away(near), same }, alternatives: [], named: {}, reach: null, observations: [] }
  if (!inside) return base
  const rows = (same ? ledger(spots.findIndex((_, i) => site(i).id === near.id)) : [{ kind: 'prior', observation: '', log_odds: -11.2, grade: '', note: 'Sites a square kilometre in this kind of country', marking: '(U)' }]).map((r, i) => named(i, r))
  const looked = Math.hypot(x - 1500, y - 600) < 1500 ? [{ observation: obs[2].id, kind: 'video', sensor: 'EO-1', sortie: 'S3', when: obs[2].when, chance: 0.3, covered: 0.6, mean_chance: 0.28, marking: '(U)' }] : []
  return { ...base, ...weighing(iso(t1), rows), reach: { radius_m: 1000, unlooked: looked.length ? 0.4 : 1, looks: looked, missing: ['thermal', 'spectral', 'mover'] }, observations: obs }
}
const calibration = () => ({ banner, calibration: null, least_cases: 20, knots: [], words: [], outcomes: { candidates: spots.length, visited: 0, unvisited: spots.length, found: {}, bands: [] } })
const flown = [['S3', 'SYNTHETIC drone', ['video'], 2, 61], ['S2', 'SYNTHETIC signals aircraft', ['signal'], 1, 900], ['S1', 'SYNTHETIC light aircraft', ['gas'], 0, 74]]
const sorties = () => ({ banner, mission: 'mis_1', weeks: [{ from: '2026-01-12T00:00:00Z', hours: 9.3, looked_km2: 960, sorties: flown.map(([id, platform, kinds, o, km2]) => ({ id, platform, when: obs[o].when, hours: 3.1, kinds, looked_km2: km2, candidates_looked_at: 3, mean_chance: 0.31, finds: o === 2 ? 0 : 1, marking: '(U)' })) }] })
const nextLooks = (c) => ({ banner, site: c.site.id, lat: c.site.lat, lon: c.site.lon, window_m: 150, probability: c.site.probability, looks: flown.map(([, platform, kinds], i) => ({ platform, kind: kinds[0], if_seen: logistic(c.site.log_odds + 1.4 - 0.4 * i), if_not: logistic(c.site.log_odds - 0.3), p_seen: 0.3, gain_bit: 0.03 - 0.009 * i, sorties: 1, looks: 3, chance: 0.31, hours_per_look: 1.03, gain_bit_per_hour: (0.03 - 0.009 * i) / 1.03, bands: [0, 6, 12, 18].map((h) => ({ from_h: h, to_h: h + 6, looks: h === 6 ? 3 : 0, finds: h === 6 ? 1 : 0 })), best_band: 1 })) })
const sessions = new Map()
createServer(async (q, r) => {
  const url = new URL(q.url, 'http://x'), path = url.pathname
  const json = (code, body, headers = {}) => { r.writeHead(code, { 'Content-Type': 'application/json', ...headers }); r.end(JSON.stringify(body)) }
  if (!path.startsWith('/api/')) {
    const file = new URL('.' + (path === '/' ? '/index.html' : path), dist)
    if (!existsSync(file)) { r.writeHead(404); return r.end() }
    const type = { html: 'text/html; charset=utf-8', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', woff2: 'font/woff2', json: 'application/json' }[path === '/' ? 'html' : path.split('.').pop()]
    r.writeHead(200, { 'Content-Type': type ?? 'text/plain', 'Cache-Control': 'no-cache', 'Content-Security-Policy': "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' data:; object-src 'none'; frame-ancestors 'none'; style-src 'self' 'unsafe-inline'" })
    return r.end(readFileSync(file))
  }
  let body = ''
  for await (const chunk of q) body += chunk
  const data = body ? JSON.parse(body) : {}
  const cookie = /s=(\w+)/.exec(q.headers.cookie ?? '')?.[1]
  const me = sessions.get(cookie)
  const session = (who) => ({ account: who ?? null, accounts: Object.keys(accounts), demo_password: 'synthetic', version: 'mock', demo: true, test: true, banner })
  const route = `${q.method} ${path}`
  if (route === 'GET /api/session') return json(200, session(me))
  if (route === 'POST /api/session') { const who = accounts[data.name]; if (!who || data.password !== 'synthetic') return json(401, { detail: 'The name or the password is not right.' }); const id = hash(String(Math.random())); sessions.set(id, who); return json(200, session(who), { 'Set-Cookie': `s=${id}; Path=/; HttpOnly; SameSite=Strict` }) }
  if (!me) return json(401, { detail: 'Sign in first.' })
  if (route === 'DELETE /api/session') { sessions.delete(cookie); return json(200, session(null)) }
  if (route === 'GET /api/map') return json(200, map())
  if (route === 'GET /api/inbox') return json(200, { banner, detections: inbox() })
  if (route === 'GET /api/audit') return json(200, { verified: true, events: log.length, at: iso(Date.now() - (Date.now() % 1000)), first_bad: null, detail: 'tree head a1b2c3, signed' })
  if (route === 'GET /api/events') { const after = url.searchParams.get('after'); const i = after ? log.findIndex((e) => e.id === after) + 1 : 0; return json(200, { events: log.slice(i, i + 50), next: log.slice(i, i + 50).at(-1)?.id ?? after, reset: false }) }
  if (route === 'GET /api/live') { r.writeHead(200, { 'Content-Type': 'text/event-stream' }); r.write(': beat\n\n'); listeners.add(r); const beat = setInterval(() => r.write(': beat\n\n'), 15000); q.on('close', () => { clearInterval(beat); listeners.delete(r) }); return }
  let m
  if (route === 'GET /api/calibration') return json(200, calibration())
  if (route === 'GET /api/sorties') return json(200, sorties())
  if (route === 'GET /api/compare') { const two = ['a', 'b'].map((k) => card(url.searchParams.get(k), me)); return two[0] && two[1] ? json(200, { banner, sites: two }) : json(404, { detail: 'No such site.' }) }
  if (route === 'GET /api/assess') return json(200, assess(Number(url.searchParams.get('lat')), Number(url.searchParams.get('lon'))))
  if ((m = /^GET \/api\/sites\/([^/]+)\/(history|next)$/.exec(route))) { const c = card(m[1], me); return c ? json(200, m[2] === 'history' ? past(c) : nextLooks(c)) : json(404, { detail: 'No such site.' }) }
  if ((m = /^GET \/api\/sites\/(.+)$/.exec(route))) { const c = card(m[1], me); return c ? json(200, c) : json(404, { detail: 'No such site.' }) }
  if (route === 'POST /api/cases') { const id = 'case_' + hash(data.candidate); const c = card(data.candidate, me); cases.set(id, { id, candidate: data.candidate, opened_by: me.id, opened_by_name: me.name, opened_at: iso(Date.now()), legal_basis: data.legal_basis, basis: c.basis, reviews: [], releases: [], outcomes: [] }); return json(200, { case: cases.get(id), event: event(me, 'case.opened', id) }) }
  if ((m = /^POST \/api\/cases\/(.+?)\/(.+)$/.exec(route))) {
    const k = cases.get(m[1]), c = card(k.candidate, me)
    if (m[2] === 'reviews') { if (data.basis !== c.basis) return json(409, { detail: 'The evidence has changed since you looked.', errors: { present: c } }); k.reviews.push({ id: 'rev_' + k.reviews.length, by: me.id, by_name: me.name, at: iso(Date.now()), decision: data.decision, why: data.why, basis: data.basis }); return json(200, { event: event(me, 'review.made', k.id) }) }
    if (m[2] === 'looked-at') { k.basis = c.basis; return json(200, { event: event(me, 'case.looked-at', k.id) }) }
    if (m[2] === 'releases') { const rel = { id: 'rel_' + hash('r' + k.releases.length), recipient: data.recipient, at: iso(Date.now()), by_name: me.name, marking: 'UNCLASSIFIED', manifest_sha256: hash('m') + hash('n'), url: '' }; k.releases.push(rel); return json(200, { release: rel, event: event(me, 'release.made', k.id) }) }
    if (m[2] === 'outcomes') { k.outcomes.push({ id: 'out_' + k.outcomes.length, ...data }); return json(200, { event: event(me, 'outcome.made', k.id) }) }
  }
  if ((m = /^(POST|DELETE) \/api\/observations\/(.+)\/retraction$/.exec(route))) { const o = obs.find((x) => x.id === m[2]); o.standing = m[1] === 'POST' ? 'retracted' : 'stands'; return json(200, { event: event(me, m[1] === 'POST' ? 'retraction.made' : 'retraction.undone', o.id) }) }
  if ((m = /^POST \/api\/detections\/(.+)\/sorting$/.exec(route))) {
    const d = detections().find((x) => x.id === m[1]), why = (data.why ?? '').trim()
    if (!d) return json(404, { detail: 'No such detection.' })
    if (!['keep', 'hold', 'attach', 'reopen'].includes(data.sorting)) return json(400, { detail: 'Choose keep, hold, attach or reopen.' })
    if (data.sorting === 'hold' && !why) return json(400, { detail: 'A hold needs its reason. Say why in a sentence.' })
    if (data.sorting === 'attach' && !sites().some((s) => s.id === data.site)) return json(404, { detail: 'There is no such site. Choose a site of the list.' })
    if (data.sorting !== 'reopen' && d.standing !== 'stands') return json(409, { detail: 'What this detection rests on was taken back. Restore its observation first.' })
    if (data.sorting === 'reopen') sorted.delete(d.id)
    else sorted.set(d.id, { detection: d.id, mission: 'mis_1', sorting: data.sorting, site: data.sorting === 'attach' ? data.site : null, why, by: me.id, by_name: me.name, at: iso(Date.now() - (Date.now() % 1000)) })
    return json(200, { event: event(me, 'detection.sorted', d.id) })
  }
  json(404, { detail: 'Nothing is there.' })
}).listen(port, '127.0.0.1', () => console.log(`SYNTHETIC mock on http://127.0.0.1:${port}`))
