import type { Role } from '../../protocols/admission/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { KernelFault } from '../../wasm/index.ts'
import type { Config } from '../config/schema.ts'
import { errorBody } from '../errors.ts'
import type { ErrorDocument, SignalDocument } from '../operations.ts'
import { ROLES } from '../roles.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import { createEngine, SILENT, type Engine } from './engine.ts'
import { createIngest, signalStep, type IngestEvent, type SignalConfig } from './ingest/index.ts'
import { kernelSource } from './kernels.ts'
import { keyedReference } from './keyed.ts'
import { engineInit, signalConfig } from './settings.ts'

/** Bad samples of one stream that are told one by one; the rest is counted. */
const MAX_TOLD_BAD_SAMPLES = 10

export interface CoherenceService extends Service {
  readonly engine: Engine
  readonly signal: SignalDocument
  /** Whether samples still come: a T that nothing feeds any more is neither reported nor shown. */
  readonly isLive: boolean
  /** What the transducers say now; null where the role runs none or the signal is silent. */
  document(): ReturnType<Engine['document']>
}

/** What watchers of the node are told of its signal. */
export type SignalEvent =
  | Exclude<IngestEvent, { type: 'bad-sample' }>
  | { type: 'bad-sample'; line: number; error: ErrorDocument }
  | { type: 'failed'; error: ErrorDocument }

export interface CoherenceInit {
  config: Config
  role: Role
  peerId: string
  log: Log
  onEvent: (event: SignalEvent) => void
  /** Counts what went wrong below the batched kernels. */
  onKernelFault: (fault: KernelFault) => void
  stdin?: AsyncIterable<Uint8Array>
}

/**
 * Runs the ingest into the transducers. A signal that ends or fails ends alone: the node keeps running,
 * says so, and stops reporting.
 *
 * @throws {CodedError} E_WINDOW_TOO_SHORT, E_WINDOW_UNDER_CYCLE, E_SIGNAL_CONFIG for a configuration that cannot work
 */
export function createCoherence(init: CoherenceInit): CoherenceService {
  const { config, role, log } = init
  const source = signalConfig(config)
  const listens = source.source !== 'none' && ROLES[role].emissary && config.emissary.enabled
  const engine = listens ? buildEngine(init, source) : SILENT
  const signal: SignalDocument = { state: 'none', samples: 0, badSamples: 0, passes: 0 }
  const abort = new AbortController()
  const kernels = kernelSource((fault) => {
    const { kind, engine, cause } = fault
    log.warn('the wasm kernels failed; TypeScript takes over', { kind, engine, reason: messageOf(cause) })
    init.onKernelFault(fault)
  })
  const patienceMs = silenceAfterMs(config, source)
  let lastSampleAt = -Infinity
  let done: Promise<void> = Promise.resolve()

  function onEvent(event: IngestEvent): void {
    if (event.type === 'bad-sample') return onBadSample(event.line, event.error)
    if (event.type === 'loop') signal.passes = event.pass
    init.onEvent(event)
  }

  /** A stream of nothing but garbage may fill neither the log nor the events. */
  function onBadSample(line: number, cause: unknown): void {
    if (++signal.badSamples > MAX_TOLD_BAD_SAMPLES) return
    const { error } = errorBody(cause)
    log.warn('bad sample taken as invalid', { line, reason: error.message })
    init.onEvent({ type: 'bad-sample', line, error })
  }

  async function run(): Promise<void> {
    signal.state = 'running'
    try {
      const deps = {
        signal: abort.signal,
        onEvent,
        kernels,
        ...(init.stdin === undefined ? {} : { stdin: init.stdin }),
      }
      for await (const batch of createIngest(source, deps)) {
        engine.advance(batch)
        signal.samples += batch.length
        lastSampleAt = performance.now()
      }
      signal.state = 'ended'
    } catch (error) {
      signal.state = 'failed'
      signal.error = errorBody(error).error
      log.error('the signal failed; the node keeps running', { ...signal.error })
      init.onEvent({ type: 'failed', error: signal.error })
    }
  }

  const isLive = (): boolean => performance.now() - lastSampleAt <= patienceMs

  return {
    name: 'coherence',
    engine,
    signal,
    get isLive() {
      return isLive()
    },
    document: () => (isLive() ? engine : SILENT).document(),
    async start() {
      if (listens) done = run()
    },
    async stop() {
      abort.abort()
      await done
    },
  }
}

function buildEngine({ config, role, peerId }: CoherenceInit, source: SignalConfig): Engine {
  const key = config.signal.reference === 'keyed' ? config.signal.key : undefined
  const reference = key === undefined ? undefined : keyedReference(Buffer.from(key, 'hex'), peerId)
  return createEngine(engineInit(config, role, signalStep(source), reference))
}

/** Missing samples of a slow signal are no silence, nor is a short pause of a fast one. */
function silenceAfterMs({ phase }: Config, source: SignalConfig): number {
  const speed = source.source === 'stdin' ? 1 : (source.speed ?? 1)
  const stepMs = speed === 'max' ? 0 : ((signalStep(source) ?? 0) * 1000) / speed
  return phase.stale_periods * Math.max(phase.rate_s * 1000, stepMs)
}
