import type { Validator, Vote } from './engine.ts'
import { keyOf } from './key-of.ts'

/** What each validator voted for last: a value that more than a third stands behind was seen by an honest one. */
export class Voted {
  readonly #powers: ReadonlyMap<string, number>
  readonly #total: number
  readonly #last = new Map<string, string>()

  constructor(validators: readonly Validator[]) {
    this.#powers = new Map(validators.map(({ key, power }) => [keyOf(key), power]))
    this.#total = validators.reduce((sum, { power }) => sum + power, 0)
  }

  /** @returns whether more than a third of the power, this one included, voted for its value last */
  note({ validator, value }: Pick<Vote, 'validator' | 'value'>): boolean {
    const who = keyOf(validator)
    if (value === undefined || !this.#powers.has(who)) return false
    const what = keyOf(value)
    this.#last.set(who, what)
    let power = 0
    for (const [one, last] of this.#last) if (last === what) power += this.#powers.get(one)!
    return power * 3 > this.#total
  }
}
