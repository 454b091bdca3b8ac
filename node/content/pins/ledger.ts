import type { Sublevel, Write } from '../../storage/sublevel.ts'
import { MAX_BATCH_WRITES } from './constants.ts'

/** Sees what steps before it in the same batch have written. */
export interface Transaction {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  put(key: Uint8Array, value: Uint8Array): void
  del(key: Uint8Array): void
}

type Step<T> = (transaction: Transaction) => Promise<T>

interface Waiting {
  /** Takes the step. @returns what to do when it is on disk */
  take(batch: Overlay): Promise<() => void>
  reject(error: unknown): void
}

/**
 * The only writer of the index. Steps run one after the other, each on what those before have
 * written, so that a count is read and written by one at a time; all that wait while a batch is
 * being synced go into the next one. A step is on disk whole or not at all, and the database is
 * the only state: what memory lost, nobody misses.
 */
export class Ledger {
  readonly #sublevel: Sublevel
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(sublevel: Sublevel) {
    this.#sublevel = sublevel
  }

  /** Resolves when the step is on disk; one that throws writes nothing. */
  run<T>(step: Step<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        async take(batch) {
          const own = new Overlay((key) => batch.get(key))
          const result = await step(own)
          own.copyTo(batch)
          return () => resolve(result)
        },
        reject,
      })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // A turn of the microtask queue, so that callers of one tick share a batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#writeNext()
    this.#running = undefined
  }

  async #writeNext(): Promise<void> {
    const batch = new Overlay((key) => this.#sublevel.get(key))
    const taken: { waiting: Waiting; resolve: () => void }[] = []
    while (this.#waiting.length > 0 && batch.size < MAX_BATCH_WRITES) {
      const waiting = this.#waiting.shift()!
      try {
        taken.push({ waiting, resolve: await waiting.take(batch) })
      } catch (error) {
        waiting.reject(error)
      }
    }
    try {
      await this.#sublevel.batch(batch.writes())
      for (const { resolve } of taken) resolve()
    } catch (error) {
      for (const { waiting } of taken) waiting.reject(error)
    }
  }
}

class Overlay implements Transaction {
  readonly #below: (key: Uint8Array) => Promise<Uint8Array | undefined>
  readonly #writes = new Map<string, Write>()

  constructor(below: (key: Uint8Array) => Promise<Uint8Array | undefined>) {
    this.#below = below
  }

  get size(): number {
    return this.#writes.size
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const own = this.#writes.get(nameOf(key))
    if (own === undefined) return this.#below(key)
    return own.type === 'put' ? own.value : undefined
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#writes.set(nameOf(key), { type: 'put', key, value })
  }

  del(key: Uint8Array): void {
    this.#writes.set(nameOf(key), { type: 'del', key })
  }

  copyTo(other: Overlay): void {
    for (const [name, write] of this.#writes) other.#writes.set(name, write)
  }

  writes(): Write[] {
    return [...this.#writes.values()]
  }
}

export function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
