/** What is being done for peers: so much for each, so much in all. */
export class WorkCount {
  readonly #running = new Map<string, number>()
  readonly #perPeer: number
  readonly #inAll: number
  #total = 0

  constructor(perPeer: number, inAll: number) {
    this.#perPeer = perPeer
    this.#inAll = inAll
  }

  /** @returns what came of the work; undefined when the limit is reached and nothing was done */
  async run<T>(peer: string, work: () => Promise<T>): Promise<{ result: T } | undefined> {
    const running = this.#running.get(peer) ?? 0
    if (running >= this.#perPeer || this.#total >= this.#inAll) return undefined
    this.#running.set(peer, running + 1)
    this.#total++
    try {
      return { result: await work() }
    } finally {
      this.#total--
      const left = (this.#running.get(peer) ?? 1) - 1
      if (left > 0) this.#running.set(peer, left)
      else this.#running.delete(peer)
    }
  }
}
