import { geometricMedian as medianOfColumns, type QuantisedT } from '../../../wasm/index.ts'
import { columnsOf, orderedReports, type WeightedReport } from './reports.ts'

/**
 * Weighted geometric median of the reports (P8), by 64 Weiszfeld steps in the order of peer ids: every node has the same
 * bits (P11).
 *
 * @returns the median in Q1.30, 0 when nobody of weight reports
 * @throws CodedError E_REPORT_RANGE as {@link orderedReports}
 */
export function geometricMedian(reports: readonly WeightedReport[]): QuantisedT {
  return medianOfColumns(columnsOf(orderedReports(reports)))
}
