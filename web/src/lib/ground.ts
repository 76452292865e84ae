// What was not looked at has no edge: beyond the mission's area nobody has looked either, and bare paper there would say that
// somebody had.
import type { FeatureCollection, Position } from 'geojson'

const world: Position[] = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]]

/** everywhere puts the world's rim in the place of the outer ring of the unsurveyed ground; its holes, the looked-at ground, stay. */
export function everywhere(unsurveyed: FeatureCollection): FeatureCollection {
  return { ...unsurveyed, features: unsurveyed.features.map((f) => f.geometry.type !== 'MultiPolygon' ? f : { ...f, geometry: { ...f.geometry, coordinates: f.geometry.coordinates.map((rings) => [world, ...rings.slice(1)]) } }) }
}
