import { fits } from '../arrays.ts'
import { KernelError, require } from '../errors.ts'

/** One in Q1.30. */
export const Q30_ONE = 2 ** 30

/** Σw stays under this, so that Σ w·T fits 64 bits (coherence.md P11). */
export const MAX_TOTAL_WEIGHT = 2 ** 33

export const WEISZFELD_STEPS = 64

// A report on the median itself would divide by zero; the floor is one unit of Q1.30.
const LEAST_DISTANCE = 2 ** -30

/** T as its author publishes it: integers in [-2³⁰, 2³⁰], both parts in Q1.30. What nodes agree on (P11). */
export interface QuantisedT {
  readonly re: number
  readonly im: number
}

/** Reports as columns, in the one order that everybody sums in. */
export interface ReportColumns<W = Float64Array, P = Int32Array> {
  /** whole, >= 0, Σw < 2^33 */
  readonly weights: W
  /** Q1.30, in the unit disc but for the rounding of both parts */
  readonly re: P
  readonly im: P
}

/**
 * Q1.30, round half to even. Exact: the product by 2³⁰ is.
 *
 * @param value - in [-1, 1]; an ulp beyond rounds to the end of the range
 * @throws KernelError E_QUANTISE_RANGE when the value is not a number or clearly outside
 */
export function quantise(value: number): number {
  const scaled = value * Q30_ONE
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  const rounded = up ? floor + 1 : floor
  if (rounded >= -Q30_ONE && rounded <= Q30_ONE) return rounded + 0
  throw new KernelError('E_QUANTISE_RANGE', `${value} is not in [-1, 1] and has no Q1.30 form`)
}

/** Twin of `quantise` in {@link CoherenceKernels}. */
export function quantiseAll(values: Float64Array, quantised: Int32Array, length: number): void {
  require(fits(length, values, quantised), 'E_KERNEL_LENGTH')
  for (let k = 0; k < length; k++) quantised[k] = quantise(values[k]!)
}

/**
 * T_global = ⌊Σ w·T / Σw⌋ in Q1.30 (P7, P11); over nodes |T| is the Kuramoto order parameter. Integers only, so every
 * node has the same bits. Liars of weight β move it by at most 2β.
 *
 * @returns T_global in Q1.30, 0 when nobody of weight reports
 * @throws KernelError E_REPORT_RANGE, E_KERNEL_LENGTH
 */
export function weightedSum(reports: ReportColumns, length = reports.weights.length): QuantisedT {
  checkReports(reports, length)
  let re = 0n
  let im = 0n
  let total = 0n
  for (let k = 0; k < length; k++) {
    const weight = BigInt(reports.weights[k]!)
    re += weight * BigInt(reports.re[k]!)
    im += weight * BigInt(reports.im[k]!)
    total += weight
  }
  if (total === 0n) return { re: 0, im: 0 }
  return { re: Number(floorDivide(re, total)), im: Number(floorDivide(im, total)) }
}

// BigInt division cuts towards zero; agreement needs one rule for both signs.
function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient
}

/**
 * Weighted geometric median of the reports (P8), by 64 Weiszfeld steps in f64 from the weighted mean, in the order
 * given, with + - * / and sqrt only: exact in IEEE 754, so every node has the same bits (P11).
 *
 * @returns the median in Q1.30, 0 when nobody of weight reports
 * @throws KernelError E_REPORT_RANGE, E_KERNEL_LENGTH
 */
export function geometricMedian(reports: ReportColumns, length = reports.weights.length): QuantisedT {
  checkReports(reports, length)
  let weight = 0
  for (let k = 0; k < length; k++) weight += reports.weights[k]!
  if (weight === 0) return { re: 0, im: 0 }
  let median = centre(reports, length, undefined)
  for (let n = 0; n < WEISZFELD_STEPS; n++) median = centre(reports, length, median)
  return { re: quantise(median.re), im: quantise(median.im) }
}

