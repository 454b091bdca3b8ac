import { CodedError } from '../../protocols/shared/errors.ts'
import { COLLAPSE_THRESHOLD, MAX_LAG, MAX_OMEGA, MAX_WINDOW_SAMPLES, MIN_EFFECTIVE_SAMPLES } from './constants.ts'
import type { Reference } from './keyed.ts'
import type { LatchParams } from './latch.ts'
import { latchParams } from './latch.ts'
import type { Form } from './product.ts'
import { collapseTaus, decayFor, effectiveSamples, falseAlarm, tauOf } from './statistics.ts'

/** How long a transducer remembers: one of the three. Seconds, except `samples` (boxcar, the divisor N). */
export type Window = { readonly tauMax: number } | { readonly tau: number } | { readonly samples: number }

export interface TransducerConfig {
  /** whose window it is, in messages: `master`, `emissary` */
  readonly name?: string
  /** default `ref` */
  readonly form?: Form
  /** ω, rad/s */
  readonly omega: number
  /** L, samples; `auto` and `cyclic` only */
  readonly lag?: number
  readonly window: Window
  /** h, seconds, of a regular stream: every sample counts, a missing one decays T. Without it sampling is irregular. */
  readonly step?: number | undefined
  /** I_c, in (0, 1); default .95 */
  readonly threshold?: number
  /** occupied part of the Nyquist band when the input was band-limited, in (0, 1]; default 1 */
  readonly relativeBandwidth?: number
  /** y_k; default 1, the node's own oscillator */
  readonly reference?: Reference
  /** `refuse` (default) a window under 18 effective samples, or `hold` the latch open as long as it is one */
  readonly shortWindow?: 'refuse' | 'hold'
}

/** A checked configuration with everything derived from it. */
export interface TransducerParams {
  readonly form: Form
  readonly omega: number
  readonly lag: number
  /** seconds; undefined for a boxcar */
  readonly tau: number | undefined
  /** boxcar length; undefined for a leaky integrator */
  readonly samples: number | undefined
  /** seconds in which a coherent input collapses; undefined for a boxcar over irregular samples */
  readonly tauMax: number | undefined
  readonly step: number | undefined
  /** e^{-h/tau} of a regular stream */
  readonly decay: number | undefined
  /** known beforehand for a regular stream or a boxcar */
  readonly nEff: number | undefined
  readonly relativeBandwidth: number
  readonly latch: LatchParams
  readonly reference: Reference | undefined
}

/**
 * Checks a configuration and derives tau, decay and N_eff (coherence.md §5, §6).
 *
 * @throws CodedError E_TRANSDUCER_CONFIG when a value is out of range, naming it
 * @throws CodedError E_WINDOW_TOO_SHORT when N_eff would be under 18, naming the value to change
 */
export function transducerParams(config: TransducerConfig): TransducerParams {
  const { form = 'ref', omega, step, threshold = COLLAPSE_THRESHOLD, relativeBandwidth = 1, window } = config
  checkRanges(config, threshold, relativeBandwidth)
  const samples = 'samples' in window ? window.samples : undefined
  const tau = 'tau' in window ? window.tau : 'tauMax' in window ? tauOf(window.tauMax, threshold) : undefined
  const decay = step !== undefined && tau !== undefined ? Math.exp(-step / tau) : undefined
  const params: TransducerParams = {
    form,
    omega,
    lag: form === 'ref' ? 0 : (config.lag ?? 1),
    tau,
    samples,
    tauMax: collapseTime(tau, samples, step, threshold),
    step,
    decay,
    nEff:
      samples !== undefined
        ? samples * relativeBandwidth
        : decay === undefined
          ? undefined
          : effectiveSamples(decay, relativeBandwidth),
    relativeBandwidth,
    latch: latchParams(threshold),
    reference: config.reference,
  }
  if (config.shortWindow !== 'hold') refuseShort(params, config.name ?? 'transducer')
  return params
}

function collapseTime(tau?: number, samples?: number, step?: number, threshold?: number): number | undefined {
  if (tau !== undefined) return tau * collapseTaus(threshold)
  return samples !== undefined && step !== undefined ? samples * step : undefined
}

function refuseShort(params: TransducerParams, name: string): void {
  const { nEff, step, tau, samples, latch, relativeBandwidth } = params
  if (nEff === undefined || nEff >= MIN_EFFECTIVE_SAMPLES) return
  const needed = -Math.log(decayFor(MIN_EFFECTIVE_SAMPLES, relativeBandwidth))
  // A little on the safe side: the value that is named must be accepted.
  const hint =
    tau === undefined || step === undefined
      ? `use a window of at least ${Math.ceil(MIN_EFFECTIVE_SAMPLES / relativeBandwidth)} samples instead of ${samples}`
      : `raise ${name} tau_max to ${round((1.001 * step * collapseTaus(latch.threshold)) / needed)} s or more, ` +
        `or give it a sample at least every ${round(0.999 * tau * needed)} s`
  const rate = falseAlarm(nEff, latch.threshold).toPrecision(2)
  throw new CodedError(
    'E_WINDOW_TOO_SHORT',
    `the ${name} window holds ${round(nEff)} effective samples, under ${MIN_EFFECTIVE_SAMPLES}: noise alone would collapse it with probability ${rate}`,
    { hint },
  )
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

function checkRanges(config: TransducerConfig, threshold: number, relativeBandwidth: number): void {
  const { window, lag = 1, step } = config
  const duration = 'tau' in window ? window.tau : 'tauMax' in window ? window.tauMax : undefined
  const samples = 'samples' in window ? window.samples : 1
  require(Math.abs(config.omega) <= MAX_OMEGA, 'omega', `a number of rad/s, at most ${MAX_OMEGA}`)
  require(threshold > 0 && threshold < 1, 'threshold', 'between 0 and 1')
  require(relativeBandwidth > 0 && relativeBandwidth <= 1, 'bandwidth', 'above 0 and at most 1')
  require(duration === undefined || (duration > 0 && duration < Infinity), 'window', 'a positive number of seconds')
  require(isCount(samples, MAX_WINDOW_SAMPLES), 'window', `a whole number of samples from 1 to ${MAX_WINDOW_SAMPLES}`)
  require(isCount(lag, MAX_LAG), 'lag', `a whole number of samples from 1 to ${MAX_LAG}`)
  require(step === undefined || (step > 0 && step < Infinity), 'step', 'a positive number of seconds')
}

function isCount(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= limit
}

function require(condition: boolean, name: string, what: string): void {
  if (condition) return
  throw new CodedError('E_TRANSDUCER_CONFIG', `${name} is out of range`, { hint: `${name} must be ${what}` })
}
