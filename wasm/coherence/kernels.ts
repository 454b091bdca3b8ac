import type { Floats, KernelArray } from './arrays.ts'
import type { Agreement, QuantisedT, ReportColumns } from './twin/agreement.ts'
import type { GoertzelBankParams } from './twin/goertzel.ts'
import type { LeakyBankParams } from './twin/leaky.ts'

/** What does the work: wasm with 128-bit registers, wasm without, or TypeScript. */
export type EngineName = 'simd' | 'plain' | 'typescript'

/** Of a bank: floats are faster, their errors stated at the kernel. */
export type Precision = 'f64' | 'f32'

/** Reports as arrays of these kernels. */
export type ReportArrays = ReportColumns<KernelArray<Float64Array>, KernelArray<Int32Array>>

/**
 * Batched coherence kernels, the same from wasm and from TypeScript.
 *
 * The agreement kernels give the same bits everywhere; those with trigonometry agree to 1e-12 in doubles, and in floats
 * to 2e-6, with 2^-23 of a phase (rad) on top for one beyond ±2π. No result depends on how samples are cut into calls.
 * `length` is the number of leading values to work on, by default all of the first array.
 *
 * Every kernel throws {@link KernelError}: E_KERNEL_LENGTH when an array is shorter than `length`, E_KERNEL_ARRAY when
 * one was freed, is of other kernels or of another width, or is given twice, and what is named with it.
 */
export interface CoherenceKernels {
  readonly engine: EngineName
  /** Modules that did not load, and traps, so far: after the first, TypeScript does the work on the same arrays. */
  readonly faults: number

  /** `length` zeros. @throws KernelError E_KERNEL_MEMORY over 2^27 values, or when there is no memory left */
  f64(length: number): KernelArray<Float64Array>
  f32(length: number): KernelArray<Float32Array>
  i32(length: number): KernelArray<Int32Array>

  /**
   * Unit phasors (coherence.md §1).
   *
   * @param phases - rad; one that is not finite gives 0: garbage dissipates
   * @param re - cosines, written
   * @param im - sines, written
   */
  phasors<A extends Floats>(phases: KernelArray<A>, re: KernelArray<A>, im: KernelArray<A>, length?: number): void

  /**
   * Phase-locking value of two series: |Σ e^{i(a-b)}| / length, the mean resultant length of their difference. A sample
   * that is not finite in either counts as 0.
   *
   * @param a - phases, rad
   * @param b - phases, rad
   * @returns in [0, 1]; 0 of no samples
   */
  phaseLocking<A extends Floats>(a: KernelArray<A>, b: KernelArray<A>, length?: number): number

  /**
   * Phase-locking values of all pairs of channels.
   *
   * @param phases - rad, `channels` series of `length` samples one after the other
   * @param channels - 1 to 4096
   * @param length - samples of each channel
   * @param values - channels² values by rows, written; symmetric, the share of finite samples on the diagonal
   * @throws KernelError E_KERNEL_RANGE, E_KERNEL_MEMORY
   */
  phaseLockingMatrix(
    phases: KernelArray<Floats>,
    channels: number,
    length: number,
    values: KernelArray<Float64Array>,
  ): void

  /**
   * Q1.30, round half to even (P11).
   *
   * @param values - in [-1, 1]
   * @param quantised - integers in [-2^30, 2^30], written
   * @throws KernelError E_QUANTISE_RANGE when a value is not a number or clearly outside
   */
  quantise(values: KernelArray<Float64Array>, quantised: KernelArray<Int32Array>, length?: number): void

  /**
   * T_global = ⌊Σ w·T / Σw⌋ in Q1.30 (P7, P11).
   *
   * @returns 0 when nobody of weight reports
   * @throws KernelError E_REPORT_RANGE
   */
  weightedSum(reports: ReportArrays, length?: number): QuantisedT

  /** Weighted geometric median in Q1.30 by 64 Weiszfeld steps (P8, P11). @throws KernelError E_REPORT_RANGE */
  geometricMedian(reports: ReportArrays, length?: number): QuantisedT

  /**
   * Which reports carry a global collapse (P8), in integers.
   *
   * @param threshold - I_c in Q1.30, 0 to 2^30
   * @param standing - one a report, written: 0 not collapsed, 1 collapsed in another direction, 2 collapsed and near
   * @throws KernelError E_REPORT_RANGE, E_KERNEL_RANGE
   */
  agreement(reports: ReportArrays, threshold: number, standing: KernelArray<Int32Array>, length?: number): Agreement

