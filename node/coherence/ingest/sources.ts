import { createReadStream } from 'node:fs'
import { pipe } from 'it-pipe'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import type { Reading } from '../goertzel.ts'
import type { SignalConfig } from './config.ts'
import { signalOmega } from './config.ts'
import type { IngestDeps } from './events.ts'
import { lines } from './lines.ts'
import { gaussian, mulberry32 } from './random.ts'
import { readings } from './readings.ts'

const SYNTHETIC_BATCH = 256
const CYCLE_TOLERANCE = 1e-9

type Deps = Required<Pick<IngestDeps, 'clock' | 'onEvent' | 'stdin'>>

/** Readings of the configured source, in batches. */
export function readSource(config: SignalConfig, deps: Deps): AsyncIterable<Reading[]> {
  if (config.source === 'recording') return recording(config, deps)
  if (config.source === 'stdin') return pipe(deps.stdin, lines(), readings({ config, ...deps }))
  return config.source === 'synthetic' ? synthetic(config) : nothing()
}

async function* nothing(): AsyncGenerator<Reading[]> {}

/**
 * A file, again and again when told to. Its length is padded to whole cycles of ω with lost time, so that starting over
 * does not break the phase.
 */
async function* recording(config: SignalConfig, deps: Deps): AsyncGenerator<Reading[]> {
  let offset = 0
  for (let pass = 1; ; pass++) {
    const span = { first: NaN, last: NaN, count: 0 }
    for await (const batch of pipe(bytes(config.path ?? ''), lines(), readings({ config, ...deps, offset }))) {
      if (span.count === 0) span.first = batch[0]?.time ?? NaN
      span.last = batch.at(-1)?.time ?? NaN
      span.count += batch.length
      yield batch
    }
    if (config.loop !== true) return
    if (!(span.last > span.first)) {
      throw new CodedError('E_INPUT_EMPTY', `${config.path} holds fewer than two readings to go round`)
    }
    offset += passLength(config, span)
    deps.onEvent({ type: 'loop', pass: pass + 1, time: offset })
  }
}

function passLength(config: SignalConfig, span: { first: number; last: number; count: number }): number {
  const between = config.rate_hz === undefined ? (span.last - span.first) / (span.count - 1) : 1 / config.rate_hz
  const length = span.last - span.first + between
  const omega = Math.abs(signalOmega(config))
  const cycle = omega === 0 ? 0 : (2 * Math.PI) / omega
  return cycle === 0 ? length : Math.ceil(length / cycle - CYCLE_TOLERANCE) * cycle
}

async function* bytes(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path)
  } catch (error) {
    throw new CodedError('E_INPUT_UNREADABLE', `cannot read ${path}: ${codeOf(error)}`, {
      hint: 'check the path and that this user may read it',
      cause: error,
    })
  }
}

async function* synthetic(config: SignalConfig): AsyncGenerator<Reading[]> {
  const { rate_hz: rate = 1, synthetic: shape = { shape: 'tone' } } = config
  const valueAt = wave(config)
  const total = Math.floor((shape.duration_s ?? Infinity) * rate)
  for (let from = 0; from < total; from += SYNTHETIC_BATCH) {
    const length = Math.min(SYNTHETIC_BATCH, total - from)
    yield Array.from({ length }, (_, at) => {
      const time = (from + at) / rate
      return { time, value: valueAt(time), valid: true }
    })
  }
}

// Phases when the front end wants phases, a unit-amplitude wave when it wants raw samples.
function wave(config: SignalConfig): (time: number) => number {
  const { shape, frequency_hz, chirp_hz_per_s: chirp = 0, phase = 0 } = config.synthetic ?? { shape: 'tone' }
  const raw = config.block !== undefined
  if (shape === 'noise') {
    const random = mulberry32((config.seed ?? 1) ^ 0x5eed)
    return () => (raw ? gaussian(random) : 2 * Math.PI * random())
  }
  const frequency = frequency_hz ?? signalOmega(config) / (2 * Math.PI)
  const sweep = shape === 'chirp' ? chirp / 2 : 0
  return (time) => {
    const turns = frequency * time + sweep * time * time
    const angle = 2 * Math.PI * (turns - Math.floor(turns)) + phase
    return raw ? Math.cos(angle) : angle
  }
}
