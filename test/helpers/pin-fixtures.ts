import { createHash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import type { GetBlock } from '../../node/content/dag.ts'
import { createLocalPins, type LocalPins, type PinStore } from '../../node/content/pins/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { Fuse, MemorySublevel, type Rows } from './memory-sublevel.ts'

export const NEVER = new AbortController().signal

export interface Block {
  cid: CID
  bytes: Uint8Array
}

export function block(bytes: Uint8Array, codec: number = raw.code): Block {
  const digest = Digest.create(0x12, createHash('sha256').update(bytes).digest())
  return { cid: CID.createV1(codec, digest), bytes }
}

export const rawBlock = (text: string): Block => block(Buffer.from(text))

/** A dag-cbor block that links to others. */
export function node(name: string, children: readonly Block[]): Block {
  const bytes = dagCbor.encode({ name, links: children.map(({ cid }) => cid) })
  return block(bytes, dagCbor.code)
}

/** A block store in memory; like a disk it outlives its users. */
export class MemoryBlocks implements PinStore {
  readonly blocks: Map<string, Block>
  readonly #fuse: Fuse
  reads = 0

  constructor(blocks = new Map<string, Block>(), fuse = new Fuse()) {
    this.blocks = blocks
    this.#fuse = fuse
  }

  async has(cid: CID): Promise<boolean> {
    return this.blocks.has(nameOf(cid))
  }

  async *get(cid: CID): AsyncGenerator<Uint8Array> {
    this.reads++
    const found = this.blocks.get(nameOf(cid))
    if (found === undefined) throw new CodedError('E_CONTENT_NOT_FOUND', `block ${cid} is not stored here`)
    const isSound = createHash('sha256').update(found.bytes).digest().equals(cid.multihash.digest)
    if (!isSound) throw new CodedError('E_BLOCK_CORRUPT', `block ${cid} is damaged`)
    yield found.bytes
  }

  async put(cid: CID, bytes: Uint8Array): Promise<CID> {
    if (!this.blocks.has(nameOf(cid))) this.#fuse.step(() => void this.blocks.set(nameOf(cid), { cid, bytes }))
    return cid
  }

  async deleteAll(cids: readonly CID[]): Promise<void> {
    for (const cid of cids) await this.delete(cid)
  }

  async delete(cid: CID): Promise<void> {
    this.#fuse.step(() => void this.blocks.delete(nameOf(cid)))
  }

  async list({ after, limit }: { after?: Uint8Array; limit: number }): Promise<{ cid: CID; bytes: number }[]> {
    const from = after === undefined ? '' : Buffer.from(after).toString('hex')
    const names = [...this.blocks.keys()].filter((name) => name > from).toSorted()
    return names.slice(0, limit).map((name) => {
      const { cid, bytes } = this.blocks.get(name)!
      return { cid, bytes: bytes.byteLength }
    })
  }
}

/** Everything that can be fetched, and what was. */
export class Mesh {
  readonly fetched: string[] = []
  readonly #blocks = new Map<string, Block>()

  add(...blocks: Block[]): this {
    for (const each of blocks) this.#blocks.set(nameOf(each.cid), each)
    return this
  }

  remove({ cid }: Block): void {
    this.#blocks.delete(nameOf(cid))
  }

  /** From the store, else from here. */
  over(store: PinStore): GetBlock {
    return async (cid, signal) => {
      signal.throwIfAborted()
      if (await store.has(cid)) for await (const bytes of store.get(cid)) return bytes
      return this.fetch(cid, signal)
    }
  }

  readonly fetch: GetBlock = async (cid, signal) => {
    signal.throwIfAborted()
    this.fetched.push(cid.toString())
    const found = this.#blocks.get(nameOf(cid))
    if (found === undefined) throw new CodedError('E_CONTENT_NOT_FOUND', `nobody has ${cid}`)
    return found.bytes
  }
}

export interface Index {
  pins: LocalPins
  sublevel: MemorySublevel
  store: MemoryBlocks
  rows: Rows
}

/** An index on what an earlier one left. */
export async function openIndex(left: { rows?: Rows; store?: MemoryBlocks; sublevel?: MemorySublevel } = {}) {
  const rows: Rows = left.rows ?? new Map()
  const store = left.store ?? new MemoryBlocks()
  const sublevel = left.sublevel ?? new MemorySublevel(rows)
  const pins = createLocalPins({ sublevel, store, now: () => 1_000 })
  await pins.open()
  return { pins, sublevel, store, rows } satisfies Index
}

export const nameOf = (cid: CID): string => Buffer.from(cid.multihash.bytes).toString('hex')
export const namesOf = (blocks: Iterable<Block>): string[] => [...blocks].map(({ cid }) => nameOf(cid)).toSorted()
