import { hash } from 'node:crypto'
import { z } from 'zod'
import { hex } from '../../consensus/epoch/index.ts'
import type { Wal } from '../../consensus/mesh/ports.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Sublevel, Write } from '../storage/sublevel.ts'
import { asDamage, heightKey, heightOfKey, StoreHead, type StoreOwner } from './store-head.ts'

const KEY_BYTES = 12
const DIGEST_BYTES = 32
const count = z.int().min(0)

const headSchema = z.strictObject({
  /** batches written so far */
  sequence: count,
  /** of the records; before the first, the one before which there must be none */
  height: count,
  records: count,
  /** over all records of the height, each with what is before it: their number, order and bytes */
  digest: z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === DIGEST_BYTES),
})

type Head = z.infer<typeof headSchema>

const EMPTY: Head = { sequence: 0, height: 0, records: 0, digest: new Uint8Array(DIGEST_BYTES) }

/** What this validator decided to say, and in which database: nothing is said that is not here first. */
export interface WalInit extends StoreOwner {
  database: Database
  /** of a log that is made anew: the height before which this node must not vote, for it may have; 0 when it has not */
  firstVote: () => Promise<number>
}

/**
 * The write-ahead log of the height that is being decided (adr/0002; node/cell/adr/0001 holds here too: what is torn is the batch
 * that was being written, LevelDB drops it whole and nobody was told; all else that is missing is refused).
 */
export class MeshWal implements Wal {
  readonly #database: Database
  readonly #records: Sublevel
  readonly #reports: Sublevel
  readonly #store: StoreHead<Head>
  #head: Head = EMPTY
  readonly #firstVote: WalInit['firstVote']
  /** Keys of the reports that are here, by height and in hex. */
  readonly #named = new Map<number, Map<string, Uint8Array>>()

