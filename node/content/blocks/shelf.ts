import type { CID } from 'multiformats/cid'
import type { MultihashDigest } from 'multiformats/hashes/interface'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { MAX_BLOCK_BYTES } from '../constants.ts'
import { BlockFiles } from './block-files.ts'
import { BlockIndex, type State, type Totals } from './block-index.ts'
import { DiskRoom } from './disk-room.ts'
import { matches } from './hashes.ts'
import { KeyQueue } from './key-queue.ts'
import { pipelined } from './pipelined.ts'
import { RecentRows } from './recent-rows.ts'
import { absent, damaged, overQuota } from './refusals.ts'
import type { Row } from './row.ts'

/**
 * Smaller blocks are packed into the database, where one sync serves many. Measured on a busy disk:
 * of 16 KiB 2 400/s packed and 800/s as files, of 64 KiB 1 300 and 300, of 256 KiB 300 and 300.
 */
export const PACKED_BELOW_BYTES = 128 * 1024
const ADOPTED_AT_ONCE = 64

export interface BlockStoreInit {
  path: string
  /** Bytes of blocks, ≥ 0. */
  quotaBytes: number
  /** Of new ones; ≤ 2 MiB. */
  maxBlockBytes: number
  /** Called once a new block can be read, not before. */
  onStored: (cid: CID) => void
  /** Called once when the disk can no longer be trusted; nothing is written after it. */
  onFatal?: (error: CodedError) => void
  /** Called for each block that was found damaged, or its file gone, and is therefore no longer held. */
  onDamaged?: (cid: CID) => void
}

interface Keeping {
  /** A row whose file is gone. */
  known: Row | undefined
  /** Ends the claim on the quota. */
  release: () => void
}

/**
 * Files and index together, one block at a time: all that changes a block waits its turn.
 *
 * A file without a row (of a crash, or of a store before there was an index) is taken in after
 * `open`, in the background or when somebody asks for it; a row whose file is gone goes at `get`.
 */
export class Shelf {
  readonly #init: BlockStoreInit
  readonly #files: BlockFiles
  readonly #room: DiskRoom
  readonly #queue = new KeyQueue()
  readonly #recent = new RecentRows()
  #index: BlockIndex | undefined
  #state: State = 'closed'
  #adopting: Promise<void> | undefined
  #isAdopted = false
  /** Bytes of blocks that are being written and not yet counted by the index. */
  #claimed = 0
  #failed: CodedError | undefined

  constructor(init: BlockStoreInit) {
    this.#init = init
    this.#files = new BlockFiles(init.path)
    this.#room = new DiskRoom(init.path, () => this.#files.free())
  }

