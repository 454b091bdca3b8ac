import type { StateStore } from './state-store.ts'

/** What is applied within this goes to the disk together: a write of each turn was a tenth of a member's work. */
const PACE_MS = 50
/** Keys that may wait; then the state machine does. */
const MAX_WAITING = 16_384

export type Changes = ReadonlyMap<string, Uint8Array | null>

/**
 * Writes the state behind the state machine: the log is durable before anything is applied, so what is not written yet
 * is applied again after a crash, and nobody has to wait for it.
 */
export class Mirror {
  readonly #store: StateStore
  #applied: number | undefined
  #waiting = new Map<string, Uint8Array | null>()
  #writing: Promise<void> | undefined
  #pushed = 0
  /** those who wait for it: then there is no pause */
  #settling: { readonly upTo: number; readonly resolve: () => void }[] = []
  #endPause = () => {}
  #failure: { cause: unknown } | undefined

  constructor(store: StateStore) {
    this.#store = store
  }

  /** Nothing was ever written or waits to be. */
  get isEmpty(): boolean {
    return this.#store.applied === 0 && this.#applied === undefined && this.#writing === undefined
  }

  /** @throws what an earlier write has failed with */
  async push(applied: number, changes: Iterable<readonly [string, Uint8Array | null]>): Promise<void> {
    this.#rethrow()
    this.#applied = applied
    this.#pushed += 1
    for (const [key, value] of changes) this.#waiting.set(key, value)
    this.#writing ??= this.#run()
    if (this.#waiting.size > MAX_WAITING) await this.settled()
  }

  /** Resolves when the store has what was pushed before the call. @throws what a write has failed with */
  async settled(): Promise<void> {
    if (this.#writing !== undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#settling.push({ upTo: this.#pushed, resolve })
      this.#endPause()
      await promise
    }
    this.#rethrow()
  }

  async #run(): Promise<void> {
    try {
      while (this.#applied !== undefined) {
        if (this.#settling.length === 0) await this.#pause()
        const [applied, waiting, pushed] = [this.#applied, this.#waiting, this.#pushed]
        this.#applied = undefined
        this.#waiting = new Map()
        await this.#store.apply({ applied, changes: valuesOf(waiting) })
        this.#release(pushed)
      }
    } catch (cause) {
      this.#failure = { cause }
      this.#release(Infinity)
    } finally {
      this.#writing = undefined
    }
  }

  #release(written: number): void {
    for (const { upTo, resolve } of this.#settling) if (upTo <= written) resolve()
    this.#settling = this.#settling.filter(({ upTo }) => upTo > written)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PACE_MS)
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.cause
  }
}

function* valuesOf(changes: Changes): Generator<readonly [string, Uint8Array | undefined]> {
  for (const [key, value] of changes) yield [key, value ?? undefined]
}
