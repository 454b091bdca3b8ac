import type { Complex } from './complex.ts'
import { inner, unit, ZERO } from './complex.ts'

/**
 * `ref`: lock-in against the node's own oscillator; over time |T| is the phase-locking value (mean resultant length).
 * `auto`: self-coherence; |T| is the degree of temporal coherence.
 * `cyclic`: the literal formula, a cyclic autocorrelation; blind to pure tones when ω ≠ 0.
 */
export type Form = 'ref' | 'auto' | 'cyclic'

/** The last L phasors with their times, as triples re, im, t; shared by the states that follow one another. */
export interface PhasorRing {
  readonly slots: Float64Array
  readonly next: number
}

export function phasorRing(lag: number): PhasorRing {
  return { slots: new Float64Array(3 * lag), next: 0 }
}

/** REF: p_k = conj(u_k)·y_k·e^{iωt_k} (coherence.md §3). */
export function refProduct(u: Complex, reference: Complex, omega: number, time: number): Complex {
  const rotated = multiply(reference, unit(omega * time))
  return inner(u, rotated)
}

/** AUTO: p_k = conj(u_k)·u_{k-L}·e^{iω(t_k - t_{k-L})}; 0 until L phasors have been seen. */
export function autoProduct(u: Complex, ring: PhasorRing, omega: number, time: number): Complex {
  const { past, at } = oldest(ring)
  return past === ZERO ? ZERO : multiply(inner(u, past), unit(omega * (time - at)))
}

/** CYCLIC: p_k = conj(u_k)·u_{k-L}·e^{iωt_k}; 0 until L phasors have been seen. */
export function cyclicProduct(u: Complex, ring: PhasorRing, omega: number, time: number): Complex {
  const { past } = oldest(ring)
  return past === ZERO ? ZERO : multiply(inner(u, past), unit(omega * time))
}

/** Replaces the oldest phasor by the newest. The slots pass on to the returned ring. */
export function pushPhasor(ring: PhasorRing, u: Complex, time: number): PhasorRing {
  const { slots } = ring
  const at = 3 * ring.next
  slots[at] = u.re
  slots[at + 1] = u.im
  slots[at + 2] = time
  return { slots, next: at + 3 === slots.length ? 0 : ring.next + 1 }
}

function oldest(ring: PhasorRing): { past: Complex; at: number } {
  const { slots, next } = ring
  const re = slots[3 * next] ?? 0
  const im = slots[3 * next + 1] ?? 0
  return { past: re === 0 && im === 0 ? ZERO : { re, im }, at: slots[3 * next + 2] ?? 0 }
}

function multiply(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re }
}
