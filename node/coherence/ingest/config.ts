import { CodedError } from '../../../protocols/shared/errors.ts'
import { checkBlocks } from '../goertzel.ts'

export type SyntheticShape = 'tone' | 'chirp' | 'noise'

export interface SyntheticConfig {
  /** `tone`: constant frequency; `chirp`: frequency rising linearly; `noise`: uniform phases, or unit-variance values */
  shape: SyntheticShape
  /** Hz at time 0; default the reference's own, ω/2π */
  frequency_hz?: number | undefined
  /** Hz per second, chirp only; default 0 */
  chirp_hz_per_s?: number | undefined
  /** rad at time 0; default 0 */
  phase?: number | undefined
  /** seconds after which the source ends; default never */
  duration_s?: number | undefined
}

/** Where a node's signal comes from; section `signal` of the configuration, keys in snake_case as there. */
export interface SignalConfig {
  /** `recording`: a file; `stdin`: a live stream; `synthetic`: made here; `none`: a node without a signal */
  source: 'recording' | 'stdin' | 'synthetic' | 'none'
  /** recording: CSV with a header line, or NDJSON */
  path?: string | undefined
  /** `csv` or `ndjson`; default by the first character of the input */
  format?: 'csv' | 'ndjson' | undefined
  /** column (or NDJSON key) of raw real samples, used with `block`; default `value` */
  column?: string | undefined
  /** column of phases in rad, used without `block`; default `phase` */
  phase_column?: string | undefined
  /** column with the phase of a second signal: the samples become phase differences and ω must be 0 */
  reference_column?: string | undefined
  /** column of times in seconds; NDJSON takes `t` when it is there */
  time_column?: string | undefined
  /** samples per second. Without a time column it gives the times; with one it makes gaps count as lost samples */
  rate_hz?: number | undefined
  /** ω, rad/s of the reference oscillator */
  omega?: number | undefined
  /** 2π/ω, seconds, in place of `omega` */
  period_s?: number | undefined
  /** raw samples per Goertzel block, at least one cycle; without it the input is phases */
  block?: number | undefined
  /** amplitude, in the signal's unit, at or under which a block counts as noise; default 0 */
  noise_gate?: number | undefined
  /** recording: recorded seconds released per second, or `max`; default 1. synthetic: the same */
  speed?: number | 'max' | undefined
  /** recording: start over at the end; default false */
  loop?: boolean | undefined
  /** standard deviation of Gaussian sensor noise added to each reading, in its unit; default 0 */
  noise?: number | undefined
  /** probability that a reading is lost, in [0, 1]; default 0 */
  gap_rate?: number | undefined
  /** seed of noise, gaps and synthetic noise; default 1 */
  seed?: number | undefined
  /** `stop` the source at a bad reading with its error (default), or take it as an `invalid` sample */
  on_bad_sample?: 'stop' | 'invalid' | undefined
  /** source `synthetic` */
  synthetic?: SyntheticConfig | undefined
}

/** ω of a signal, rad/s; 0 when neither `omega` nor `period_s` is given. */
export function signalOmega(config: SignalConfig): number {
  if (config.period_s !== undefined) return (2 * Math.PI) / config.period_s
  return config.omega ?? 0
}

/**
 * Seconds between the samples that reach the transducers: what `step` of their configuration must be.
 *
 * @returns undefined for a source with times but no rate: irregular sampling
 */
export function signalStep(config: SignalConfig): number | undefined {
  if (config.rate_hz === undefined) return undefined
  return (config.block ?? 1) / config.rate_hz
}

/**
 * Checks a signal on its own and against the shortest window that will integrate it.
 *
 * @param tauMax - of the shortest transducer fed, seconds
 * @throws CodedError E_SIGNAL_CONFIG naming the key to change
 * @throws CodedError E_WINDOW_UNDER_CYCLE for raw samples whose block or window is under one cycle of ω
 */
export function checkSignal(config: SignalConfig, tauMax?: number): void {
  if (config.source === 'none') return
  const { rate_hz: rate, block, speed } = config
  const positive = (value: unknown) =>
    value === undefined || (typeof value === 'number' && value > 0 && value < Infinity)
  need(config.omega === undefined || config.period_s === undefined, 'give omega or period_s, not both')
  need(Number.isFinite(signalOmega(config)) && positive(config.period_s), 'omega must be finite and period_s above 0')
  need(positive(rate), 'rate_hz must be a positive number')
  need(speed === 'max' || positive(speed), 'speed must be a positive number of seconds per second, or max')
  need((config.noise ?? 0) >= 0, 'noise must be 0 or more')
  need((config.gap_rate ?? 0) >= 0 && (config.gap_rate ?? 0) <= 1, 'gap_rate must be between 0 and 1')
  need(
    config.column === undefined || block !== undefined,
    'column holds raw samples and needs block (samples per cycle or more)',
  )
  need(config.reference_column === undefined || block === undefined, 'reference_column goes with phases, without block')
  need(
    config.reference_column === undefined || signalOmega(config) === 0,
    'reference_column takes the place of omega: leave it out',
  )
  if (config.source === 'recording') {
    need(config.path !== undefined && config.path !== '', 'a recording needs path')
    need(rate !== undefined || config.time_column !== undefined, 'a recording needs rate_hz or time_column')
  }
  if (config.source === 'synthetic')
    need(rate !== undefined && config.synthetic !== undefined, 'a synthetic signal needs rate_hz and synthetic.shape')
  if (block === undefined) return
  checkBlocks({ omega: signalOmega(config), block, step: rate === undefined ? undefined : 1 / rate }, tauMax)
}

function need(condition: boolean, hint: string): void {
  if (!condition)
    throw new CodedError('E_SIGNAL_CONFIG', `the signal is configured so that it cannot work: ${hint}`, { hint })
}
