import { type CoherenceKernels, type KernelArray, type KernelFault, loadCoherence } from '../../wasm/index.ts'

/** Fewer angles than this are worked out one by one: a call into wasm would cost more than it saves. */
export const BATCH_LEAST = 256

export type KernelSource = () => Promise<CoherenceKernels>

/** Kernels that are loaded when first asked for: a slow signal never needs them, nor their memory. */
export function kernelSource(onFault?: (fault: KernelFault) => void): KernelSource {
  let kernels: Promise<CoherenceKernels> | undefined
  return () => (kernels ??= loadCoherence(onFault === undefined ? {} : { onFault }))
}

type Angles = KernelArray<Float64Array>

/** Unit phasors of many angles at a time, in memory that grows to the largest batch. */
export class UnitPhasors {
  readonly #kernels: CoherenceKernels
  #angles: Angles
  #re: Angles
  #im: Angles

  constructor(kernels: CoherenceKernels) {
    this.#kernels = kernels
    this.#angles = kernels.f64(BATCH_LEAST)
    this.#re = kernels.f64(BATCH_LEAST)
    this.#im = kernels.f64(BATCH_LEAST)
  }

  /**
   * @param angleOf - rad, of the k-th; 0 where it is not finite
   * @returns cosines and sines, until the next call
   */
  of(count: number, angleOf: (k: number) => number): { re: Float64Array; im: Float64Array } {
    if (count > this.#angles.length) this.#grow(count)
    const { values } = this.#angles
    for (let k = 0; k < count; k++) values[k] = angleOf(k)
    this.#kernels.phasors(this.#angles, this.#re, this.#im, count)
    return { re: this.#re.values, im: this.#im.values }
  }

  free(): void {
    for (const array of [this.#angles, this.#re, this.#im]) array.free()
  }

  #grow(count: number): void {
    this.free()
    const length = 2 ** Math.ceil(Math.log2(count))
    this.#angles = this.#kernels.f64(length)
    this.#re = this.#kernels.f64(length)
    this.#im = this.#kernels.f64(length)
  }
}
