import { expect } from 'chai'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { headFormat, identityFormat, entryFormat, entryKey } from '../../../node/cell/log-records.ts'
import { HEAD_KEYS, IDENTITY_KEY } from '../../../node/cell/log-read.ts'
import { seal, unseal } from '../../../node/storage/checksum.ts'
import { refused } from '../storage/refused.ts'
import { CellDirectory, entry, NOBODY, range, snapshotAt, write } from './cell-stores.ts'

const key = (text: string) => Buffer.from(text)

describe('raft log', () => {
  const cell = new CellDirectory()
  beforeEach(() => cell.make())
  afterEach(() => cell.remove())

  const indexes = () => cell.using(async ({ log }) => (await log.read()).entries.map(({ index }) => index))

  it('begins empty, with an incarnation that stays and a raft id that is given once', async () => {
    const [incarnation] = await cell.using(async ({ log }) => {
      expect(await log.read()).to.deep.equal({
        hardState: { term: 0, vote: 0, commit: 0 },
        snapshot: { index: 0, term: 0, configuration: NOBODY, root: new Uint8Array() },
        entries: [],
      })
      await log.setRaftId(7)
      await log.setRaftId(7)
      expect((await refused(log.setRaftId(8))).code).to.equal('E_CELL_LOG_ORDER')
      return [log.incarnation]
    })
    await cell.using(async ({ log }) => {
      expect(log.incarnation).to.deep.equal(incarnation).and.have.lengthOf(16)
      expect(log.raftId).to.equal(7)
    })
    await cell.using(async ({ log }) => expect(log.incarnation).to.not.deep.equal(incarnation), {
      directory: `${cell.path}-2`,
    })
  })

  it('gives back entries, hard state and snapshot, in the order of the indexes', async () => {
    const change = { index: 300, term: 2, kind: 'change', data: Uint8Array.of(0, 255) } as const
    await cell.using(async ({ log }) => {
      await log.append(write(range(1, 299), { term: 2, vote: 3, commit: 0 }))
      await log.append(write([change], { term: 2, vote: 3, commit: 299 }))
      await log.append({ entries: [], hardState: undefined, snapshot: snapshotAt(256) })
    })
    await cell.using(async ({ log }) => {
      const start = await log.read()
      expect(start.hardState).to.deep.equal({ term: 2, vote: 3, commit: 299 })
      expect(start.snapshot).to.deep.equal(snapshotAt(256))
      expect(start.entries).to.deep.equal([...range(257, 299), change])
    })
  })

  it('§5.3 replaces a suffix, a longer one too, in the same batch', async () => {
    await cell.using(async ({ log }) => {
      await log.append(write(range(1, 10), { term: 1, vote: 0, commit: 4 }))
      await log.append(write(range(6, 7, 3), { term: 3, vote: 0, commit: 4 }))
      expect((await log.read()).entries).to.deep.equal([...range(1, 5), ...range(6, 7, 3)])
    })
    await cell.using(async ({ log }) => {
      expect((await log.read()).entries).to.deep.equal([...range(1, 5), ...range(6, 7, 3)])
    })
  })

  it('a snapshot that follows keeps what is after it; one of another history or beyond the end replaces all', async () => {
    await cell.using(async ({ log }) => {
      await log.append(write(range(1, 10), { term: 1, vote: 0, commit: 4 }))
      await log.append({ entries: [], hardState: undefined, snapshot: snapshotAt(4) })
      expect((await log.read()).entries).to.deep.equal(range(5, 10))
      await log.append({ entries: [], hardState: { term: 2, vote: 0, commit: 8 }, snapshot: snapshotAt(8, 2) })
      expect((await log.read()).entries).to.deep.equal([])
      await log.append({ entries: range(21, 22, 2), hardState: undefined, snapshot: snapshotAt(20, 2) })
    })
    await cell.using(async ({ log }) => {
      const { entries, snapshot, hardState } = await log.read()
      expect(entries).to.deep.equal(range(21, 22, 2))
      expect(snapshot).to.deep.equal(snapshotAt(20, 2))
      expect(hardState.commit).to.equal(20)
    })
  })

  it('forgets what a snapshot stands for with the next batches, some in each, after a restart too', async () => {
    const onDisk = () => cell.raw('log', (raw) => raw.keys({ gte: key('!cell-entries!'), lt: key('!cell-f') }).all())
    await cell.using(async ({ log }) => {
      await log.append(write(range(1, 3500), { term: 1, vote: 0, commit: 3500 }))
      await log.append({ entries: [entry(3501)], hardState: undefined, snapshot: snapshotAt(3498) })
    })
    expect(await indexes()).to.deep.equal([3499, 3500, 3501])
    expect(await onDisk()).to.have.lengthOf(501)
    await cell.using(async ({ log }) => {
      await log.append(write([entry(3502)]))
      await log.append({ entries: [], hardState: undefined, snapshot: snapshotAt(3500) })
      await log.append(write([entry(3503)]))
    })
    expect(await indexes()).to.deep.equal([3501, 3502, 3503])
    expect(await onDisk()).to.have.lengthOf(3)
  })

  it('entries of another history are gone at once with the snapshot that replaces them, those under it later', async () => {
    await cell.using(async ({ log }) => {
      await log.append(write(range(1, 2000), { term: 1, vote: 0, commit: 4 }))
      await log.append({ entries: [], hardState: { term: 2, vote: 0, commit: 1800 }, snapshot: snapshotAt(1800, 2) })
      await log.append(write(range(1801, 1802, 2)))
      await log.append({ entries: [], hardState: { term: 2, vote: 0, commit: 9000 }, snapshot: snapshotAt(9000, 2) })
      await log.append(write([entry(9001, 2)]))
    })
    expect(await indexes()).to.deep.equal([9001])
    const left = await cell.raw('log', (raw) => raw.keys({ gte: key('!cell-entries!'), lt: key('!cell-f') }).all())
    expect(left).to.have.lengthOf(1)
  })

  it('takes concurrent appends in the order of the calls', async () => {
    await cell.using(async ({ log }) => {
      await Promise.all(
        range(1, 200).map((one) => log.append(write([one], { term: 1, vote: 1, commit: one.index - 1 }))),
      )
    })
    expect(await indexes()).to.deep.equal(range(1, 200).map(({ index }) => index))
  })

  it('refuses what follows on nothing, and stays as it was', () =>
    cell.using(async ({ log }) => {
      await log.append(write(range(1, 5, 2), { term: 2, vote: 0, commit: 3 }))
      await log.append({ entries: [], hardState: undefined, snapshot: snapshotAt(2, 2) })
      const before = await log.read()
      const attempts = {
        gap: write([entry(7, 2)]),
        'gap inside': write([entry(6, 2), entry(8, 2)]),
        'term that goes back': write([entry(6, 1)]),
        'committed entry replaced': write([entry(3, 2)]),
        'commit beyond the end': write([], { term: 2, vote: 0, commit: 6 }),
        'hard state of an older term': write([], { term: 1, vote: 0, commit: 3 }),
        'entry of a term to come': write([entry(6, 3)]),
        'older snapshot': { entries: [], hardState: undefined, snapshot: snapshotAt(1, 2) },
        'snapshot against a committed entry': { entries: [], hardState: undefined, snapshot: snapshotAt(3, 1) },
      }
      for (const [name, attempt] of Object.entries(attempts)) {
        expect((await refused(log.append(attempt))).code, name).to.equal('E_CELL_LOG_ORDER')
      }
      expect(await log.read()).to.deep.equal(before)
      await log.append(write([entry(6, 2)]))
      expect((await log.read()).entries).to.have.lengthOf(4)
    }))

  it('tells of each flush its entries, bytes and time', async () => {
    const flush = await cell.using(async ({ log }) => {
      await log.append(write(range(1, 3), { term: 1, vote: 1, commit: 0 }))
      return cell.flushes.at(-1)
    })
    expect(flush?.entries).to.equal(3)
    expect(flush?.bytes).to.be.within(200, 2000)
    expect(flush?.durationMs).to.be.greaterThan(0)
  })

  describe('refuses a store', () => {
    const sealedAt =
      (key: Uint8Array) => async (raw: { get(key: Buffer): Promise<Buffer | undefined> }, level: string) =>
        (await raw.get(Buffer.from(`!${level}!${Buffer.from(key).toString('latin1')}`, 'latin1')))!
    const fullKey = (level: string, key: Uint8Array) => Buffer.concat([Buffer.from(`!${level}!`), key])
    const openRefused = async () => {
      const error = await refused(cell.open())
      expect(await refused(cell.open())).to.include({ code: error.code })
      expect(cell.fatal).to.deep.equal([])
      return error
    }

    beforeEach(() =>
      cell.using(async ({ log }) => {
        await log.setRaftId(2)
        await log.append(write(range(1, 12), { term: 4, vote: 2, commit: 9 }))
        await log.append(write(range(10, 15, 4), { term: 4, vote: 2, commit: 9 }))
        await log.append({ entries: [], hardState: undefined, snapshot: snapshotAt(6) })
      }),
    )

    it('of another mesh, node or cell', async () => {
      for (const other of [{ meshId: 'mesh-2' }, { peerId: 'peer-2' }, { cell: 'beta' }]) {
        const error = await refused(cell.open(other))
        expect(error.code).to.equal('E_CELL_LOG_FOREIGN')
        expect(error.message).to.contain(Object.values(other)[0])
        expect(error.hint).to.contain('nothing was changed')
      }
      expect(await indexes()).to.have.lengthOf(9)
    })

    it('of a newer release', async () => {
      await cell.raw('log', async (raw) => {
        const record = identityFormat.decode(
          IDENTITY_KEY,
          unseal(IDENTITY_KEY, await sealedAt(IDENTITY_KEY)(raw, 'cell-log')),
        )
        const newer = identityFormat.encode(IDENTITY_KEY, { ...record, version: 2 as 1 })
        await raw.put(fullKey('cell-log', IDENTITY_KEY), Buffer.from(seal(IDENTITY_KEY, newer)))
      })
      expect((await openRefused()).code).to.equal('E_DATA_VERSION')
    })

    it('that is half-written or has lost any one of its records, and says how to join again', async () => {
      const keys = await cell.raw('log', (raw) => raw.keys().all())
      for (const key of keys.filter((key) => key.toString('latin1').startsWith('!cell-'))) {
        const value = await cell.raw('log', async (raw) => {
          const value = await raw.get(key)
          await raw.del(key)
          return value!
        })
        const error = await refused(cell.open())
        expect(error.code, key.toString('latin1')).to.equal('E_CELL_LOG_CORRUPT')
        expect(error.hint).to.contain('joins its cell under a new id')
        await cell.raw('log', (raw) => raw.put(key, value))
      }
      expect(keys).to.have.lengthOf(14)
      expect(await indexes()).to.have.lengthOf(9)
    })

    it('with any one bit of any record flipped', async () => {
      const all = await cell.raw('log', (raw) => raw.iterator().all())
      const records = all.filter(([key]) => key.toString('latin1').startsWith('!cell-'))
      for (const [key, value] of records) {
        for (let at = 0; at < value.byteLength; at += 5) {
          const flipped = Buffer.from(value)
          flipped[at] = flipped[at]! ^ (1 << (at % 8))
          await cell.raw('log', (raw) => raw.put(key, flipped))
          const stores = await cell.open().catch((error: { code: string }) => error)
          expect('code' in stores && stores.code, `${key.toString('latin1')} byte ${at}`).to.equal('E_CELL_LOG_CORRUPT')
        }
        await cell.raw('log', (raw) => raw.put(key, value))
      }
      expect(records).to.have.lengthOf(13)
      expect(await indexes()).to.have.lengthOf(9)
    }).timeout(120_000)

    it('with a record of its own at another place, even when the database’s checksum fits', async () => {
      await cell.raw('log', async (raw) => {
        const [from, to] = [entryKey(8), entryKey(9)]
        const body = unseal(from, (await raw.get(fullKey('cell-entries', from)))!)
        await raw.put(fullKey('cell-entries', to), Buffer.from(seal(to, body)))
      })
      const error = await openRefused()
      expect(error.code).to.equal('E_CELL_LOG_CORRUPT')
      expect(error.message).to.contain('entry 9 does not match its mark')
    })

    it('with an older version of a record come back: a head, or an entry of a suffix that was replaced', async () => {
      const putRecord = (level: string, key: Uint8Array, body: Uint8Array) =>
        cell.raw('log', (raw) => raw.put(fullKey(level, key), Buffer.from(seal(key, body))))
      const stale = { index: 12, term: 1, previousTerm: 1, kind: 'normal', data: new Uint8Array() } as const
      const kept = await cell.raw('log', (raw) => raw.get(fullKey('cell-entries', entryKey(12))))
      await putRecord('cell-entries', entryKey(12), entryFormat.encode(entryKey(12), stale))
      expect((await openRefused()).message).to.contain('entry 12 does not follow')
      await cell.raw('log', (raw) => raw.put(fullKey('cell-entries', entryKey(12)), kept!))
      for (const key of HEAD_KEYS) {
        const sealed = (await cell.raw('log', (raw) => raw.get(fullKey('cell-log', key))))!
        const head = headFormat.decode(key, unseal(key, sealed))
        await putRecord('cell-log', key, headFormat.encode(key, { ...head, sequence: head.sequence - 1, vote: 0 }))
        expect((await openRefused()).message).to.contain('the two copies of its head differ')
        await cell.raw('log', (raw) => raw.put(fullKey('cell-log', key), sealed))
      }
      expect(await indexes()).to.have.lengthOf(9)
    })

    it('with a damaged middle of the write-ahead log, with the advice for a cell and not that for a database', async () => {
      const stores = await cell.open()
      for (let index = 16; index < 40; index++) await stores.log.append(write([entry(index, 4)]))
      await stores.close()
      const name = (await readdir(`${cell.path}/log`)).find((file) => file.endsWith('.log'))
      const file = `${cell.path}/log/${name}`
      const content = await readFile(file)
      content[content.length >> 1]! ^= 4
      await writeFile(file, content)
      const error = await openRefused()
      expect(error.code).to.equal('E_CELL_LOG_CORRUPT')
      expect(error.hint).to.contain('do not restore')
    })
  })
})
