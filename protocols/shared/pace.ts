const MAX_REMEMBERED = 1_024

/** How fast bytes may leave to each peer: what is over its rate waits, up to one second's worth goes at once. */
export class Pace {
  readonly #bytesPerSecond: number
  readonly #paidUntilMs = new Map<string, number>()

  /** @param bytesPerSecond - > 0, Infinity for no limit */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** @returns ms to wait before these bytes are sent; they count from now on */
  take(peer: string, bytes: number, nowMs: number): number {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return 0
    this.#forgetPaid(nowMs)
    const from = Math.max(this.#paidUntilMs.get(peer) ?? 0, nowMs - 1000)
    this.#paidUntilMs.set(peer, from + (bytes * 1000) / this.#bytesPerSecond)
    return Math.max(0, from - nowMs)
  }

  /** A peer that has paid is as good as new. */
  #forgetPaid(nowMs: number): void {
    if (this.#paidUntilMs.size < MAX_REMEMBERED) return
    for (const [peer, until] of this.#paidUntilMs) if (until <= nowMs - 1000) this.#paidUntilMs.delete(peer)
  }
}
