/* tslint:disable */
/* eslint-disable */

export class F32Array {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * `length` zeros.
     */
    constructor(length: number);
    /**
     * Where the values are; the memory may grow, and views of it must then be made anew.
     */
    readonly pointer: number;
}

export class F64Array {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * `length` zeros.
     */
    constructor(length: number);
    /**
     * Where the values are; the memory may grow, and views of it must then be made anew.
     */
    readonly pointer: number;
}

/**
 * Coefficients of one block of real samples at many frequencies.
 */
export class GoertzelBankF32 {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * * `angles` - ω·h of each frequency, rad a sample, 1 to 2^16 of them; copied
     * * `max_values` - samples of the longest block, 1 or more
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     */
    constructor(angles: F64Array, max_values: number);
    /**
     * `re` and `im` of every frequency from the first `length` samples; 0 from none.
     *
     * Errors: E_KERNEL_LENGTH when the block is shorter.
     */
    transform(length: number): void;
    readonly im: number;
    readonly re: number;
    /**
     * The block, written by the caller.
     */
    readonly values: number;
}

/**
 * Coefficients of one block of real samples at many frequencies.
 */
export class GoertzelBankF64 {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * * `angles` - ω·h of each frequency, rad a sample, 1 to 2^16 of them; copied
     * * `max_values` - samples of the longest block, 1 or more
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     */
    constructor(angles: F64Array, max_values: number);
    /**
     * `re` and `im` of every frequency from the first `length` samples; 0 from none.
     *
     * Errors: E_KERNEL_LENGTH when the block is shorter.
     */
    transform(length: number): void;
    readonly im: number;
    readonly re: number;
    /**
     * The block, written by the caller.
     */
    readonly values: number;
}

export class I32Array {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * `length` zeros.
     */
    constructor(length: number);
    /**
     * Where the values are; the memory may grow, and views of it must then be made anew.
     */
    readonly pointer: number;
}

/**
 * Many streams, each with its own T, advanced together.
 *
 * `phases` and `past` hold one row a time step, of all streams side by side; `t` and `sums` a row of real and
 * one of imaginary parts. The caller writes `phases`, and after a call brings `past` up to date and reads
 * T = a^m·t + (1-a)·sums, m = count mod 16.
 */
export class LeakyBankF32 {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Advances every stream by the first `steps` rows of `phases`.
     *
     * * `count` - samples that each stream had before, a whole number under 2^53
     *
     * Errors: E_KERNEL_LENGTH when there are fewer rows, E_KERNEL_RANGE.
     */
    advance(steps: number, count: number): void;
    /**
     * * `form` - 0 REF, 1 AUTO, 2 CYCLIC
     * * `streams` - 1 to 2^20; `max_steps` - rows of `phases`, 1 or more; `lag` - L in samples, 0 for REF
     * * `omega` - rad/s; `step` - h and `tau` in seconds, above 0
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     */
    constructor(form: number, streams: number, max_steps: number, lag: number, omega: number, step: number, tau: number);
    readonly past: number;
    readonly phases: number;
    readonly sums: number;
    readonly t: number;
}

/**
 * Many streams, each with its own T, advanced together.
 *
 * `phases` and `past` hold one row a time step, of all streams side by side; `t` and `sums` a row of real and
 * one of imaginary parts. The caller writes `phases`, and after a call brings `past` up to date and reads
 * T = a^m·t + (1-a)·sums, m = count mod 16.
 */
export class LeakyBankF64 {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Advances every stream by the first `steps` rows of `phases`.
     *
     * * `count` - samples that each stream had before, a whole number under 2^53
     *
     * Errors: E_KERNEL_LENGTH when there are fewer rows, E_KERNEL_RANGE.
     */
    advance(steps: number, count: number): void;
    /**
     * * `form` - 0 REF, 1 AUTO, 2 CYCLIC
     * * `streams` - 1 to 2^20; `max_steps` - rows of `phases`, 1 or more; `lag` - L in samples, 0 for REF
     * * `omega` - rad/s; `step` - h and `tau` in seconds, above 0
     *
     * Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
     */
    constructor(form: number, streams: number, max_steps: number, lag: number, omega: number, step: number, tau: number);
    readonly past: number;
    readonly phases: number;
    readonly sums: number;
    readonly t: number;
}

/**
 * Breathing rhythm: 10 s a cycle, 4 s in and 6 s out, each a raised cosine.
 *
 * * `times` - seconds, any sign; `depths` - 0 empty to 1 full, written; 0 for a time that is not finite
 *
 * Errors: E_KERNEL_LENGTH.
 */
export function breathing(times: F64Array, depths: F64Array, length: number): void;

