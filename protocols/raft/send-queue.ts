export interface QueueLimits {
  readonly bytes: number
  readonly count: number
  /**
   * What goes when a newcomer does not fit. `newest` keeps the beginning: an append is worth nothing without those
   * before it. `oldest` keeps the end: of two heartbeats the later one says more.
   */
  readonly drop: 'newest' | 'oldest'
}

/** What waits for one member on one lane, within limits. */
export class SendQueue {
  readonly #limits: QueueLimits
  #items: Uint8Array[] = []
  #bytes = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#items.length
  }

  get byteLength(): number {
    return this.#bytes
  }

  /** @returns how many were dropped for it, the newcomer counted when it did not fit */
  push(item: Uint8Array): number {
    // What never fits costs nobody else the place.
    if (item.byteLength > this.#limits.bytes) return 1
    let dropped = 0
    for (; !this.#fits(item.byteLength); dropped++) {
      const oldest = this.#limits.drop === 'oldest' ? this.#items.shift() : undefined
      if (oldest === undefined) return dropped + 1
      this.#bytes -= oldest.byteLength
    }
    this.#items.push(item)
    this.#bytes += item.byteLength
    return dropped
  }

  /** The first ones up to `maxBytes` together, but at least one if there is any. */
  take(maxBytes: number): Uint8Array[] {
    let size = 0
    let count = 0
    for (const { byteLength } of this.#items) {
      if (count > 0 && size + byteLength > maxBytes) break
      size += byteLength
      count++
    }
    this.#bytes -= size
    return this.#items.splice(0, count)
  }

  clear(): void {
    this.#items = []
    this.#bytes = 0
  }

  #fits(size: number): boolean {
    return this.#items.length < this.#limits.count && this.#bytes + size <= this.#limits.bytes
  }
}
