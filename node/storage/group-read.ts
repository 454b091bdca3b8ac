/** Keys of one call of the database. More would keep a reader of few waiting. */
const MAX_KEYS = 64

type Values = (Uint8Array | undefined)[]

interface Waiting {
  key: Uint8Array
  resolve(value: Uint8Array | undefined): void
  reject(error: unknown): void
}

export interface ReadSource {
  one(key: Uint8Array): Promise<Uint8Array | undefined>
  /** In the order of the keys. */
  many(keys: Uint8Array[]): Promise<Values>
}

/**
 * Puts the reads of all who ask in one turn of the event loop into as few calls of the database as possible: each call
 * is a task of libuv's thread pool, which costs several times what the read itself does.
 */
export class GroupRead {
  readonly #source: ReadSource
  #waiting: Waiting[] = []

  constructor(source: ReadSource) {
    this.#source = source
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      // A tick that is asked for in a microtask comes after all of them: those ask in them who waited for the same event.
      if (this.#waiting.push({ key, resolve, reject }) === 1)
        queueMicrotask(() => process.nextTick(() => this.#readAll()))
    })
  }

  #readAll(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at += MAX_KEYS) void this.#read(waiting.slice(at, at + MAX_KEYS))
  }

  async #read(readers: Waiting[]): Promise<void> {
    if (readers.length === 1) return this.#readEach(readers)
    try {
      const values = await this.#source.many(readers.map(({ key }) => key))
      for (const [at, { resolve }] of readers.entries()) resolve(values[at])
    } catch {
      // It does not say whose read has failed.
      await this.#readEach(readers)
    }
  }

  async #readEach(readers: Waiting[]): Promise<void> {
    await Promise.all(readers.map(({ key, resolve, reject }) => this.#source.one(key).then(resolve, reject)))
  }
}
