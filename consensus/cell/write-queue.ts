import type { EngineEffects, Entry, HardState, OutMessage, SnapshotMeta } from './engine.ts'
import type { LogStart, LogWrite } from './ports.ts'

/** Readies that wait for the disk, merged into one write: that is the group commit. */
export interface Flush {
  /** of the last ready */
  readonly number: number
  /** undefined when nothing of it has to reach the disk */
  readonly write: LogWrite | undefined
  /** to be sent when all of it is durable */
  readonly messages: readonly OutMessage[]
  /** a leader's snapshot, to be installed when it is durable */
  readonly install: SnapshotMeta | undefined
  /** a snapshot of this node's own, to be offered to others when it is durable */
  readonly own: SnapshotMeta | undefined
}

type Ready = Pick<EngineEffects, 'number' | 'entries' | 'hardState' | 'snapshot' | 'persistedMessages'>

/** What a member has to make durable, in the order of the engine. */
export class WriteQueue {
  #number = 0
  #entries: Entry[] = []
  #hardState: HardState | undefined
  #install: SnapshotMeta | undefined
  #own: SnapshotMeta | undefined
  /** index of the newest snapshot that was ever given here: none may follow that is older */
  #newest: number
  #messages: OutMessage[] = []
  #durable: Pick<HardState, 'term' | 'vote'>

  /** @param start - what the log holds */
  constructor({ hardState, snapshot }: Pick<LogStart, 'hardState' | 'snapshot'>) {
    this.#newest = snapshot.index
    this.#durable = hardState
  }

  get isEmpty(): boolean {
    return this.#number === 0 && this.#own === undefined
  }

  push(ready: Ready): void {
    this.#hardState = ready.hardState ?? this.#hardState
    if (ready.number === 0) return
    this.#number = ready.number
    if (ready.snapshot !== undefined) {
      this.#install = ready.snapshot
      this.#newest = ready.snapshot.index
      this.#own = undefined
      this.#entries = []
    }
    const first = ready.entries[0]
    if (first !== undefined) {
      this.#entries = this.#entries.filter(({ index }) => index < first.index)
      this.#entries.push(...ready.entries)
    }
    this.#messages.push(...ready.persistedMessages)
  }

  /** A snapshot of this node's own takes the place of the log up to it; it belongs to no ready. */
  pushOwnSnapshot(meta: SnapshotMeta): void {
    if (meta.index <= this.#newest) return
    this.#newest = meta.index
    this.#own = meta
  }

  /** Takes all that waits. */
  take(): Flush {
    const flush = {
      number: this.#number,
      write: this.#write(),
      messages: this.#messages,
      install: this.#install,
      own: this.#own,
    }
    if (flush.write !== undefined) this.#hardState = undefined
    this.#number = 0
    this.#entries = []
    this.#install = undefined
    this.#own = undefined
    this.#messages = []
    return flush
  }

  // The commit index alone may be lost in a crash: it waits for a write that has to be made anyway.
  #write(): LogWrite | undefined {
    const { term, vote } = this.#hardState ?? this.#durable
    const isVoteNew = term !== this.#durable.term || vote !== this.#durable.vote
    const snapshot = this.#install ?? this.#own
    if (this.#entries.length === 0 && snapshot === undefined && !isVoteNew) return undefined
    this.#durable = { term, vote }
    return { entries: this.#entries, hardState: this.#hardState, snapshot }
  }
}
