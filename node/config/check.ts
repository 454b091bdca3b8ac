import { isIP } from 'node:net'
import { CodedError } from '../../protocols/shared/errors.ts'
import { checkSignal, signalOmega, signalStep, type SignalConfig } from '../coherence/ingest/config.ts'
import { transducerParams, type TransducerConfig } from '../coherence/transducer-params.ts'
import type { Config } from './schema.ts'

/** The two transducers of the source document. */
export type TransducerName = 'emissary' | 'master'

/** The signal section as the ingest takes it: ω is kairos.omega where nothing takes its place. */
export function signalConfig(config: Config): SignalConfig {
  const { reference: _reference, key: _key, ...signal } = config.signal
  const replaced = signal.period_s !== undefined || signal.reference_column !== undefined
  return replaced ? signal : { ...signal, omega: config.kairos.omega }
}

/** Window, ω and threshold of a transducer; the reference of `signal.reference: keyed` is the caller's to add. */
export function transducerConfig(config: Config, name: TransducerName): TransducerConfig {
  const signal = signalConfig(config)
  return {
    name,
    omega: signalOmega(signal),
    window: { tauMax: config[name].tau_max * config.kairos.tau_scale },
    step: signalStep(signal),
    threshold: config.kairos.coherence_threshold,
  }
}

/** @returns the transducers that the role has and the configuration has not switched off */
export function transducersOf(config: Config): TransducerName[] {
  const byRole: Record<Config['node']['role'], TransducerName[]> = {
    full: ['emissary', 'master'],
    light: ['emissary'],
    witness: [],
    relay: [],
  }
  return byRole[config.node.role].filter((name) => config[name].enabled)
}

/**
 * What no single key shows. The node does not start on a configuration that fails here.
 *
 * @throws {CodedError} E_API_EXPOSED: the API on a public address without TLS
 * @throws {CodedError} E_SIGNAL_CONFIG: keys of `signal` that do not go together
 * @throws {CodedError} E_WINDOW_UNDER_CYCLE, E_WINDOW_TOO_SHORT: a window that this signal cannot fill (coherence.md §6, §8)
 */
export function checkConfig(config: Config): void {
  checkApi(config.api)
  if (config.signal.source === 'none') return
  checkReference(config.signal)
  const signal = signalConfig(config)
  for (const name of transducersOf(config)) {
    checkWindow(signal, name, config[name].tau_max * config.kairos.tau_scale)
    transducerParams(transducerConfig(config, name))
  }
}

/** Says whose window it is: two transducers share the signal. */
function checkWindow(signal: SignalConfig, name: TransducerName, tauMax: number): void {
  try {
    checkSignal(signal, tauMax)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    throw new CodedError(error.code, `${name}: ${error.message}`, { hint: error.hint, cause: error })
  }
}

function checkApi({ host, tls, insecure_listen: insecure }: Config['api']): void {
  if (isLoopback(host) || tls !== undefined || insecure) return
  throw new CodedError('E_API_EXPOSED', `api.host ${host} can be reached by others, and there is no TLS`, {
    hint: 'set api.tls.cert and api.tls.key, or api.host to 127.0.0.1, or allow it with api.insecure_listen (--insecure-listen)',
  })
}

function checkReference({ reference, key }: Config['signal']): void {
  if ((reference === 'keyed') === (key !== undefined)) return
  const hint =
    key === undefined
      ? 'set signal.key to 64 random hex digits'
      : 'set signal.reference to keyed, or leave signal.key out'
  throw new CodedError('E_SIGNAL_CONFIG', 'signal.reference: keyed and signal.key go together', { hint })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
