import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import { MAX_ENTRIES, MAX_KEY_CHARS, MAX_VALUE_BYTES } from './limits.ts'
import { encodeNode } from './tree-block.ts'
import { insert, remove, replace } from './tree-edit.ts'
import { cidOf, layerOf, lowerBound, TreeNode } from './tree-node.ts'

/**
 * An ordered map from keys to bytes that is never changed: every edit gives a new tree that shares all but the path to
 * the edit. The same content always has the same root CID, whatever the order of the edits that led to it.
 */
export interface Tree {
  readonly top: TreeNode | undefined
}

export type TreeEntry = readonly [key: string, value: Uint8Array]

export const EMPTY: Tree = { top: undefined }
export const EMPTY_BLOCK = encodeNode({ layer: 0, keys: [], values: [], links: [] })
export const EMPTY_ROOT = cidOf(EMPTY_BLOCK)
const KEY = /^[\x21-\x7e]+$/

export function size({ top }: Tree): number {
  return top?.count ?? 0
}

export function get({ top }: Tree, key: string): Uint8Array | undefined {
  let node = top
  while (node !== undefined) {
    const { keys, values } = node.content
    const at = lowerBound(keys, key)
    if (keys[at] === key) return values[at]
    node = node.children[at]
  }
  return undefined
}

/**
 * @param key - 1–640 printable ASCII characters without space
 * @param value - ≤ 4096 bytes; never to be changed afterwards
 * @throws {CodedError} E_TREE_ENTRY for a key or value out of these bounds
 */
export function set({ top }: Tree, key: string, value: Uint8Array): Tree {
  checkEntry(key, value)
  // Most writes replace: they need no layer, whose hash would be half of the work.
  return { top: replace(top, key, value) ?? insert(top, key, value) }
}

/** @returns the same tree when it has no such key */
export function del(tree: Tree, key: string): Tree {
  const top = remove(tree.top, key)
  return top === tree.top ? tree : { top }
}

/** CIDv1, dag-cbor, sha2-256; only nodes made since the last call are hashed. */
export function root({ top }: Tree): CID {
  return top?.cid ?? EMPTY_ROOT
}

/**
 * Entries in ascending order of their keys.
 *
 * @param range.prefix - only keys that begin so
 * @param range.from - only keys ≥ this; `${last}\0` goes on after the last key of a page
 */
export function* entries({ top }: Tree, range: { prefix?: string; from?: string } = {}): Generator<TreeEntry> {
  const { prefix = '', from = '' } = range
  const open = seek(top, from > prefix ? from : prefix)
  for (let place = open.at(-1); place !== undefined; place = open.at(-1)) {
    const { keys, values, children, at } = place
    const key = keys[at]
    if (key === undefined) {
      open.pop()
      continue
    }
    if (!key.startsWith(prefix)) return
    yield [key, values[at]!]
    place.at++
    for (let below = children[place.at]; below !== undefined; below = below.children[0]) open.push(placeIn(below, 0))
  }
}

/** What a node holds, and the next key of it to give. */
interface Place extends Pick<TreeNode, 'keys' | 'values' | 'children'> {
  at: number
}

/** The way down to the first key ≥ `from`. */
function seek(top: TreeNode | undefined, from: string): Place[] {
  const open: Place[] = []
  for (let node = top; node !== undefined;) {
    const place = placeIn(node, lowerBound(node.keys, from))
    open.push(place)
    if (place.keys[place.at] === from) break
    node = node.children[place.at]
  }
  return open
}

function placeIn({ content: { keys, values }, children }: TreeNode, at: number): Place {
  return { keys, values, children, at }
}

interface OpenNode {
  readonly layer: number
  readonly keys: string[]
  readonly values: Uint8Array[]
  readonly children: (TreeNode | undefined)[]
}

/** Builds a tree in one pass, from entries in ascending order of their keys, each key once. */
export class TreeBuilder {
  readonly #spine: OpenNode[] = []
  #last = ''
  #count = 0

  /** @throws {CodedError} E_TREE_ENTRY when a key is out of order, an entry out of its bounds, or one too many */
  add(key: string, value: Uint8Array): void {
    checkEntry(key, value)
    if (key <= this.#last) throw refusal(`${key} follows ${this.#last}`)
    if (++this.#count > MAX_ENTRIES) throw refusal(`more than ${MAX_ENTRIES} entries`)
    this.#last = key
    const layer = layerOf(key)
    const before = this.#closeBelow(layer)
    let node = this.#spine.at(-1)
    if (node === undefined || node.layer > layer) {
      node = { layer, keys: [], values: [], children: [] }
      this.#spine.push(node)
    }
    node.keys.push(key)
    node.values.push(value)
    node.children.push(before)
  }

  finish(): Tree {
    return { top: this.#closeBelow(Infinity) }
  }

  /** Ends the open nodes under a layer; the topmost of them holds the others. */
  #closeBelow(layer: number): TreeNode | undefined {
    const spine = this.#spine
    let below: TreeNode | undefined
    for (let node = spine.at(-1); node !== undefined && node.layer < layer; node = spine.at(-1)) {
      below = new TreeNode(node.layer, node.keys, node.values, [...node.children, below])
      below.settle()
      spine.pop()
    }
    return below
  }
}

/** @throws {CodedError} E_TREE_ENTRY, as {@link TreeBuilder} */
export function fromSorted(sorted: Iterable<TreeEntry>): Tree {
  const builder = new TreeBuilder()
  for (const [key, value] of sorted) builder.add(key, value)
  return builder.finish()
}

function checkEntry(key: string, value: Uint8Array): void {
  if (!isKey(key)) throw refusal('a key is not 1–640 printable ASCII characters')
  if (value.byteLength > MAX_VALUE_BYTES) throw refusal(`the value of ${key} has ${value.byteLength} bytes`)
}

export function isKey(key: string): boolean {
  return key.length <= MAX_KEY_CHARS && KEY.test(key)
}

function refusal(why: string): CodedError {
  return new CodedError('E_TREE_ENTRY', `state tree: ${why}`)
}
