import { join } from 'node:path'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { openDatabase, type Database } from '../../storage/database.ts'
import type { Sublevel, Write } from '../../storage/sublevel.ts'
import { decodeRow, encodeRow, type Row } from './row.ts'

/** Beside the files; two letters are a shard, so this name is never one. */
const DIRECTORY = 'index'
const MIB = 1_048_576
/** An idle node keeps this much in memory at most, and maps 38 table files of 2 MiB. */
const LEVEL = { cacheSize: 2 * MIB, writeBufferSize: 4 * MIB, maxOpenFiles: 48, compression: false }

export interface Totals {
  bytes: number
  blocks: number
}

/**
 * `adopting`: files are being taken in that may have no row, so the totals are not whole;
 * `open`: whole but for what a crash left between a file and its row; `closed`: whole.
 */
export type State = 'adopting' | 'open' | 'closed'

interface Opened {
  database: Database
  rows: Sublevel
  packed: Sublevel
  meta: Sublevel
}

export interface BlockIndexInit {
  onFatal: (error: CodedError) => void
  /** Whether the disk has room again. */
  canReopen: () => Promise<boolean>
}

export interface Change {
  key: Uint8Array
  /** undefined: the row goes. */
  row: Row | undefined
  before: Row | undefined
  /** The block itself, when the row says that it is packed. */
  bytes?: Uint8Array
}

/**
 * A row for every block of the store, the small blocks themselves, and their totals, which change
 * in the same batch as the rows. Keys are multihashes.
 */
export class BlockIndex {
  readonly #path: string
  readonly #init: BlockIndexInit
  #opened: Promise<Opened>
  #totals: Totals = { bytes: 0, blocks: 0 }
  /** Of what is on disk for sure. */
  #durable: Totals = this.#totals
  /** The last write found the disk full; the database can still be read. */
  #isFull = false
  /** It was closed, and the disk too full to open it again. */
  #isLost = false

  constructor(path: string, init: BlockIndexInit) {
    this.#path = join(path, DIRECTORY)
    this.#init = init
    this.#opened = this.#open()
    this.#opened.catch(() => undefined)
  }

  /** Of all that is written or waits to be. */
  get totals(): Readonly<Totals> {
    return this.#totals
  }

  /** @returns how it was left; nothing for a new one */
  async state(): Promise<State | undefined> {
    const { meta } = await this.#readable()
    const state = await meta.get('state')
    return state === undefined ? undefined : (Buffer.from(state).toString() as State)
  }

  async setState(state: State): Promise<void> {
    const { meta } = await this.#writable()
    await meta.put('state', Buffer.from(state))
  }

  async row(key: Uint8Array): Promise<Row | undefined> {
    const { rows } = await this.#readable()
    const encoded = await rows.get(key)
    return encoded === undefined ? undefined : decodeRow(encoded)
  }

  /** @returns null when the database finds it damaged; the caller checks its hash */
  async packed(key: Uint8Array): Promise<Uint8Array | undefined | null> {
    const { packed } = await this.#readable()
    try {
      return await packed.get(key)
    } catch (error) {
      if (error instanceof CodedError && error.code === 'E_STORAGE_CORRUPT') return null
      throw error
    }
  }

  /** In the order of the multihashes' bytes. */
  async list(after: Uint8Array | undefined, limit: number): Promise<{ key: Uint8Array; row: Row }[]> {
    const { rows } = await this.#readable()
    const listed: { key: Uint8Array; row: Row }[] = []
    for await (const [key, encoded] of rows.entries({ limit, ...(after !== undefined && { gt: after }) })) {
      listed.push({ key, row: decodeRow(encoded) })
    }
    return listed
  }

