import { z } from 'zod'
import { TreeBuilder, type Tree } from '../../consensus/state/index.ts'
import { defineCodec } from '../../protocols/shared/codec.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Sublevel, Write } from '../storage/sublevel.ts'

export const STATE_VERSION = 1
const STAMP_KEY = 'stamp'
const GENERATIONS = ['a', 'b'] as const
/** Keys and values of one batch of `replaceAll`: of larger ones the garbage grows old, and a node with it by 300 MB. */
const CHUNK_BYTES = 131_072
/**
 * When LevelDB begins a new log file (after 4 MiB), it does not sync the one before: a power cut can then lose the end
 * of that one and keep the new one. Each batch marks one of these slots with its number, so that one that fell out
 * shows. A batch takes 100 bytes of those 4 MiB or more, so that no lost one is overwritten by what came after.
 */
const SLOTS = 65_536
const DAMAGE = new Set(['E_STORAGE_CORRUPT', 'E_TREE_ENTRY'])

const stampSchema = z.strictObject({
  version: z.literal(STATE_VERSION),
  /** of the log that it belongs to */
  incarnation: z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === 16),
  generation: z.enum(GENERATIONS),
  sequence: z.int().min(0),
  /** batches up to here need no slot */
  since: z.int().min(0),
  applied: z.int().min(0),
})
type Stamp = z.infer<typeof stampSchema>
const stampCodec = defineCodec('cell state stamp', 65_536, stampSchema)

export type StateEntry = readonly [key: string, value: Uint8Array]

export interface StateChange {
  readonly applied: number
  /** keys of printable ASCII; undefined deletes */
  readonly changes: Iterable<readonly [key: string, value: Uint8Array | undefined]>
}

/**
 * The state machine's entries on disk, so that a start need not apply everything again. A mirror: what a power cut or
 * a bad disk takes from it comes back from the last snapshot and the log.
 */
export class StateStore {
  readonly #database: Database
  readonly #meta: Sublevel
  readonly #slots: Sublevel
  readonly #generations: Readonly<Record<'a' | 'b', Sublevel>>
  #stamp: Stamp
  #proven: Tree | undefined

  private constructor(database: Database, stamp: Stamp) {
    this.#database = database
    this.#meta = database.sublevel('cell-state')
    this.#slots = database.sublevel('cell-state-slots')
    this.#generations = { a: database.sublevel('cell-state-a'), b: database.sublevel('cell-state-b') }
    this.#stamp = stamp
  }

  /**
   * @param incarnation - of the log beside it
   * @throws {CodedError} E_CELL_STATE_CORRUPT: begin an empty one in its place
   */
  static async open(database: Database, incarnation: Uint8Array): Promise<StateStore> {
    const record = await reading(() => database.sublevel('cell-state').get(STAMP_KEY))
    const stamp = record === undefined ? emptyStamp(incarnation) : decodeStamp(record)
    if (!Buffer.from(incarnation).equals(stamp.incarnation)) throw corrupt('it belongs to another log')
    const store = new StateStore(database, stamp)
    await reading(() => store.#checkSlots())
    return store
  }

  get applied(): number {
    return this.#stamp.applied
  }

  /** Reads all of it. @throws {CodedError} E_CELL_STATE_CORRUPT: begin an empty one in its place */
  async prove(): Promise<void> {
    this.#proven = await this.#read()
  }

  /** All of it; what was proven is not read again. @throws {CodedError} E_CELL_STATE_CORRUPT */
  async tree(): Promise<Tree> {
    const tree = this.#proven ?? (await this.#read())
    this.#proven = undefined
    return tree
  }

  async #read(): Promise<Tree> {
    return reading(async () => {
      const builder = new TreeBuilder()
      for await (const [key, value] of this.load()) builder.add(key, value)
      return builder.finish()
    })
  }

