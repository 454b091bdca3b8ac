import { CodedError } from '../../../protocols/shared/errors.ts'
import type { QuantisedT } from './quantise.ts'
import { Q30_ONE } from './quantise.ts'

/** What one peer contributes to the mesh's value. */
export interface WeightedReport {
  readonly peer: string
  /** whole, ≥ 0 */
  readonly weight: number
  readonly t: QuantisedT
}

/** Σw stays under this, so that Σ w·T fits 64 bits (P11). */
export const MAX_TOTAL_WEIGHT = 2 ** 33

/**
 * The reports that count, in the one order that everybody sums in: by peer id, by UTF-16 code unit.
 *
 * @returns the reports with a weight above 0, sorted
 * @throws CodedError E_REPORT_RANGE when a weight or T is not an integer in range, Σw ≥ 2³³, or a peer comes twice
 */
export function orderedReports(reports: readonly WeightedReport[]): WeightedReport[] {
  const sorted = [...reports].sort((a, b) => (a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0))
  let total = 0
  for (const [index, report] of sorted.entries()) {
    if (!isFair(report)) refuse(`the report of ${report.peer} is out of range`)
    if (sorted[index - 1]?.peer === report.peer) refuse(`${report.peer} reports twice`)
    total += report.weight
  }
  if (total >= MAX_TOTAL_WEIGHT) refuse(`the weights sum to ${total}, 2^33 or more`)
  return sorted.filter((report) => report.weight > 0)
}

function isFair({ weight, t }: WeightedReport): boolean {
  if (!Number.isSafeInteger(weight) || weight < 0) return false
  const parts = [t.re, t.im].every((part) => Number.isInteger(part) && Math.abs(part) <= Q30_ONE)
  // The unit disc, but for the rounding of both parts; the error of f64 here is 2⁷ of 2⁶⁰.
  return parts && t.re * t.re + t.im * t.im <= (Q30_ONE + 1) ** 2
}

function refuse(message: string): never {
  throw new CodedError('E_REPORT_RANGE', message)
}
