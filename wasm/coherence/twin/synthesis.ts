import { fits, type Floats } from '../arrays.ts'
import { require } from '../errors.ts'

const TURN = 2 ** 32

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
  let accumulator = start >>> 0
  for (let k = 0; k < length; k++) {
    values[k] = valueOf(accumulator)
    accumulator = (accumulator + step) >>> 0
  }
  return accumulator
}
