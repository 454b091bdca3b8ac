import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { z } from 'zod'
import { linksOf as linksOfNode } from '../../consensus/state/index.ts'
import { defineCodec } from '../../protocols/shared/codec.ts'
import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Sublevel } from '../storage/sublevel.ts'

/** A follower may still fetch the last but one while the last is made. */
export const KEPT_SNAPSHOTS = 2
const DAG_CBOR = 0x71
const SHA2_256 = 0x12
const DIGEST_BYTES = 32
const ROOTS_KEY = 'roots'
const LOG_KEY = 'log'
const BROKEN = new Set(['E_CELL_BLOCK_CORRUPT', 'E_CELL_BLOCK_MISSING'])

const rootsSchema = z.array(
  z.strictObject({
    index: z.int().min(0),
    root: z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength <= 128),
  }),
)
const rootsCodec = defineCodec('cell snapshot roots', 1024, rootsSchema.max(KEPT_SNAPSHOTS))

export interface SnapshotBlock {
  readonly cid: CID
  readonly bytes: Uint8Array
}

export interface KeptSnapshot {
  readonly index: number
  readonly root: CID
}

/**
 * Blocks of the cell's snapshots, durable when `put` resolves. A block that is here says nothing of those below it, since
 * who fetches stores parents first; what the kept snapshots reach is whole.
 */
export class SnapshotBlocks {
  readonly #blocks: Sublevel
  readonly #meta: Sublevel
  /** what the kept snapshots reached at the last sweep, and nothing after a damage: it is all there */
  #reached: ReadonlySet<string> | undefined
  #holders = 0
  #sweeping: Promise<number> | undefined
  #keeping: Promise<void> = Promise.resolve()

  constructor(database: Database) {
    this.#blocks = database.sublevel('cell-blocks')
    this.#meta = database.sublevel('cell-snapshots')
  }

  /**
   * @param incarnation - of the log beside it: an index of another log's snapshot says nothing here
   * @throws {CodedError} E_CELL_BLOCK_CORRUPT when it is of another: begin an empty one in its place
   */
  async bind(incarnation: Uint8Array): Promise<void> {
    const bound = await this.#meta.get(LOG_KEY)
    if (bound === undefined) return this.#meta.put(LOG_KEY, incarnation)
    if (Buffer.from(incarnation).equals(bound)) return
    throw new CodedError('E_CELL_BLOCK_CORRUPT', 'the snapshots are those of another log', {
      hint: 'nothing agreed is lost: the node makes a new snapshot',
    })
  }

  /** All or nothing, synced. */
  put(blocks: readonly SnapshotBlock[]): Promise<void> {
    return this.#blocks.batch(blocks.map(({ cid, bytes }) => ({ type: 'put', key: cid.bytes, value: bytes })))
  }

  has(cid: CID): Promise<boolean> {
    return this.#blocks.has(cid.bytes)
  }