/**
 * Which of the first `length` reports carry a global collapse: |T|² >= I_c, and within acos(2·I_c - 1) of the median's
 * direction by r > 0 and r² >= (2·I_c - 1)²·|T|²·|m|², r = Re(T·conj m), in integers.
 *
 * * `threshold` - I_c in Q1.30, 0 to 2^30
 * * `standing` - one a report, written: 0 not collapsed, 1 collapsed in another direction, 2 collapsed and near
 * * `result` - the median's re, im, written
 *
 * Returns the weight of the reports of standing 2. Errors as [`weighted_sum`], E_KERNEL_RANGE.
 */
export function decision(weights: F64Array, re: I32Array, im: I32Array, length: number, threshold: number, standing: I32Array, result: I32Array): number;

/**
 * Field coherence, a variance score: 1/(1 + population variance) of the first `length` values.
 *
 * Returns it in [0, 1]; 1 of one value or none. Errors: E_KERNEL_LENGTH.
 */
export function field_coherence(values: F64Array, length: number): number;

/**
 * Weighted geometric median of the first `length` reports, by 64 Weiszfeld steps from the weighted mean, in Q1.30.
 *
 * Arguments and errors as [`weighted_sum`]; the order of the reports is part of the result.
 */
export function geometric_median(weights: F64Array, re: I32Array, im: I32Array, length: number, result: I32Array): void;

/**
 * Golden-angle lattice (Vogel 1979): point k at angle k·2π(1-1/φ), radius √k.
 *
 * * `x`, `y` - coordinates of the first `length` points, written
 *
 * Errors: E_KERNEL_LENGTH.
 */
export function golden_lattice(x: F64Array, y: F64Array, length: number): void;

/**
 * Nearness to the nearest of seven harmonics: max_h 1/(1+|f-h|).
 *
 * * `frequencies` - Hz; `scores` - in [0, 1], written; 0 for a frequency that is not finite
 *
 * Errors: E_KERNEL_LENGTH.
 */
export function harmonic_resonance(frequencies: F64Array, scores: F64Array, length: number): void;

/**
 * Phase-locking value of the first `length` samples of two series.
 *
 * * `a`, `b` - phases, rad
 *
 * Returns it in [0, 1]; 0 of no samples. Errors: E_KERNEL_LENGTH when a series is shorter than `length`.
 */
export function phase_locking_f32(a: F32Array, b: F32Array, length: number): number;

/**
 * Phase-locking value of the first `length` samples of two series.
 *
 * * `a`, `b` - phases, rad
 *
 * Returns it in [0, 1]; 0 of no samples. Errors: E_KERNEL_LENGTH when a series is shorter than `length`.
 */
export function phase_locking_f64(a: F64Array, b: F64Array, length: number): number;

/**
 * Phase-locking values of all pairs of channels.
 *
 * * `phases` - rad, `channels` series of `length` samples one after the other
 * * `channels` - 1 to 4096
 * * `values` - channels² values by rows, written; symmetric, the share of finite samples on the diagonal
 *
 * Errors: E_KERNEL_LENGTH when an array is too short, E_KERNEL_RANGE, E_KERNEL_MEMORY.
 */
export function phase_locking_matrix_f32(phases: F32Array, channels: number, length: number, values: F64Array): void;

/**
 * Phase-locking values of all pairs of channels.
 *
 * * `phases` - rad, `channels` series of `length` samples one after the other
 * * `channels` - 1 to 4096
 * * `values` - channels² values by rows, written; symmetric, the share of finite samples on the diagonal
 *
 * Errors: E_KERNEL_LENGTH when an array is too short, E_KERNEL_RANGE, E_KERNEL_MEMORY.
 */
export function phase_locking_matrix_f64(phases: F64Array, channels: number, length: number, values: F64Array): void;

/**
 * Unit phasors of the first `length` phases.
 *
 * * `phases` - rad; one that is not finite gives 0
 * * `re`, `im` - cosines and sines, written
 *
 * Errors: E_KERNEL_LENGTH when an array is shorter than `length`.
 */
export function phasors_f32(phases: F32Array, re: F32Array, im: F32Array, length: number): void;

/**
 * Unit phasors of the first `length` phases.
 *
 * * `phases` - rad; one that is not finite gives 0
 * * `re`, `im` - cosines and sines, written
 *
 * Errors: E_KERNEL_LENGTH when an array is shorter than `length`.
 */
export function phasors_f64(phases: F64Array, re: F64Array, im: F64Array, length: number): void;

/**
 * Quantises the first `length` values to Q1.30, round half to even.
 *
 * * `values` - in [-1, 1]
 * * `quantised` - integers in [-2^30, 2^30], written
 *
 * Errors: E_QUANTISE_RANGE when a value is not a number or clearly outside (nothing after it is written),
 * E_KERNEL_LENGTH.
 */
