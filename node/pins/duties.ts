import { messageOf } from '../../protocols/shared/errors.ts'
import type { Log } from '../telemetry/log.ts'

export interface Duty {
  readonly name: string
  readonly everyMs: number
  run(signal: AbortSignal): Promise<unknown>
}

/** Runs each duty again and again, one at a time and after a pause; what fails is tried again the next time. */
export class Duties {
  readonly #duties: readonly Duty[]
  readonly #log: Log
  readonly #stopped = new AbortController()
  readonly #timers = new Map<Duty, NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()

  constructor(duties: readonly Duty[], log: Log) {
    this.#duties = duties
    this.#log = log
  }

  start(): void {
    for (const duty of this.#duties) this.#later(duty, 0)
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node is stopping'))
    for (const timer of this.#timers.values()) clearTimeout(timer)
    await Promise.all(this.#running)
  }

  #later(duty: Duty, ms: number): void {
    if (this.#stopped.signal.aborted) return
    const run = (): void => {
      const done = this.#run(duty).finally(() => {
        this.#running.delete(done)
        this.#later(duty, duty.everyMs)
      })
      this.#running.add(done)
    }
    this.#timers.set(duty, setTimeout(run, ms).unref())
  }

  async #run(duty: Duty): Promise<void> {
    try {
      await duty.run(this.#stopped.signal)
    } catch (error) {
      this.#log.debug('a duty was not done; it is tried again', { duty: duty.name, reason: messageOf(error) })
    }
  }
}
