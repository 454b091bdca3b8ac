import { fits } from '../arrays.ts'
import { require } from '../errors.ts'

export const BREATH_S = 10
export const INHALE_S = 4

/** The seven frequencies named in the source documents, Hz. */
export const HARMONICS_HZ = [396, 417, 528, 639, 741, 852, 963] as const

/** 2π(1-1/φ), rad: the angle that leaves no two seeds of a sunflower in line. */
export const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

/** Twin of `breathing` in {@link CoherenceKernels}. */
export function breathing(times: Float64Array, depths: Float64Array, length: number): void {
  require(fits(length, times, depths), 'E_KERNEL_LENGTH')
  for (let k = 0; k < length; k++) depths[k] = Number.isFinite(times[k]) ? breathAt(times[k]!) : 0
}

// Out is in played on from the full breath: the cosine's second half turn.
function breathAt(time: number): number {
  const within = time - BREATH_S * Math.floor(time / BREATH_S)
  const inhaled = Math.PI * (within / INHALE_S)
  const exhaled = Math.PI + Math.PI * ((within - INHALE_S) / (BREATH_S - INHALE_S))
  return (1 - Math.cos(within < INHALE_S ? inhaled : exhaled)) / 2
}

/** Twin of `harmonicResonance` in {@link CoherenceKernels}. */
export function harmonicResonance(frequencies: Float64Array, scores: Float64Array, length: number): void {
  require(fits(length, frequencies, scores), 'E_KERNEL_LENGTH')
  for (let k = 0; k < length; k++) {
    let nearest = Infinity
    for (const harmonic of HARMONICS_HZ) nearest = Math.min(nearest, Math.abs(frequencies[k]! - harmonic))
    scores[k] = Number.isFinite(frequencies[k]) ? 1 / (1 + nearest) : 0
  }
}

/** Twin of `fieldCoherence` in {@link CoherenceKernels}. */
export function fieldCoherence(values: Float64Array, length: number): number {
  require(fits(length, values), 'E_KERNEL_LENGTH')
  if (length === 0) return 1
  let sum = 0
  for (let k = 0; k < length; k++) sum += values[k]!
  const mean = sum / length
  let squares = 0
  for (let k = 0; k < length; k++) squares += (values[k]! - mean) * (values[k]! - mean)
  return 1 / (1 + squares / length)
}

/** Twin of `goldenLattice` in {@link CoherenceKernels}. */
export function goldenLattice(x: Float64Array, y: Float64Array, length: number): void {
  require(fits(length, x, y), 'E_KERNEL_LENGTH')
  for (let k = 0; k < length; k++) {
    const radius = Math.sqrt(k)
    const angle = (k * GOLDEN_ANGLE) % (2 * Math.PI)
    x[k] = radius * Math.cos(angle)
    y[k] = radius * Math.sin(angle)
  }
}
