import { COLLAPSE_THRESHOLD } from '../constants.ts'
import { geometricMedian } from './median.ts'
import type { QuantisedT } from './quantise.ts'
import { Q30_ONE, quantise } from './quantise.ts'
import type { WeightedReport } from './reports.ts'
import { orderedReports } from './reports.ts'

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
  const threshold = BigInt(quantise(options.threshold ?? COLLAPSE_THRESHOLD))
  const counted = orderedReports(reports)
  const median = geometricMedian(counted)
  const strong = counted.filter(({ t }) => power(t) >= threshold * ONE)
  const agreeing = new Set(strong.filter(({ t }) => isNear(t, median, threshold)))
  const agreeingWeight = sum([...agreeing])
  const totalWeight = options.totalWeight ?? sum(counted)
  const collapsed = totalWeight > 0 && 3 * agreeingWeight >= 2 * totalWeight
  const apart = (collapsed ? counted : strong).filter((report) => !agreeing.has(report))
  return { collapsed, median, agreeingWeight, totalWeight, dissenters: apart.map(({ peer }) => peer) }
}

const ONE = BigInt(Q30_ONE)

function power(t: QuantisedT): bigint {
  return BigInt(t.re) ** 2n + BigInt(t.im) ** 2n
}

function isNear(t: QuantisedT, median: QuantisedT, threshold: bigint): boolean {
  const projection = BigInt(t.re) * BigInt(median.re) + BigInt(t.im) * BigInt(median.im)
  const cosine = 2n * threshold - ONE
  return projection > 0n && (projection * ONE) ** 2n >= cosine ** 2n * power(t) * power(median)
}

function sum(reports: readonly WeightedReport[]): number {
  return reports.reduce((total, { weight }) => total + weight, 0)
}
