import { expect } from 'chai'
import { Key, type Pair, type Query } from 'interface-datastore'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database } from '../../../node/storage/database.ts'
import { LevelDatastore } from '../../../node/storage/datastore.ts'
import { collect } from './collect.ts'

const value = (text: string) => new Uint8Array(Buffer.from(text))

/** The cases of interface-datastore-tests. */
describe('datastore', () => {
  let directory: string
  let database: Database
  let store: LevelDatastore
  const query = async (wanted: Query) => (await collect(store.query(wanted))).map(({ key }) => key.toString())

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kairos-datastore-'))
    database = await openDatabase(join(directory, 'db'), { onFatal: (error) => expect.fail(error.message) })
    store = new LevelDatastore(database.sublevel('libp2p'))
  })
  afterEach(async () => {
    await database.close()
    await rm(directory, { recursive: true })
  })

  it('put, get, has, delete', async () => {
    const key = new Key('/z/one')
    expect(await store.has(key)).to.equal(false)
    expect(await store.put(key, value('1'))).to.equal(key)
    expect(await store.get(key)).to.deep.equal(value('1'))
    await store.put(key, value('2'))
    expect(await store.get(key)).to.deep.equal(value('2'))
    await store.delete(key)
    await store.delete(key)
    expect(await store.has(key)).to.equal(false)
  })

  it('get of a missing key throws the NotFoundError that libp2p looks for', async () => {
    const error = await store.get(new Key('/none')).catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Error).and.to.include({ name: 'NotFoundError' })
  })

  it('putMany, getMany, deleteMany yield as they go', async () => {
    const pairs: Pair[] = Array.from({ length: 20 }, (_, i) => ({
      key: new Key(`/many/${i}`),
      value: value(String(i)),
    }))
    const keys = await collect(store.putMany(pairs))
    expect(keys.map(String)).to.deep.equal(pairs.map(({ key }) => key.toString()))
    const found = await collect(store.getMany(keys))
    expect(found.map((pair) => pair.value)).to.deep.equal(pairs.map((pair) => pair.value))
    expect(await collect(store.deleteMany(keys))).to.have.lengthOf(20)
    expect(await query({})).to.deep.equal([])
  })

  it('a batch is written at commit, whole and in order, and can be used again', async () => {
    await store.put(new Key('/old'), value('o'))
    const batch = store.batch()
    batch.put(new Key('/a'), value('1'))
    batch.put(new Key('/twice'), value('1'))
    batch.delete(new Key('/twice'))
    batch.delete(new Key('/old'))
    expect(await query({})).to.deep.equal(['/old'])
    await batch.commit()
    expect(await query({})).to.deep.equal(['/a'])
    await batch.commit()
    batch.put(new Key('/b'), value('2'))
    await batch.commit()
    expect(await query({})).to.deep.equal(['/a', '/b'])
  })

  describe('query', () => {
    beforeEach(async () => {
      for (const name of ['/a/1', '/a/2', '/a/é', '/a', '/ab', '/b/1'])
        await store.put(new Key(name), value(`v${name}`))
    })

    it('everything, in the order of the keys', async () => {
      expect(await query({})).to.deep.equal(['/a', '/a/1', '/a/2', '/a/é', '/ab', '/b/1'])
    })

    it('by prefix', async () => {
      expect(await query({ prefix: '/a/' })).to.deep.equal(['/a/1', '/a/2', '/a/é'])
      expect(await query({ prefix: '/a' })).to.deep.equal(['/a', '/a/1', '/a/2', '/a/é', '/ab'])
      expect(await query({ prefix: '/none' })).to.deep.equal([])
      expect(await query({ prefix: '' })).to.have.lengthOf(6)
    })

    it('with filters, orders, offset and limit', async () => {
      const ascii = ({ key }: Pair) => /^[\x20-\x7e]*$/.test(key.toString())
      const backwards = (a: Pair, b: Pair) => (a.key.toString() < b.key.toString() ? 1 : -1)
      expect(await query({ prefix: '/a', filters: [ascii], orders: [backwards] })).to.deep.equal([
        '/ab',
        '/a/2',
        '/a/1',
        '/a',
      ])
      expect(await query({ orders: [backwards], offset: 1, limit: 2 })).to.deep.equal(['/ab', '/a/é'])
      expect(await query({ limit: 0 })).to.deep.equal([])
    })

    it('keys only, the same way', async () => {
      const keys = await collect(store.queryKeys({ prefix: '/a/', offset: 1, limit: 1 }))
      expect(keys.map(String)).to.deep.equal(['/a/2'])
    })

    it('can be left early, and sees the store as of its begin', async () => {
      const seen: string[] = []
      for await (const { key } of store.query({})) {
        if (seen.length === 0) await store.put(new Key('/z'), value('late'))
        seen.push(key.toString())
        if (seen.length === 2) break
      }
      expect(seen).to.deep.equal(['/a', '/a/1'])
      const keys: string[] = []
      for await (const key of store.queryKeys({})) {
        await store.delete(key)
        keys.push(key.toString())
      }
      expect(keys).to.have.lengthOf(7)
    })
  })
})
