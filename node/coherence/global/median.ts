import type { Complex } from '../complex.ts'
import { ZERO } from '../complex.ts'
import type { QuantisedT } from './quantise.ts'
import { dequantise, quantiseT } from './quantise.ts'
import type { WeightedReport } from './reports.ts'
import { orderedReports } from './reports.ts'

export const WEISZFELD_STEPS = 64

// A report on the median itself would divide by zero; the floor is one unit of Q1.30.
const LEAST_DISTANCE = 2 ** -30

interface Point {
  readonly weight: number
  readonly re: number
  readonly im: number
}

/**
 * Weighted geometric median of the reports (P8), by 64 Weiszfeld steps in f64 from the weighted mean, in the order of
 * peer ids, with + - * / and sqrt only: exact in IEEE 754, so every node has the same bits (P11).
 *
 * @returns the median in Q1.30, 0 when nobody of weight reports
 * @throws CodedError E_REPORT_RANGE as {@link orderedReports}
 */
export function geometricMedian(reports: readonly WeightedReport[]): QuantisedT {
  const points = orderedReports(reports).map(({ weight, t }) => ({
    weight,
    re: dequantise(t.re),
    im: dequantise(t.im),
  }))
  if (points.length === 0) return ZERO
  let median = weightedMean(points)
  for (let n = 0; n < WEISZFELD_STEPS; n++) median = weiszfeld(points, median)
  return quantiseT(median)
}

function weightedMean(points: readonly Point[]): Complex {
  let re = 0
  let im = 0
  let total = 0
  for (const point of points) {
    re += point.weight * point.re
    im += point.weight * point.im
    total += point.weight
  }
  return { re: re / total, im: im / total }
}

function weiszfeld(points: readonly Point[], from: Complex): Complex {
  const pulled = points.map((point) => {
    const dRe = point.re - from.re
    const dIm = point.im - from.im
    const distance = Math.sqrt(dRe * dRe + dIm * dIm)
    return { ...point, weight: point.weight / (distance < LEAST_DISTANCE ? LEAST_DISTANCE : distance) }
  })
  return weightedMean(pulled)
}
