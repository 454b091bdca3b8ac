import { CodedError } from '../../protocols/shared/errors.ts'
import type { Complex } from './complex.ts'
import { ZERO } from './complex.ts'
import { MAX_BLOCK } from './constants.ts'
import { BATCH_LEAST, type UnitPhasors } from './kernels.ts'
import { phasorFromComplex } from './phasor.ts'
import type { Sample } from './transducer.ts'

/** One raw reading: a real sample (the signal's own unit), or a phase (rad). */
export interface Reading {
  /** seconds */
  readonly time: number
  readonly value: number
  readonly valid: boolean
}

export interface BlockParams {
  /** rad/s, > 0 */
  readonly omega: number
  /** M, readings per block */
  readonly block: number
  /** h, seconds between readings; without it blocks are counted and take the readings' own times */
  readonly step?: number | undefined
  /** amplitude at or under which a block is noise, default 0 */
  readonly noiseGate?: number
}

/** A block being filled. Owns its buffers, so it is advanced in place. */
export interface BlockState {
  readonly params: BlockParams
  readonly values: Float64Array
  /** seconds since the block's first slot */
  readonly offsets: Float64Array
  used: number
  slot: number
  start: number
}

// A block with more holes than this says more about its holes than about the signal.
const LEAST_FILLED = 0.75
const CYCLE_TOLERANCE = 1e-9

/**
 * Refuses a raw-sample front end that cannot work (coherence.md §8): a block, or the window that integrates the blocks,
 * shorter than one cycle of ω.
 *
 * @param tauMax - the window that will integrate the blocks, seconds
 * @throws CodedError E_WINDOW_UNDER_CYCLE saying which value to change
 * @throws CodedError E_SIGNAL_CONFIG when ω is not positive or the block not a whole number of readings
 */
export function checkBlocks(params: BlockParams, tauMax?: number): void {
  const { omega, block, step } = params
  if (!(omega > 0))
    refuse('E_SIGNAL_CONFIG', 'raw samples need omega or period_s above 0', 'give the period of the rhythm to look for')
  if (!Number.isInteger(block) || block < 2 || block > MAX_BLOCK) {
    refuse('E_SIGNAL_CONFIG', `block ${block} is out of range`, `block must be a whole number from 2 to ${MAX_BLOCK}`)
  }
  const cycle = (2 * Math.PI) / omega
  if (step !== undefined) checkSpan(block * step, cycle)
  if (tauMax !== undefined && tauMax < cycle * (1 - CYCLE_TOLERANCE)) {
    refuse(
      'E_WINDOW_UNDER_CYCLE',
      `a window of ${show(tauMax)} s is shorter than one cycle of omega, ${show(cycle)} s, so raw samples cannot fill it`,
      `feed phases, raise tau_max, or use omega of at least ${show((2 * Math.PI) / tauMax)} rad/s`,
    )
  }
}

function checkSpan(span: number, cycle: number): void {
  if (span >= cycle * (1 - CYCLE_TOLERANCE)) return
  refuse(
    'E_WINDOW_UNDER_CYCLE',
    `a block of ${show(span)} s is shorter than one cycle of omega, ${show(cycle)} s`,
    `raise block so that it spans ${show(cycle)} s or more, or raise omega`,
  )
}

function refuse(code: string, message: string, hint: string): never {
  throw new CodedError(code, message, { hint })
}

function show(value: number): number {
  return Number(value.toPrecision(4))
}

/**
 * One Goertzel coefficient: X = (2/M)·Σ (x_j - mean)·e^{-iω t_j}, A·e^{iφ} for x = A·cos(ωt + φ) + c over whole cycles.
 * Summed directly: as many operations as the recursion, without its loss of digits at low ω.
 *
 * @param values - M real samples
 * @param offsets - their times, seconds
 * @param units - works out the turns of 256 samples and more
 */
export function goertzel(values: Float64Array, offsets: Float64Array, omega: number, units?: UnitPhasors): Complex {
  if (values.length === 0) return ZERO
  const turns = values.length < BATCH_LEAST ? undefined : units?.of(values.length, (j) => omega * (offsets[j] ?? 0))
  let mean = 0
  for (const value of values) mean += value / values.length
  let re = 0
  let im = 0
  for (let j = 0; j < values.length; j++) {
    const angle = omega * (offsets[j] ?? 0)
    const value = (values[j] ?? 0) - mean
    re += value * (turns?.re[j] ?? Math.cos(angle))
    im -= value * (turns?.im[j] ?? Math.sin(angle))
  }
  return { re: (2 * re) / values.length, im: (2 * im) / values.length }
}

export function createBlocks(params: BlockParams): BlockState {
  checkBlocks(params)
  const { block } = params
  return { params, values: new Float64Array(block), offsets: new Float64Array(block), used: 0, slot: -1, start: NaN }
}

/**
 * Takes one reading; blocks do not overlap. A reading later than the block's end closes it short; whole blocks without
 * a reading yield nothing, the regular transducer sees the gap in the times.
 *
 * @returns the blocks closed by this reading, at most two, each at the time of its first slot; invalid when under three
 *   quarters filled or under the noise gate
 * @throws CodedError E_WINDOW_UNDER_CYCLE when counted readings turn out to span less than one cycle
 */
export function blockStep(state: BlockState, reading: Reading, units?: UnitPhasors): Sample[] {
  const { block, step } = state.params
  const closed: Sample[] = []
  if (state.slot < 0) state.start = reading.time
  let slot = step === undefined ? state.slot + 1 : Math.round((reading.time - state.start) / step)
  if (slot >= block && step !== undefined) {
    closed.push(close(state, units))
    state.start += Math.floor(slot / block) * block * step
    slot %= block
  }
  state.slot = Math.max(slot, 0)
  if (reading.valid && state.used < block) {
    state.values[state.used] = reading.value
    state.offsets[state.used++] = reading.time - state.start
  }
  if (slot < block - 1) return closed
  if (step === undefined)
    checkSpan(((reading.time - state.start) * block) / (block - 1), (2 * Math.PI) / state.params.omega)
  closed.push(close(state, units))
  state.slot = -1
  return closed
}

function close(state: BlockState, units: UnitPhasors | undefined): Sample {
  const { omega, block, noiseGate } = state.params
  const filled = state.used >= LEAST_FILLED * block
  const used = [state.values.subarray(0, state.used), state.offsets.subarray(0, state.used)] as const
  const x = filled ? goertzel(...used, omega, units) : ZERO
  const u = phasorFromComplex(x, noiseGate)
  state.used = 0
  return { time: state.start, ...u, valid: u !== ZERO }
}
