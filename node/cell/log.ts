import { randomBytes } from 'node:crypto'
import type { Entry, SnapshotMeta } from '../../consensus/cell/engine.ts'
import type { Log, LogStart, LogWrite } from '../../consensus/cell/ports.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Sublevel, Write } from '../storage/sublevel.ts'
import { findNonsense, HEAD_KEYS, IDENTITY_KEY, readEntries, readState, SNAPSHOT_KEY } from './log-read.ts'
import type { LogState } from './log-read.ts'
import {
  entryFormat,
  entryKey,
  headFormat,
  identityFormat,
  indexOfKey,
  LOG_VERSION,
  snapshotFormat,
} from './log-records.ts'
import type { Head, LogIdentity } from './log-records.ts'

/** Entries under a snapshot that one batch deletes: to delete 100 000 at once takes a second, and nobody reads them. */
const FORGOTTEN_PER_BATCH = 1000

export interface LogOwner {
  meshId: string
  peerId: string
  cell: string
}

/** One synced batch. */
export interface LogFlush {
  entries: number
  /** keys and values */
  bytes: number
  /** from the call until it was on disk */
  durationMs: number
}

export interface LogInit extends LogOwner {
  database: Database
  onFlush?: (flush: LogFlush) => void
}

/**
 * The durable Raft log (adr/0001-what-is-torn-and-what-is-lost.md): entries under their big-endian index; and a head,
 * in two copies, that every batch writes anew and that says what must be there.
 */
export class DurableLog implements Log {
  readonly #init: LogInit
  readonly #meta: Sublevel
  readonly #entries: Sublevel
  readonly #identity: LogIdentity
  #head: Head
  #snapshot: SnapshotMeta
  /** of the entries after the snapshot */
  #terms: number[] = []
  /** entries on disk that a snapshot stands for, to be deleted with the next batches */
  #covered = { from: 1, to: 0 }

  private constructor(init: LogInit, stores: { meta: Sublevel; entries: Sublevel }, state: LogState) {
    this.#init = init
    this.#meta = stores.meta
    this.#entries = stores.entries
    this.#identity = state.identity
    this.#head = state.head
    this.#snapshot = state.snapshot
  }

  /**
   * Opens the log, making it with a new incarnation where there is none.
   *
   * @throws {CodedError} E_CELL_LOG_CORRUPT, E_CELL_LOG_FOREIGN, E_DATA_VERSION
   */
  static async open(init: LogInit): Promise<DurableLog> {
    const stores = { meta: init.database.sublevel('cell-log'), entries: init.database.sublevel('cell-entries') }
    const found = await readState(stores.meta, stores.entries)
    if (found !== undefined) checkOwner(found.identity, init)
    const state = found ?? emptyState(init)
    const log = new DurableLog(init, stores, state)
    if (found === undefined) await log.#create(state)
    else await log.#resume()
    return log
  }

  /** Made with the store and durable: the cell gives one raft id to it, for ever. */
  get incarnation(): Uint8Array {
    return this.#identity.incarnation
  }

  /** 0 while the cell has given none. */
  get raftId(): number {
    return this.#head.raftId
  }

  /** The last one; index 0 before the first. */
  get snapshot(): SnapshotMeta {
    return this.#snapshot
  }

  async read(): Promise<LogStart> {
    const { term, vote, commit } = this.#head
    const entries = await readEntries(this.#entries, this.#head)
    return { hardState: { term, vote, commit }, snapshot: this.#snapshot, entries }
  }

  /** Durable when it resolves. @throws {CodedError} E_CELL_LOG_ORDER for a second id */
  async setRaftId(raftId: number): Promise<void> {
    if (raftId === this.#head.raftId) return
    if (this.#head.raftId !== 0 || !Number.isSafeInteger(raftId) || raftId < 1) {
      throw outOfOrder(`raft id ${raftId} for a log of id ${this.#head.raftId}`)
    }
    await this.#flush({ ...this.#head, raftId }, [], [])
  }

  /** @throws {CodedError} E_CELL_LOG_ORDER (nothing was written) or the database's error, then and ever after */
  async append(write: LogWrite): Promise<void> {
    const next = new LogChange(this.#head, this.#terms)
    if (write.snapshot !== undefined) next.install(write.snapshot)
    if (write.entries.length > 0) next.append(write.entries)
    if (write.hardState !== undefined) Object.assign(next.head, write.hardState)
    // The engine may tell a commit later than what was applied and snapshot.
    next.head.commit = Math.max(next.head.commit, next.head.snapshotIndex)
    const nonsense = next.head.term < this.#head.term ? 'its term goes back' : findNonsense(next.head)
    if (nonsense !== undefined) throw outOfOrder(nonsense)
    this.#terms = next.terms()
    if (write.snapshot !== undefined) this.#cover(write.snapshot.index)
    if (write.snapshot !== undefined) this.#snapshot = write.snapshot
    const meta: Write[] = write.snapshot === undefined ? [] : [snapshotWrite(write.snapshot)]
    await this.#flush(next.head, meta, next.writes, write.entries.length)
  }

  /** Writes the head once more: damage of the last record that matters then has a later one behind it, and shows. */
  async finish(): Promise<void> {
    await this.#flush(this.#head, [], [])
  }

  async #create({ identity, snapshot, head }: LogState): Promise<void> {
    const value = identityFormat.encode(IDENTITY_KEY, identity)
    await this.#flush(head, [{ type: 'put', key: IDENTITY_KEY, value }, snapshotWrite(snapshot)], [])
  }

  async #resume(): Promise<void> {
    this.#terms = (await readEntries(this.#entries, this.#head)).map(({ term }) => term)
    const { snapshotIndex } = this.#head
    for await (const key of this.#entries.keys({ limit: 1 })) {
      this.#covered = { from: Math.min(indexOfKey(key), snapshotIndex + 1), to: snapshotIndex }
    }
  }

  #cover(index: number): void {
    const { snapshotIndex, last } = this.#head
    const { from, to } = this.#covered
    this.#covered = { from: from <= to ? from : snapshotIndex + 1, to: Math.min(index, last) }
  }

  #forget(): Write[] {
    const { from, to } = this.#covered
    const end = Math.min(to, from + FORGOTTEN_PER_BATCH - 1)
    this.#covered = { from: end + 1, to }
    return removals(from, end)
  }

