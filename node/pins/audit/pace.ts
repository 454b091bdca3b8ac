import { READ_BYTES_PER_MINUTE, VISITS_PER_MINUTE } from './constants.ts'

/**
 * From one visit of a pin to the next, milliseconds: all are visited within a period, at times that nobody can foresee.
 *
 * @param pins - to be visited in a period
 * @param chance - 0–1, drawn anew for each visit
 */
export function intervalMs({ periodMs, pins, chance }: { periodMs: number; pins: number; chance: number }): number {
  return (periodMs / Math.max(1, pins)) * (0.5 + 0.5 * chance)
}

/**
 * However much is due: from one step to the next, milliseconds.
 *
 * @param bytes - read for the step before
 */
export function fastestMs({ periodMs, bytes }: { periodMs: number; bytes: number }): number {
  // A period that is shorter than all these limits is one of a test.
  const apart = Math.min(60_000 / VISITS_PER_MINUTE, periodMs / 100)
  return Math.max(apart, (bytes * 60_000) / READ_BYTES_PER_MINUTE)
}
