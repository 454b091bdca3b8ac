import { digestOf, type Agree, type EpochPorts, type OpenedReport } from '../../consensus/epoch/index.ts'
import { isMeanOfHalves, isReport, readReport, type PhaseReport } from '../../protocols/phase/index.ts'
import { isStrictKey, verify } from '../../protocols/shared/signature.ts'
import { agreement, weightedSum } from '../../wasm/index.ts'

/** Reports of a few epochs of a thousand reporters: what gossip has checked is not checked again in a block. */
const MAX_OPENED = 8192

/** What checking and building epochs take from the node, each bit for bit the same everywhere. */
export interface NodeEpochPorts extends EpochPorts {
  /** Notes a report that has been opened already, by the bytes of its envelope. */
  opened(envelope: Uint8Array, report: PhaseReport): void
}

/** @param mesh - CID bytes of the genesis */
export function createEpochPorts(mesh: Uint8Array): NodeEpochPorts {
  /** By the digest of the envelope; the oldest goes first. */
  const known = new Map<string, OpenedReport | undefined>()

  function note(name: string, report: PhaseReport | undefined): OpenedReport | undefined {
    const isCounted = report !== undefined && isMeanOfHalves(report)
    const opened = isCounted ? { author: report.author, epoch: report.epoch, t: report.sync } : undefined
    known.set(name, opened)
    const oldest = known.keys().next().value
    if (known.size > MAX_OPENED && oldest !== undefined) known.delete(oldest)
    return opened
  }

  return {
    verify,
    isKey: isStrictKey,
    agree,
    openReport(envelope) {
      const name = nameOf(envelope)
      if (known.has(name)) return known.get(name)
      const report = readReport(envelope, mesh)
      return note(name, isReport(report) ? report : undefined)
    },
    opened(envelope, report) {
      const name = nameOf(envelope)
      if (!known.has(name)) note(name, report)
    },
  }
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

function nameOf(envelope: Uint8Array): string {
  return Buffer.from(digestOf(envelope)).toString('latin1')
}
