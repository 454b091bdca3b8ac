import type { Complex } from './complex.ts'
import { inner, magnitude, magnitudeSquared, ZERO } from './complex.ts'
import { COLLAPSE_THRESHOLD, EMISSARY_TAU_MAX_S, MIN_EFFECTIVE_SAMPLES, PHASE_THRESHOLD } from './constants.ts'
import { syncFalseAlarm, syncGreatestAngle, syncLeastMagnitude } from './statistics.ts'
import type { Sample, TransducerState } from './transducer.ts'
import { restart, step } from './transducer.ts'

export interface SyncParams {
  /** I_c for T_sync; default .95 */
  readonly threshold?: number
  /** greatest Δmag of a collapse (`sync.phase_threshold`); default .1 */
  readonly phaseThreshold?: number
}

/** Master and Emissary on one stream, and what they are together. */
export interface SyncState {
  readonly master: TransducerState
  readonly emissary: TransducerState
  readonly threshold: number
  readonly phaseThreshold: number
  /** T_sync = (T_m + T_e)/2 */
  readonly t: Complex
  readonly collapsed: boolean
  /** seconds, since when T_sync has been missed with both halves collapsed; undefined when it is not */
  readonly missedSince: number | undefined
  /** times the layer asked for realignment; a witness notes each */
  readonly realignments: number
}

/** A half too short, the halves too far apart in angle or in length, too few samples, or just not enough. */
export type SyncMiss = 'master' | 'emissary' | 'direction' | 'difference' | 'samples' | 'threshold'

/** What is shown of a sync layer. */
export interface SyncReadout {
  readonly t: Complex
  readonly magnitudeSquared: number
  /** Δmag = ||T_m|-|T_e|| */
  readonly deltaMagnitude: number
  /** Δarg = |arg(T_m·conj T_e)|, rad, in [0, π] */
  readonly deltaArgument: number
  readonly nEff: number
  /** probability that noise alone shows this collapse */
  readonly falseAlarm: number
  readonly collapsed: boolean
  readonly realignments: number
  /** the first condition that keeps T_sync from collapse */
  readonly miss: SyncMiss | undefined
}

export function createSync(master: TransducerState, emissary: TransducerState, params: SyncParams = {}): SyncState {
  return {
    master,
    emissary,
    threshold: params.threshold ?? COLLAPSE_THRESHOLD,
    phaseThreshold: params.phaseThreshold ?? PHASE_THRESHOLD,
    t: ZERO,
    collapsed: false,
    missedSince: undefined,
    realignments: 0,
  }
}

/**
 * Advances both transducers and the layer by one sample (coherence.md §7). When T_sync has been missed for a whole
 * emissary tau_max while both halves are collapsed alone, the emissary is reset to 0 and accumulates anew; the next miss
 * is timed from then, so this happens at most once per tau_max. `realignments` tells it.
 */
export function syncStep(state: SyncState, sample: Sample): SyncState {
  const master = step(state.master, sample)
  const emissary = step(state.emissary, sample)
  const t = { re: (master.t.re + emissary.t.re) / 2, im: (master.t.im + emissary.t.im) / 2 }
  const deltaMagnitude = Math.abs(magnitude(master.t) - magnitude(emissary.t))
  const enough = Math.min(master.nEff, emissary.nEff) >= MIN_EFFECTIVE_SAMPLES
  const collapsed = enough && magnitudeSquared(t) >= state.threshold && deltaMagnitude < state.phaseThreshold
  const missed = master.collapsed && emissary.collapsed && !collapsed
  const time = emissary.time
  const missedSince = missed ? (state.missedSince ?? time) : undefined
  const advanced = { ...state, master, emissary, t, collapsed, missedSince }
  return missedSince === undefined ? advanced : realign(advanced, missedSince, time)
}

function realign(state: SyncState, missedSince: number, time: number): SyncState {
  const tauMax = state.emissary.params.tauMax ?? EMISSARY_TAU_MAX_S
  if (time - missedSince < tauMax) return state
  return {
    ...state,
    emissary: { ...restart(state.emissary.params), time, count: state.emissary.count, refused: state.emissary.refused },
    missedSince: undefined,
    realignments: state.realignments + 1,
  }
}

export function readSync(state: SyncState): SyncReadout {
  const { master, emissary, t } = state
  const between = inner(emissary.t, master.t)
  const nEff = Math.min(master.nEff, emissary.nEff)
  const readout = {
    t,
    magnitudeSquared: magnitudeSquared(t),
    deltaMagnitude: Math.abs(magnitude(master.t) - magnitude(emissary.t)),
    deltaArgument: Math.abs(Math.atan2(between.im, between.re)),
    nEff,
    falseAlarm: syncFalseAlarm(nEff, state.threshold),
    collapsed: state.collapsed,
    realignments: state.realignments,
  }
  return { ...readout, miss: missOf(state, readout) }
}

function missOf(state: SyncState, readout: Omit<SyncReadout, 'miss'>): SyncMiss | undefined {
  const least = syncLeastMagnitude(state.threshold)
  if (state.collapsed) return undefined
  if (magnitude(state.master.t) < least) return 'master'
  if (magnitude(state.emissary.t) < least) return 'emissary'
  if (readout.deltaArgument > syncGreatestAngle(state.threshold)) return 'direction'
  if (readout.deltaMagnitude >= state.phaseThreshold) return 'difference'
  return readout.nEff < MIN_EFFECTIVE_SAMPLES ? 'samples' : 'threshold'
}
