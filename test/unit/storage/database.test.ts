import { ClassicLevel } from 'classic-level'
import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATA_VERSION, openDatabase, type Database } from '../../../node/storage/database.ts'
import type { Range, Sublevel } from '../../../node/storage/sublevel.ts'
import { collect } from './collect.ts'
import { refused } from './refused.ts'

const bytes = (text: string) => Buffer.from(text)
const keysOf = async (store: Sublevel, range?: Range) =>
  (await collect(store.keys(range))).map((key) => Buffer.from(key).toString())

describe('database', () => {
  let directory: string
  let fatal: unknown[]
  const open = () => openDatabase(directory, { onFatal: (error) => fatal.push(error), configKey: 'storage.path' })
  const using = async <T>(use: (database: Database) => Promise<T>): Promise<T> => {
    const database = await open()
    try {
      return await use(database)
    } finally {
      await database.close()
    }
  }

  beforeEach(async () => {
    fatal = []
    directory = join(await mkdtemp(join(tmpdir(), 'kairos-db-')), 'db')
  })
  afterEach(() => rm(join(directory, '..'), { recursive: true }))

  it('keeps what was written, in sublevels apart', async () => {
    await using(async (database) => {
      await database.sublevel('a').put('k', bytes('1'))
      await database.sublevel('b').put('k', bytes('2'))
      await database.sublevel('b').put(Uint8Array.of(0, 255), bytes(''))
    })
    await using(async (database) => {
      const [a, b] = [database.sublevel('a'), database.sublevel('b')]
      expect(await a.get('k')).to.deep.equal(new Uint8Array(bytes('1')))
      expect(await b.get('k')).to.deep.equal(new Uint8Array(bytes('2')))
      expect(await b.get(Uint8Array.of(0, 255))).to.have.lengthOf(0)
      expect(await a.get('none')).to.equal(undefined)
      expect([await a.has('k'), await a.has('none')]).to.deep.equal([true, false])
      await a.del('k')
      expect(await a.has('k')).to.equal(false)
    })
    expect((await stat(directory)).mode & 0o777).to.equal(0o700)
    expect(fatal).to.deep.equal([])
  })

  it('iterates in the order of the bytes, within bounds, both ways', () =>
    using(async (database) => {
      const store = database.sublevel('s')
      await store.batch(['b', 'a', 'd', 'c'].map((key) => ({ type: 'put', key, value: bytes(key) })))
      expect(await keysOf(store)).to.deep.equal(['a', 'b', 'c', 'd'])
      expect(await keysOf(store, { gt: 'a', lte: 'c' })).to.deep.equal(['b', 'c'])
      expect(await keysOf(store, { reverse: true, limit: 2 })).to.deep.equal(['d', 'c'])
      const entries = await collect(store.entries({ gte: 'd' }))
      expect(entries.map(([, value]) => Buffer.from(value).toString())).to.deep.equal(['d'])
    }))

  it('writes one batch over several sublevels, and does not keep the caller’s buffers', () =>
    using(async (database) => {
      const [a, b] = [database.sublevel('a'), database.sublevel('b')]
      const value = bytes('x')
      const written = database.batch([
        { sublevel: a, writes: [{ type: 'put', key: 'k', value }] },
        {
          sublevel: b,
          writes: [
            { type: 'put', key: 'k', value },
            { type: 'del', key: 'gone' },
          ],
        },
      ])
      value.fill(0)
      await written
      for (const store of [a, b]) expect(Buffer.from((await store.get('k')) ?? []).toString()).to.equal('x')
    }))

  it('takes many writers at once and loses none', async () => {
    await using(async (database) => {
      const store = database.sublevel('s')
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => store.put(`k${i}`, bytes(String(i)), { sync: i % 2 === 0 })),
      )
    })
    await using(async (database) => expect(await keysOf(database.sublevel('s'))).to.have.lengthOf(500))
  })

  it('closes once the accepted writes are in, and refuses later ones', async () => {
    const database = await open()
    const store = database.sublevel('s')
    const write = store.put('k', bytes('1'))
    await Promise.all([database.close(), write])
    await database.close()
    expect((await refused(store.put('k', bytes('2')))).code).to.equal('E_STORAGE_CLOSED')
    expect((await refused(store.get('k'))).code).to.equal('E_STORAGE_CLOSED')
    expect(fatal).to.deep.equal([])
    await using(async (again) => expect(await again.sublevel('s').has('k')).to.equal(true))
  })

  it('refuses a second opener', () =>
    using(async () => {
      expect((await refused(open())).code).to.equal('E_LOCKED')
    }))

  it('refuses a file in its place, naming the key to change', async () => {
    await writeFile(directory, '')
    const error = await refused(open())
    expect(error.code).to.equal('E_STORAGE_UNWRITABLE')
    expect(error.hint).to.contain('storage.path')
  })

  it('refuses data of a newer release and leaves it as it is', async () => {
    await using(async (database) => {
      await database.sublevel('kairos-meta').put('version', bytes(String(DATA_VERSION + 1)))
    })
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await refused(open())
      expect(error.code).to.equal('E_DATA_VERSION')
      expect(error.message).to.contain(`data version ${DATA_VERSION + 1}`)
    }
  })

  it('refuses a store of somebody else', async () => {
    const level = new ClassicLevel(directory)
    await level.put('k', 'v')
    await level.close()
    await chmod(directory, 0o700)
    expect((await refused(open())).code).to.equal('E_STORAGE_CORRUPT')
  })

  describe('corrupt', () => {
    const fileEndingIn = async (suffix: string) => {
      const name = (await readdir(directory)).find((entry) => entry.endsWith(suffix) || entry.startsWith(suffix))
      expect(name, suffix).to.be.a('string')
      return join(directory, name ?? '')
    }
    const damage = async (file: string, at: (length: number) => number) => {
      const content = await readFile(file)
      const index = at(content.length)
      content[index] = (content[index] ?? 0) ^ 0x10
      await writeFile(file, content)
    }

    beforeEach(() =>
      using(async (database) => {
        for (let i = 0; i < 20; i++) await database.sublevel('s').put(`key-${i}`, bytes(`value-${i}`.repeat(20)))
      }),
    )

    it('write-ahead log, in the middle: refused twice, nothing repaired', async () => {
      const file = await fileEndingIn('.log')
      await damage(file, (length) => length >> 1)
      const damaged = await readFile(file)
      for (let attempt = 0; attempt < 2; attempt++) {
        const error = await refused(open())
        expect(error.code).to.equal('E_STORAGE_CORRUPT')
        expect(error.message).to.contain('is damaged at byte')
      }
      expect(await readFile(file)).to.deep.equal(damaged)
    })

    it('write-ahead log, torn at its end as by a power cut: opened, all before it kept', async () => {
      const file = await fileEndingIn('.log')
      const content = await readFile(file)
      await writeFile(file, content.subarray(0, -50))
      await using(async (database) => expect(await keysOf(database.sublevel('s'))).to.have.lengthOf(19))
    })

    it('manifest, or CURRENT lost', async () => {
      await damage(await fileEndingIn('MANIFEST'), () => 20)
      expect((await refused(open())).code).to.equal('E_STORAGE_CORRUPT')
      await rm(join(directory, 'CURRENT'))
      expect((await refused(open())).code).to.equal('E_STORAGE_CORRUPT')
    })

    it('table, where the version is: refused, without a call of onFatal', async () => {
      await using(async () => undefined)
      const file = await fileEndingIn('.ldb')
      // The value follows its key and LevelDB's eight bytes of sequence number and type.
      const at = (await readFile(file)).indexOf('version') + 'version'.length + 8
      await damage(file, () => at)
      expect((await refused(open())).code).to.equal('E_STORAGE_CORRUPT')
      expect(fatal).to.deep.equal([])
    })

    it('table, elsewhere: found when read, and fatal', async () => {
      // What cannot be compressed lies in the table as it is, one block each; opening moves it there.
      const value = randomBytes(8192)
      await using((database) => database.sublevel('s').put('noise', value))
      await using(async () => undefined)
      const tables = (await readdir(directory)).filter((name) => name.endsWith('.ldb')).sort()
      const file = join(directory, tables.at(-1) ?? '')
      const at = (await readFile(file)).indexOf(value.subarray(4000, 4100))
      expect(at).to.be.greaterThan(0)
      await damage(file, () => at)
      const database = await open()
      const error = await refused(database.sublevel('s').get('noise'))
      expect((await refused(collect(database.sublevel('s').entries()))).code).to.equal('E_STORAGE_CORRUPT')
      await database.close()
      expect(error.code).to.equal('E_STORAGE_CORRUPT')
      expect(fatal).to.deep.equal([error])
    })
  })
})
