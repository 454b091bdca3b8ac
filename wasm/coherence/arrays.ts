/** The widths that kernels work in; floats where four at a time is faster and their error is stated. */
export type Floats = Float64Array | Float32Array

/**
 * Values that kernels work on. They lie in wasm's own memory where wasm is at work, so nothing is copied for a call.
 */
export interface KernelArray<A extends Floats | Int32Array> {
  /**
   * The values themselves, to read and to write. Take it anew after anything was allocated: memory that grows leaves
   * older views empty.
   *
   * @throws KernelError E_KERNEL_ARRAY once freed
   */
  readonly values: A
  readonly length: number
  /** Gives the memory back; idempotent. */
  free(): void
}

/** A whole number of values, 0 or more, that fit every array. */
export function fits(length: number, ...arrays: readonly { readonly length: number }[]): boolean {
  if (!Number.isInteger(length) || length < 0) return false
  for (const array of arrays) if (length > array.length) return false
  return true
}
