import type { Role } from '../../protocols/admission/index.ts'
import type { Config } from '../config/schema.ts'
import { ROLES } from '../roles.ts'
import type { EngineInit } from './engine.ts'
import { signalOmega, type SignalConfig } from './ingest/index.ts'
import type { Reference } from './keyed.ts'
import type { TransducerConfig } from './transducer-params.ts'

/** The configuration's `signal` section as the ingest takes it: ω from `period_s`, else from `kairos.omega`. */
export function signalConfig(config: Config): SignalConfig {
  const { reference: _reference, key: _key, ...signal } = config.signal
  const own = signal.period_s === undefined && signal.reference_column === undefined
  return { ...signal, ...(own ? { omega: config.kairos.omega } : {}) }
}

/** What the transducers of a role are made of. @param step - seconds between samples, undefined when irregular */
export function engineInit(config: Config, role: Role, step?: number, reference?: Reference): EngineInit {
  const omega = signalOmega(signalConfig(config))
  const transducer = (name: 'master' | 'emissary'): TransducerConfig => ({
    name,
    omega,
    window: { tauMax: config[name].tau_max * config.kairos.tau_scale },
    step,
    threshold: config.kairos.coherence_threshold,
    ...(reference === undefined ? {} : { reference }),
  })
  return {
    emissary: transducer('emissary'),
    master: ROLES[role].master && config.master.enabled ? transducer('master') : undefined,
    threshold: config.kairos.coherence_threshold,
    phaseThreshold: config.sync.phase_threshold,
  }
}
