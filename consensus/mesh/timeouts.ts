import type { Timeout } from './engine.ts'
import type { MeshOptions } from './init.ts'
import type { Clock } from './ports.ts'

/** The engine's timers of one height. */
export class Timeouts {
  readonly #clock: Clock
  readonly #options: MeshOptions
  readonly #fire: (timeout: Timeout) => void
  readonly #cancels = new Map<string, () => void>()

  constructor(clock: Clock, options: MeshOptions, fire: (timeout: Timeout) => void) {
    this.#clock = clock
    this.#options = options
    this.#fire = fire
  }

  /** One of the same kind and round begins anew. */
  set(timeout: Timeout): void {
    const key = `${timeout.kind}/${timeout.round}`
    this.#cancels.get(key)?.()
    const run = () => {
      this.#cancels.delete(key)
      this.#fire(timeout)
    }
    this.#cancels.set(key, this.#clock.after(durationOf(timeout, this.#options), run))
  }

  cancelAll(): void {
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }
}

/** ms; longer in each round, so that there is one in which everybody hears everybody in time (arXiv 1807.04938 §3). */
function durationOf({ kind, round }: Timeout, options: MeshOptions): number {
  if (kind === 'rebroadcast') return options.rebroadcastMs
  if (kind === 'propose') return options.proposeMs + options.proposeStepMs * round
  return options.voteMs + options.voteStepMs * round
}