  private constructor({ database, meshId, peerId, firstVote }: WalInit) {
    this.#database = database
    this.#firstVote = firstVote
    this.#records = database.sublevel('mesh-wal-records')
    this.#reports = database.sublevel('mesh-wal-reports')
    this.#store = new StoreHead({
      meta: database.sublevel('mesh-wal'),
      owner: { meshId, peerId },
      schema: headSchema,
      name: 'log of this node’s votes',
      damaged: damagedWal,
    })
  }

  /** @throws {CodedError} E_MESH_WAL_DAMAGED, E_MESH_STORE_FOREIGN, E_DATA_VERSION */
  static async open(init: WalInit): Promise<MeshWal> {
    const wal = new MeshWal(init)
    await asDamage(damagedWal, () => wal.#open())
    return wal
  }

  /** Of its records: this node may have voted in it, and in no later one. It votes in no earlier one. */
  get height(): number {
    return this.#head.height
  }

  /** @throws {CodedError} E_MESH_WAL_DAMAGED; E_MESH_WAL_AHEAD when there are records of a later height */
  async read(height: number): Promise<Uint8Array[]> {
    if (height < this.#head.height) throw aheadOfEpochs(height, this.#head.height)
    return height === this.#head.height ? asDamage(damagedWal, () => this.#prove()) : []
  }

  /**
   * All that waits while one batch is synced goes into the next.
   *
   * @param reports - envelopes that a vote among the records names: the block after this height must carry them, and
   *   who names them must have them, across a crash too
   * @throws {CodedError} of the database, then and ever after
   */
  async append(height: number, records: readonly Uint8Array[], reports: readonly Uint8Array[] = []): Promise<void> {
    if (height < this.#head.height) throw aheadOfEpochs(height, this.#head.height)
    const isNew = height > this.#head.height
    const writes: Write[] = isNew ? removals(this.#head) : []
    let { records: index, digest } = isNew ? EMPTY : this.#head
    for (const record of records) {
      writes.push({ type: 'put', key: recordKey(height, index), value: record })
      index += 1
      digest = chained(digest, record)
    }
    const named = [...(isNew ? this.#forgotten(height) : []), ...this.#added(height, reports)]
    await this.#flush({ ...this.#head, height, records: index, digest }, writes, named)
  }

  /** Reports that votes of the last two heights name. */
  async reports(): Promise<Uint8Array[]> {
    const found: Uint8Array[] = []
    for await (const [, envelope] of this.#reports.entries()) found.push(envelope)
    return found
  }

  /** Writes the head once more: damage of the last record then has a later one behind it, and shows. */
  async finish(): Promise<void> {
    await this.#flush(this.#head, [], [])
  }

  async #open(): Promise<void> {
    const found = await this.#store.read()
    if (found !== undefined) {
      this.#head = found
      await this.#prove()
      for await (const key of this.#reports.keys()) this.#note(heightOfKey(key), key)
      return
    }
    for await (const _ of this.#records.keys({ limit: 1 })) throw damagedWal('it has records and no head')
    this.#head = { ...EMPTY, height: await this.#firstVote() }
    await this.#store.meta.batch(this.#store.create(this.#head))
  }

  async #prove(): Promise<Uint8Array[]> {
    const { height, records, digest } = this.#head
    const found: Uint8Array[] = []
    let seen: Uint8Array = EMPTY.digest
    for await (const [key, value] of this.#records.entries()) {
      if (key.byteLength !== KEY_BYTES || !Buffer.from(key).equals(recordKey(height, found.length))) {
        throw damagedWal(`there is a record of height ${heightOfKey(key)} where ${found.length} of ${height} belongs`)
      }
      seen = chained(seen, value)
      found.push(value)
    }
    if (found.length !== records)
      throw damagedWal(`height ${height} has ${found.length} records, ${records} were written`)
    if (!Buffer.from(seen).equals(digest)) throw damagedWal(`the records of height ${height} are not those written`)
    return found
  }

  #added(height: number, reports: readonly Uint8Array[]): Write[] {
    const rows = reports.map((value) => ({ key: reportKey(height, value), value }))
    const added = rows.filter(({ key }) => this.#note(height, key))
    return added.map(({ key, value }) => ({ type: 'put', key, value }))
  }

  /** @returns false for one that is here */
  #note(height: number, key: Uint8Array): boolean {
    const keys = this.#named.get(height) ?? new Map<string, Uint8Array>()
    const name = hex(key)
    if (keys.has(name)) return false
    this.#named.set(height, keys.set(name, key))
    return true
  }

  /** What the block of the height before carries is final with it. */
  #forgotten(height: number): Write[] {
    const gone = [...this.#named].filter(([named]) => named < height - 1)
    for (const [named] of gone) this.#named.delete(named)
    return gone.flatMap(([, keys]) => Array.from(keys.values(), (key): Write => ({ type: 'del', key })))
  }

  /** Takes the new head at once, so that the next call builds on it while this one is on its way to the disk. */
  async #flush(head: Head, writes: Write[], reports: Write[]): Promise<void> {
    this.#head = { ...head, sequence: head.sequence + 1 }
    await this.#database.batch([
      { sublevel: this.#records, writes },
      { sublevel: this.#reports, writes: reports },
      { sublevel: this.#store.meta, writes: this.#store.writes(this.#head) },
    ])
  }
}

/** What the record here can still do with a log that is none any more: be silent until nobody needs its word. */
export function damagedWal(what: string, cause?: unknown): CodedError {
  return new CodedError('E_MESH_WAL_DAMAGED', `the log of this node’s votes on epochs is damaged: ${what}`, {
    hint:
      'nothing was changed and this node does not vote; do not restore the directory from a backup, which would vote ' +
      'twice: move mesh/wal away and start again, and it votes when the others have decided the next epoch without it',
    cause,
  })
}

/** @param height - of the first epoch that is not here */
export function aheadOfEpochs(height: number, own: number): CodedError {
  return new CodedError(
    'E_MESH_WAL_AHEAD',
    `this node may have voted at heights before ${own} or at it, and has only the epochs before ${height}`,
    {
      hint:
        'its epochs were put back to an older copy, or the log of its votes was lost: it votes again when it has the ' +
        'epochs up to there from other nodes',
    },
  )
}

function removals({ height, records }: Head): Write[] {
  return Array.from({ length: records }, (_, index) => ({ type: 'del', key: recordKey(height, index) }))
}

function recordKey(height: number, index: number): Uint8Array {
  const key = Buffer.alloc(KEY_BYTES)
  key.set(heightKey(height))
  key.writeUInt32BE(index, 8)
  return key
}

function reportKey(height: number, envelope: Uint8Array): Uint8Array {
  return Buffer.concat([heightKey(height), hash('sha256', envelope, 'buffer')])
}

function chained(before: Uint8Array, record: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([before, record]), 'buffer')
}
