import type { SyncChain, SyncEpoch, SyncHead } from '../../protocols/sync/index.ts'
import { epochAt } from './scripted-peers.ts'

/** Final epochs that are made up as they are asked for. */
export class FakeChain implements SyncChain {
  height: number
  lowest = 1
  /** bytes of each block */
  size: number
  /** heights of the epochs that were read, in order */
  readonly read: number[] = []
  readonly #listeners = new Set<() => void>()

  constructor(height: number, size = 200) {
    this.height = height
    this.size = size
  }

  get listeners(): number {
    return this.#listeners.size
  }

  grow(height: number): void {
    this.height = height
    for (const listener of this.#listeners) listener()
  }

  head(): SyncHead {
    return { height: this.height, value: new Uint8Array(36).fill(this.height % 256), lowest: this.lowest }
  }

  async epoch(height: number): Promise<SyncEpoch | undefined> {
    if (height > this.height || height < this.lowest) return undefined
    this.read.push(height)
    return epochAt(height, this.size)
  }

  async state(height: number): Promise<Uint8Array | undefined> {
    return height % 256 === 0 ? new Uint8Array(1000).fill(7) : undefined
  }

  onHead(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
