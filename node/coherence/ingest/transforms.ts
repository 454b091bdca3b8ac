import { untilAborted } from '../../../protocols/shared/until-aborted.ts'
import type { BlockParams, BlockState, Reading } from '../goertzel.ts'
import { blockStep, createBlocks } from '../goertzel.ts'
import { BATCH_LEAST, type KernelSource, UnitPhasors } from '../kernels.ts'
import { phasorFromPhase } from '../phasor.ts'
import type { Sample } from '../transducer.ts'
import type { SignalConfig } from './config.ts'
import { signalOmega } from './config.ts'
import type { Clock } from './events.ts'
import { gaussian, mulberry32 } from './random.ts'

type Transform<A, B> = (source: AsyncIterable<A[]>) => AsyncGenerator<B[]>

// Waking more often than this costs more than the smoothness is worth.
const PACE_TICK_MS = 20
const PACE_LONGEST_MS = 1000

/** Adds seeded Gaussian sensor noise and loses readings at `gap_rate`. */
export function disturb(config: SignalConfig): Transform<Reading, Reading> {
  const { noise = 0, gap_rate: gapRate = 0, seed = 1 } = config
  return async function* (source) {
    const random = mulberry32(seed)
    for await (const batch of source) {
      yield batch.map(({ time, value, valid }) => ({
        time,
        value: value + noise * gaussian(random),
        valid: valid && random() >= gapRate,
      }))
    }
  }
}

/**
 * Releases readings so that their time runs at `speed` seconds per second of the clock, counted from the first; ends
 * when the signal aborts.
 */
export function pace(speed: number, clock: Clock, signal: AbortSignal): Transform<Reading, Reading> {
  return async function* (source) {
    let origin: number | undefined
    const started = clock.now()
    for await (const batch of source) {
      origin ??= batch[0]?.time ?? 0
      let sent = 0
      while (sent < batch.length && !signal.aborted) {
        const due = origin + ((clock.now() - started) / 1000) * speed
        const upTo = dueCount(batch, sent, due)
        if (upTo > sent) yield batch.slice(sent, upTo)
        sent = upTo
        const next = batch[sent]
        const ahead = next === undefined ? 0 : ((next.time - due) / speed) * 1000
        if (next !== undefined) await clock.sleep(Math.min(Math.max(PACE_TICK_MS, ahead), PACE_LONGEST_MS), signal)
      }
    }
  }
}

function dueCount(batch: readonly Reading[], from: number, due: number): number {
  let upTo = from
  while (upTo < batch.length && (batch[upTo]?.time ?? 0) <= due) upTo += 1
  return upTo
}

/**
 * The front end: Goertzel blocks of raw samples, or phases as they are, to phasors. One by one in TypeScript; 256 and
 * more by the batched kernels, to 1e-12 the same.
 */
export function phasors(config: SignalConfig, kernels: KernelSource): Transform<Reading, Sample> {
  const { block = 1 } = config
  return async function* (source) {
    const blocks = config.block === undefined ? undefined : createBlocks(blockParams(config))
    let units: UnitPhasors | undefined
    try {
      for await (const batch of source) {
        if (Math.max(block, batch.length) >= BATCH_LEAST) units ??= new UnitPhasors(await kernels())
        const samples = blocks === undefined ? phaseSamples(batch, units) : blockSamples(blocks, batch, units)
        if (samples.length > 0) yield samples
      }
    } finally {
      units?.free()
    }
  }
}

function blockParams({ block = 1, rate_hz: rate, noise_gate: noiseGate = 0, ...config }: SignalConfig): BlockParams {
  return { omega: signalOmega(config), block, step: rate === undefined ? undefined : 1 / rate, noiseGate }
}

function phaseSamples(batch: readonly Reading[], units: UnitPhasors | undefined): Sample[] {
  if (units === undefined || batch.length < BATCH_LEAST) return batch.map(phaseSample)
  const { re, im } = units.of(batch.length, (k) => batch[k]!.value)
  return batch.map(({ time, valid }, k) => ({ time, re: re[k]!, im: im[k]!, valid }))
}

function phaseSample({ time, value, valid }: Reading): Sample {
  const u = phasorFromPhase(value)
  return { time, re: u.re, im: u.im, valid }
}

function blockSamples(blocks: BlockState, batch: readonly Reading[], units: UnitPhasors | undefined): Sample[] {
  return batch.flatMap((reading) => blockStep(blocks, reading, units))
}

/** Counts what passes. */
export function tap(onBatch: (length: number) => void): Transform<Reading, Reading> {
  return async function* (source) {
    for await (const batch of source) {
      onBatch(batch.length)
      yield batch
    }
  }
}

/** Ends a source when the signal aborts, also while it waits for input that may never come. */
export async function* until<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    yield* untilAborted(source, signal)
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error
  }
}
