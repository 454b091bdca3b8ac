import type { AbortOptions } from '@libp2p/interface'
import { BaseDatastore } from 'datastore-core/base'
import { Key, type Batch, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import type { Range, Sublevel, Write, WriteOptions } from './sublevel.ts'

/** The error that libp2p and Helia look for, by its name. */
export class NotFoundError extends Error {
  override name = 'NotFoundError'
}

/**
 * interface-datastore over one sublevel, for libp2p's peer store, the DHT and Helia. Not synced
 * unless told: what libp2p keeps there it can learn again.
 */
export class LevelDatastore extends BaseDatastore {
  readonly #store: Sublevel
  readonly #options: WriteOptions

  constructor(store: Sublevel, options: WriteOptions = { sync: false }) {
    super()
    this.#store = store
    this.#options = options
  }

  override async put(key: Key, value: Uint8Array, options?: AbortOptions): Promise<Key> {
    options?.signal?.throwIfAborted()
    await this.#store.put(key.toString(), value, this.#options)
    return key
  }

  override async get(key: Key, options?: AbortOptions): Promise<Uint8Array> {
    options?.signal?.throwIfAborted()
    const value = await this.#store.get(key.toString())
    if (value === undefined) throw new NotFoundError(`no ${key.toString()} in the datastore`)
    return value
  }

  override async has(key: Key, options?: AbortOptions): Promise<boolean> {
    options?.signal?.throwIfAborted()
    return this.#store.has(key.toString())
  }

  override async delete(key: Key, options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    await this.#store.del(key.toString(), this.#options)
  }

  /** Unlike the base class's, one atomic batch, in the order of the calls. */
  override batch(): Batch {
    let writes: Write[] = []
    return {
      put: (key, value) => void writes.push({ type: 'put', key: key.toString(), value }),
      delete: (key) => void writes.push({ type: 'del', key: key.toString() }),
      commit: async (options) => {
        options?.signal?.throwIfAborted()
        const committed = writes
        writes = []
        await this.#store.batch(committed, this.#options)
      },
    }
  }

  override async *_all(query: Query, options?: AbortOptions): AsyncGenerator<Pair> {
    options?.signal?.throwIfAborted()
    for await (const [key, value] of this.#store.entries(prefixRange(query.prefix))) {
      options?.signal?.throwIfAborted()
      yield { key: new Key(key), value }
    }
  }

  override async *_allKeys(query: KeyQuery, options?: AbortOptions): AsyncGenerator<Key> {
    options?.signal?.throwIfAborted()
    for await (const key of this.#store.keys(prefixRange(query.prefix))) {
      options?.signal?.throwIfAborted()
      yield new Key(key)
    }
  }
}

/** Keys are UTF-8, which has no byte 0xff: that bounds everything with the prefix. */
function prefixRange(prefix: string | undefined): Range {
  return prefix === undefined ? {} : { gte: prefix, lt: Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]) }
}
