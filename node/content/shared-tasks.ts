interface Shared<T> {
  result: Promise<T>
  controller: AbortController
  waiting: number
}

/**
 * One run of a task for all that ask for the same key at the same time. It is cancelled only when
 * the last of them has left.
 */
export class SharedTasks<T> {
  readonly #tasks = new Map<string, Shared<T>>()

  async run(key: string, signal: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const shared = this.#tasks.get(key) ?? this.#start(key, task)
    shared.waiting++
    const left = Promise.withResolvers<never>()
    const leave = (): void => left.reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    try {
      signal.throwIfAborted()
      return await Promise.race([shared.result, left.promise])
    } finally {
      signal.removeEventListener('abort', leave)
      if (--shared.waiting === 0) {
        if (this.#tasks.get(key) === shared) this.#tasks.delete(key)
        shared.controller.abort(signal.reason)
      }
    }
  }

  #start(key: string, task: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const controller = new AbortController()
    const shared: Shared<T> = { controller, waiting: 0, result: task(controller.signal) }
    shared.result.catch(() => {})
    this.#tasks.set(key, shared)
    return shared
  }
}
