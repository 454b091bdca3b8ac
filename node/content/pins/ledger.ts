import type { Sublevel, Write } from '../../storage/sublevel.ts'
import { MAX_BATCH_STEPS, MAX_BATCH_WRITES, READS_AT_ONCE } from './constants.ts'

/** Sees what steps before it in the same batch have written. */
export interface Transaction {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  put(key: Uint8Array, value: Uint8Array): void
  del(key: Uint8Array): void
}

type Step<T> = (transaction: Transaction) => Promise<T>

interface Waiting {
  reads: readonly Uint8Array[]
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

  /**
   * Resolves when the step is on disk; one that throws writes nothing.
   *
   * @param reads - keys that the step will read: those of all steps of a batch are read at once
   */
  run<T>(step: Step<T>, reads: readonly Uint8Array[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        reads,
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
    const ready = this.#waiting.splice(0, MAX_BATCH_STEPS)
    const resolvers: (() => void)[] = []
    let taken = 0
    try {
      const before = new ReadAhead(this.#sublevel)
      await before.read(ready.flatMap(({ reads }) => reads))
      const batch = new Overlay((key) => before.get(key))
      for (; taken < ready.length && batch.size < MAX_BATCH_WRITES; taken++) {
        const { take, reject } = ready[taken]!
        await take(batch).then((resolve) => resolvers.push(resolve), reject)
      }
      await this.#sublevel.batch(batch.writes())
      for (const resolve of resolvers) resolve()
    } catch (error) {
      // Those that are told already are told in vain.
      for (const { reject } of ready.splice(0)) reject(error)
    }
    this.#waiting.unshift(...ready.slice(taken))
  }
}

/** The rows as they are before a batch. */
class ReadAhead {
  readonly #sublevel: Sublevel
  readonly #rows = new Map<string, Uint8Array | undefined>()

  constructor(sublevel: Sublevel) {
    this.#sublevel = sublevel
  }

  async read(keys: readonly Uint8Array[]): Promise<void> {
    const wanted = new Map(keys.map((key) => [nameOf(key), key])).entries()
    const reader = async (): Promise<void> => {
      for (const [name, key] of wanted) this.#rows.set(name, await this.#sublevel.get(key))
    }
    await Promise.all(Array.from({ length: READS_AT_ONCE }, reader))
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const name = nameOf(key)
    return this.#rows.has(name) ? this.#rows.get(name) : this.#sublevel.get(key)
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
