import { fits, type Floats } from '../arrays.ts'
import { require } from '../errors.ts'
import { phasors } from './phasors.ts'

interface Sized {
  readonly length: number
}

const MAX_CHANNELS = 4096

/** Twin of `phaseLocking` in {@link CoherenceKernels}. */
export function phaseLocking(a: Floats, b: Floats, length: number): number {
  require(fits(length, a, b), 'E_KERNEL_LENGTH')
  let re = 0
  let im = 0
  for (let k = 0; k < length; k++) {
    const difference = a[k]! - b[k]!
    if (!Number.isFinite(difference)) continue
    re += Math.cos(difference)
    im += Math.sin(difference)
  }
  return shareOf(re, im, length)
}

/** Twin of `phaseLockingMatrix` in {@link CoherenceKernels}. */
export function phaseLockingMatrix(phases: Floats, channels: number, length: number, values: Float64Array): void {
  checkMatrix(phases, channels, length, values)
  const [re, im] = [new Float64Array(channels * length), new Float64Array(channels * length)]
  phasors(phases, re, im, channels * length)
  for (let a = 0; a < channels; a++) {
    for (let b = a; b < channels; b++) {
      const value = pairValue(re, im, [a * length, b * length], length)
      values[a * channels + b] = value
      values[b * channels + a] = value
    }
  }
}

/** @throws KernelError E_KERNEL_RANGE, E_KERNEL_LENGTH */
export function checkMatrix(phases: Sized, channels: number, length: number, values: Sized): void {
  require(Number.isInteger(channels) && channels >= 1 && channels <= MAX_CHANNELS, 'E_KERNEL_RANGE')
  require(fits(length) && fits(channels * length, phases) && fits(channels * channels, values), 'E_KERNEL_LENGTH')
}

function pairValue(re: Float64Array, im: Float64Array, [a, b]: [number, number], length: number): number {
  let sumRe = 0
  let sumIm = 0
  for (let k = 0; k < length; k++) {
    // Four constants: an array taken apart costs eight times the arithmetic.
    const aRe = re[a + k]!
    const aIm = im[a + k]!
    const bRe = re[b + k]!
    const bIm = im[b + k]!
    sumRe += aRe * bRe + aIm * bIm
    sumIm += aIm * bRe - aRe * bIm
  }
  return shareOf(sumRe, sumIm, length)
}

function shareOf(re: number, im: number, length: number): number {
  return length === 0 ? 0 : Math.min(1, Math.sqrt(re * re + im * im) / length)
}