  /**
   * Phases by a 32-bit accumulator (direct digital synthesis): exact to fs/2³³ for ever, since an integer that wraps
   * cannot drift.
   *
   * @param step - round(f·2³²/fs), an unsigned 32-bit integer
   * @param start - accumulator at the first sample, likewise
   * @param phases - rad, in [0, 2π), written
   * @returns the accumulator after the last: where the next call starts
   * @throws KernelError E_KERNEL_RANGE
   */
  synthesisePhases(step: number, start: number, phases: KernelArray<Float64Array>, length?: number): number

  /** A cosine of amplitude 1, arguments, result and errors as {@link synthesisePhases}. */
  synthesiseTone(step: number, start: number, values: KernelArray<Floats>, length?: number): number

  /**
   * Breathing rhythm of the source documents: 10 s a cycle (0.1 Hz), 4 s in, 6 s out, a raised cosine each.
   *
   * @param times - seconds, any sign
   * @param depths - 0 empty to 1 full, written; 0 for a time that is not finite
   */
  breathing(times: KernelArray<Float64Array>, depths: KernelArray<Float64Array>, length?: number): void

  /**
   * Nearness to the nearest of the source documents' seven harmonics: max_h 1/(1+|f-h|).
   *
   * @param frequencies - Hz
   * @param scores - in [0, 1], written: 1 on a harmonic, ½ one hertz beside it; 0 for one that is not finite
   */
  harmonicResonance(frequencies: KernelArray<Float64Array>, scores: KernelArray<Float64Array>, length?: number): void

  /**
   * Field coherence of the source documents: 1/(1 + population variance). A variance score: it depends on the scale of
   * the values (the same field in other units scores otherwise), and says nothing about phase.
   *
   * @param values - in any unit
   * @returns in [0, 1]; 1 for equal values, one value or none; NaN when a value is not finite
   */
  fieldCoherence(values: KernelArray<Float64Array>, length?: number): number

  /**
   * Golden-angle lattice (Vogel 1979): point k at angle k·2π(1-1/φ) and radius √k, equal area per point.
   *
   * @param x - coordinates, written
   * @param y - coordinates, written
   */
  goldenLattice(x: KernelArray<Float64Array>, y: KernelArray<Float64Array>, length?: number): void

  /** @throws KernelError E_KERNEL_RANGE, E_KERNEL_MEMORY */
  leakyBank(params: LeakyBankParams, precision?: Precision): LeakyBank
  /** @throws KernelError E_KERNEL_RANGE, E_KERNEL_MEMORY */
  goertzelBank(params: GoertzelBankParams, precision?: Precision): GoertzelBank
}

/**
 * Leaky transducers over many streams (coherence.md §3–4): T_k = a·T_{k-1} + (1-a)·p_k from T = 0, a = e^{-h/tau},
 * p_k of the form REF, AUTO or CYCLIC at t_k = k·h. Equal to a transducer of each stream to 1e-12 for phases within
 * ±2^12 rad (2^-51 of a larger one on top); in floats to 3e-6 for phases within ±2π (2^-21 of a larger one on top).
 */
export interface LeakyBank {
  /**
   * Rows of one time step, all streams side by side: sample k of stream s is at k·streams + s; rad, not finite for an
   * invalid sample. Written by the caller before {@link advance}; take it anew after anything was allocated.
   */
  readonly phases: Floats
  /** samples that each stream has had */
  readonly count: number
  /** Takes the first `steps` rows. @throws KernelError E_KERNEL_LENGTH over `maxSteps`, E_KERNEL_ARRAY once freed */
  advance(steps: number): void
  /**
   * T of every stream, |T| ≤ 1 but for the rounding of its parts, written into two arrays of `streams` values.
   *
   * @throws KernelError E_KERNEL_LENGTH, E_KERNEL_ARRAY
   */
  read(re: Floats, im: Floats): void
  free(): void
}

/**
 * Goertzel coefficients of one block at many frequencies (coherence.md §8): X = (2/M)·Σ (x_j - mean)·e^{-iωhj}, A·e^{iφ}
 * for x = A·cos(ωt + φ) + c over whole cycles. In floats to 1e-5 of the greatest |x_j - mean|.
 */
export interface GoertzelBank {
  /** The block, written by the caller; take it anew after anything was allocated. */
  readonly values: Floats
  /** Real and imaginary parts of every frequency after {@link transform}. */
  readonly re: Float64Array
  readonly im: Float64Array
  /** Works on the first `length` values; 0 from none. @throws KernelError E_KERNEL_LENGTH, E_KERNEL_ARRAY once freed */
  transform(length: number): void
  free(): void
}
