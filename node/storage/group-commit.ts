import { CodedError } from '../../protocols/shared/errors.ts'

/** A batch handed to the database holds at most this much, unless one caller's batch is larger. */
const MAX_BATCH_BYTES = 4_194_304

/** What a caller wants written, whole or not at all. */
export interface Commit<Operation> {
  operations: Operation[]
  bytes: number
  sync: boolean
}

interface Waiting<Operation> extends Commit<Operation> {
  resolve(): void
  reject(error: unknown): void
}

/**
 * Puts the writes of all concurrent callers, in their order, into as few batches as possible: all
 * that waits when the previous batch returns goes in the next, so one fsync serves everybody.
 *
 * The first failure is final. After a failed fsync nobody knows what is on disk (the kernel drops
 * the dirty pages), so trying again would acknowledge lost writes: `onFatal` is called once, and
 * this write and all later ones are refused.
 */
export class GroupCommit<Operation> {
  readonly #write: (operations: Operation[], sync: boolean) => Promise<void>
  readonly #onFatal: (error: unknown) => void
  #waiting: Waiting<Operation>[] = []
  #running: Promise<void> | undefined
  #refusal: unknown

  constructor(write: (operations: Operation[], sync: boolean) => Promise<void>, onFatal: (error: unknown) => void) {
    this.#write = write
    this.#onFatal = onFatal
  }

  /** Resolves when the operations are written, and with `sync` on disk. */
  commit(commit: Commit<Operation>): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    if (commit.operations.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...commit, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Refuses new writes and waits for those accepted. */
  async close(): Promise<void> {
    this.#refusal ??= new CodedError('E_STORAGE_CLOSED', 'the database is closed')
    await this.#running
  }

  async #run(): Promise<void> {
    // A turn of the microtask queue, so that callers of one tick share a batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#writeNext()
    this.#running = undefined
  }

  async #writeNext(): Promise<void> {
    const batch = this.#take()
    try {
      await this.#write(
        batch.flatMap(({ operations }) => operations),
        batch.some(({ sync }) => sync),
      )
      for (const { resolve } of batch) resolve()
    } catch (error) {
      this.#refusal = error
      for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error)
      this.#onFatal(error)
    }
  }

  #take(): Waiting<Operation>[] {
    let bytes = 0
    let count = 0
    for (const commit of this.#waiting) {
      bytes += commit.bytes
      if (count > 0 && bytes > MAX_BATCH_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
