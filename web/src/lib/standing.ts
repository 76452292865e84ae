import type { Site } from './api'

/** standingOf says how a site's outline is drawn: dashed while estimated, solid once confirmed, crossed when refuted. */
export function standingOf(site: Site): 'estimated' | 'confirmed' | 'refuted' {
  if (site.status === 'dismissed' || site.found === 'empty') return 'refuted'
  return site.found === 'confirmed' ? 'confirmed' : 'estimated'
}

