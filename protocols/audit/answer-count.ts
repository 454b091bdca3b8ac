import { MAX_ANSWERS, MAX_ANSWERS_PER_PEER } from './constants.ts'

/** Answers under way, to each peer and in all. */
export class AnswerCount {
  readonly #running = new Map<string, number>()
  #total = 0

  /** @returns undefined when the limit is reached and nothing was done */
  async run<T>(peer: string, work: () => Promise<T>): Promise<T | undefined> {
    const running = this.#running.get(peer) ?? 0
    if (running >= MAX_ANSWERS_PER_PEER || this.#total >= MAX_ANSWERS) return undefined
    this.#running.set(peer, running + 1)
    this.#total++
    try {
      return await work()
    } finally {
      this.#total--
      const left = (this.#running.get(peer) ?? 1) - 1
      if (left > 0) this.#running.set(peer, left)
      else this.#running.delete(peer)
    }
  }
}
