import { unlessAborted } from '../../../protocols/shared/unless-aborted.ts'

interface Queue {
  last: Promise<unknown>
  controllers: Set<AbortController>
}

/** One task at a time for each key, in their order. */
export class Turns {
  readonly #queues = new Map<string, Queue>()

  /** The task gets a signal that aborts with `signal`, by `end` and by whoever takes over. */
  async run<T>(key: string, signal: AbortSignal | undefined, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), controllers: new Set() }
    this.#queues.set(key, queue)
    const own = new AbortController()
    const either = signal === undefined ? own.signal : AbortSignal.any([signal, own.signal])
    const before = queue.last
    const over = Promise.withResolvers<void>()
    queue.last = before.then(() => over.promise)
    queue.controllers.add(own)
    try {
      await unlessAborted(before, either)
      return await task(either)
    } finally {
      over.resolve()
      queue.controllers.delete(own)
      if (queue.controllers.size === 0) this.#queues.delete(key)
    }
  }

  /** Aborts all that runs or waits for the key, then runs the task. */
  async takeOver<T>(key: string, reason: Error, task: () => Promise<T>): Promise<T> {
    for (const controller of this.#queues.get(key)?.controllers ?? []) controller.abort(reason)
    return this.run(key, undefined, task)
  }

  /** Aborts everything, and resolves when nothing runs. */
  async end(reason: Error): Promise<void> {
    const queues = [...this.#queues.values()]
    for (const { controllers } of queues) for (const controller of controllers) controller.abort(reason)
    await Promise.all(queues.map(({ last }) => last))
  }
}
