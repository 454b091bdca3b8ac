import { expect } from 'chai'
import { Libp2pRecord } from '@libp2p/record'
import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { DhtDatastore, type DhtNamespace } from '../../../node/network/dht-datastore.ts'
import { MAX_PROVIDER_RECORDS, MAX_PROVIDER_RECORDS_PER_PEER } from '../../../node/network/limits.ts'

const counter: DhtNamespace = { validate: () => undefined, sequence: (value) => BigInt(value[0] ?? 0) }
const NAME = fromString('/counter/x')
const RECORD = new Key(`/dht/record/${toString(NAME, 'base32')}`, false)

const record = (sequence: number) => new Libp2pRecord(NAME, Uint8Array.of(sequence), new Date()).serialize()
const provider = (root: number | string, peerId: string) => new Key(`/dht/provider/root${root}/${peerId}`)

describe('DHT datastore', () => {
  let inner: MemoryDatastore
  let store: DhtDatastore

  beforeEach(async () => {
    inner = new MemoryDatastore()
    store = new DhtDatastore(inner, 'self', { counter })
    await store.load()
  })

  async function count(prefix: string): Promise<number> {
    let found = 0
    for await (const _ of inner.queryKeys({ prefix })) found += 1
    return found
  }

  it('takes newer records and keeps them against older ones (F15)', async () => {
    for (const sequence of [1, 9, 9]) await store.put(RECORD, record(sequence))
    const refusal = await store.put(RECORD, record(3)).catch((error: unknown) => error)
    expect(refusal).to.have.property('code', 'E_DHT_STALE_RECORD')
    expect(Libp2pRecord.deserialize(await store.get(RECORD)).value).to.deep.equal(Uint8Array.of(9))
    await store.put(RECORD, record(10))
    expect(Libp2pRecord.deserialize(await store.get(RECORD)).value).to.deep.equal(Uint8Array.of(10))
  })

  it('keeps 1,000 of 50,000 provider records of one peer, all of an honest one (F16)', async () => {
    for (let root = 0; root < 50_000; root++) await store.put(provider(root, 'flooder'), Uint8Array.of(1))
    for (let root = 0; root < 900; root++) await store.put(provider(root, 'honest'), Uint8Array.of(1))
    expect(await count('/dht/provider')).to.equal(MAX_PROVIDER_RECORDS_PER_PEER + 900)
  })

  it('renews a record at the limit, and gives its place back when it is deleted', async () => {
    for (let root = 0; root < MAX_PROVIDER_RECORDS_PER_PEER; root++)
      await store.put(provider(root, 'p'), Uint8Array.of(1))
    await store.put(provider(0, 'p'), Uint8Array.of(2))
    expect(await store.get(provider(0, 'p'))).to.deep.equal(Uint8Array.of(2))
    await store.delete(provider(0, 'p'))
    await store.put(provider('new', 'p'), Uint8Array.of(3))
    expect(await store.has(provider('new', 'p'))).to.equal(true)
    expect(await count('/dht/provider')).to.equal(MAX_PROVIDER_RECORDS_PER_PEER)
  })

  it('counts what is on disk after a restart, and never this node’s own roots', async () => {
    for (let root = 0; root < MAX_PROVIDER_RECORDS_PER_PEER; root++)
      await store.put(provider(root, 'p'), Uint8Array.of(1))
    const restarted = new DhtDatastore(inner, 'self', {})
    await restarted.load()
    await restarted.put(provider('more', 'p'), Uint8Array.of(1))
    expect(await restarted.has(provider('more', 'p'))).to.equal(false)
    for (let root = 0; root <= MAX_PROVIDER_RECORDS_PER_PEER; root++)
      await restarted.put(provider(root, 'self'), Uint8Array.of(1))
    expect(await restarted.has(provider(MAX_PROVIDER_RECORDS_PER_PEER, 'self'))).to.equal(true)
  })

  it('keeps 100,000 provider records in all', async () => {
    for (let i = 0; i < MAX_PROVIDER_RECORDS + 500; i++) {
      await store.put(provider(i, `p${i % 200}`), Uint8Array.of(1))
    }
    expect(await count('/dht/provider')).to.equal(MAX_PROVIDER_RECORDS)
  })

  it('checks the records of a batch as it does single ones', async () => {
    await store.put(RECORD, record(9))
    const batch = store.batch()
    batch.put(RECORD, record(3))
    const refusal = await Promise.resolve(batch.commit()).catch((error: unknown) => error)
    expect(refusal).to.have.property('code', 'E_DHT_STALE_RECORD')
    const many = store.batch()
    for (let root = 0; root <= MAX_PROVIDER_RECORDS_PER_PEER; root++) many.put(provider(root, 'p'), Uint8Array.of(1))
    await many.commit()
    expect(await count('/dht/provider')).to.equal(MAX_PROVIDER_RECORDS_PER_PEER)
  })

  it('passes everything else through', async () => {
    const key = new Key('/peers/x')
    await store.put(key, Uint8Array.of(5))
    const batch = store.batch()
    batch.put(new Key('/peers/y'), Uint8Array.of(6))
    batch.delete(key)
    await batch.commit()
    expect(await inner.has(key)).to.equal(false)
    expect(await inner.get(new Key('/peers/y'))).to.deep.equal(Uint8Array.of(6))
  })
})
