import { CodedError } from '../../../protocols/shared/errors.ts'
import type { Complex } from '../complex.ts'

/** One in Q1.30. */
export const Q30_ONE = 2 ** 30

/** T as its author publishes it: integers in [-2³⁰, 2³⁰], both parts in Q1.30. What nodes agree on (P11). */
export interface QuantisedT {
  readonly re: number
  readonly im: number
}

/**
 * Q1.30, round half to even. Exact: the product by 2³⁰ is.
 *
 * @param value - in [-1, 1]; an ulp beyond rounds to the end of the range
 * @throws CodedError E_QUANTISE_RANGE when the value is not a number or clearly outside
 */
export function quantise(value: number): number {
  const scaled = value * Q30_ONE
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  const rounded = up ? floor + 1 : floor
  if (rounded >= -Q30_ONE && rounded <= Q30_ONE) return rounded + 0
  throw new CodedError('E_QUANTISE_RANGE', `${value} is not in [-1, 1] and has no Q1.30 form`)
}

export function dequantise(value: number): number {
  return value / Q30_ONE
}

/** @throws CodedError E_QUANTISE_RANGE as {@link quantise} */
export function quantiseT(t: Complex): QuantisedT {
  return { re: quantise(t.re), im: quantise(t.im) }
}

export function dequantiseT(t: QuantisedT): Complex {
  return { re: dequantise(t.re), im: dequantise(t.im) }
}
