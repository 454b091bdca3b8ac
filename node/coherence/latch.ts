import { COLLAPSE_THRESHOLD, MIN_EFFECTIVE_SAMPLES, RELEASE_THRESHOLD } from './constants.ts'

export interface LatchParams {
  /** |T|² at which the latch closes, in (0, 1) */
  readonly threshold: number
  /** |T|² under which it opens again, ≤ threshold */
  readonly release: number
}

/** The default hysteresis, moved along with a threshold of one's own. */
export function latchParams(threshold = COLLAPSE_THRESHOLD): LatchParams {
  if (threshold === COLLAPSE_THRESHOLD) return { threshold, release: RELEASE_THRESHOLD }
  return { threshold, release: (threshold * RELEASE_THRESHOLD) / COLLAPSE_THRESHOLD }
}

/**
 * Collapse with hysteresis (coherence.md §6): closes at `threshold`, opens below `release`, and is never closed on fewer
 * than 18 effective samples, whatever |T|² shows.
 *
 * @param collapsed - state before this value
 * @param power - |T|²
 * @param nEff - effective samples behind that |T|²
 */
export function latch(params: LatchParams, collapsed: boolean, power: number, nEff: number): boolean {
  if (nEff < MIN_EFFECTIVE_SAMPLES) return false
  return power >= (collapsed ? params.release : params.threshold)
}