  /** @throws {CodedError} E_CELL_BLOCK_CORRUPT: fetch it again, or make a new snapshot */
  async get(cid: CID): Promise<Uint8Array | undefined> {
    const bytes = await this.#blocks.get(cid.bytes).catch((error: unknown) => {
      throw error instanceof CodedError && error.code === 'E_STORAGE_CORRUPT' ? this.#damaged(cid, error) : error
    })
    if (bytes !== undefined && !matches(cid, bytes)) throw this.#damaged(cid)
    return bytes
  }

  /**
   * Tells what a new snapshot need not bring, with all that is below it: what the kept ones reach. While these are not
   * whole it is nothing, so that the new one makes good what was lost.
   */
  async known(): Promise<(cid: CID) => boolean> {
    this.#reached ??= await this.#whole().catch(unlessBroken)
    const reached = this.#reached
    return (cid) => reached.has(nameOf(cid))
  }

  /** Ascending by index, two at most. */
  async snapshots(): Promise<KeptSnapshot[]> {
    const record = await this.#meta.get(ROOTS_KEY)
    const kept = record === undefined ? [] : rootsCodec.decode(record)
    return kept.map(({ index, root }) => ({ index, root: CID.decode(root) }))
  }

  /** Keeps a snapshot whose blocks are all here, and forgets all but the last `most`; durable when it resolves. */
  keep(snapshot: KeptSnapshot, most: 1 | typeof KEPT_SNAPSHOTS = KEPT_SNAPSHOTS): Promise<void> {
    // One after the other: of two that read the roots at once, the later would forget the earlier.
    const kept = this.#keeping.then(() => this.#keep(snapshot, most))
    this.#keeping = kept.catch(() => undefined)
    return kept
  }

  async #keep(snapshot: KeptSnapshot, most: number): Promise<void> {
    if (!(await this.has(snapshot.root))) throw missing(snapshot.root)
    const others = (await this.snapshots()).filter(({ index }) => index !== snapshot.index)
    const kept = [...others, snapshot].sort((a, b) => a.index - b.index).slice(-most)
    const record = rootsCodec.encode(kept.map(({ index, root }) => ({ index, root: root.bytes })))
    await this.#meta.put(ROOTS_KEY, record)
  }

  /** Nothing is swept until the release: for who writes or fetches a snapshot, and counts on what `has` told. */
  async hold(): Promise<() => void> {
    while (this.#sweeping !== undefined) await this.#sweeping.catch(() => undefined)
    this.#holders++
    let held = true
    return () => {
      if (held) this.#holders--
      held = false
    }
  }

  /**
   * Deletes the blocks that no kept snapshot reaches.
   *
   * @returns how many; undefined when somebody holds the store, then nothing was done
   * @throws {CodedError} E_CELL_BLOCK_MISSING | E_CELL_BLOCK_CORRUPT: a kept snapshot is not whole, nothing was deleted
   */
  async sweep(): Promise<number | undefined> {
    if (this.#holders > 0 || this.#sweeping !== undefined) return undefined
    this.#sweeping = this.#sweep()
    try {
      return await this.#sweeping
    } finally {
      this.#sweeping = undefined
    }
  }

  async #sweep(): Promise<number> {
    const dead: Uint8Array[] = []
    // Should it be broken, a new snapshot brings all.
    this.#reached = new Set()
    this.#reached = await this.#whole((key) => dead.push(key))
    // In one batch: half a sweep could leave a block whose children are gone.
    await this.#blocks.batch(dead.map((key) => ({ type: 'del', key })))
    return dead.length
  }

  /** @returns what the kept snapshots reach. @throws when something of it is not here */
  async #whole(onOther: (key: Uint8Array) => void = () => undefined): Promise<Set<string>> {
    const reached = await this.#reachable((await this.snapshots()).map(({ root }) => root))
    let found = 0
    for await (const key of this.#blocks.keys()) {
      if (reached.has(nameOfKey(key))) found++
      else onOther(key)
    }
    if (found < reached.size) throw await this.#lost(reached)
    return reached
  }

  /** Leaves are not read, which are fifteen of sixteen blocks. */
  async #reachable(open: CID[]): Promise<Set<string>> {
    const seen = new Set(open.map(nameOf))
    for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
      const bytes = await this.get(cid)
      if (bytes === undefined) throw missing(cid)
      const { links, areLeaves } = linksOfNode(bytes)
      for (const link of links) {
        const name = nameOf(link)
        if (seen.has(name)) continue
        seen.add(name)
        if (!areLeaves) open.push(link)
      }
    }
    return seen
  }

  async #lost(reached: ReadonlySet<string>): Promise<CodedError> {
    const lost = new Set(reached)
    for await (const key of this.#blocks.keys()) lost.delete(nameOfKey(key))
    const [name] = lost
    return missing(CID.createV1(DAG_CBOR, createDigest(SHA2_256, Buffer.from(name!, 'latin1'))))
  }

  #damaged(cid: CID, cause?: unknown): CodedError {
    this.#reached = new Set()
    return new CodedError('E_CELL_BLOCK_CORRUPT', `block ${cid.toString()} of a snapshot does not match its hash`, {
      hint: 'the disk may be failing; the cell gives the block again, or the node makes a new snapshot',
      cause,
    })
  }
}

/** What a block links to. @throws when it is none of a state */
export function linksOf(bytes: Uint8Array): CID[] {
  return linksOfNode(bytes).links
}

function matches(cid: CID, bytes: Uint8Array): boolean {
  const { code, digest } = cid.multihash
  return code === SHA2_256 && hash('sha256', bytes, 'buffer').equals(digest)
}

/** As latin1: a text of 32 characters takes a fifth of the memory of an array. */
function nameOf({ multihash: { digest } }: CID): string {
  return nameOfKey(digest)
}

function nameOfKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1', key.byteLength - DIGEST_BYTES)
}

/** Whether a kept snapshot was found not to be whole. */
export function isBroken(error: unknown): boolean {
  return BROKEN.has(codeOf(error))
}

function unlessBroken(error: unknown): Set<string> {
  if (isBroken(error)) return new Set()
  throw error
}

function missing(cid: CID): CodedError {
  return new CodedError('E_CELL_BLOCK_MISSING', `block ${cid.toString()} of a kept snapshot is not here`, {
    hint: 'the cell gives the block again, or the node makes a new snapshot',
  })
}