  /** Ascending by key. @throws {CodedError} E_CELL_STATE_CORRUPT: replace all from the last snapshot */
  async *load(): AsyncGenerator<StateEntry> {
    try {
      for await (const [key, value] of this.#current.entries()) yield [textOf(key), value]
    } catch (error) {
      throw explained(error)
    }
  }

  /** In the order of the calls, whole or not at all; durable with a later `flush`. */
  async apply(change: StateChange): Promise<void> {
    const writes: Write[] = []
    for (const [key, value] of change.changes) {
      writes.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value })
    }
    await this.#commit({ ...this.#stamp, applied: change.applied }, writes, false)
  }

  /** Syncs what was applied before the call; that a power cut took some of it all the same (SLOTS) shows at the next start. */
  async flush(): Promise<void> {
    await this.#commit(this.#stamp, [], true)
  }

  /** A crash in the middle leaves the old state or the new one. No `apply` while it runs. */
  async replaceAll(applied: number, entries: AsyncIterable<StateEntry> | Iterable<StateEntry>): Promise<void> {
    const from = this.#stamp.generation
    const generation = from === 'a' ? 'b' : 'a'
    // What a crash in the middle left of an earlier try.
    await clear(this.#generations[generation])
    await fill(this.#generations[generation], entries)
    const since = this.#stamp.sequence
    await this.#commit({ ...this.#stamp, applied, generation, since }, [], true)
    await clear(this.#generations[from])
  }

  get #current(): Sublevel {
    return this.#generations[this.#stamp.generation]
  }

  async #commit(next: Stamp, writes: Write[], sync: boolean): Promise<void> {
    this.#stamp = { ...next, sequence: next.sequence + 1 }
    this.#proven = undefined
    const { sequence } = this.#stamp
    const parts: { sublevel: Sublevel; writes: Write[] }[] = [
      { sublevel: this.#current, writes },
      {
        sublevel: this.#slots,
        writes: [{ type: 'put', key: bigEndian(sequence % SLOTS), value: bigEndian(sequence) }],
      },
      { sublevel: this.#meta, writes: [{ type: 'put', key: STAMP_KEY, value: stampCodec.encode(this.#stamp) }] },
    ]
    await this.#database.batch(parts, { sync })
  }

  async #checkSlots(): Promise<void> {
    const { sequence, since } = this.#stamp
    const oldest = Math.max(since, sequence - SLOTS)
    let found = 0
    for await (const [, value] of this.#slots.entries()) {
      const number = numberOf(value)
      if (number > sequence) throw corrupt(`it ends at batch ${sequence}, ${number} was written`)
      if (number > oldest) found++
    }
    if (found !== sequence - oldest) throw corrupt(`${sequence - oldest - found} of its batches are lost`)
  }
}

async function fill(store: Sublevel, entries: AsyncIterable<StateEntry> | Iterable<StateEntry>): Promise<void> {
  let writes: Write[] = []
  let bytes = 0
  for await (const [key, value] of entries) {
    writes.push({ type: 'put', key, value })
    bytes += key.length + value.byteLength
    if (bytes < CHUNK_BYTES) continue
    // Each synced: a sync of the last would not reach those in LevelDB's earlier log files.
    await store.batch(writes)
    writes = []
    bytes = 0
  }
  await store.batch(writes)
}

async function clear(store: Sublevel): Promise<void> {
  let writes: Write[] = []
  for await (const key of store.keys()) {
    if (writes.push({ type: 'del', key }) < 10_000) continue
    await store.batch(writes)
    writes = []
  }
  await store.batch(writes)
}

function emptyStamp(incarnation: Uint8Array): Stamp {
  return { version: STATE_VERSION, incarnation, generation: 'a', sequence: 0, since: 0, applied: 0 }
}

function decodeStamp(record: Uint8Array): Stamp {
  try {
    return stampCodec.decode(record)
  } catch (error) {
    throw corrupt('its stamp is none of this release', error)
  }
}

function bigEndian(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

function numberOf(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64BE())
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw explained(error)
  }
}

function explained(error: unknown): unknown {
  return error instanceof CodedError && DAMAGE.has(error.code) ? corrupt(error.message, error) : error
}

function corrupt(what: string, cause?: unknown): CodedError {
  return new CodedError('E_CELL_STATE_CORRUPT', `the stored state of the cell is damaged: ${what}`, {
    hint: 'nothing agreed is lost: the node builds it anew from its last snapshot and its log',
    cause,
  })
}
