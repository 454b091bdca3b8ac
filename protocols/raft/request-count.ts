import { MAX_REQUESTS, MAX_REQUESTS_PER_PEER } from './constants.ts'

/** Requests being answered, to each peer and in all. */
export class RequestCount {
  readonly #running = new Map<string, number>()
  #total = 0

  /** @returns false when the limit is reached and nothing was done */
  async run(peer: string, work: () => Promise<void>): Promise<boolean> {
    const running = this.#running.get(peer) ?? 0
    if (running >= MAX_REQUESTS_PER_PEER || this.#total >= MAX_REQUESTS) return false
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
