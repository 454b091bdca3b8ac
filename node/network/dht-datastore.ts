import { Libp2pRecord } from '@libp2p/record'
import type { AbortOptions } from '@libp2p/interface'
import { BaseDatastore } from 'datastore-core'
import { Key, type Batch, type Datastore, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import { toString } from 'uint8arrays/to-string'
import { CodedError } from '../../protocols/shared/errors.ts'
import { MAX_PROVIDER_RECORDS, MAX_PROVIDER_RECORDS_PER_PEER } from './limits.ts'

/** One kind of DHT record, found under `/<namespace>/…`. */
export interface DhtNamespace {
  /** Throws when the value is not a valid record of the key. */
  validate(key: Uint8Array, value: Uint8Array): void | Promise<void>
  /** Of a valid value; a lower one never replaces a higher one. */
  sequence(value: Uint8Array): bigint
}

const RECORD_PREFIX = '/dht/record/'
const PROVIDER_PREFIX = '/dht/provider/'

/**
 * libp2p's datastore with what kad-dht does not check: a valid but older record never replaces a newer
 * one (F15), and nobody fills the provider table (F16). This node's own roots are not counted.
 */
export class DhtDatastore extends BaseDatastore {
  readonly #inner: Datastore
  readonly #self: string
  readonly #namespaces: Record<string, DhtNamespace>
  readonly #providers = new Map<string, Set<string>>()
  #providerCount = 0

  constructor(inner: Datastore, self: string, namespaces: Record<string, DhtNamespace>) {
    super()
    this.#inner = inner
    this.#self = self
    this.#namespaces = namespaces
  }

  /** Counts the records already on disk; to be called before the first put. */
  async load(): Promise<void> {
    for await (const key of this.#inner.queryKeys({ prefix: PROVIDER_PREFIX })) this.#count(key)
  }

  override async put(key: Key, value: Uint8Array, options?: AbortOptions): Promise<Key> {
    const name = key.toString()
    if (name.startsWith(RECORD_PREFIX)) await this.#refuseRollback(key, value)
    if (name.startsWith(PROVIDER_PREFIX) && !this.#count(key)) return key
    return this.#inner.put(key, value, options)
  }

  override async get(key: Key, options?: AbortOptions): Promise<Uint8Array> {
    return this.#inner.get(key, options)
  }

  override async has(key: Key, options?: AbortOptions): Promise<boolean> {
    return this.#inner.has(key, options)
  }

  override async delete(key: Key, options?: AbortOptions): Promise<void> {
    if (key.toString().startsWith(PROVIDER_PREFIX)) this.#uncount(key)
    await this.#inner.delete(key, options)
  }

  /** Atomic but for DHT records, which are checked and put one by one. */
  override batch(): Batch {
    const inner = this.#inner.batch()
    let records: Pair[] = []
    return {
      put: (key, value) => {
        if (key.toString().startsWith('/dht/')) records.push({ key, value })
        else inner.put(key, value)
      },
      delete: (key) => {
        this.#uncount(key)
        inner.delete(key)
      },
      commit: async (options) => {
        const put = records
        records = []
        for (const { key, value } of put) await this.put(key, value, options)
        await inner.commit(options)
      },
    }
  }

  override query(query: Query, options?: AbortOptions): AsyncGenerator<Pair> {
    return this.#inner.query(query, options) as AsyncGenerator<Pair>
  }

  override queryKeys(query: KeyQuery, options?: AbortOptions): AsyncGenerator<Key> {
    return this.#inner.queryKeys(query, options) as AsyncGenerator<Key>
  }

  /** @throws {CodedError} E_DHT_STALE_RECORD, which the sender sees as a reset stream */
  async #refuseRollback(key: Key, value: Uint8Array): Promise<void> {
    if (!(await this.#inner.has(key))) return
    const stored = this.#sequenceOf(await this.#inner.get(key))
    if (stored !== undefined && (this.#sequenceOf(value) ?? -1n) < stored) {
      throw new CodedError('E_DHT_STALE_RECORD', 'a newer record is stored')
    }
  }

  #sequenceOf(bytes: Uint8Array): bigint | undefined {
    const record = Libp2pRecord.deserialize(bytes)
    return this.#namespaces[toString(record.key).split('/')[1] ?? '']?.sequence(record.value)
  }

  /** @returns whether there is room */
  #count(key: Key): boolean {
    const { peerId, root } = providerOf(key)
    if (peerId === this.#self) return true
    const roots = this.#providers.get(peerId) ?? new Set()
    if (roots.has(root)) return true
    if (roots.size >= MAX_PROVIDER_RECORDS_PER_PEER || this.#providerCount >= MAX_PROVIDER_RECORDS) return false
    this.#providers.set(peerId, roots.add(root))
    this.#providerCount += 1
    return true
  }

  #uncount(key: Key): void {
    const { peerId, root } = providerOf(key)
    const roots = this.#providers.get(peerId)
    if (roots?.delete(root) !== true) return
    this.#providerCount -= 1
    if (roots.size === 0) this.#providers.delete(peerId)
  }
}

/** `/dht/provider/<root>/<peer id>` */
function providerOf(key: Key): { root: string; peerId: string } {
  const [root = '', peerId = ''] = key.toString().slice(PROVIDER_PREFIX.length).split('/')
  return { root, peerId }
}
