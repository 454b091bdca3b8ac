import { concat } from 'uint8arrays/concat'
import { ignore, reject, type Verdict } from '../shared/verdict.ts'
import type { BftPart } from './codec.ts'
import { MAX_ASSEMBLIES, MAX_COMPLETED } from './constants.ts'
import { keyOf } from './key-of.ts'

interface UnderWay {
  readonly height: number
  readonly total: number
  readonly parts: (Uint8Array | undefined)[]
  missing: number
}

/** Puts parts of blocks together, for each peer by itself: nobody spoils what another one sends. */
export class Assembly {
  readonly #peers = new Map<string, Map<string, UnderWay>>()
  /** heights by value */
  readonly #completed = new Map<string, number>()

  /**
   * @param height - that runs here: parts of it and of the next are taken
   * @returns the block's bytes, not checked yet, with its last part; a verdict where a part is not taken
   */
  add(peer: string, part: BftPart, height: number): Uint8Array | Verdict | undefined {
    if (part.height < height || part.height > height + 1) return ignore('E_BFT_FAR')
    const key = keyOf(part.value)
    if (this.#completed.has(key)) return ignore('E_BFT_DUPLICATE')
    const block = this.#blockOf(peer, key, part)
    if (block.total !== part.total || block.height !== part.height) return reject('E_BFT_PART')
    if (block.parts[part.index] !== undefined) return ignore('E_BFT_DUPLICATE')
    // A copy: the frame that it is a part of would be kept alive.
    block.parts[part.index] = part.bytes.slice()
    if (--block.missing > 0) return undefined
    this.#drop(peer, key)
    return concat(block.parts as Uint8Array[])
  }

  /** Its block is here: parts of it are not put together again. */
  completed(height: number, value: Uint8Array): void {
    this.#completed.set(keyOf(value), height)
    if (this.#completed.size > MAX_COMPLETED) this.#completed.delete(this.#completed.keys().next().value!)
    for (const peer of this.#peers.keys()) this.#drop(peer, keyOf(value))
  }

  /** It is asked for: whatever came before is not here. */
  wanted(value: Uint8Array): void {
    this.#completed.delete(keyOf(value))
  }

  /** The heights below are over. */
  reached(height: number): void {
    for (const [peer, blocks] of this.#peers)
      for (const [key, block] of blocks) if (block.height < height) this.#drop(peer, key)
    for (const [key, of] of this.#completed) if (of < height) this.#completed.delete(key)
  }

  /** Bytes of parts that wait for others. */
  get byteLength(): number {
    let bytes = 0
    for (const blocks of this.#peers.values())
      for (const { parts } of blocks.values()) for (const part of parts) bytes += part?.byteLength ?? 0
    return bytes
  }

  #blockOf(peer: string, key: string, { height, total }: BftPart): UnderWay {
    let blocks = this.#peers.get(peer)
    if (blocks === undefined) this.#peers.set(peer, (blocks = new Map()))
    let block = blocks.get(key)
    if (block === undefined) {
      if (blocks.size >= MAX_ASSEMBLIES) blocks.delete(blocks.keys().next().value!)
      block = { height, total, parts: Array.from({ length: total }, () => undefined), missing: total }
      blocks.set(key, block)
    }
    return block
  }

  #drop(peer: string, key: string): void {
    const blocks = this.#peers.get(peer)
    blocks?.delete(key)
    if (blocks?.size === 0) this.#peers.delete(peer)
  }
}
