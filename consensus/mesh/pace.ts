import type { Pace } from './init.ts'

/** While nothing is new, this often it is looked whether something is, ms; or once in an epoch if that is longer. */
const IDLE_LOOK_MS = 50

/** @returns ms after which the next height begins, or it is to be asked again; 0 for now */
export function untilBegin({ epochMs, idleEpochMs }: Pace, waitedMs: number, isBusy: boolean): number {
  const wholeMs = isBusy ? epochMs : Math.max(epochMs, idleEpochMs)
  if (waitedMs >= wholeMs) return 0
  if (waitedMs < epochMs) return epochMs - waitedMs
  return Math.min(Math.max(epochMs, IDLE_LOOK_MS), wholeMs - waitedMs)
}
