import type { CoherenceKernels, EngineName, Floats, KernelArray } from '../../../wasm/index.ts'
import { KernelError, loadCoherence } from '../../../wasm/index.ts'

export const ENGINES = ['simd', 'plain', 'typescript'] as const satisfies EngineName[]

/** One set of kernels of each engine. */
export async function loadAll(): Promise<CoherenceKernels[]> {
  return Promise.all(ENGINES.map((engine) => loadCoherence({ engine })))
}

interface Kinds {
  f64: Float64Array
  f32: Float32Array
  i32: Int32Array
}

/** Gives arrays that hold `values`, and frees all of them afterwards. */
export function withArrays<R>(
  kernels: CoherenceKernels,
  work: (arrayOf: <K extends keyof Kinds>(kind: K, values: ArrayLike<number>) => KernelArray<Kinds[K]>) => R,
): R {
  const arrays: KernelArray<Floats | Int32Array>[] = []
  try {
    return work((kind, values) => {
      const array = kernels[kind](values.length)
      array.values.set(values)
      arrays.push(array)
      return array as KernelArray<never>
    })
  } finally {
    for (const array of arrays) array.free()
  }
}

/** What it gives, or the code of its refusal; anything else that is thrown is thrown on. */
export function outcome<R>(work: () => R): R | string {
  try {
    return work()
  } catch (thrown) {
    if (thrown instanceof KernelError) return thrown.code
    throw thrown
  }
}

/** The bits of doubles, to be compared as they are: a zero's sign counts, and every NaN is one. */
export function bitsOf(values: ArrayLike<number>): string[] {
  const cell = new DataView(new ArrayBuffer(8))
  return Array.from(values, (value) => {
    cell.setFloat64(0, value)
    return Number.isNaN(value) ? 'NaN' : cell.getBigUint64(0).toString(16)
  })
}

/** The greatest difference between two rows; Infinity where only one is not a number. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Infinity
  for (let at = 0; at < a.length; at++) {
    if (Object.is(a[at], b[at])) continue
    const apart = Math.abs(a[at]! - b[at]!)
    worst = Number.isNaN(apart) ? Infinity : Math.max(worst, apart)
  }
  return worst
}
