import type { PeerId } from '@libp2p/interface'
import { MAX_SEARCHES, SEARCH_STEP_MS, SEARCH_WIDTH } from './constants.ts'
import { keyOf } from './key-of.ts'

export interface BlockSearchInit {
  validators(): readonly PeerId[]
  /** Sends the want; lost wants are nobody's fault. */
  ask(peers: readonly PeerId[], height: number, value: Uint8Array): void
  stepMs?: number
}

interface Search {
  readonly height: number
  readonly left: PeerId[]
  timer: NodeJS.Timeout | undefined
}

/** Asks validators for a block, a few at a time in an order of chance, until it is here or all were asked once. */
export class BlockSearch {
  readonly #init: BlockSearchInit
  readonly #searches = new Map<string, Search>()

  constructor(init: BlockSearchInit) {
    this.#init = init
  }

  start(height: number, value: Uint8Array): void {
    const key = keyOf(value)
    if (this.#searches.has(key)) return
    if (this.#searches.size >= MAX_SEARCHES) this.#end(this.#lowest())
    const search: Search = { height, left: shuffled(this.#init.validators()), timer: undefined }
    this.#searches.set(key, search)
    this.#step(key, search, value)
  }

  found(value: Uint8Array): void {
    this.#end(keyOf(value))
  }

  /** The heights below are over. */
  reached(height: number): void {
    for (const [key, search] of this.#searches) if (search.height < height) this.#end(key)
  }

  stop(): void {
    for (const key of this.#searches.keys()) this.#end(key)
  }

  #step(key: string, search: Search, value: Uint8Array): void {
    const next = search.left.splice(0, SEARCH_WIDTH)
    if (next.length === 0) return this.#end(key)
    this.#init.ask(next, search.height, value)
    search.timer = setTimeout(() => this.#step(key, search, value), this.#init.stepMs ?? SEARCH_STEP_MS)
  }

  #end(key: string): void {
    clearTimeout(this.#searches.get(key)?.timer)
    this.#searches.delete(key)
  }

  #lowest(): string {
    return [...this.#searches].reduce((lowest, other) => (other[1].height < lowest[1].height ? other : lowest))[0]
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
