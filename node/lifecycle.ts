import { CodedError, codeOf, messageOf } from '../protocols/shared/errors.ts'
import type { Service } from './service.ts'

interface Started {
  name: string
  stop: () => Promise<void>
}

/**
 * What has been started, in order. A step that fails stops those before it and says which one it was;
 * stopping is the reverse of starting and goes on past a service that cannot stop. A stop in the middle
 * of a start, by a failed store say, leaves nothing running and is what the start fails with.
 */
export class Lifecycle {
  readonly #started: Started[] = []
  readonly #onStopError: (service: string, error: unknown) => void
  #stopping: Promise<void> | undefined
  #failure: unknown

  constructor(onStopError: (service: string, error: unknown) => void) {
    this.#onStopError = onStopError
  }

  /** Why everything was stopped, when something failed: the first failure of all. */
  get failure(): unknown {
    return this.#failure
  }

  /** Takes something that must be given back, such as a lock or an open database. */
  async hold<T>(name: string, take: () => Promise<T>, giveBack: (taken: T) => Promise<void>): Promise<T> {
    return this.#step(name, async () => {
      const taken = await take()
      this.#started.push({ name, stop: () => giveBack(taken) })
      return taken
    })
  }

  async start<S extends Service>(name: string, create: () => S | Promise<S>): Promise<S> {
    return this.#step(name, async () => {
      const service = await create()
      this.#started.push({ name, stop: () => service.stop() })
      await service.start()
      return service
    })
  }

  /** Idempotent: a later call waits for the first. @param failure - why, when it is not just wanted */
  async stop(failure?: unknown): Promise<void> {
    this.#failure ??= failure
    this.#stopping ??= this.#stopAll()
    await this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (let started = this.#started.pop(); started !== undefined; started = this.#started.pop()) {
      try {
        await started.stop()
      } catch (error) {
        this.#onStopError(started.name, error)
      }
    }
  }

  async #step<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#refuseWhenStopping()
    try {
      const result = await run()
      // What this step started after the stop had begun.
      if (this.#stopping !== undefined) await this.#stopAll()
      this.#refuseWhenStopping()
      return result
    } catch (error) {
      const first = this.#failure ?? error
      await this.stop(first)
      await this.#stopAll()
      throw named(name, first)
    }
  }

  #refuseWhenStopping(): void {
    if (this.#stopping === undefined) return
    throw this.#failure ?? new CodedError('E_STOPPING', 'the node is stopping')
  }
}

function named(service: string, error: unknown): CodedError {
  const hint = error instanceof CodedError ? error.hint : undefined
  return new CodedError(codeOf(error), `${service} did not start: ${messageOf(error)}`, { hint, cause: error })
}
