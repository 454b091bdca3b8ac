import { mulberry32 } from '../../node/coherence/index.ts'
import type { CoherenceKernels, Floats, KernelArray, Precision } from '../../wasm/index.ts'

/** One way to do a case's work. */
export interface Work {
  run(): void
  /** what came of the last run, to be held against the others' */
  result(): ArrayLike<number>
}

export interface KernelWork extends Work {
  /** `run` with its input taken from arrays of someone else's, and what it wrote handed back likewise. */
  runCopied(): void
}

export interface KernelCase {
  /** kernel and width, as NumPy's figures name it */
  readonly id: string
  readonly size: string
  /** what its nanoseconds are divided by */
  readonly items: number
  readonly item: string
  /** times faster than the best TypeScript */
  readonly target?: number
  /** the same way from wasm and from its twin */
  readonly make: (kernels: CoherenceKernels) => KernelWork
  /** as fast as V8 runs it; absent where that is the twin */
  readonly makeTuned?: () => Work
}

export const ARRAYS = { f32: Float32Array, f64: Float64Array }
const shown = (count: number) => count.toLocaleString('en').replaceAll(',', ' ')
export const many = (count: number, what: string, whats = `${what}s`) => `${shown(count)} ${count === 1 ? what : whats}`

export function random(length: number, from: number, to: number, seed = 1): Float64Array {
  const next = mulberry32(seed)
  return Float64Array.from({ length }, () => from + (to - from) * next())
}

export function phasesOf(precision: Precision, length: number, seed: number): Floats {
  return ARRAYS[precision].from(random(length, -Math.PI, Math.PI, seed))
}

export function arrayOf(kernels: CoherenceKernels, precision: Precision, values: Floats): KernelArray<Floats> {
  const array = kernels[precision](values.length)
  array.values.set(values)
  return array
}
