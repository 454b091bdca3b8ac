import type { Complex } from './complex.ts'

/** Leaky integrator: T and the sums of weights that say how many samples stand behind it. */
export interface Leaky {
  readonly kind: 'leaky'
  readonly re: number
  readonly im: number
  /** Σw of the valid samples, ≤ 1 */
  readonly weight: number
  /** Σw² of the valid samples */
  readonly squares: number
}

/** Mean over the last N products with the divisor N fixed from the start. */
export interface Boxcar {
  readonly kind: 'boxcar'
  readonly re: number
  readonly im: number
  readonly ring: Float64Array
  readonly next: number
}

export type Integrator = Leaky | Boxcar

export const LEAKY_ZERO: Leaky = { kind: 'leaky', re: 0, im: 0, weight: 0, squares: 0 }

export function boxcarZero(samples: number): Boxcar {
  return { kind: 'boxcar', re: 0, im: 0, ring: new Float64Array(2 * samples), next: 0 }
}

/**
 * Advances the leaky integrator by one product (coherence.md §4): T_k = a·T_{k-1} + (1-a)·p_k.
 *
 * @param product - unit-disc product p_k, 0 for an invalid sample
 * @param decay - a_k = e^{-(t_k - t_{k-1})/tau}, in [0, 1]
 * @param valid - whether the product carries a sample; an invalid one only lets T decay
 * @returns T_k with |T_k| ≤ 1 for every input: a convex combination of points of the unit disc
 */
export function leak(state: Leaky, product: Complex, decay: number, valid: boolean): Leaky {
  const gain = 1 - decay
  const re = decay * state.re + gain * product.re
  const im = decay * state.im + gain * product.im
  const square = re * re + im * im
  // Rounding of a product may leave the disc by an ulp; a thousand of them must not add up.
  const scale = square > 1 ? 1 / Math.sqrt(square) : 1
  const weight = valid ? gain : 0
  return {
    kind: 'leaky',
    re: re * scale,
    im: im * scale,
    weight: decay * state.weight + weight,
    squares: decay * decay * state.squares + weight * weight,
  }
}

/** Effective samples behind a leaky T as it stands, (Σw)²/Σw² (Kish); 0 before the first valid sample. */
export function leakyEffectiveSamples(state: Leaky): number {
  return state.squares > 0 ? (state.weight * state.weight) / state.squares : 0
}

/** Advances the boxcar by one product. The ring passes on to the returned state: do not step the old one again. */
export function slide(state: Boxcar, product: Complex): Boxcar {
  const { ring } = state
  const samples = ring.length / 2
  const at = 2 * state.next
  const oldRe = ring[at] ?? 0
  const oldIm = ring[at + 1] ?? 0
  ring[at] = product.re / samples
  ring[at + 1] = product.im / samples
  const next = state.next + 1
  if (next === samples) return { kind: 'boxcar', ...total(ring), ring, next: 0 }
  const re = state.re - oldRe + (ring[at] ?? 0)
  const im = state.im - oldIm + (ring[at + 1] ?? 0)
  return { kind: 'boxcar', ...insideDisc(re, im), ring, next }
}

// Once a revolution the sum is made anew, so that the rounding of additions and removals never accumulates.
function total(ring: Float64Array): Complex {
  let re = 0
  let im = 0
  for (let at = 0; at < ring.length; at += 2) {
    re += ring[at] ?? 0
    im += ring[at + 1] ?? 0
  }
  return insideDisc(re, im)
}

function insideDisc(re: number, im: number): Complex {
  const square = re * re + im * im
  if (square <= 1) return { re, im }
  const scale = 1 / Math.sqrt(square)
  return { re: re * scale, im: im * scale }
}
