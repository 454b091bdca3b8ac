const FIRST_MS = 500
const FACTOR = 1.7
const LAST_MS = 30_000

/**
 * Exponential backoff with jitter, so that a mesh that restarts as one does not dial in step.
 *
 * @param attempt - failures so far, ≥ 0
 * @param random - uniform in [0, 1)
 * @returns milliseconds until the next attempt, between a half and the whole of min(0.5 s · 1.7ⁿ, 30 s)
 */
export function backoffMs(attempt: number, random: number): number {
  return Math.min(FIRST_MS * FACTOR ** Math.min(attempt, 64), LAST_MS) * (0.5 + random / 2)
}
