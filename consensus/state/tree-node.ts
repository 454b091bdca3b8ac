import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { decodeNode, encodeNode, type NodeBlock } from './tree-block.ts'

const DAG_CBOR = 0x71
const SHA2_256 = 0x12
const NO_CHILDREN: readonly undefined[] = []

type Content = Pick<NodeBlock, 'keys' | 'values'>

/**
 * Leaves that are decoded at the moment, a fixed number of them: who reads one mostly reads it again, to write it. The
 * others are blocks alone, for sixteen keys and values of their own take four times the memory of their bytes.
 */
const decoded: (TreeNode | undefined)[] = Array.from({ length: 64 })
let turn = 0

/**
 * A node of a Merkle search tree: all keys of one layer within a range, and between them the nodes of what lies lower.
 * A child's layer is under its parent's, layers may be skipped, no node is without keys: so the same keys always give
 * the same nodes. Never changed once made; how it is kept changes when it is hashed.
 */
export class TreeNode {
  readonly layer: number
  /** one more than keys; none at all in layer 0 */
  readonly children: readonly (TreeNode | undefined)[]
  /** entries of the whole subtree */
  readonly count: number
  #content: Content | undefined
  #block: Uint8Array | undefined
  /** of the block, as latin1: a third of the memory of an array */
  #hash: string | undefined

  constructor(
    layer: number,
    keys: readonly string[],
    values: readonly Uint8Array[],
    children: readonly (TreeNode | undefined)[],
    block?: Uint8Array,
  ) {
    this.layer = layer
    this.children = layer === 0 ? NO_CHILDREN : children
    this.#content = { keys, values }
    let count = keys.length
    for (const child of this.children) count += child === undefined ? 0 : child.count
    this.count = count
    if (block !== undefined) this.#settle(block)
  }

  /** ascending, ≥ 1 */
  get keys(): readonly string[] {
    return this.content.keys
  }

  get values(): readonly Uint8Array[] {
    return this.content.values
  }

  get content(): Content {
    return this.#content ?? this.#decode()
  }

  get cid(): CID {
    return cidOfDigest(this.digest)
  }

  /** sha2-256 of the block; only what has changed since it was last asked for is hashed. */
  get digest(): Uint8Array {
    this.#hash ?? this.settle()
    return Buffer.from(this.#hash!, 'binary')
  }

  get block(): Uint8Array {
    return this.#block ?? this.settle()
  }

  /** What is hashed has most likely ceased to change: from now on it is its block. @returns the block */
  settle(): Uint8Array {
    if (this.#block !== undefined) return this.#block
    const links = this.children.map((child) => child?.digest ?? null)
    const block = encodeNode({ layer: this.layer, keys: this.keys, values: this.values, links })
    this.#settle(block)
    return block
  }

  #settle(block: Uint8Array): void {
    this.#block = block
    this.#hash = hash('sha256', block, 'binary')
    this.#content = this.layer === 0 ? undefined : decodeNode(block)
  }

  #decode(): Content {
    const content = decodeNode(this.#block!)
    const oldest = decoded[turn]
    if (oldest !== undefined) oldest.#content = undefined
    decoded[turn] = this
    turn = (turn + 1) % decoded.length
    return (this.#content = content)
  }
}

/** @returns CIDv1, dag-cbor, sha2-256 */
export function cidOf(block: Uint8Array): CID {
  return cidOfDigest(hash('sha256', block, 'buffer'))
}

export function cidOfDigest(digest: Uint8Array): CID {
  return CID.createV1(DAG_CBOR, createDigest(SHA2_256, digest))
}

/**
 * Layer of a key: leading zero bits of its sha2-256 / 4, so a sixteenth of the keys of a layer is in the next
 * (AT Protocol, "Repository", MST structure, with a fanout of 16).
 */
export function layerOf(key: string): number {
  const digits = hash('sha256', key, 'hex')
  let layer = 0
  while (digits.charCodeAt(layer) === 0x30) layer++
  return layer
}

/** @returns index of the first key ≥ `key` */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
