import { CodedError } from '../../../protocols/shared/errors.ts'
import { isInDisc, MAX_TOTAL_WEIGHT, type QuantisedT, type ReportColumns } from '../../../wasm/index.ts'

/** What one peer contributes to the mesh's value. */
export interface WeightedReport {
  readonly peer: string
  /** whole, ≥ 0 */
  readonly weight: number
  readonly t: QuantisedT
}

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

/** The reports as the kernels take them, in their order. */
export function columnsOf(reports: readonly WeightedReport[]): ReportColumns {
  return {
    weights: Float64Array.from(reports, ({ weight }) => weight),
    re: Int32Array.from(reports, ({ t }) => t.re),
    im: Int32Array.from(reports, ({ t }) => t.im),
  }
}

function isFair({ weight, t }: WeightedReport): boolean {
  const isWhole = Number.isSafeInteger(weight) && weight >= 0
  return isWhole && Number.isInteger(t.re) && Number.isInteger(t.im) && isInDisc(t.re, t.im)
}

function refuse(message: string): never {
  throw new CodedError('E_REPORT_RANGE', message)
}
