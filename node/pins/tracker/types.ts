import type { LocalPins } from '../../content/pins/index.ts'
import type { GetBlock } from '../../content/dag.ts'
import type { FetchProblem } from '../../content/fetch-problem.ts'
import type { PinMode, PinProgress, PinReason, PinStatus } from '../../operations-pins.ts'

/** A pin that this node is to hold. */
export interface Wanted {
  readonly cid: string
  readonly mode: PinMode
  /** 0–9, higher first */
  readonly priority: number
  /** multiaddresses of peers that have the content */
  readonly origins: readonly string[]
  /** peer ids of others that are likely to have it: who asked for it, and who is to hold it, too */
  readonly members?: readonly string[]
}

/** What becomes of a pin that is not yet as it should be. */
export interface Tracked {
  readonly status: Exclude<PinStatus, 'pinned' | 'unpinned' | 'remote' | 'cluster_error' | 'unexpectedly_unpinned'>
  readonly reason: PinReason | null
  /** that have failed */
  readonly attempts: number
  /** Unix milliseconds */
  readonly since: number
  readonly progress: PinProgress | null
}

export interface TrackerLimits {
  /** pins that are fetched at once and move */
  active: number
  /** of these, pins that have failed before: new ones always find room */
  again: number
  /** pins that move no more and are still waited for, beside the active ones */
  patient: number
  /** unpins at once */
  unpins: number
  /** without a block for so long a pin gives its place to the next */
  stallMs: number
  /** before the second attempt; doubled for each further one */
  firstRetryMs: number
  lastRetryMs: number
}

export const TRACKER_LIMITS: TrackerLimits = {
  active: 64,
  again: 16,
  patient: 64,
  unpins: 16,
  stallMs: 2_000,
  firstRetryMs: 5_000,
  lastRetryMs: 600_000,
}

export interface TrackerInit {
  pins: Pick<LocalPins, 'pin' | 'unpin'> & Partial<Pick<LocalPins, 'expect'>>
  /**
   * A way to get the blocks of one pin; it remembers who holds them.
   *
   * @param onProblem - told of what holds up a block, whenever that changes
   */
  fetch: (pin: Wanted, onProblem: (problem: FetchProblem) => void) => GetBlock
  /** A pin has entered another status, or ended. */
  onChange?: (cid: string) => void
  limits?: Partial<TrackerLimits>
  /** Unix milliseconds */
  now?: () => number
  /** 0 ≤ x < 1 */
  random?: () => number
}
