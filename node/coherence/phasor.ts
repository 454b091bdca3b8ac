import type { Complex } from './complex.ts'
import { unit, ZERO } from './complex.ts'

// Under this a square or hypot of doubles loses bits, and z/|z| would leave the unit circle.
const SMALLEST_MAGNITUDE = 1e-290
const SQUARE_SAFE_LOW = 1e-200
const SQUARE_SAFE_HIGH = 1e200

/** u = e^{iφ}, or 0 when the phase (rad) is not finite: garbage dissipates (coherence.md §1). */
export function phasorFromPhase(phase: number): Complex {
  return Number.isFinite(phase) ? unit(phase) : ZERO
}

/**
 * u = z/|z| (coherence.md §1).
 *
 * @param z - complex value, in the unit of the signal
 * @param noiseGate - magnitude at or under which z counts as noise, ≥ 0
 * @returns a point of the unit circle, or 0 when z is not finite or under the gate
 */
export function phasorFromComplex(z: Complex, noiseGate = 0): Complex {
  const square = z.re * z.re + z.im * z.im
  const safe = square > SQUARE_SAFE_LOW && square < SQUARE_SAFE_HIGH
  const size = safe ? Math.sqrt(square) : Math.hypot(z.re, z.im)
  if (!(size > noiseGate && size > SMALLEST_MAGNITUDE && size < Infinity)) return ZERO
  return { re: z.re / size, im: z.im / size }
}
