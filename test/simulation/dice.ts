import type { Random } from '../../node/coherence/ingest/random.ts'
import { mulberry32 } from '../../node/coherence/ingest/random.ts'

/** A seeded source of decisions; every part of a schedule has its own, so that one more throw here moves nothing there. */
export class Dice {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = mulberry32(seed)
  }

  /** in [0, 1) */
  next(): number {
    return this.#random()
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  /** uniform in [low, high) */
  between(low: number, high: number): number {
    return low + (high - low) * this.#random()
  }

  /** whole number in [low, high] */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }

  /** exponential with this mean, cut at eight times of it */
  exponential(mean: number): number {
    return Math.min(-Math.log(1 - this.#random()), 8) * mean
  }

  /** @returns `undefined` for an empty list */
  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)]
  }

  fork(): Dice {
    return new Dice(Math.floor(this.#random() * 2 ** 32))
  }
}
