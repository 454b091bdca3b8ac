import type { QuantisedT } from './quantise.ts'
import type { WeightedReport } from './reports.ts'
import { orderedReports } from './reports.ts'

/**
 * T_global = ⌊Σ w·T / Σw⌋ in Q1.30 (P7, P11); over nodes |T| is the Kuramoto order parameter. Integers only, so every
 * node has the same bits. Liars of weight β move it by at most 2β.
 *
 * @returns T_global in Q1.30, 0 when nobody of weight reports
 * @throws CodedError E_REPORT_RANGE as {@link orderedReports}
 */
export function weightedSum(reports: readonly WeightedReport[]): QuantisedT {
  let re = 0n
  let im = 0n
  let total = 0n
  for (const { weight, t } of orderedReports(reports)) {
    re += BigInt(weight) * BigInt(t.re)
    im += BigInt(weight) * BigInt(t.im)
    total += BigInt(weight)
  }
  if (total === 0n) return { re: 0, im: 0 }
  return { re: Number(floorDivide(re, total)), im: Number(floorDivide(im, total)) }
}

// BigInt division cuts towards zero; agreement needs one rule for both signs.
function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient
}
