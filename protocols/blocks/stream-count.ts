/** Streams being served: so many of one peer, so many in all. */
export class StreamCount {
  readonly #running = new Map<string, number>()
  readonly #perPeer: number
  readonly #inAll: number
  #total = 0

  constructor(perPeer: number, inAll: number) {
    this.#perPeer = perPeer
    this.#inAll = inAll
  }

  /** @returns false when the limit is reached and nothing was done */
  async run(peer: string, work: () => Promise<void>): Promise<boolean> {
    const running = this.#running.get(peer) ?? 0
    if (running >= this.#perPeer || this.#total >= this.#inAll) return false
    this.#running.set(peer, running + 1)
    this.#total++
    try {
      await work()
      return true
    } finally {
      this.#total--
      const left = (this.#running.get(peer) ?? 1) - 1
      if (left > 0) this.#running.set(peer, left)
      else this.#running.delete(peer)
    }
  }
}
