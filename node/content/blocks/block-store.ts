import type { AbortOptions } from '@libp2p/interface'
import type { Blockstore, InputPair, Pair } from 'interface-blockstore'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { Budget } from './budget.ts'
import { collect } from './collect.ts'
import { isIdentity, requireCheckable } from './hashes.ts'
import { pipelined } from './pipelined.ts'
import { tooLarge } from './refusals.ts'
import type { Row } from './row.ts'
import { Shelf, type BlockStoreInit } from './shelf.ts'

export interface ListedBlock {
  /** With the codec under which it was first put; `raw` when only its file was found. */
  cid: CID
  bytes: number
}

type Bytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Of blocks being written; who comes later waits. */
const IN_FLIGHT_BYTES = 32 * 1_048_576
const IN_FLIGHT_BLOCKS = 256
const PAGE = 256

/**
 * The blocks of this node. What was put survives a power cut: large blocks are files, synced with
 * their directories, before the index has a row for them; small ones lie in the index itself. A
 * block is its multihash, whatever codec a CID gives it. The hash is checked at every `get`.
 */
export class BlockStore implements Blockstore {
  readonly #init: BlockStoreInit
  readonly #shelf: Shelf
  readonly #inFlight = new Budget(IN_FLIGHT_BYTES)

  constructor(init: BlockStoreInit) {
    this.#init = init
    this.#shelf = new Shelf(init)
  }

  /** @throws {CodedError} E_DISK_FULL, E_LOCKED, E_MODE_TOO_WIDE, E_STORAGE_*, E_DATA_VERSION */
  open(): Promise<void> {
    return this.#shelf.open()
  }

  /** Resolves when all that was called has ended. */
  close(): Promise<void> {
    return this.#shelf.close()
  }

  /** Bytes of all blocks; of a store that is being taken in, when that is done. */
  async usedBytes(): Promise<number> {
    await this.#shelf.counted()
    return this.#shelf.totals.bytes
  }

  async count(): Promise<number> {
    await this.#shelf.counted()
    return this.#shelf.totals.blocks
  }

  async has(cid: CID, options?: AbortOptions): Promise<boolean> {
    options?.signal?.throwIfAborted()
    return isIdentity(cid) || (await this.sizeOf(cid)) !== undefined
  }

  async sizeOf(cid: CID): Promise<number | undefined> {
    if (isIdentity(cid)) return cid.multihash.digest.byteLength
    return this.#shelf.sizeOf(cid)
  }

  /** One page, in the order of the multihashes' bytes. */
  async list(page: { after?: Uint8Array; limit: number }): Promise<ListedBlock[]> {
    const listed = await this.#shelf.list(page.after, page.limit)
    return listed.map(({ key, row }) => ({ cid: cidOf(key, row), bytes: row.bytes }))
  }

  async *getAll(options?: AbortOptions): AsyncGenerator<Pair> {
    let after: Uint8Array | undefined
    for (;;) {
      options?.signal?.throwIfAborted()
      const page = await this.list({ limit: PAGE, ...(after !== undefined && { after }) })
      for (const { cid } of page) yield { cid, bytes: this.get(cid, options) }
      after = page.at(-1)?.cid.multihash.bytes
      if (after === undefined) return
    }
  }

  /**
   * Resolves when the block survives a power cut.
   *
   * @throws {CodedError} E_BLOCK_TOO_LARGE, E_QUOTA, E_HASH_UNSUPPORTED, E_DISK_FULL, E_STORAGE_*
   */
  async put(cid: CID, value: Bytes, options?: AbortOptions): Promise<CID> {
    options?.signal?.throwIfAborted()
    const bytes = value instanceof Uint8Array ? value : await collect(value)
    const { maxBlockBytes } = this.#init
    if (bytes.byteLength > maxBlockBytes) throw tooLarge(cid, bytes.byteLength, maxBlockBytes)
    if (isIdentity(cid)) return cid
    requireCheckable(cid)
    await this.#inOrder(bytes.byteLength, () => this.#shelf.put(cid, bytes))
    return cid
  }

  async *putMany(source: Iterable<InputPair> | AsyncIterable<InputPair>, options?: AbortOptions): AsyncGenerator<CID> {
    const weightOf = ({ bytes }: { bytes: Uint8Array }): number => bytes.byteLength
    const limits = { tasks: IN_FLIGHT_BLOCKS, weight: IN_FLIGHT_BYTES, weightOf }
    yield* pipelined(collected(source), limits, ({ cid, bytes }) => this.put(cid, bytes, options))
  }

  /** @throws {CodedError} E_CONTENT_NOT_FOUND or E_BLOCK_CORRUPT, both named NotFoundError; E_STORAGE_* */
  async *get(cid: CID, options?: AbortOptions): AsyncGenerator<Uint8Array> {
    options?.signal?.throwIfAborted()
    if (isIdentity(cid)) yield cid.multihash.digest
    else yield await this.#shelf.get(cid)
  }

  async *getMany(source: Iterable<CID> | AsyncIterable<CID>, options?: AbortOptions): AsyncGenerator<Pair> {
    for await (const cid of source) yield { cid, bytes: this.get(cid, options) }
  }

  /** Resolves when no power cut brings the block back. */
  async delete(cid: CID, options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    if (isIdentity(cid)) return
    await this.#inOrder(0, () => this.#shelf.delete(cid))
  }

  /** As `delete`, in one batch. @param cids - of different blocks */
  async deleteAll(cids: readonly CID[]): Promise<void> {
    const stored = cids.filter((cid) => !isIdentity(cid))
    if (stored.length > 0) await this.#inOrder(0, () => this.#shelf.deleteAll(stored))
  }

  async *deleteMany(source: Iterable<CID> | AsyncIterable<CID>, options?: AbortOptions): AsyncGenerator<CID> {
    const limits = { tasks: IN_FLIGHT_BLOCKS, weight: IN_FLIGHT_BLOCKS, weightOf: () => 1 }
    yield* pipelined(source, limits, async (cid) => {
      await this.delete(cid, options)
      return cid
    })
  }

  /** Puts and deletes wait in one line, so that none overtakes an earlier one of the same block. */
  async #inOrder(bytes: number, task: () => Promise<void>): Promise<void> {
    await this.#shelf.counted()
    await this.#inFlight.run(bytes, task)
  }
}

async function* collected(source: Iterable<InputPair> | AsyncIterable<InputPair>) {
  for await (const { cid, bytes } of source)
    yield { cid, bytes: bytes instanceof Uint8Array ? bytes : await collect(bytes) }
}

function cidOf(key: Uint8Array, { codecs }: Row): CID {
  return CID.createV1(codecs[0] ?? raw.code, Digest.decode(key))
}
