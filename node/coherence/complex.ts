/** A complex number; plain data, so that it can be sent, stored and compared. */
export interface Complex {
  readonly re: number
  readonly im: number
}

export const ZERO: Complex = { re: 0, im: 0 }

/** |z|², no square root: what thresholds are compared against. */
export function magnitudeSquared(z: Complex): number {
  return z.re * z.re + z.im * z.im
}

export function magnitude(z: Complex): number {
  return Math.sqrt(magnitudeSquared(z))
}

/** The inner product ⟨a,b⟩ = conj(a)·b (coherence.md §2). */
export function inner(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re + a.im * b.im, im: a.re * b.im - a.im * b.re }
}

/** e^{i·angle}, angle in rad. */
export function unit(angle: number): Complex {
  return { re: Math.cos(angle), im: Math.sin(angle) }
}
