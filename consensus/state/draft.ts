import type { Codec } from '../../protocols/shared/codec.ts'
import { readRecord } from './read-record.ts'
import { del, entries, get, set, size, type Tree, type TreeEntry } from './tree.ts'

/** One write; `null` deletes. */
export interface StateChange {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A state while one entry is applied to it: the tree so far, and what was written. */
export class Draft {
  tree: Tree
  /** index of the entry */
  readonly index: number
  /** the state machine's time, Unix milliseconds */
  readonly time: number
  readonly #written = new Map<string, Uint8Array | null>()

  constructor(tree: Tree, index: number, time: number) {
    this.tree = tree
    this.index = index
    this.time = time
  }

  get size(): number {
    return size(this.tree)
  }

  get changes(): StateChange[] {
    return [...this.#written].map(([key, value]) => ({ key, value }))
  }

  has(key: string): boolean {
    return get(this.tree, key) !== undefined
  }

  get<T>(key: string, codec: Codec<T>): T | undefined {
    return readRecord(this.tree, key, codec)
  }

  entries(prefix: string): Generator<TreeEntry> {
    return entries(this.tree, { prefix })
  }

  set<T>(key: string, codec: Codec<T>, value: T): void {
    const bytes = codec.encode(value)
    this.tree = set(this.tree, key, bytes)
    this.#written.set(key, bytes)
  }

  delete(key: string): void {
    const tree = del(this.tree, key)
    if (tree === this.tree) return
    this.tree = tree
    this.#written.set(key, null)
  }
}
