import { fits, type Floats } from '../arrays.ts'
import { KernelError, require } from '../errors.ts'

const TURN = 2 ** 32

/** @throws KernelError E_KERNEL_RANGE unless both are unsigned 32-bit integers */
export function checkSynthesis(step: number, start: number): void {
  require(step >>> 0 === step && start >>> 0 === start, 'E_KERNEL_RANGE')
}

/**
 * The accumulator's step for a frequency.
 *
 * @param frequencyHz - f, in [0, fs/2]
 * @param rateHz - fs
 * @returns round(f·2³²/fs), in [0, 2³¹]
 * @throws KernelError E_KERNEL_RANGE when f is negative or above fs/2
 */
export function phaseStep(frequencyHz: number, rateHz: number): number {
  if (frequencyHz >= 0 && frequencyHz <= rateHz / 2) return Math.round((frequencyHz * TURN) / rateHz)
  throw new KernelError('E_KERNEL_RANGE', `${frequencyHz} Hz cannot be synthesised at ${rateHz} Hz`)
}

/** Twin of `synthesisePhases` in {@link CoherenceKernels}. */
export function synthesisePhases(step: number, start: number, phases: Float64Array, length: number): number {
  return accumulate(step, start, phases, length, (accumulator) => (accumulator / TURN) * 2 * Math.PI)
}

/** Twin of `synthesiseTone` in {@link CoherenceKernels}: the angle is taken in [-π, π), where it has the most bits. */
export function synthesiseTone(step: number, start: number, values: Floats, length: number): number {
  return accumulate(step, start, values, length, (accumulator) => Math.cos((accumulator | 0) * ((2 * Math.PI) / TURN)))
}

function accumulate(
  step: number,
  start: number,
  values: Floats,
  length: number,
  valueOf: (accumulator: number) => number,
): number {
  require(fits(length, values), 'E_KERNEL_LENGTH')
  checkSynthesis(step, start)
  let accumulator = start
  for (let k = 0; k < length; k++) {
    values[k] = valueOf(accumulator)
    accumulator = (accumulator + step) >>> 0
  }
  return accumulator
}