/** The weighted mean; under weights w/|T - from| a step of Weiszfeld's. */
function centre(reports: ReportColumns, length: number, from: QuantisedT | undefined): QuantisedT {
  let re = 0
  let im = 0
  let total = 0
  for (let k = 0; k < length; k++) {
    const tRe = reports.re[k]! / Q30_ONE
    const tIm = reports.im[k]! / Q30_ONE
    let weight = reports.weights[k]!
    if (from !== undefined) {
      const dRe = tRe - from.re
      const dIm = tIm - from.im
      const distance = Math.sqrt(dRe * dRe + dIm * dIm)
      weight /= distance < LEAST_DISTANCE ? LEAST_DISTANCE : distance
    }
    re += weight * tRe
    im += weight * tIm
    total += weight
  }
  return { re: re / total, im: im / total }
}

/** How a report stands to a collapse: 0 not collapsed, 1 collapsed in another direction, 2 collapsed and near. */
export type Standing = 0 | 1 | 2

/** The reports that carry a global collapse. */
export interface Agreement {
  readonly median: QuantisedT
  /** of the reports of standing 2 */
  readonly agreeingWeight: number
}

/**
 * Which reports carry a global collapse (P8): |T|² ≥ I_c, and within acos(2I_c - 1) of the median's direction. Integers
 * only, no trigonometry: with r = Re(T·conj m), r > 0 and r² ≥ (2I_c - 1)²·|T|²·|m|².
 *
 * @param threshold - I_c in Q1.30, 0 to 2^30
 * @param standing - one {@link Standing} a report, written
 * @throws KernelError E_REPORT_RANGE, E_KERNEL_LENGTH, E_KERNEL_RANGE
 */
export function agreement(
  reports: ReportColumns,
  threshold: number,
  standing: Int32Array,
  length = reports.weights.length,
): Agreement {
  checkThreshold(threshold)
  require(fits(length, standing), 'E_KERNEL_LENGTH')
  const median = geometricMedian(reports, length)
  let agreeingWeight = 0
  for (let k = 0; k < length; k++) {
    standing[k] = standingOf({ re: reports.re[k]!, im: reports.im[k]! }, median, BigInt(threshold))
    if (standing[k] === 2) agreeingWeight += reports.weights[k]!
  }
  return { median, agreeingWeight }
}

/** @throws KernelError E_KERNEL_RANGE */
export function checkThreshold(threshold: number): void {
  require(Number.isInteger(threshold) && threshold >= 0 && threshold <= Q30_ONE, 'E_KERNEL_RANGE')
}

const ONE = BigInt(Q30_ONE)

function standingOf(t: QuantisedT, median: QuantisedT, threshold: bigint): Standing {
  if (power(t) < threshold * ONE) return 0
  const projection = BigInt(t.re) * BigInt(median.re) + BigInt(t.im) * BigInt(median.im)
  const cosine = 2n * threshold - ONE
  const isNear = projection > 0n && (projection * ONE) ** 2n >= cosine ** 2n * power(t) * power(median)
  return isNear ? 2 : 1
}

function power(t: QuantisedT): bigint {
  return BigInt(t.re) ** 2n + BigInt(t.im) ** 2n
}

function checkReports({ weights, re, im }: ReportColumns, length: number): void {
  require(fits(length, weights, re, im), 'E_KERNEL_LENGTH')
  let total = 0
  for (let k = 0; k < length; k++) {
    const isWhole = Number.isSafeInteger(weights[k]) && weights[k]! >= 0
    require(isWhole && isInDisc(re[k]!, im[k]!), 'E_REPORT_RANGE')
    total += weights[k]!
  }
  require(total < MAX_TOTAL_WEIGHT, 'E_REPORT_RANGE')
}

/** The unit disc, but for the rounding of both parts; the error of f64 here is 2⁷ of 2⁶⁰. */
export function isInDisc(re: number, im: number): boolean {
  return Math.abs(re) <= Q30_ONE && Math.abs(im) <= Q30_ONE && re * re + im * im <= (Q30_ONE + 1) ** 2
}
