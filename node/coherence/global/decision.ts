import { agreement, quantise, type QuantisedT } from '../../../wasm/index.ts'
import { COLLAPSE_THRESHOLD } from '../constants.ts'
import { columnsOf, orderedReports, type WeightedReport } from './reports.ts'

export interface DecisionOptions {
  /** I_c; default .95 */
  readonly threshold?: number
  /** weight that 2/3 is taken of, silent peers included; default the weight that reports */
  readonly totalWeight?: number
}

/** The mesh's robust answer: has it collapsed, and who stands apart. */
export interface Decision {
  readonly collapsed: boolean
  /** weighted geometric median, Q1.30 */
  readonly median: QuantisedT
  /** weight that is collapsed and within 0.4510 rad of the median's direction */
  readonly agreeingWeight: number
  readonly totalWeight: number
  /** peers, by id, that a collapsed mesh goes without, or that have collapsed alone in another direction */
  readonly dissenters: readonly string[]
}

/**
 * Global collapse (P8): at least 2/3 of the weight has |T_P|² ≥ I_c and lies within 0.4510 rad = acos(2I_c - 1) of the
 * median's direction. Integers only, no trigonometry: with r = Re(T_P·conj m), r > 0 and
 * r² ≥ (2I_c - 1)²·|T_P|²·|m|².
 *
 * @throws CodedError E_REPORT_RANGE as {@link orderedReports}
 */
export function decide(reports: readonly WeightedReport[], options: DecisionOptions = {}): Decision {
  const counted = orderedReports(reports)
  const standing = new Int32Array(counted.length)
  const threshold = quantise(options.threshold ?? COLLAPSE_THRESHOLD)
  const { median, agreeingWeight } = agreement(columnsOf(counted), threshold, standing)
  const totalWeight = options.totalWeight ?? counted.reduce((total, { weight }) => total + weight, 0)
  const collapsed = totalWeight > 0 && 3 * agreeingWeight >= 2 * totalWeight
  const isApart = (_report: WeightedReport, at: number) => (collapsed ? standing[at] !== 2 : standing[at] === 1)
  const dissenters = counted.filter(isApart).map(({ peer }) => peer)
  return { collapsed, median, agreeingWeight, totalWeight, dissenters }
}
