// What became of a ranking since a reader last looked: by how many places each site moved, and by how much its probability changed.
export interface Ranked { id: string; rank: number; probability: number; lat: number; lon: number }
export interface Move { places: number; by: number; before: Ranked | null } // places above zero are upwards; before is null for one that is new
export interface Moves { moved: Map<string, Move>; gone: Ranked[] }

/** least is the change of a probability that the list shows: half of its last digit. */
const least = 0.5e-4

/** one is how near to each other two candidates are one place under two names: a name goes with the item that pins a place down (locate/site). */
const one = 210 // metres
const near = (a: Ranked, b: Ranked) => Math.hypot((a.lat - b.lat) * 111_000, (a.lon - b.lon) * 111_000 * Math.cos((a.lat * Math.PI) / 180)) < one

/** movesOf compares two rankings; what did not change is in neither list. */
export function movesOf(before: Ranked[], now: Ranked[]): Moves {
  const old = new Map(before.map((s) => [s.id, s])), held = new Set(now.map((s) => s.id))
  let gone = before.filter((s) => !held.has(s.id))
  const moved = new Map<string, Move>()
  for (const s of now) {
    const was = old.get(s.id) ?? gone.find((b) => near(b, s)) ?? null
    gone = gone.filter((b) => b !== was)
    const move = { places: was ? was.rank - s.rank : 0, by: was ? s.probability - was.probability : 0, before: was }
    if (!was || move.places !== 0 || Math.abs(move.by) >= least) moved.set(s.id, move)
  }
  return { moved, gone }
}
