import { CodedError } from '../../protocols/shared/errors.ts'
import { unlessAborted } from '../../protocols/shared/unless-aborted.ts'

interface Shared<T> {
  result: Promise<T>
  controller: AbortController
  waiting: number
}

/** Made once: an `abort` without a reason makes an error, with its stack, for every block. */
const LEFT = new CodedError('E_ABORTED', 'nobody waits for it any more')

/**
 * One run of a task for all that ask for the same key at the same time. It is cancelled only when
 * the last of them has left; whoever asks then waits until it has wound up, and starts anew.
 */
export class SharedTasks<T> {
  readonly #tasks = new Map<string, Shared<T>>()

  async run(key: string, signal: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let old = this.#tasks.get(key); old?.controller.signal.aborted === true; old = this.#tasks.get(key)) {
      await old.result.catch(() => {})
    }
    signal.throwIfAborted()
    const shared = this.#tasks.get(key) ?? this.#start(key, task)
    shared.waiting++
    try {
      return await unlessAborted(shared.result, signal)
    } finally {
      if (--shared.waiting === 0) shared.controller.abort(signal.reason ?? LEFT)
    }
  }

  #start(key: string, task: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const controller = new AbortController()
    const result = task(controller.signal).finally(() => this.#tasks.delete(key))
    result.catch(() => {})
    const shared: Shared<T> = { controller, waiting: 0, result }
    this.#tasks.set(key, shared)
    return shared
  }
}
