import type { Agree, EpochPorts, OpenedReport } from '../../consensus/epoch/index.ts'
import { isMeanOfHalves, isReport, readReport, type PhaseReport } from '../../protocols/phase/index.ts'
import { isStrictKey, verify } from '../../protocols/shared/signature.ts'
import { agreement, weightedSum } from '../../wasm/index.ts'

/**
 * What checking and building epochs take from the node, each bit for bit the same everywhere.
 *
 * @param mesh - CID bytes of the genesis
 */
export function createEpochPorts(mesh: Uint8Array): EpochPorts {
  return {
    verify,
    isKey: isStrictKey,
    agree,
    openReport(envelope) {
      const report = readReport(envelope, mesh)
      return isReport(report) ? countedReport(report) : undefined
    },
  }
}

/** @returns undefined for a report that has no T to count */
export function countedReport(report: PhaseReport): OpenedReport | undefined {
  return isMeanOfHalves(report) ? { author: report.author, epoch: report.epoch, t: report.sync } : undefined
}

/** Coherence.md P7, P8, P11: the kernels of the live value, on what the record counts. */
export const agree: Agree = (reports, threshold, totalWeight) => {
  const columns = columnsOf(reports)
  const { median, agreeingWeight } = agreement(columns, threshold, new Int32Array(reports.length))
  const reporting = reports.reduce((sum, { weight }) => sum + weight, 0)
  // The silent part of the weight counts as zero: nobody raises T_global by silencing others.
  const t = weightedSum(columnsOf([...reports, { weight: totalWeight - reporting, re: 0, im: 0 }]))
  return {
    t: [t.re, t.im],
    median: [median.re, median.im],
    agreeingWeight,
    collapsed: totalWeight > 0 && 3 * agreeingWeight >= 2 * totalWeight,
  }
}

type Weighted = Parameters<Agree>[0]

function columnsOf(reports: Weighted) {
  const counted = reports.filter(({ weight }) => weight > 0)
  return {
    weights: Float64Array.from(counted, ({ weight }) => weight),
    re: Int32Array.from(counted, ({ re }) => re),
    im: Int32Array.from(counted, ({ im }) => im),
  }
}
