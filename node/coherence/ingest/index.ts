import { setTimeout as delay } from 'node:timers/promises'
import { pipe } from 'it-pipe'
import { kernelSource } from '../kernels.ts'
import type { Sample } from '../transducer.ts'
import type { SignalConfig } from './config.ts'
import { checkSignal } from './config.ts'
import type { Clock, IngestDeps } from './events.ts'
import { readSource } from './sources.ts'
import { disturb, pace, phasors, tap, until } from './transforms.ts'

export { checkSignal, signalOmega, signalStep } from './config.ts'
export type { SignalConfig, SyntheticConfig, SyntheticShape } from './config.ts'
export type { Clock, IngestDeps, IngestEvent, OnIngestEvent } from './events.ts'
export { gaussian, mulberry32 } from './random.ts'

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
}

/**
 * The samples of a configured signal, in batches: source → readings → noise and gaps → pace → front end. One hop per
 * batch, not per sample. Nothing is read before the first batch is asked for.
 *
 * @returns batches of at least one sample; ends at the end of the source or when the signal aborts. The iteration
 *   throws a CodedError E_INPUT_… on bad input (with the line number) or an unreadable file
 * @throws CodedError E_SIGNAL_CONFIG, E_WINDOW_UNDER_CYCLE at once, as {@link checkSignal}
 */
export function createIngest(config: SignalConfig, deps: IngestDeps): AsyncIterable<Sample[]> {
  checkSignal(config)
  const { signal, onEvent = () => undefined, clock = systemClock, stdin = process.stdin } = deps
  const { kernels = kernelSource() } = deps
  let count = 0
  const counted = tap((length) => void (count += length))
  const source = until(readSource(config, { onEvent, clock, stdin }), signal)
  const speed = config.source === 'stdin' ? 'max' : (config.speed ?? 1)
  const paced = speed === 'max' ? source : pace(speed, clock, signal)(source)
  const disturbed = (config.noise ?? 0) > 0 || (config.gap_rate ?? 0) > 0 ? disturb(config)(paced) : paced
  return pipe(disturbed, counted, phasors(config, kernels), async function* (samples) {
    yield* samples
    onEvent({ type: 'end', readings: count })
  })
}
