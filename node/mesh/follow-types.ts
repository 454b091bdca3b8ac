import type { Logger, PeerId } from '@libp2p/interface'
import type { SyncClient, SyncEpoch } from '../../protocols/sync/index.ts'
import type { Verdict } from '../../protocols/shared/verdict.ts'

export interface FollowInit {
  client: SyncClient
  /** Whom to ask: connected nodes that keep epochs. Asked anew at each look. */
  peers(): readonly PeerId[]
  chain: {
    /** of the last final epoch here; also moved by consensus */
    readonly height: number
    /** Resolves when what was taken is durable. @throws why it is not */
    settled(): Promise<void>
  }
  /** Checks an epoch of `height + 1` by what is final here. Never throws: @returns a code when it is not valid */
  verify(epoch: SyncEpoch): Promise<string | undefined>
  /** Takes in what was verified; durable when it resolves. Does nothing when it was decided here meanwhile. */
  take(epoch: SyncEpoch): Promise<void>
  /** A validator is kept at the head by consensus: it is helped only when it is told that it is behind. */
  isValidator(): boolean
  /** A lie is rejected; what may be nobody's fault is ignored, and the peer not asked for a while. */
  judge(peer: PeerId, verdict: Verdict): void
  /** At each change of what it does, and at most twice a second while it gets on. */
  onProgress?(progress: FollowProgress): void
  /** `take` failed: everything here has stopped. */
  onFatal(cause: unknown): void
  log: Logger
  options?: Partial<FollowOptions>
}

export interface FollowProgress {
  readonly state: FollowState
  /** of the last final epoch here */
  readonly height: number
  /** the highest that any peer says it has; not proven */
  readonly best: number
  /** epochs that are missing here, by that word */
  readonly behind: number
  /** epochs taken in a second, while it catches up */
  readonly perSecond: number
  /** E_SYNC_NOBODY: no peer has answered; E_SYNC_PRUNED: none that did keeps the epoch that is next here */
  readonly problem: string | undefined
}

/** `idle` is a validator that consensus keeps at the head; `waiting` has nobody to ask. */
export type FollowState = 'idle' | 'waiting' | 'catching-up' | 'following' | 'stopped'

export interface FollowOptions {
  /** after which the heads are asked for again when nobody could help */
  retryMs: number
  /** how often others are asked whether the one that is followed falls behind */
  checkMs: number
  /** how long more heads are waited for after the first one */
  moreHeadsMs: number
  /** of the next epoch of a range, and what each byte that came adds to it */
  graceMs: number
  minBytesPerSecond: number
  /** a peer that failed is not asked for so long, doubled each time */
  pauseMs: number
  maxPauseMs: number
}

export const FOLLOW_OPTIONS: FollowOptions = {
  retryMs: 1_000,
  checkMs: 5_000,
  moreHeadsMs: 250,
  graceMs: 10_000,
  minBytesPerSecond: 65_536,
  pauseMs: 2_000,
  maxPauseMs: 300_000,
}

/** Peers asked for their heads at once, and then for ranges. */
export const HEADS_AT_ONCE = 8
/** Ranges ahead of what is verified, and bytes of theirs that wait. */
export const MAX_RANGES = 12
export const MAX_WAITING_BYTES = 33_554_432
/** Further behind than that, several peers are asked at once. */
export const NEAR = 4
