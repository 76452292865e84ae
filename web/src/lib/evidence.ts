// How each kind of evidence is drawn: a shape and the colour that repeats it. Detections of a sheet are of the same kinds.
import type { IconName } from '../parts/Icon.svelte'

export type Mark = [IconName, string]

export const marks: Record<string, Mark> = {
  gas: ['gas', 'var(--gas)'], spectral: ['spectral', 'var(--spectra)'], thermal: ['thermal', 'var(--spectra)'], video: ['footprints', 'var(--video)'], mover: ['mover', 'var(--radar)'],
  signal: ['bearings', 'var(--signal)'], report: ['reports', 'var(--report)'], permit: ['permit', 'var(--report)'], terrain: ['terrain', 'var(--ink-2)'], outcome: ['outcome', 'var(--confirmed)'],
}

/** outlined marks are open: reported by others, or drawn as a line. */
export const outlined = (kind: string) => ['report', 'permit', 'terrain', 'outcome', 'mention'].includes(kind)
