import type { CoherenceKernels, KernelArray } from '../../wasm/index.ts'
import { arrayOf, many, random, type KernelCase } from './kernels-case.ts'

/** A kernel of doubles in and doubles out, with what the twin has for its best TypeScript. */
export function small(
  id: string,
  length: number,
  run: (kernels: CoherenceKernels, arrays: F64[]) => number | void,
): KernelCase {
  const values = random(length, 1, 1000)
  const out = new Float64Array(length)
  return {
    id,
    size: many(length, 'value'),
    items: length,
    item: 'value',
    make(kernels) {
      const arrays = [arrayOf(kernels, 'f64', values) as F64, kernels.f64(length)]
      let value: number | void = 0
      const runCopied = () => {
        arrays[0]!.values.set(values)
        value = run(kernels, arrays)
        out.set(arrays[1]!.values)
      }
      return {
        run: () => void (value = run(kernels, arrays)),
        runCopied,
        result: () => [value ?? 0, ...arrays[1]!.values],
      }
    },
  }
}
type F64 = KernelArray<Float64Array>

type Reports = Parameters<CoherenceKernels['weightedSum']>[0]

export function ofReports(
  id: string,
  length: number,
  run: (kernels: CoherenceKernels, reports: Reports) => object,
): KernelCase {
  const weights = random(length, 0, 2 ** 20).map(Math.floor)
  const [re, im] = [7, 8].map((seed) => Int32Array.from(random(length, -(2 ** 29), 2 ** 29, seed))) as [
    Int32Array,
    Int32Array,
  ]
  return {
    id,
    size: many(length, 'report'),
    items: length,
    item: 'report',
    make(kernels) {
      const reports = { weights: kernels.f64(length), re: kernels.i32(length), im: kernels.i32(length) }
      let value: object = {}
      const runCopied = () => {
        reports.weights.values.set(weights)
        reports.re.values.set(re)
        reports.im.values.set(im)
        value = run(kernels, reports)
      }
      runCopied()
      return {
        run: () => void (value = run(kernels, reports)),
        runCopied,
        result: () => Object.values(value) as number[],
      }
    },
  }
}
