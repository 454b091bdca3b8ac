import type { Role } from '../protocols/admission/index.ts'
import type { ErrorDocument } from './errors.ts'

/** A T value as people see it: never without its false-alarm rate (coherence.md P5). */
export interface CoherenceValue {
  t: [re: number, im: number]
  magnitudeSquared: number
  collapsed: boolean
  nEff: number
  /** Chance that noise alone reaches this magnitude at this N_eff (coherence.md P5), 0..1. */
  falseAlarm: number
}

export interface GlobalCoherence {
  t: [re: number, im: number]
  magnitudeSquared: number
  median: [re: number, im: number]
  collapsed: boolean
  /** Share of the genesis weight whose reports are fresh, 0..1. */
  weightReporting: number
  /** Share of the genesis weight that collapsed in the median's direction, 0..1. */
  weightAgreeing: number
  falseAlarm: number
  /** Names of nodes that are fresh and weighed but do not agree with the rest. */
  dissenters: string[]
}

/** What becomes of this node's own signal. */
export interface SignalDocument {
  state: 'none' | 'running' | 'ended' | 'failed'
  samples: number
  badSamples: number
  /** Times the recording was begun; 0 for other sources. */
  passes: number
  error?: ErrorDocument
}

export interface CoherenceDocument {
  time: number
  signal: SignalDocument
  /** null where the role runs none. */
  emissary: CoherenceValue | null
  master: CoherenceValue | null
  sync: (CoherenceValue & { deltaMagnitude: number; deltaArgument: number; realignments: number }) | null
  global: GlobalCoherence
  reports: ReportRow[]
}

export interface ReportRow {
  peerId: string
  name: string
  role: Role
  cell: string
  weight: number
  t: [re: number, im: number]
  magnitudeSquared: number
  collapsed: boolean
  falseAlarm: number
  ageSeconds: number
  state: 'fresh' | 'stale'
  dissents: boolean
}

export interface CoherencePoint {
  time: number
  t: [re: number, im: number] | null
  magnitudeSquared: number | null
  collapsed: boolean | null
  global: { t: [re: number, im: number]; magnitudeSquared: number; collapsed: boolean }
}
