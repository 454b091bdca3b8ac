import { z } from 'zod'
import { defineCodec } from '../../protocols/shared/codec.ts'

/** Messages of one author that may overtake each other. */
const WIDTH = 64n
const MASK = (1n << WIDTH) - 1n
const MAX_AUTHORS = 10_000
const MAX_BYTES = 2_097_152

interface Window {
  /** Highest sequence number seen. */
  max: bigint
  /** Bit i: `max - i` was seen. */
  seen: bigint
}

const uint64 = z.bigint().nonnegative().or(z.int().nonnegative())
const windowsCodec = defineCodec(
  'replay windows',
  MAX_BYTES,
  z.array(z.tuple([z.string().max(128), uint64, uint64])).max(MAX_AUTHORS),
)

/**
 * Refuses what an author already said, however long ago (F17): gossipsub forgets after two minutes, and a
 * signature never ages. A sliding window as in RFC 4303 §3.4.3: numbers below it count as seen.
 */
export class ReplayWindow {
  readonly #windows = new Map<string, Window>()

  /** Marks a number as seen. @returns false when it was already, or is too old to tell */
  accept(author: string, sequence: bigint): boolean {
    const window = this.#windows.get(author)
    if (window === undefined) {
      this.#windows.set(author, { max: sequence, seen: 1n })
      if (this.#windows.size > MAX_AUTHORS) this.#forgetFirst()
      return true
    }
    // The author silent for longest is the first to be forgotten, so nobody is pushed out by inventing others.
    this.#windows.delete(author)
    this.#windows.set(author, window)
    const ahead = sequence - window.max
    // Before the shift: its width is a peer's choice.
    if (-ahead >= WIDTH) return false
    if (ahead > 0n) {
      window.seen = ahead >= WIDTH ? 1n : ((window.seen << ahead) | 1n) & MASK
      window.max = sequence
      return true
    }
    const bit = 1n << -ahead
    if ((window.seen & bit) !== 0n) return false
    window.seen |= bit
    return true
  }

  /** @returns all windows, for `restore`; ≤ 2 MiB */
  save(): Uint8Array {
    return windowsCodec.encode([...this.#windows].map(([author, { max, seen }]) => [author, max, seen]))
  }

  /** @throws {CodedError} when the bytes are not what `save` gave */
  restore(bytes: Uint8Array): void {
    for (const [author, max, seen] of windowsCodec.decode(bytes)) {
      this.#windows.set(author, { max: BigInt(max), seen: BigInt(seen) })
    }
  }

  #forgetFirst(): void {
    const first = this.#windows.keys().next()
    if (first.done !== true) this.#windows.delete(first.value)
  }
}
