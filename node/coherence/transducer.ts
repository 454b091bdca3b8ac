import type { Complex } from './complex.ts'
import { magnitudeSquared, ZERO } from './complex.ts'
import { MAX_TIME_S } from './constants.ts'
import type { Boxcar, Integrator, Leaky } from './integrator.ts'
import { boxcarZero, leak, LEAKY_ZERO, leakyEffectiveSamples, slide } from './integrator.ts'
import { latch } from './latch.ts'
import { phasorFromComplex } from './phasor.ts'
import type { PhasorRing } from './product.ts'
import { autoProduct, cyclicProduct, phasorRing, pushPhasor, refProduct } from './product.ts'
import type { TransducerConfig, TransducerParams } from './transducer-params.ts'
import { transducerParams } from './transducer-params.ts'

/** One phasor sample, after the front end. An invalid one stands for time that passed without a signal. */
export interface Sample {
  /** seconds, strictly increasing within a stream */
  readonly time: number
  readonly re: number
  readonly im: number
  readonly valid: boolean
}

/** All that a transducer knows. Rings pass from state to state: step each state once. */
export interface TransducerState {
  readonly params: TransducerParams
  readonly integrator: Integrator
  readonly ring: PhasorRing | undefined
  /** seconds, of the last sample; -Infinity before the first */
  readonly time: number
  /** samples counted */
  readonly count: number
  /** samples refused because their time was out of range or did not advance */
  readonly refused: number
  /** T_k, |T_k| ≤ 1 */
  readonly t: Complex
  /** effective samples behind T */
  readonly nEff: number
  readonly collapsed: boolean
}

/**
 * A transducer at T = 0.
 *
 * @throws CodedError E_TRANSDUCER_CONFIG, E_WINDOW_TOO_SHORT as {@link transducerParams}
 */
export function createTransducer(config: TransducerConfig): TransducerState {
  return restart(transducerParams(config))
}

/** The same transducer at T = 0, as if it had never seen a sample. */
export function restart(params: TransducerParams): TransducerState {
  return {
    params,
    integrator: params.samples === undefined ? LEAKY_ZERO : boxcarZero(params.samples),
    ring: params.form === 'ref' ? undefined : phasorRing(params.lag),
    time: -Infinity,
    count: 0,
    refused: 0,
    t: ZERO,
    nEff: params.nEff ?? 0,
    collapsed: false,
  }
}

/**
 * Advances a transducer by one sample: phasor, product, integrator, latch (coherence.md §1–6). Pure: time is in the
 * sample. A sample whose time is not a number, out of range, or does not advance is refused and counted, T stays.
 */
export function step(state: TransducerState, sample: Sample): TransducerState {
  const elapsed = sample.time - state.time
  if (!(elapsed > 0 && Math.abs(sample.time) <= MAX_TIME_S)) return { ...state, refused: state.refused + 1 }
  const { params } = state
  const missed = missedSamples(params, elapsed)
  const ring = state.ring === undefined ? undefined : skipRing(state.ring, missed)
  const u = sample.valid ? phasorFromComplex(sample) : ZERO
  const product = productOf(state, u, ring, sample.time)
  const integrator =
    state.integrator.kind === 'leaky'
      ? advanceLeaky(state.integrator, params, product, { elapsed, missed })
      : slide(skipBoxcar(state.integrator, missed), product)
  const t = { re: integrator.re, im: integrator.im }
  const nEff = params.nEff ?? effective(integrator, params)
  return {
    params,
    integrator,
    ring: ring === undefined ? undefined : pushPhasor(ring, u, sample.time),
    time: sample.time,
    count: state.count + 1,
    refused: state.refused,
    t,
    nEff,
    collapsed: latch(params.latch, state.collapsed, magnitudeSquared(t), nEff),
  }
}

/** Time since the last sample: seconds, and whole samples of a regular stream that never came. */
interface Passed {
  readonly elapsed: number
  readonly missed: number
}

// A gap in a regular stream is as many invalid samples; only the first sample has no past to miss.
function missedSamples(params: TransducerParams, elapsed: number): number {
  if (params.step === undefined || elapsed === Infinity) return 0
  return Math.max(0, Math.round(elapsed / params.step) - 1)
}

function productOf(state: TransducerState, u: Complex, ring: PhasorRing | undefined, time: number): Complex {
  const { params, count } = state
  if (u === ZERO) return ZERO
  if (ring === undefined) return refProduct(u, referenceAt(params, count, time), params.omega, time)
  const product = params.form === 'auto' ? autoProduct : cyclicProduct
  return product(u, ring, params.omega, time)
}

const OWN_OSCILLATOR: Complex = { re: 1, im: 0 }

function referenceAt({ reference, step }: TransducerParams, count: number, time: number): Complex {
  if (reference === undefined) return OWN_OSCILLATOR
  // A regular stream is numbered by its clock, so that a node that joins late has the same y_k.
  return reference(step === undefined ? count : Math.max(0, Math.round(time / step)))
}

function advanceLeaky(state: Leaky, params: TransducerParams, product: Complex, passed: Passed): Leaky {
  const { tau = 1, step, decay } = params
  const { elapsed, missed } = passed
  const valid = product !== ZERO
  if (step !== undefined && decay !== undefined) {
    const held = missed === 0 ? state : leak(state, ZERO, Math.exp((-missed * step) / tau), false)
    return leak(held, product, decay, valid)
  }
  // Irregular sampling: the first sample only starts the clock.
  return elapsed === Infinity ? state : leak(state, product, Math.exp(-elapsed / tau), valid)
}

function effective(integrator: Integrator, params: TransducerParams): number {
  return integrator.kind === 'leaky' ? leakyEffectiveSamples(integrator) * params.relativeBandwidth : 0
}

function skipBoxcar(state: Boxcar, missed: number): Boxcar {
  let skipped = state
  for (let n = Math.min(missed, state.ring.length / 2); n > 0; n--) skipped = slide(skipped, ZERO)
  return skipped
}

function skipRing(ring: PhasorRing, missed: number): PhasorRing {
  let skipped = ring
  for (let n = Math.min(missed, ring.slots.length / 3); n > 0; n--) skipped = pushPhasor(skipped, ZERO, 0)
  return skipped
}
