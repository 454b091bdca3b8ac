import { hash } from 'node:crypto'
import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { NodeValues } from './node-values.ts'

export const DAG_CBOR = 0x71
export const SHA2_256 = 0x12
const NO_CHILDREN: readonly undefined[] = []

/**
 * A node of a Merkle search tree: all keys of one layer within a range, and between them the nodes of what lies lower.
 * A child's layer is under its parent's, layers may be skipped, no node is without keys: so the same keys always give
 * the same nodes. Never changed once made.
 */
export class TreeNode {
  readonly layer: number
  /** ascending, ≥ 1 */
  readonly keys: readonly string[]
  readonly values: NodeValues
  /** one more than keys; none at all in layer 0 */
  readonly children: readonly (TreeNode | undefined)[]
  /** entries of the whole subtree */
  readonly count: number
  #hash: Uint8Array | undefined

  constructor(
    layer: number,
    keys: readonly string[],
    values: NodeValues | readonly Uint8Array[],
    children: readonly (TreeNode | undefined)[],
    hash?: Uint8Array,
  ) {
    this.layer = layer
    this.keys = keys
    this.values = values instanceof NodeValues ? values : new NodeValues(values)
    this.children = layer === 0 ? NO_CHILDREN : children
    let count = keys.length
    for (const child of this.children) count += child === undefined ? 0 : child.count
    this.count = count
    this.#hash = hash
  }

  /** Hashes what has changed since it was last asked, and no more. */
  get cid(): CID {
    return cidOfHash((this.#hash ??= this.#settle()))
  }

  /** What is hashed has most likely ceased to change. */
  #settle(): Uint8Array {
    const hash = sha256(this.encode())
    this.values.pack()
    return hash
  }

  /** dag-cbor of [layer, keys, values, links | null] */
  encode(): Uint8Array {
    return encodeNode({
      layer: this.layer,
      keys: this.keys,
      values: this.values.list(),
      links: this.children.map((child) => child?.cid ?? null),
    })
  }
}

/** A node as its block has it. */
export interface NodeBlock {
  readonly layer: number
  readonly keys: readonly string[]
  readonly values: readonly Uint8Array[]
  readonly links: readonly (CID | null)[]
}

export function encodeNode({ layer, keys, values, links }: NodeBlock): Uint8Array {
  return encode([layer, keys, values, links])
}

/** @returns CIDv1, dag-cbor, sha2-256 */
export function cidOf(block: Uint8Array): CID {
  return cidOfHash(sha256(block))
}

function sha256(bytes: Uint8Array): Uint8Array {
  // A copy on the heap: what node:crypto gives has memory of its own beside it, which is ten times as much.
  return Uint8Array.from(hash('sha256', bytes, 'buffer'))
}

function cidOfHash(digest: Uint8Array): CID {
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
