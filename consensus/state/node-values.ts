const NOTHING = new Uint8Array()

/**
 * The values of one node: a list while they are being edited, later one piece of memory, since a million small arrays
 * of their own cost five times their bytes. What they are never changes, only how they are kept.
 */
export class NodeValues {
  #list: readonly Uint8Array[] | undefined
  #packed = NOTHING
  /** of each value, where it ends in `#packed` */
  #ends: readonly number[] = []

  constructor(values: readonly Uint8Array[]) {
    this.#list = values
  }

  /** A view, not a copy. */
  at(index: number): Uint8Array | undefined {
    if (this.#list !== undefined) return this.#list[index]
    return this.#packed.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index])
  }

  list(): readonly Uint8Array[] {
    if (this.#list !== undefined) return this.#list
    let start = 0
    return this.#ends.map((end) => this.#packed.subarray(start, (start = end)))
  }

  /** @returns itself */
  pack(): this {
    if (this.#list === undefined) return this
    let length = 0
    this.#ends = this.#list.map((value) => (length += value.byteLength))
    this.#packed = new Uint8Array(length)
    for (const [at, value] of this.#list.entries()) this.#packed.set(value, at === 0 ? 0 : this.#ends[at - 1])
    this.#list = undefined
    return this
  }
}