  /**
   * Resolves when the rows and their totals are on disk, all or none.
   *
   * @param onAccepted - called in the same step in which the totals count the change
   * @throws {CodedError} E_DISK_FULL when the rows may or may not be there; E_STORAGE_*
   */
  async commit(changes: readonly Change[], onAccepted?: () => void): Promise<void> {
    try {
      await this.#write(changes, onAccepted)
    } catch (error) {
      const isFull = error instanceof CodedError && error.code === 'E_DISK_FULL'
      if (!isFull || !(await this.#init.canReopen())) throw error
      // What failed may have been earlier, in the background, and the disk has room by now.
      await this.#write(await this.#missing(changes))
    }
  }

  async #write(changes: readonly Change[], onAccepted?: () => void): Promise<void> {
    const opened = await this.#writable()
    onAccepted?.()
    const totals = changes.reduce(counted, this.#totals)
    this.#totals = totals
    try {
      await opened.database.batch([
        { sublevel: opened.rows, writes: changes.map(rowWrite) },
        { sublevel: opened.packed, writes: changes.flatMap(packedWrite) },
        { sublevel: opened.meta, writes: [totalsWrite(totals)] },
      ])
      this.#durable = totals
    } catch (error) {
      // All that came after it fails, too.
      this.#totals = this.#durable
      throw error
    }
  }

  async #missing(changes: readonly Change[]): Promise<Change[]> {
    const { rows } = await this.#writable()
    const isMissing = await Promise.all(
      changes.map(async ({ key, row }) => ((await rows.get(key)) === undefined) !== (row === undefined)),
    )
    return changes.filter((_, i) => isMissing[i])
  }

  async close(): Promise<void> {
    const opened = await this.#opened.catch(() => undefined)
    await opened?.database.close()
  }

  async #open(): Promise<Opened> {
    const onFatal = (error: CodedError): void => {
      if (error.code === 'E_DISK_FULL') this.#isFull = true
      else this.#init.onFatal(error)
    }
    const database = await openDatabase(this.#path, { onFatal, configKey: 'content.path', level: LEVEL })
    const meta = database.sublevel('meta')
    const totals = await meta.get('totals')
    this.#durable = totals === undefined ? { bytes: 0, blocks: 0 } : JSON.parse(Buffer.from(totals).toString())
    this.#totals = this.#durable
    // A block needs no checksum: it is checked by its hash, and a damaged one can be fetched again.
    const packed = database.sublevel('packed', { selfChecked: true })
    return { database, meta, packed, rows: database.sublevel('rows') }
  }

  #readable(): Promise<Opened> {
    return this.#isLost ? this.#writable() : this.#opened
  }

  /**
   * After a full disk the log of the database ends in a torn record, behind which nothing may be
   * written: opening it again begins a new log, and brings the totals that are on disk.
   */
  #writable(): Promise<Opened> {
    if (this.#isFull || this.#isLost) {
      this.#isFull = this.#isLost = false
      this.#opened = this.#reopen(this.#opened)
      this.#opened.catch(() => (this.#isLost = true))
    }
    return this.#opened
  }

  async #reopen(broken: Promise<Opened>): Promise<Opened> {
    const opened = await broken.catch(() => undefined)
    if (opened !== undefined && !(await this.#init.canReopen())) {
      // It refuses writes as before, and is still read.
      this.#isFull = true
      return opened
    }
    await opened?.database.close()
    return this.#open()
  }
}

function counted({ bytes, blocks }: Totals, { row, before }: Change): Totals {
  return {
    bytes: bytes + (row?.bytes ?? 0) - (before?.bytes ?? 0),
    blocks: blocks + (row === undefined ? 0 : 1) - (before === undefined ? 0 : 1),
  }
}

function rowWrite({ key, row }: Change): Write {
  return row === undefined ? { type: 'del', key } : { type: 'put', key, value: encodeRow(row) }
}

function packedWrite({ key, row, before, bytes }: Change): Write[] {
  if (bytes !== undefined && row?.packed === true) return [{ type: 'put', key, value: bytes }]
  return before?.packed === true && row?.packed !== true ? [{ type: 'del', key }] : []
}

function totalsWrite(totals: Totals): Write {
  return { type: 'put', key: 'totals', value: Buffer.from(JSON.stringify(totals)) }
}
