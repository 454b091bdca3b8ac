import { MAX_BLOCK_BYTES } from './limits.ts'

/** What a node has of its own; links are the sha2-256 digests of the nodes below. */
export interface NodeBlock {
  readonly layer: number
  readonly keys: readonly string[]
  readonly values: readonly Uint8Array[]
  readonly links: readonly (Uint8Array | null)[]
}

const UINT = 0x00
const BYTES = 0x40
const TEXT = 0x60
const LIST = 0x80
const NULL = 0xf6
/** dag-cbor of a link: tag 42, 37 bytes, of these a zero and the head of a CIDv1, dag-cbor, sha2-256 (32 bytes follow). */
const LINK = Buffer.from([0xd8, 0x2a, 0x58, 0x25, 0x00, 0x01, 0x71, 0x12, 0x20])
const DIGEST_BYTES = 32
const MAX_LAYER = 64

/**
 * dag-cbor of [layer, keys, values, links | null], byte for byte as `@ipld/dag-cbor` has it; written out, since it is
 * done for every node on the way to every change, and this takes a tenth of the time.
 */
export function encodeNode({ layer, keys, values, links }: NodeBlock): Uint8Array {
  const block = Buffer.allocUnsafeSlow(lengthOf({ layer, keys, values, links }))
  let at = writeHead(block, 0, LIST, 4)
  at = writeHead(block, at, UINT, layer)
  at = writeHead(block, at, LIST, keys.length)
  for (const key of keys) {
    at = writeHead(block, at, TEXT, key.length)
    at += block.write(key, at, 'latin1')
  }
  at = writeHead(block, at, LIST, values.length)
  for (const value of values) {
    at = writeHead(block, at, BYTES, value.byteLength)
    block.set(value, at)
    at += value.byteLength
  }
  at = writeHead(block, at, LIST, links.length)
  for (const link of links) at = writeLink(block, at, link)
  return new Uint8Array(block.buffer)
}

function lengthOf({ layer, keys, values, links }: NodeBlock): number {
  let length = 1 + headBytes(layer) + headBytes(keys.length) + headBytes(values.length) + headBytes(links.length)
  for (const key of keys) length += headBytes(key.length) + key.length
  for (const { byteLength } of values) length += headBytes(byteLength) + byteLength
  for (const link of links) length += link === null ? 1 : LINK.length + DIGEST_BYTES
  return length
}

function headBytes(value: number): number {
  if (value < 24) return 1
  if (value < 0x100) return 2
  return value < 0x10000 ? 3 : 5
}

function writeHead(block: Buffer, at: number, major: number, value: number): number {
  if (value < 24) return block.writeUInt8(major | value, at)
  if (value < 0x100) return block.writeUInt8(value, block.writeUInt8(major | 24, at))
  if (value < 0x10000) return block.writeUInt16BE(value, block.writeUInt8(major | 25, at))
  return block.writeUInt32BE(value, block.writeUInt8(major | 26, at))
}

function writeLink(block: Buffer, at: number, link: Uint8Array | null): number {
  if (link === null) return block.writeUInt8(NULL, at)
  block.set(LINK, at)
  block.set(link, at + LINK.length)
  return at + LINK.length + DIGEST_BYTES
}

/**
 * Takes what `encodeNode` writes, and nothing else: no other bytes give the same node.
 *
 * @returns values and links as views of `block`
 * @throws {RangeError} it is none
 */
export function decodeNode(block: Uint8Array): NodeBlock {
  return new Reader(block).node()
}

class Reader {
  readonly #block: Buffer
  #at = 0

  constructor(block: Uint8Array) {
    if (block.byteLength > MAX_BLOCK_BYTES) throw new RangeError(`over ${MAX_BLOCK_BYTES} bytes`)
    this.#block = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  }

  node(): NodeBlock {
    if (this.#head(LIST) !== 4) throw new RangeError('not four parts')
    const layer = this.#head(UINT)
    if (layer > MAX_LAYER) throw new RangeError('a layer that no key has')
    const keys = this.#list(() => this.#key())
    const values = this.#list(() => this.#take(this.#head(BYTES)))
    const links = this.#list(() => this.#link())
    if (this.#at !== this.#block.byteLength) throw new RangeError('something follows')
    return { layer, keys, values, links }
  }

  #list<T>(read: () => T): T[] {
    // One by one: a length that is a lie ends at the end of the block, before much is made of it.
    const items: T[] = []
    for (let left = this.#head(LIST); left > 0; left--) items.push(read())
    return items
  }

  /** Of what is no ASCII the tree's own check of keys says that it is none. */
  #key(): string {
    const length = this.#head(TEXT)
    const start = this.#at
    this.#at = this.#within(start + length)
    return this.#block.toString('latin1', start, this.#at)
  }

  #link(): Uint8Array | null {
    if (this.#block[this.#at] === NULL) {
      this.#at++
      return null
    }
    if (LINK.compare(this.#take(LINK.length)) !== 0) throw new RangeError('not a link of a tree')
    return this.#take(DIGEST_BYTES)
  }

  #take(length: number): Uint8Array {
    const start = this.#at
    this.#at = this.#within(start + length)
    return new Uint8Array(this.#block.buffer, this.#block.byteOffset + start, length)
  }

  /** @returns the value of a head of the shortest form */
  #head(major: number): number {
    const info = this.#block.readUInt8(this.#at++) - major
    if (info >= 0 && info < 24) return info
    const width = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : 0
    if (width === 0) throw new RangeError('another type, or a number out of range')
    const value = this.#block.readUIntBE(this.#at, width)
    this.#at += width
    if (headBytes(value) !== 1 + width) throw new RangeError('a number in a longer form than it needs')
    return value
  }

  #within(end: number): number {
    if (end > this.#block.byteLength) throw new RangeError('it breaks off')
    return end
  }
}
