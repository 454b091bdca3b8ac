import type { CommittedEntry, Configuration, Entry, HardState, SnapshotMeta } from './engine.ts'

/** What one flush makes durable, all or nothing. */
export interface LogWrite {
  /** replaces whatever the log has from the first one's index on */
  readonly entries: readonly Entry[]
  readonly hardState: HardState | undefined
  /** takes the place of everything before and at its index; entries after it stay when they follow on it, else they go */
  readonly snapshot: SnapshotMeta | undefined
}

/** What a log holds when it is opened. */
export interface LogStart {
  readonly hardState: HardState
  /** index 0 and an empty root when there was none */
  readonly snapshot: SnapshotMeta
  /** contiguous, from the snapshot's index + 1 */
  readonly entries: readonly Entry[]
}

/** The durable log of a member. A failed write is never tried again: it stops the member. */
export interface Log {
  read(): Promise<LogStart>
  /** Durable when it resolves. One at a time; @throws on any failure of the disk */
  append(write: LogWrite): Promise<void>
}

/** Sends to members; a message that cannot be sent is lost. */
export interface Transport {
  /** Never blocks and never throws; bounded: what does not fit is dropped. */
  send(to: number, message: Uint8Array, snapshot: SnapshotMeta | undefined): void
}

/** What became of an entry. */
export interface Applied {
  readonly index: number
  /** id of its command; undefined for an empty entry or a change */
  readonly commandId: string | undefined
  readonly result: unknown
}

/** The deterministic state machine, durable in its own time: after a crash it says how far it got. */
export interface StateMachine {
  /** up to where everything is applied; what the log has beyond is applied again */
  readonly applied: number
  /** in force at `applied` */
  readonly configuration: Configuration
  /**
   * Applies committed entries in order, each once, in one transaction with its index.
   *
   * @param configured - by index, the configuration that each `change` entry led to
   */
  apply(entries: readonly CommittedEntry[], configured: ReadonlyMap<number, Configuration>): Promise<readonly Applied[]>
  /** The state at `applied` as synced blocks under one root; the same state always has the same root. */
  snapshot(): Promise<{ readonly index: number; readonly root: Uint8Array }>
  /** Takes a leader's state in place of its own; its blocks are here and synced. */
  install(meta: SnapshotMeta): Promise<void>
}

/** Time from outside, so that a whole cell can run under a virtual clock. */
export interface Clock {
  /** milliseconds, monotonic */
  now(): number
  /** Runs once after `ms`, 0 for as soon as what is already due has run. @returns what cancels it */
  after(ms: number, run: () => void): () => void
}
