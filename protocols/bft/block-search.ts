import type { PeerId } from '@libp2p/interface'
import { MAX_SEARCHES, SEARCH_WIDTH } from './constants.ts'
import { keyOf } from './key-of.ts'

/**
 * Whom to ask next for a block: a few at a time in an order of chance, each once before any is asked again. As a quorum
 * stands behind what is asked for, some honest one has it.
 */
export class BlockSearch {
  readonly #validators: () => readonly PeerId[]
  /** those not asked yet, by value */
  readonly #left = new Map<string, PeerId[]>()

  constructor(validators: () => readonly PeerId[]) {
    this.#validators = validators
  }

  next(value: Uint8Array): PeerId[] {
    const key = keyOf(value)
    const known = this.#left.get(key) ?? []
    const left = known.length === 0 ? shuffled(this.#validators()) : known
    this.#left.delete(key)
    this.#left.set(key, left)
    if (this.#left.size > MAX_SEARCHES) this.#left.delete(this.#left.keys().next().value!)
    return left.splice(0, SEARCH_WIDTH)
  }

  found(value: Uint8Array): void {
    this.#left.delete(keyOf(value))
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
