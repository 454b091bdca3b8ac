import { randomInt } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import { z } from 'zod'
import { SALT_BYTES } from '../../../protocols/audit/index.ts'
import { defineCodec } from '../../../protocols/shared/codec.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { isLeaf, linksOf } from '../../content/pins/links.ts'
import type { Sublevel, Write } from '../../storage/sublevel.ts'
import {
  MAX_PRECOMPUTED_PINS,
  MAX_WALKED_BLOCKS,
  PRECOMPUTED,
  PRECOMPUTED_BLOCKS,
  PRECOMPUTED_BYTES,
} from './constants.ts'
import { expectationOf, readerOf, type Expectation, type RandomBytes, type ReadBlock } from './sample.ts'

const PREFIX = 'c\u0000'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const record = defineCodec(
  'precomputed challenge',
  8_192,
  z.strictObject({ salt: bytes, blocks: z.array(bytes), bytes: z.int().min(0), digest: bytes }),
)

export type Prepared = Expectation & { readonly salt: Uint8Array }

export interface PrecomputedInit {
  store: Sublevel
  readBlock: ReadBlock
  random: RandomBytes
  maxPins?: number
}

/** Challenges for content that is held elsewhere alone, computed while it was here. Each is used once. */
export class Precomputed {
  readonly #init: PrecomputedInit
  /** how many are left, by CID */
  readonly #left = new Map<string, number>()

  constructor(init: PrecomputedInit) {
    this.#init = init
  }

  /** @param isKept - whether there is still such a pin; what was made for others is dropped */
  async open(isKept: (cid: string) => boolean): Promise<void> {
    this.#left.clear()
    for await (const key of this.#init.store.keys({ gte: PREFIX, lt: 'c\u0001' })) {
      const [, cid = ''] = Buffer.from(key).toString().split('\u0000')
      this.#left.set(cid, (this.#left.get(cid) ?? 0) + 1)
    }
    for (const cid of this.#left.keys()) if (!isKept(cid)) await this.drop(cid)
  }

  get size(): number {
    return this.#left.size
  }

  cids(): string[] {
    return [...this.#left.keys()]
  }

  /** @returns how many challenges are left, undefined for a pin for which there never were any, or are no more */
  left(cid: string): number | undefined {
    return this.#left.get(cid)
  }

  /**
   * Resolves when they are durable: before that the bytes must not be given away.
   *
   * @returns false when there is no more room
   * @throws {CodedError} E_CONTENT_NOT_FOUND, and what reading and writing throw
   */
  async make(root: CID, signal: AbortSignal): Promise<boolean> {
    const cid = root.toString()
    if (!this.#left.has(cid) && this.#left.size >= (this.#init.maxPins ?? MAX_PRECOMPUTED_PINS)) return false
    const blocks = await this.#walk(root, signal)
    const writes: Write[] = []
    for (let at = 0; at < PRECOMPUTED; at++) {
      signal.throwIfAborted()
      writes.push({ type: 'put', key: keyOf(cid, at), value: await this.#one(blocks) })
    }
    await this.#init.store.batch(writes)
    this.#left.set(cid, PRECOMPUTED)
    return true
  }

  /** It is used up before anybody has seen it. */
  async take(cid: string): Promise<Prepared | undefined> {
    for await (const [key, value] of this.#init.store.entries({ ...rangeOf(cid), limit: 1 })) {
      await this.#init.store.del(key)
      const left = (this.#left.get(cid) ?? 1) - 1
      if (left > 0) this.#left.set(cid, left)
      else this.#left.delete(cid)
      return record.decode(value)
    }
    return undefined
  }

  async drop(cid: string): Promise<void> {
    if (!this.#left.delete(cid)) return
    const writes: Write[] = []
    for await (const key of this.#init.store.keys(rangeOf(cid))) writes.push({ type: 'del', key })
    await this.#init.store.batch(writes, { sync: false })
  }

  async #one(all: readonly Uint8Array[]): Promise<Uint8Array> {
    const salt = this.#init.random(SALT_BYTES)
    const some = new Set(Array.from({ length: PRECOMPUTED_BLOCKS }, () => all[randomInt(all.length)]!))
    const expected = await expectationOf(salt, some, readerOf(this.#init.readBlock), PRECOMPUTED_BYTES)
    if (expected === undefined) throw notHere()
    return record.encode({ salt, ...expected })
  }

  /** Multihashes of what is here. Leaves are not read yet. */
  async #walk(root: CID, signal: AbortSignal): Promise<Uint8Array[]> {
    const found = new Map<string, Uint8Array>()
    const waiting = [root]
    for (let cid = waiting.pop(); cid !== undefined && found.size < MAX_WALKED_BLOCKS; cid = waiting.pop()) {
      signal.throwIfAborted()
      const name = Buffer.from(cid.multihash.bytes).toString('latin1')
      if (found.has(name)) continue
      if (!isLeaf(cid)) {
        const block = await this.#init.readBlock(cid)
        if (block === undefined) continue
        waiting.push(...linksOf(cid, block))
      }
      found.set(name, cid.multihash.bytes)
    }
    if (found.size === 0) throw notHere()
    return [...found.values()]
  }
}

function notHere(): CodedError {
  return new CodedError('E_CONTENT_NOT_FOUND', 'no challenges can be computed for content that is not here')
}

function keyOf(cid: string, at: number): string {
  return `${PREFIX}${cid}\u0000${String(at).padStart(2, '0')}`
}

function rangeOf(cid: string): { gte: string; lt: string } {
  return { gte: `${PREFIX}${cid}\u0000`, lt: `${PREFIX}${cid}\u0001` }
}
