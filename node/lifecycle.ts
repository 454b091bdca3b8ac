import { CodedError, codeOf, messageOf } from '../protocols/shared/errors.ts'
import type { Service } from './service.ts'

interface Started {
  name: string
  stop: () => Promise<void>
}

/**
 * What has been started, in order. A step that fails stops those before it and says which one it was;
 * stopping is the reverse of starting and goes on past a service that cannot stop.
 */
export class Lifecycle {
  readonly #started: Started[] = []
  readonly #onStopError: (service: string, error: unknown) => void
  #stopping: Promise<void> | undefined

  constructor(onStopError: (service: string, error: unknown) => void) {
    this.#onStopError = onStopError
  }

  /** Takes something that must be given back, such as a lock or an open database. */
  async hold<T>(name: string, take: () => Promise<T>, giveBack: (taken: T) => Promise<void>): Promise<T> {
    const taken = await this.#step(name, take)
    this.#started.push({ name, stop: () => giveBack(taken) })
    return taken
  }

  async start<S extends Service>(name: string, create: () => S | Promise<S>): Promise<S> {
    return this.#step(name, async () => {
      const service = await create()
      this.#started.push({ name, stop: () => service.stop() })
      await service.start()
      return service
    })
  }

  /** Idempotent: a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (const { name, stop } of this.#started.reverse()) {
      try {
        await stop()
      } catch (error) {
        this.#onStopError(name, error)
      }
    }
  }

  async #step<T>(name: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      await this.stop()
      const hint = error instanceof CodedError ? error.hint : undefined
      throw new CodedError(codeOf(error), `${name} did not start: ${messageOf(error)}`, { hint, cause: error })
    }
  }
}
