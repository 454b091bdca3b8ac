import type { Floats } from '../arrays.ts'
import { require } from '../errors.ts'

const FORMS = ['ref', 'auto', 'cyclic'] as const

export type Form = (typeof FORMS)[number]

/** Many streams of one clock, advanced together. */
export interface LeakyBankParams {
  /** default `ref` */
  readonly form?: Form
  /** 1 to 2^20 */
  readonly streams: number
  /** most samples of each stream in one call, 1 or more */
  readonly maxSteps: number
  /** rad/s */
  readonly omega: number
  /** h, seconds, above 0 */
  readonly step: number
  /** seconds, above 0 */
  readonly tau: number
  /** L, samples; 1 or more for `auto` and `cyclic`, absent for `ref` */
  readonly lag?: number
}

/** What a bank remembers, in rows of all streams side by side; floats or doubles but for T. */
export interface LeakyBankState {
  /** `maxSteps` rows, rad, written by the caller */
  readonly phases: Floats
  /** the last L rows, oldest first */
  readonly past: Floats
  /** T at the last run's end: a row of real and one of imaginary parts */
  readonly t: Float64Array
  /** S of the run in progress, likewise */
  readonly sums: Floats
}

/** Samples of a run: S starts from zero at each, and T takes it in at its end. */
const RUN = 16
const MAX_STREAMS = 2 ** 20
const MAX_COUNT = 2 ** 53

// 2π in two parts, the first of 24 bits, so that whole turns of it are exact up to MAX_REDUCED (rad) and beyond.
const MAX_REDUCED = 1e6
const TURN_HIGH = Math.fround(2 * Math.PI)
const TURN_LOW = 2 * Math.PI - TURN_HIGH + 2.4492935982947064e-16

/** @throws KernelError E_KERNEL_RANGE */
export function checkLeakyBank({ form = 'ref', streams, maxSteps, omega, step, tau, lag = 0 }: LeakyBankParams): void {
  const isWhole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most
  const isPositive = (value: number) => value > 0 && value < Infinity
  require(isWhole(streams, 1, MAX_STREAMS) && isWhole(maxSteps, 1, 2 ** 31), 'E_KERNEL_RANGE')
  require(FORMS.includes(form) && isWhole(lag, 0, 2 ** 31) && (form === 'ref') === (lag === 0), 'E_KERNEL_RANGE')
  require(Number.isFinite(omega) && isPositive(step) && isPositive(tau), 'E_KERNEL_RANGE')
}

/** Twin of the bank's `advance` in wasm; the past is brought up to date apart. */
export function advanceLeaky(params: LeakyBankParams, state: LeakyBankState, steps: number, count: number): void {
  const { streams, step, tau } = params
  require(steps >= 0 && steps * streams <= state.phases.length, 'E_KERNEL_LENGTH')
  require(count >= 0 && count + steps <= MAX_COUNT, 'E_KERNEL_RANGE')
  const decay = Math.exp(-step / tau)
  for (let row = 0; row < steps; row++) {
    advanceRow(params, state, row, sharedAngle(params, count + row), decay)
    if ((count + row + 1) % RUN === 0) fold(state, decay)
  }
}

/** The part of the reference angle that all streams share. */
function sharedAngle({ form, omega, step, lag = 0 }: LeakyBankParams, at: number): number {
  return withinTurn(omega * ((form === 'auto' ? lag : at) * step))
}

/** The angle less whole turns, within ±π by 1e-9, as exact as its sine and cosine are. */
function withinTurn(angle: number): number {
  if (!(Math.abs(angle) <= MAX_REDUCED)) return Math.atan2(Math.sin(angle), Math.cos(angle))
  const turns = Math.round(angle / (2 * Math.PI))
  return angle - turns * TURN_HIGH - turns * TURN_LOW
}

function advanceRow(
  { streams, lag = 0 }: LeakyBankParams,
  { phases, past: before, sums }: LeakyBankState,
  row: number,
  shared: number,
  decay: number,
): void {
  const past = row < lag ? before : phases
  const pastFrom = (row < lag ? row : row - lag) * streams
  for (let stream = 0; stream < streams; stream++) {
    const phase = phases[row * streams + stream]!
    // In the order of the kernel: the difference of two large phases is exact, their sum with an angle is not.
    const angle = lag === 0 ? shared - phase : past[pastFrom + stream]! - phase + shared
    const isValid = Number.isFinite(angle)
    sums[stream] = decay * sums[stream]! + (isValid ? Math.cos(angle) : 0)
    sums[streams + stream] = decay * sums[streams + stream]! + (isValid ? Math.sin(angle) : 0)
  }
}

function fold({ t, sums }: LeakyBankState, decay: number): void {
  const [kept, gain] = [decay ** RUN, 1 - decay]
  for (let at = 0; at < t.length; at++) t[at] = kept * t[at]! + gain * sums[at]!
  sums.fill(0)
}

/** Takes the rows of a call into the past. */
export function rememberLeaky(params: LeakyBankParams, { past, phases }: LeakyBankState, steps: number): void {
  const { streams, lag = 0 } = params
  if (lag === 0) return
  const kept = Math.max(0, lag - steps)
  past.copyWithin(0, (lag - kept) * streams)
  past.set(phases.subarray(Math.max(0, steps - lag) * streams, steps * streams), kept * streams)
}

/** T = a^m·t + (1-a)·S, m samples into the run, held within the unit disc. */
export function readLeaky(params: LeakyBankParams, state: LeakyBankState, count: number, re: Floats, im: Floats): void {
  const { streams, step, tau } = params
  const decay = Math.exp(-step / tau)
  const [kept, gain] = [decay ** (count % RUN), 1 - decay]
  const part = (at: number) => kept * state.t[at]! + gain * state.sums[at]!
  for (let stream = 0; stream < streams; stream++) {
    const tRe = part(stream)
    const tIm = part(streams + stream)
    const square = tRe * tRe + tIm * tIm
    const scale = square > 1 ? 1 / Math.sqrt(square) : 1
    re[stream] = tRe * scale
    im[stream] = tIm * scale
  }
}