  async open(): Promise<void> {
    await this.#files.open()
    const index = new BlockIndex(this.#init.path, {
      onFatal: (error) => this.#fail(error),
      canReopen: () => this.#room.isEnoughToReopen(),
    })
    try {
      const left = await index.state()
      this.#isAdopted = left === 'closed'
      this.#state = left === undefined || left === 'adopting' ? 'adopting' : 'open'
      await index.setState(this.#state)
    } catch (error) {
      await index.close()
      throw error
    }
    this.#index = index
    if (!this.#isAdopted) this.#adopt().catch(() => undefined)
  }

  async close(): Promise<void> {
    const index = this.#index
    if (index === undefined) return
    this.#state = 'closed'
    await this.#adopting?.catch(() => undefined)
    await this.#queue.idle()
    this.#index = undefined
    if (this.#isAdopted && this.#failed === undefined) await index.setState('closed').catch(() => undefined)
    await index.close()
  }

  get totals(): Readonly<Totals> {
    return this.#opened().totals
  }

  /** Resolves when the totals are whole: at once, but for a store whose files are being taken in. */
  async counted(): Promise<void> {
    if (this.#state === 'adopting') await this.#adopt()
  }

  async sizeOf({ multihash }: CID): Promise<number | undefined> {
    const recent = this.#recent.get(textOf(multihash))
    if (recent !== undefined) return recent.bytes
    const row = await this.#opened().row(multihash.bytes)
    return row === undefined && !this.#isAdopted ? this.#files.sizeOf(multihash) : row?.bytes
  }

  list(after: Uint8Array | undefined, limit: number): Promise<{ key: Uint8Array; row: Row }[]> {
    return this.#opened().list(after, limit)
  }

  async put(cid: CID, bytes: Uint8Array): Promise<void> {
    await this.#write([cid], () => this.#store(cid, bytes))
  }

  async get(cid: CID): Promise<Uint8Array> {
    return (await this.#sound(cid)) ?? this.#queue.run(textOf(cid.multihash), () => this.#examine(cid))
  }

  delete(cid: CID): Promise<void> {
    return this.deleteAll([cid])
  }

  /** One batch for all. @param cids - of different blocks */
  async deleteAll(cids: readonly CID[]): Promise<void> {
    await this.#write(cids, async () => {
      const found = await Promise.all(
        cids.map(async ({ multihash }) => ({ multihash, row: await this.#row(multihash) })),
      )
      await this.#discard(found.flatMap(({ multihash, row }) => (row === undefined ? [] : [{ multihash, row }])))
    })
  }

  #opened(): BlockIndex {
    if (this.#index === undefined) throw new CodedError('E_STORAGE_CLOSED', 'the block store is closed')
    return this.#index
  }

  #write(cids: readonly CID[], task: () => Promise<void>): Promise<void> {
    const keys = cids.map(({ multihash }) => textOf(multihash))
    return this.#queue.run(keys, async () => {
      if (this.#failed !== undefined) throw this.#failed
      try {
        await task()
      } catch (error) {
        if (error instanceof CodedError && error.code === 'E_STORAGE_SYNC') this.#fail(error)
        throw error
      }
    })
  }

  #fail(error: CodedError): void {
    if (this.#failed !== undefined) return
    this.#failed = error
    this.#init.onFatal?.(error)
  }

  async #store(cid: CID, bytes: Uint8Array): Promise<void> {
    const recent = this.#recent.get(textOf(cid.multihash))
    if (recent !== undefined) return this.#learn(cid, recent)
    const known = await this.#row(cid.multihash)
    if (known !== undefined && (known.packed || (await this.#files.sizeOf(cid.multihash)) === known.bytes)) {
      return this.#learn(cid, known)
    }
    const release = this.#claim(bytes.byteLength)
    try {
      await this.#room.write(bytes.byteLength, () => this.#keep(cid, bytes, { known, release }))
    } finally {
      release()
    }
    this.#init.onStored(cid)
  }

  async #keep({ multihash, code }: CID, bytes: Uint8Array, { known, release }: Keeping): Promise<void> {
    const packed = bytes.byteLength < PACKED_BELOW_BYTES
    const row = { bytes: bytes.byteLength, packed, codecs: [code] }
    const change = { key: multihash.bytes, row, before: known, ...(packed && { bytes }) }
    if (!packed) await this.#files.write(multihash, bytes)
    try {
      await this.#opened().commit([change], release)
      this.#recent.set(textOf(multihash), row)
    } catch (error) {
      // The row may be there or not: the next start looks, and until then it is asked of the files.
      this.#isAdopted = false
      throw error
    }
  }

  async #learn(cid: CID, row: Row): Promise<void> {
    if (row.codecs.includes(cid.code)) return
    const more = { ...row, codecs: [...row.codecs, cid.code] }
    await this.#opened().commit([{ key: cid.multihash.bytes, row: more, before: row }])
    this.#recent.set(textOf(cid.multihash), more)
  }

  /** Checked and counted in one step before the write, so that many at once cannot pass the quota together. */
  #claim(bytes: number): () => void {
    const used = this.#opened().totals.bytes + this.#claimed
    if (used + bytes > this.#init.quotaBytes) throw overQuota(used, this.#init.quotaBytes)
    this.#claimed += bytes
    let claimed = bytes
    return () => {
      this.#claimed -= claimed
      claimed = 0
    }
  }

  /** @returns the block when it is here and undamaged */
  async #sound(cid: CID): Promise<Uint8Array | undefined> {
    const bytes = (await this.#opened().packed(cid.multihash.bytes)) ?? (await this.#file(cid.multihash))
    return bytes != null && (await matches(cid, bytes)) ? bytes : undefined
  }

  async #file(multihash: MultihashDigest): Promise<Uint8Array | undefined | null> {
    const row = await this.#opened().row(multihash.bytes)
    // A too large block came past `put`; sending it would hang bitswap. The setting is for new ones alone.
    if (row === undefined || row.packed || row.bytes > MAX_BLOCK_BYTES) return undefined
    return this.#files.read(multihash, row.bytes)
  }

  /** Looks again when nobody else writes or removes it; of many readers one removes a damaged block. */
  async #examine(cid: CID): Promise<Uint8Array> {
    const row = await this.#row(cid.multihash)
    if (row === undefined) throw absent(cid)
    const bytes = await this.#sound(cid)
    if (bytes !== undefined) return bytes
    await this.#discard([{ multihash: cid.multihash, row }])
    this.#init.onDamaged?.(cid)
    throw damaged(cid)
  }

  /** The row first: what a crash leaves is a file without a row, of a removal that nobody was told of. */
  async #discard(blocks: readonly { multihash: MultihashDigest; row: Row }[]): Promise<void> {
    for (const { multihash } of blocks) this.#recent.delete(textOf(multihash))
    await this.#opened().commit(
      blocks.map(({ multihash, row }) => ({ key: multihash.bytes, row: undefined, before: row })),
    )
    await Promise.all(blocks.map(({ multihash, row }) => (row.packed ? undefined : this.#files.remove(multihash))))
  }

  /** Only in its turn. */
  async #row(multihash: MultihashDigest): Promise<Row | undefined> {
    const row = await this.#opened().row(multihash.bytes)
    if (this.#isAdopted) return row
    if (row?.packed === true) await this.#files.remove(multihash)
    if (row !== undefined) return row
    const bytes = await this.#files.sizeOf(multihash)
    if (bytes === undefined) return undefined
    await this.#files.settle(multihash)
    const found = { bytes, packed: false, codecs: [] }
    await this.#opened().commit([{ key: multihash.bytes, row: found, before: undefined }])
    return found
  }

  /** Gives each file a row; tried again by the next caller when it fails. */
  #adopt(): Promise<void> {
    this.#adopting ??= this.#adoptAll().finally(() => (this.#adopting = undefined))
    return this.#adopting
  }

  async #adoptAll(): Promise<void> {
    const limits = { tasks: ADOPTED_AT_ONCE, weight: ADOPTED_AT_ONCE, weightOf: () => 1 }
    const adopt = (multihash: MultihashDigest): Promise<Row | undefined> =>
      this.#queue.run(textOf(multihash), () => this.#row(multihash))
    const adopted = pipelined(this.#files.list(), limits, adopt)
    for await (const _ of adopted) if (this.#state === 'closed') return
    this.#isAdopted = true
    if (this.#state !== 'adopting') return
    await this.#opened().setState('open')
    this.#state = 'open'
  }
}

function textOf({ bytes }: MultihashDigest): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
