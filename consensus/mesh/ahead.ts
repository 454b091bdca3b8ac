import type { Validator } from './engine.ts'
import { keyOf } from './key-of.ts'

/** Heights that validators were heard of at, beyond this node's. Nothing of it is proven. */
export class Ahead {
  readonly #heights = new Map<string, number>()

  /** A validator of the present set is at a height. */
  note(validator: Uint8Array, height: number): void {
    const key = keyOf(validator)
    this.#heights.set(key, Math.max(height, this.#heights.get(key) ?? 0))
  }

  /** This node decides `height` now, with these validators. */
  enter(height: number, validators: readonly Validator[]): void {
    const present = new Set(validators.map(({ key }) => keyOf(key)))
    for (const [key, at] of this.#heights) if (at <= height || !present.has(key)) this.#heights.delete(key)
  }

  /** @returns the greatest height that more than a third of the power is at or beyond; 0 when there is none */
  ofThird(validators: readonly Validator[]): number {
    const total = validators.reduce((sum, { power }) => sum + power, 0)
    const heard = validators
      .map(({ key, power }) => ({ power, height: this.#heights.get(keyOf(key)) ?? 0 }))
      .sort((a, b) => b.height - a.height)
    let power = 0
    for (const one of heard) if ((power += one.power) * 3 > total) return one.height
    return 0
  }

  /** @returns the greatest height that anybody is at; 0 when there is none */
  get ofAnybody(): number {
    return Math.max(0, ...this.#heights.values())
  }
}
