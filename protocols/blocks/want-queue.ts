import { CodedError } from '../shared/errors.ts'
import type { Request } from './codec.ts'
import { IDLE_MS, MAX_WANTS } from './constants.ts'
import { keyOf } from './frame-stream.ts'

/** What one client wants and was not yet answered: each want gets exactly one answer, a taken back one, too. */
export class WantQueue {
  readonly #wants = new Map<string, Uint8Array>()
  #cancelled: Uint8Array[] = []
  #answering = 0
  #ended = false
  #wake: (() => void) | undefined

  /** @throws {CodedError} E_BLOCKS_LIMIT, E_BLOCKS_PROTOCOL for a want that stands already */
  add({ cids, cancel }: Extract<Request, { type: 'want' }>): void {
    for (const cid of cids) {
      if (this.#wants.has(keyOf(cid))) throw new CodedError('E_BLOCKS_PROTOCOL', 'a block wanted twice at once')
      this.#wants.set(keyOf(cid), cid)
    }
    // One whose answer is under way already gets no other.
    for (const cid of cancel) if (this.#wants.delete(keyOf(cid))) this.#cancelled.push(cid)
    const outstanding = this.#wants.size + this.#cancelled.length + this.#answering
    if (outstanding > MAX_WANTS) throw new CodedError('E_BLOCKS_LIMIT', `${outstanding} blocks wanted at once`)
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** Waits until something is to be answered. @returns false when nothing more will come, or nothing came for long */
  async some(): Promise<boolean> {
    while (this.#wants.size === 0 && this.#cancelled.length === 0 && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const idle = setTimeout(() => this.end(), 2 * IDLE_MS)
      this.#wake = resolve
      await promise
      clearTimeout(idle)
    }
    return !this.#ended
  }

  next(): Uint8Array | undefined {
    return this.#wants.values().next().value
  }

  /** @returns false when it was taken back; else it counts until `answered` */
  take(cid: Uint8Array): boolean {
    const isWanted = this.#wants.delete(keyOf(cid))
    if (isWanted) this.#answering++
    return isWanted
  }

  /** Those taken back since the last time; they count until `answered`. */
  takeCancelled(): Uint8Array[] {
    const cancelled = this.#cancelled
    this.#cancelled = []
    this.#answering += cancelled.length
    return cancelled
  }

  answered(count: number): void {
    this.#answering -= count
  }
}
