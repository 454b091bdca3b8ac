import type { Member } from '../../protocols/admission/index.ts'
import { isMeanOfHalves, type PhaseReport } from '../../protocols/phase/index.ts'
import type { GlobalCoherence, ReportRow } from '../operations.ts'
import { decide, type Decision } from './global/decision.ts'
import { dequantise, type QuantisedT } from './global/quantise.ts'
import type { WeightedReport } from './global/reports.ts'
import { weightedSum } from './global/weighted-sum.ts'
import { falseAlarm, syncFalseAlarm } from './statistics.ts'

/** Authors kept at once; the one heard longest ago makes room. */
export const MAX_AUTHORS = 4096
/** An operator's weight is cut into this many parts before it is split over its nodes: 1/n exact up to n = 16. */
const WEIGHT_PARTS = 720_720
/** A node that fell silent is shown as stale for this long, then forgotten. */
const FORGET_AFTER_MS = 10 * 60_000

export interface ReportPoolInit {
  /** By cell: as the record of the mesh has them now, or its genesis. */
  operators: () => readonly { cell: string; weight: number }[]
  /** I_c of the mesh. */
  collapseThreshold: number
  /** What admission proved of a peer; undefined until we met it. */
  member: (peerId: string) => Member | undefined
  /** A report older than this many of its author's periods is stale. */
  stalePeriods: number
  /** Monotonic clock, ms. */
  now: () => number
}

interface Entry {
  report: PhaseReport
  receivedAt: number
}

interface Weighed {
  reports: Map<string, WeightedReport>
  /** of one of an operator's weight */
  parts: number
  /** the weight of all operators, in parts */
  whole: number
}

/** The latest report of every author, and what the mesh makes of them (coherence.md P7, P8, P11). */
export interface ReportPool {
  /** What was said before, said again, is fresh again. @returns false when the author already said something later */
  put(peerId: string, report: PhaseReport): boolean
  rows(): ReportRow[]
  global(): GlobalCoherence
  /** Seconds since the author's last report; null when there was none. */
  ageSeconds(peerId: string): number | null
  readonly size: number
}

export function createReportPool(init: ReportPoolInit): ReportPool {
  const entries = new Map<string, Entry>()

  function put(peerId: string, report: PhaseReport): boolean {
    const last = entries.get(peerId)
    if (last !== undefined && last.report.seq > report.seq) return false
    entries.delete(peerId)
    entries.set(peerId, { report: last?.report.seq === report.seq ? last.report : report, receivedAt: init.now() })
    const oldest = entries.keys().next().value
    if (entries.size > MAX_AUTHORS && oldest !== undefined) entries.delete(oldest)
    return true
  }

  const ageMs = (entry: Entry): number => init.now() - entry.receivedAt
  const isFresh = (entry: Entry): boolean => ageMs(entry) <= init.stalePeriods * entry.report.periodMs

  /** Only full nodes of an operator with weight are weighed, in equal parts of the operator's weight. */
  function weighed(): Weighed {
    const operators = new Map(init.operators().map(({ cell, weight }) => [cell, weight]))
    const totalWeight = [...operators.values()].reduce((sum, weight) => sum + weight, 0)
    const parts = Math.min(WEIGHT_PARTS, Math.floor((2 ** 33 - 1) / totalWeight))
    const cells = new Map<string, string[]>()
    for (const [peerId, entry] of entries) {
      const member = init.member(peerId)
      if (member?.role !== 'full' || !operators.has(member.cell)) continue
      if (!isFresh(entry) || !isMeanOfHalves(entry.report)) continue
      cells.set(member.cell, [...(cells.get(member.cell) ?? []), peerId])
    }
    const reports = new Map<string, WeightedReport>()
    for (const [cell, peers] of cells) {
      const weight = Math.floor(((operators.get(cell) ?? 0) * parts) / peers.length)
      for (const peer of peers) reports.set(peer, { peer, weight, t: quantised(entries.get(peer)!.report) })
    }
    return { reports, parts, whole: totalWeight * parts }
  }

  function decision({ reports, whole }: Weighed): Decision {
    return decide([...reports.values()], { threshold: init.collapseThreshold, totalWeight: whole })
  }

  function global(): GlobalCoherence {
    forget()
    const all = weighed()
    const { whole } = all
    const reports = [...all.reports.values()]
    const reporting = reports.reduce((sum, { weight }) => sum + weight, 0)
    const { median, collapsed, agreeingWeight, dissenters } = decision(all)
    // The silent part of the weight counts as zero: nobody raises T_global by silencing others.
    const t = weightedSum([...reports, { peer: '', weight: whole - reporting, t: { re: 0, im: 0 } }])
    const pair = complex(t)
    return {
      t: pair,
      magnitudeSquared: pair[0] ** 2 + pair[1] ** 2,
      median: complex(median),
      collapsed,
      weightReporting: reporting / whole,
      weightAgreeing: agreeingWeight / whole,
      falseAlarm: globalFalseAlarm(
        reports.map(({ peer, weight }) => ({ weight, nEff: (entries.get(peer)?.report.nEffMilli ?? 0) / 1000 })),
        init.collapseThreshold,
      ),
      dissenters: dissenters.map((peerId) => init.member(peerId)?.name ?? peerId),
    }
  }

  function rows(): ReportRow[] {
    forget()
    const all = weighed()
    const dissenters = new Set(decision(all).dissenters)
    return [...entries].map(([peerId, entry]) => {
      const member = init.member(peerId)
      const t = complex(quantised(entry.report))
      const magnitudeSquared = t[0] ** 2 + t[1] ** 2
      return {
        peerId,
        name: member?.name ?? peerId,
        role: member?.role ?? 'light',
        cell: member?.cell ?? '',
        weight: (all.reports.get(peerId)?.weight ?? 0) / all.parts,
        t,
        magnitudeSquared,
        collapsed: entry.report.collapsed.sync,
        falseAlarm: (entry.report.master === null ? falseAlarm : syncFalseAlarm)(
          entry.report.nEffMilli / 1000,
          magnitudeSquared,
        ),
        ageSeconds: ageMs(entry) / 1000,
        state: isFresh(entry) ? 'fresh' : 'stale',
        dissents: dissenters.has(peerId),
      }
    })
  }

  function forget(): void {
    for (const [peerId, entry] of entries) if (ageMs(entry) > FORGET_AFTER_MS) entries.delete(peerId)
  }

  function ageSeconds(peerId: string): number | null {
    const entry = entries.get(peerId)
    return entry === undefined ? null : ageMs(entry) / 1000
  }

  return {
    put,
    rows,
    global,
    ageSeconds,
    get size() {
      return entries.size
    },
  }
}

function quantised(report: PhaseReport): QuantisedT {
  return { re: report.sync[0], im: report.sync[1] }
}

function complex(t: QuantisedT): [re: number, im: number] {
  return [dequantise(t.re), dequantise(t.im)]
}

/** Less than a third of the weight may lie about its N_eff: the window that a third by weight do not reach bounds the rest. */
function globalFalseAlarm(reports: { weight: number; nEff: number }[], threshold: number): number {
  const windows = reports.toSorted((a, b) => a.nEff - b.nEff)
  const third = windows.reduce((sum, { weight }) => sum + weight, 0) / 3
  let passed = 0
  const bound = windows.find(({ weight }) => (passed += weight) >= third)
  return bound === undefined ? 1 : syncFalseAlarm(bound.nEff, threshold)
}
