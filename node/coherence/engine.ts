import type { CoherenceDocument, CoherenceValue } from '../operations.ts'
import { magnitudeSquared, ZERO, type Complex } from './complex.ts'
import { falseAlarm, syncFalseAlarm } from './statistics.ts'
import { createSync, readSync, syncStep, type SyncState } from './sync-layer.ts'
import { createTransducer, step, type Sample, type TransducerState } from './transducer.ts'
import type { TransducerConfig } from './transducer-params.ts'

export interface EngineInit {
  emissary: TransducerConfig
  /** Absent on a light node. */
  master: TransducerConfig | undefined
  threshold: number
  phaseThreshold: number
}

interface Own {
  t: Complex
  nEff: number
  collapsed: boolean
}

/** The transducers that a role runs, on one stream of samples. Synchronous and without a clock. */
export interface Engine {
  advance(batch: readonly Sample[]): void
  /** T_P of this node: T_sync, or the emissary's T where there is no master. */
  readonly own: Own
  document(): Pick<CoherenceDocument, 'emissary' | 'master' | 'sync'>
}

/** @throws {CodedError} E_WINDOW_TOO_SHORT, E_TRANSDUCER_CONFIG */
export function createEngine(init: EngineInit): Engine {
  return init.master === undefined ? lightEngine(init) : fullEngine(init, init.master)
}

function fullEngine(init: EngineInit, master: TransducerConfig): Engine {
  const { threshold, phaseThreshold } = init
  let state: SyncState = createSync(createTransducer(master), createTransducer(init.emissary), {
    threshold,
    phaseThreshold,
  })
  return {
    advance(batch) {
      for (const sample of batch) state = syncStep(state, sample)
    },
    get own() {
      return { t: state.t, nEff: Math.min(state.master.nEff, state.emissary.nEff), collapsed: state.collapsed }
    },
    document() {
      const sync = readSync(state)
      return {
        emissary: valueOf(state.emissary),
        master: valueOf(state.master),
        sync: {
          ...coherenceValue(sync, syncFalseAlarm),
          deltaMagnitude: sync.deltaMagnitude,
          deltaArgument: sync.deltaArgument,
          realignments: sync.realignments,
        },
      }
    },
  }
}

function lightEngine(init: EngineInit): Engine {
  let state = createTransducer(init.emissary)
  return {
    advance(batch) {
      for (const sample of batch) state = step(state, sample)
    },
    get own() {
      return { t: state.t, nEff: state.nEff, collapsed: state.collapsed }
    },
    document: () => ({ emissary: valueOf(state), master: null, sync: null }),
  }
}

/** A node without a signal: nothing was heard, so nothing is coherent. */
export const SILENT: Engine = {
  advance: () => undefined,
  own: { t: ZERO, nEff: 0, collapsed: false },
  document: () => ({ emissary: null, master: null, sync: null }),
}

function valueOf(state: TransducerState): CoherenceValue {
  return coherenceValue(state, falseAlarm)
}

/** Adds what people must see beside every coherence: how likely noise alone is to show it (coherence.md P5). */
function coherenceValue({ t, nEff, collapsed }: Own, alarm: (nEff: number, power: number) => number): CoherenceValue {
  const power = magnitudeSquared(t)
  return { t: [t.re, t.im], magnitudeSquared: power, collapsed, nEff, falseAlarm: alarm(nEff, power) }
}
