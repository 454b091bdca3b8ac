import { isIP } from 'node:net'
import { CodedError } from '../../protocols/shared/errors.ts'
import { checkSignal, signalStep, type SignalConfig } from '../coherence/ingest/config.ts'
import { engineInit, signalConfig } from '../coherence/settings.ts'
import { transducerParams, type TransducerConfig } from '../coherence/transducer-params.ts'
import { ROLES } from '../roles.ts'
import type { Config } from './schema.ts'

/**
 * What no single key shows. The node does not start on a configuration that fails here.
 *
 * @throws {CodedError} E_API_EXPOSED: the API on a public address without TLS
 * @throws {CodedError} E_SIGNAL_CONFIG: keys of `signal` that do not go together
 * @throws {CodedError} E_WINDOW_UNDER_CYCLE, E_WINDOW_TOO_SHORT: a window that this signal cannot fill (coherence.md §6, §8)
 */
export function checkConfig(config: Config): void {
  checkApi(config.api)
  const { role } = config.node
  if (config.signal.source === 'none' || !ROLES[role].emissary) return
  checkReference(config.signal)
  const signal = signalConfig(config)
  const { emissary, master } = engineInit(config, role, signalStep(signal))
  for (const transducer of [emissary, master]) {
    if (transducer === undefined) continue
    checkWindow(signal, transducer)
    transducerParams(transducer)
  }
}

/** Says whose window it is: two transducers share the signal. */
function checkWindow(signal: SignalConfig, { name, window }: TransducerConfig): void {
  try {
    checkSignal(signal, 'tauMax' in window ? window.tauMax : undefined)
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
