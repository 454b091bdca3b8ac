import { weightedSum as sumOfColumns, type QuantisedT } from '../../../wasm/index.ts'
import { columnsOf, orderedReports, type WeightedReport } from './reports.ts'

/**
 * T_global = ⌊Σ w·T / Σw⌋ in Q1.30 (P7, P11); over nodes |T| is the Kuramoto order parameter. Integers only, so every
 * node has the same bits. Liars of weight β move it by at most 2β.
 *
 * @returns T_global in Q1.30, 0 when nobody of weight reports
 * @throws CodedError E_REPORT_RANGE as {@link orderedReports}
 */
export function weightedSum(reports: readonly WeightedReport[]): QuantisedT {
  return sumOfColumns(columnsOf(orderedReports(reports)))
}