export function quantise(values: F64Array, quantised: I32Array, length: number): void;

/**
 * Phases of the first `length` samples.
 *
 * * `step` - round(f·2^32/fs); `start` - accumulator at the first sample
 * * `phases` - rad, in [0, 2π), written
 *
 * Returns the accumulator after the last sample: what the next call starts from. Errors: E_KERNEL_LENGTH.
 */
export function synthesise_phases(step: number, start: number, phases: F64Array, length: number): number;

/**
 * A cosine of amplitude 1: the first `length` samples.
 *
 * Arguments, result and errors as [`synthesise_phases`].
 */
export function synthesise_tone_f32(step: number, start: number, values: F32Array, length: number): number;

/**
 * A cosine of amplitude 1: the first `length` samples.
 *
 * Arguments, result and errors as [`synthesise_phases`].
 */
export function synthesise_tone_f64(step: number, start: number, values: F64Array, length: number): number;

/**
 * T_global = ⌊Σ w·T / Σw⌋ in Q1.30 of the first `length` reports.
 *
 * * `weights` - whole, >= 0, Σw < 2^33
 * * `re`, `im` - T in Q1.30, in the unit disc
 * * `result` - re, im, written; 0 when nobody of weight reports
 *
 * Errors: E_REPORT_RANGE, E_KERNEL_LENGTH.
 */
export function weighted_sum(weights: F64Array, re: I32Array, im: I32Array, length: number, result: I32Array): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_f32array_free: (a: number, b: number) => void;
    readonly __wbg_f64array_free: (a: number, b: number) => void;
    readonly __wbg_goertzelbankf32_free: (a: number, b: number) => void;
    readonly __wbg_goertzelbankf64_free: (a: number, b: number) => void;
    readonly __wbg_i32array_free: (a: number, b: number) => void;
    readonly __wbg_leakybankf32_free: (a: number, b: number) => void;
    readonly __wbg_leakybankf64_free: (a: number, b: number) => void;
    readonly breathing: (a: number, b: number, c: number, d: number) => void;
    readonly decision: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly f32array_new: (a: number, b: number) => void;
    readonly f32array_pointer: (a: number) => number;
    readonly f64array_new: (a: number, b: number) => void;
    readonly f64array_pointer: (a: number) => number;
    readonly field_coherence: (a: number, b: number, c: number) => void;
    readonly geometric_median: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly goertzelbankf32_im: (a: number) => number;
    readonly goertzelbankf32_new: (a: number, b: number, c: number) => void;
    readonly goertzelbankf32_re: (a: number) => number;
    readonly goertzelbankf32_transform: (a: number, b: number, c: number) => void;
    readonly goertzelbankf32_values: (a: number) => number;
    readonly goertzelbankf64_im: (a: number) => number;
    readonly goertzelbankf64_new: (a: number, b: number, c: number) => void;
    readonly goertzelbankf64_re: (a: number) => number;
    readonly goertzelbankf64_transform: (a: number, b: number, c: number) => void;
    readonly goertzelbankf64_values: (a: number) => number;
    readonly golden_lattice: (a: number, b: number, c: number, d: number) => void;
    readonly harmonic_resonance: (a: number, b: number, c: number, d: number) => void;
    readonly i32array_new: (a: number, b: number) => void;
    readonly i32array_pointer: (a: number) => number;
    readonly leakybankf32_advance: (a: number, b: number, c: number, d: number) => void;
    readonly leakybankf32_new: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly leakybankf32_past: (a: number) => number;
    readonly leakybankf32_phases: (a: number) => number;
    readonly leakybankf32_sums: (a: number) => number;
    readonly leakybankf32_t: (a: number) => number;
    readonly leakybankf64_advance: (a: number, b: number, c: number, d: number) => void;
    readonly leakybankf64_new: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => void;
    readonly leakybankf64_past: (a: number) => number;
    readonly leakybankf64_phases: (a: number) => number;
    readonly leakybankf64_sums: (a: number) => number;
    readonly leakybankf64_t: (a: number) => number;
    readonly phase_locking_f32: (a: number, b: number, c: number, d: number) => void;
    readonly phase_locking_f64: (a: number, b: number, c: number, d: number) => void;
    readonly phase_locking_matrix_f32: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly phase_locking_matrix_f64: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly phasors_f32: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly phasors_f64: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly quantise: (a: number, b: number, c: number, d: number) => void;
    readonly synthesise_phases: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly synthesise_tone_f32: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly synthesise_tone_f64: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly weighted_sum: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly __wbindgen_add_to_stack_pointer: (a: number) => number;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