  /** Takes the new head at once, so that the next call builds on it while this one is on its way to the disk. */
  async #flush(head: Head, meta: Write[], entries: Write[], count = 0): Promise<void> {
    this.#head = { ...head, sequence: head.sequence + 1 }
    const heads = HEAD_KEYS.map((key): Write => ({ type: 'put', key, value: headFormat.encode(key, this.#head) }))
    const parts = [
      { sublevel: this.#entries, writes: [...this.#forget(), ...entries] },
      { sublevel: this.#meta, writes: [...meta, ...heads] },
    ]
    const started = performance.now()
    await this.#init.database.batch(parts)
    const bytes = parts.flatMap(({ writes }) => writes).reduce((sum, write) => sum + sizeOf(write), 0)
    this.#init.onFlush?.({ entries: count, bytes, durationMs: performance.now() - started })
  }
}

/** A head and the writes that lead to it. */
class LogChange {
  readonly head: Head
  readonly writes: Write[] = []
  #terms: number[]
  #kept: number | undefined
  readonly #added: number[] = []

  constructor(head: Head, terms: number[]) {
    this.head = { ...head }
    this.#terms = terms
  }

  install({ index, term }: SnapshotMeta): void {
    const { head } = this
    if (index < head.snapshotIndex) throw outOfOrder(`a snapshot at ${index} after one at ${head.snapshotIndex}`)
    const follows = index <= head.last && this.#termAt(index) === term
    if (!follows && index <= head.commit) throw outOfOrder(`a snapshot at ${index} contradicts a committed entry`)
    if (!follows) this.writes.push(...removals(index + 1, head.last))
    this.#terms = follows ? this.#terms.slice(index - head.snapshotIndex) : []
    Object.assign(head, { snapshotIndex: index, snapshotTerm: term })
    if (!follows) Object.assign(head, { last: index, lastTerm: term })
  }

  append(entries: readonly Entry[]): void {
    const { head } = this
    const start = entries[0]!.index
    if (start > head.last + 1) throw outOfOrder(`entry ${start} after ${head.last}`)
    if (start <= head.commit || start <= head.snapshotIndex) throw outOfOrder(`entry ${start} is committed already`)
    let previousTerm = this.#termAt(start - 1)
    this.writes.push(...removals(start + entries.length, head.last))
    this.#kept = start - head.snapshotIndex - 1
    for (const [at, { index, term, kind, data }] of entries.entries()) {
      if (index !== start + at || term < previousTerm) throw outOfOrder(`entry ${index} of term ${term}`)
      const key = entryKey(index)
      this.writes.push({ type: 'put', key, value: entryFormat.encode(key, { index, term, previousTerm, kind, data }) })
      this.#added.push((previousTerm = term))
    }
    Object.assign(head, { last: start + entries.length - 1, lastTerm: previousTerm })
  }

  /** Only once nothing is refused any more: the terms as they were are cut and go on, not copied. */
  terms(): number[] {
    this.#terms.length = this.#kept ?? this.#terms.length
    for (const term of this.#added) this.#terms.push(term)
    return this.#terms
  }

  #termAt(index: number): number {
    const { snapshotIndex, snapshotTerm } = this.head
    return index === snapshotIndex ? snapshotTerm : this.#terms[index - snapshotIndex - 1]!
  }
}

function removals(from: number, to: number): Write[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => ({ type: 'del', key: entryKey(from + at) }))
}

function snapshotWrite(snapshot: SnapshotMeta): Write {
  return { type: 'put', key: SNAPSHOT_KEY, value: snapshotFormat.encode(SNAPSHOT_KEY, snapshot) }
}

function sizeOf(write: Write): number {
  return write.key.length + (write.type === 'put' ? write.value.byteLength : 0)
}

function emptyState({ meshId, peerId, cell }: LogOwner): LogState {
  const none = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }
  return {
    identity: { version: LOG_VERSION, meshId, peerId, cell, incarnation: Uint8Array.from(randomBytes(16)) },
    snapshot: { index: 0, term: 0, configuration: none, root: new Uint8Array() },
    head: EMPTY_HEAD,
  }
}

const EMPTY_HEAD: Head = {
  sequence: 0,
  raftId: 0,
  term: 0,
  vote: 0,
  commit: 0,
  last: 0,
  lastTerm: 0,
  snapshotIndex: 0,
  snapshotTerm: 0,
}

function checkOwner(found: LogIdentity, owner: LogOwner): void {
  for (const what of ['meshId', 'peerId', 'cell'] as const) {
    if (found[what] === owner[what]) continue
    const name = { meshId: 'mesh', peerId: 'node', cell: 'cell' }[what]
    throw new CodedError(
      'E_CELL_LOG_FOREIGN',
      `the Raft log is that of another ${name} (${found[what]}, this is ${owner[what]})`,
      { hint: 'nothing was changed; give this node its own directory, or move the directory cell in it away' },
    )
  }
}

function outOfOrder(what: string): CodedError {
  return new CodedError('E_CELL_LOG_ORDER', `the Raft log was handed what does not follow on it: ${what}`, {
    hint: 'this is a defect of kairos; nothing was written',
  })
}
