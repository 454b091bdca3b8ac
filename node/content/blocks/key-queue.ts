/** Tasks of one key run one after the other, in the order of the calls; those of different keys together. */
export class KeyQueue {
  readonly #last = new Map<string, Promise<unknown>>()

  /** @param keys - each once; the task begins when all that was called before for any of them has ended */
  async run<T>(keys: string | readonly string[], task: () => Promise<T>): Promise<T> {
    const own = typeof keys === 'string' ? [keys] : keys
    const before = own.flatMap((key) => this.#last.get(key) ?? [])
    const running = before.length === 0 ? task() : Promise.allSettled(before).then(task)
    for (const key of own) this.#last.set(key, running)
    try {
      return await running
    } finally {
      for (const key of own) if (this.#last.get(key) === running) this.#last.delete(key)
    }
  }

  /** Resolves when all that was called has ended. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled(this.#last.values())
  }
}
