import type { LaneQueue } from '../shared/lane.ts'
import { MESSAGE_QUEUE, OTHER_QUEUE, PART_QUEUE } from './constants.ts'

/** What goes first when several wait. */
export type Priority = 'message' | 'other' | 'part'

interface Limits {
  readonly bytes: number
  readonly count: number
}

interface Item {
  readonly height: number
  readonly bytes: Uint8Array
}

/** What waits for one peer: messages before wants and answers, those before parts of blocks; each within limits. */
export class PeerQueue implements LaneQueue {
  readonly #classes: Readonly<Record<Priority, HeightQueue>> = {
    message: new HeightQueue(MESSAGE_QUEUE),
    other: new HeightQueue(OTHER_QUEUE),
    part: new HeightQueue(PART_QUEUE),
  }

  get length(): number {
    const { message, other, part } = this.#classes
    return message.length + other.length + part.length
  }

  get byteLength(): number {
    const { message, other, part } = this.#classes
    return message.byteLength + other.byteLength + part.byteLength
  }

  /** @returns how many were dropped for it, the newcomer counted when it did not fit */
  push(priority: Priority, height: number, bytes: Uint8Array): number {
    return this.#classes[priority].push({ height, bytes })
  }

  take(maxBytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    let size = 0
    for (const queue of Object.values(this.#classes)) {
      for (let next = queue.first; next !== undefined; next = queue.first) {
        if (taken.length > 0 && size + next.byteLength > maxBytes) return taken
        size += next.byteLength
        taken.push(next)
        queue.shift()
      }
    }
    return taken
  }

  clear(): void {
    for (const queue of Object.values(this.#classes)) queue.clear()
  }
}

/** In the order of pushing. Where a newcomer does not fit, the oldest of the lowest height goes for it. */
class HeightQueue {
  readonly #limits: Limits
  #items: Item[] = []
  #bytes = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#items.length
  }

  get byteLength(): number {
    return this.#bytes
  }

  get first(): Uint8Array | undefined {
    return this.#items[0]?.bytes
  }

  push(item: Item): number {
    const { bytes, count } = this.#limits
    // What never fits costs nobody else the place.
    if (item.bytes.byteLength > bytes) return 1
    let dropped = 0
    for (; this.#items.length >= count || this.#bytes + item.bytes.byteLength > bytes; dropped++) {
      const lowest = this.#lowest()
      if (this.#items[lowest]!.height > item.height) return dropped + 1
      this.#remove(lowest)
    }
    this.#items.push(item)
    this.#bytes += item.bytes.byteLength
    return dropped
  }

  shift(): void {
    if (this.#items.length > 0) this.#remove(0)
  }

  clear(): void {
    this.#items = []
    this.#bytes = 0
  }

  #lowest(): number {
    let lowest = 0
    for (let i = 1; i < this.#items.length; i++) if (this.#items[i]!.height < this.#items[lowest]!.height) lowest = i
    return lowest
  }

  #remove(index: number): void {
    const [item] = this.#items.splice(index, 1)
    this.#bytes -= item?.bytes.byteLength ?? 0
  }
}
