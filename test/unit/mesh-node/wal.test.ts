import { expect } from 'chai'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { refused } from '../storage/refused.ts'
import { bytes, MeshDirectory } from './mesh-directory.ts'
import { newerIdentity } from './newer.ts'

describe('log of a validator’s votes', () => {
  const mesh = new MeshDirectory()
  beforeEach(() => mesh.make())
  afterEach(() => mesh.remove())

  const records = (height: number, directory = mesh.path) =>
    mesh.using(async ({ wal }) => (await wal!.read(height)).map((record) => Buffer.from(record).toString()), {
      directory,
    })
  const append = (height: number, ...texts: string[]) => mesh.using(({ wal }) => wal!.append(height, texts.map(bytes)))

  it('gives back the records of its height in their order, after a restart too', async () => {
    await mesh.using(async ({ wal }) => {
      expect([wal!.height, await wal!.read(1)]).to.deep.equal([0, []])
      await wal!.append(1, [bytes('a'), bytes('b')])
      await wal!.append(1, [bytes('')])
    })
    await append(1, 'c')
    expect(await records(1)).to.deep.equal(['a', 'b', '', 'c'])
  })

  it('takes concurrent appends in the order of the calls', async () => {
    const texts = Array.from({ length: 200 }, (_, at) => `record ${at}`)
    await mesh.using(async ({ wal }) => {
      await Promise.all(texts.map((text) => wal!.append(3, [bytes(text)])))
    })
    expect(await records(3)).to.deep.equal(texts)
  })

  it('keeps the current height alone: the first record of the next one forgets it', async () => {
    await append(1, 'a', 'b', 'c')
    expect(await records(2)).to.deep.equal([])
    expect(await records(1)).to.deep.equal(['a', 'b', 'c'])
    await append(2, 'd')
    expect(await records(2)).to.deep.equal(['d'])
    expect((await mesh.rows('wal')).filter(([key]) => key.includes('records'))).to.have.lengthOf(1)
  })

  it('has the reports that a vote names as long as the next height is decided', async () => {
    const named = (directory = mesh.path) =>
      mesh.using(async ({ wal }) => (await wal!.reports()).map((one) => Buffer.from(one).toString()).toSorted(), {
        directory,
      })
    const at7 = await mesh.using(async ({ wal }) => {
      await wal!.append(7, [bytes('a')], [bytes('report 1'), bytes('report 2')])
      await wal!.append(7, [bytes('b')], [bytes('report 2'), bytes('report 3')])
      return mesh.copy('at 7')
    })
    expect(await named(at7)).to.deep.equal(['report 1', 'report 2', 'report 3'])
    await mesh.using(({ wal }) => wal!.append(8, [bytes('c')], [bytes('report 4')]))
    expect(await named()).to.deep.equal(['report 1', 'report 2', 'report 3', 'report 4'])
    await append(9, 'd')
    expect(await named()).to.deep.equal(['report 4'])
  })

  it('refuses an earlier height: what was said there is forgotten', async () => {
    await append(7, 'a')
    await mesh.using(async ({ wal }) => {
      const error = await refused(wal!.read(6))
      expect([error.code, wal!.height]).to.deep.equal(['E_MESH_WAL_AHEAD', 7])
      expect((await refused(wal!.append(6, [bytes('b')]))).code).to.equal('E_MESH_WAL_AHEAD')
    })
    expect(await records(7)).to.deep.equal(['a'])
  })

  it('made anew beside epochs has no vote before the height that it is told, after a restart too', async () => {
    const firstVote = async () => 12
    await mesh.using(async ({ wal }) => expect(wal!.height).to.equal(12), { firstVote })
    await mesh.using(async ({ wal }) => {
      expect((await refused(wal!.append(11, [bytes('a')]))).code).to.equal('E_MESH_WAL_AHEAD')
      await wal!.append(12, [bytes('b')])
    })
    expect(await records(12)).to.deep.equal(['b'])
    await mesh.using(async ({ wal }) => expect(wal!.height).to.equal(12), { firstVote: async () => 50 })
  })

  it('is after a crash what it was when an append was acknowledged', async () => {
    await mesh.using(async ({ wal }) => {
      await wal!.append(4, [bytes('a')])
      await wal!.append(5, [bytes('b')])
      const early = await mesh.copy('early')
      await wal!.append(5, [bytes('c')])
      expect(await records(5, early)).to.deep.equal(['b'])
      expect(await records(5, await mesh.copy('late'))).to.deep.equal(['b', 'c'])
    })
  })

  it('cuts a torn tail: the append that was being written when the power went', async () => {
    const [whole, torn] = await mesh.using(async ({ wal }) => {
      await wal!.append(5, [bytes('a')])
      await wal!.append(5, [bytes('a long record, to be cut')])
      return [await mesh.copy('whole'), await mesh.copy('torn')]
    })
    const file = await logFile(torn)
    const all = await readFile(file)
    await writeFile(file, all.subarray(0, all.length - 9))
    expect(await records(5, whole)).to.have.lengthOf(2)
    expect(await records(5, torn)).to.deep.equal(['a'])
  })

  it('refuses damage before the tail, and says how to go on without voting twice', async () => {
    const damaged = await mesh.using(async ({ wal }) => {
      await wal!.append(5, [bytes('the first record')])
      await wal!.append(5, [bytes('the second record')])
      return mesh.copy('damaged')
    })
    const file = await logFile(damaged)
    const all = await readFile(file)
    const at = all.indexOf('the first record')
    all[at] = all[at]! ^ 1
    await writeFile(file, all)
    const error = await refused(mesh.open({ directory: damaged }))
    expect(error.code).to.equal('E_MESH_WAL_DAMAGED')
    expect(error.hint).to.contain('would vote twice')
  })

  describe('refuses a store', () => {
    beforeEach(async () => {
      await append(8, 'zero', 'one', 'two')
    })

    it('of another mesh or node', async () => {
      for (const other of [{ meshId: 'mesh-2' }, { peerId: 'peer-2' }]) {
        const error = await refused(mesh.open(other))
        expect(error.code).to.equal('E_MESH_STORE_FOREIGN')
        expect(error.message).to.contain(Object.values(other)[0])
      }
      expect(await records(8)).to.have.lengthOf(3)
    })

    it('that has lost any one of its rows', async () => {
      for (const [key, value] of await mesh.rows('wal')) {
        await mesh.raw('wal', (level) => level.del(key))
        expect((await refused(mesh.open())).code, key.toString('latin1')).to.equal('E_MESH_WAL_DAMAGED')
        await mesh.raw('wal', (level) => level.put(key, value))
      }
      expect(await records(8)).to.have.lengthOf(3)
    })

    it('with any one bit of any row flipped', async () => {
      const rows = await mesh.rows('wal')
      expect(rows).to.have.lengthOf(6)
      for (const [key, value] of rows) {
        for (let at = 0; at < value.byteLength; at += 5) {
          const flipped = Buffer.from(value)
          flipped[at] = flipped[at]! ^ (1 << (at % 8))
          await mesh.raw('wal', (level) => level.put(key, flipped))
          expect((await refused(mesh.open())).code, `${key.toString('latin1')} ${at}`).to.equal('E_MESH_WAL_DAMAGED')
        }
        await mesh.raw('wal', (level) => level.put(key, value))
      }
    }).timeout(60_000)

    it('whose record was changed with a checksum that fits, or stands twice, or at another place', async () => {
      const [[key, value]] = (await mesh.rows('wal')).filter(([key]) => key.includes('records')) as [[Buffer, Buffer]]
      await mesh.reseal('wal', key, () => bytes('another'))
      expect((await refused(mesh.open())).code).to.equal('E_MESH_WAL_DAMAGED')
      await mesh.raw('wal', (level) => level.put(key, value))
      const later = Buffer.from(key)
      later[later.length - 1] = 3
      await mesh.reseal('wal', key, (own) => own)
      await mesh.raw('wal', (level) => level.put(later, value))
      expect((await refused(mesh.open())).code).to.equal('E_MESH_WAL_DAMAGED')
    })

    it('of a newer release', async () => {
      const rows = await mesh.rows('wal')
      const [identity] = rows.find(([key]) => key.toString('latin1').endsWith('identity'))!
      await mesh.reseal('wal', identity, newerIdentity)
      expect((await refused(mesh.open())).code).to.equal('E_DATA_VERSION')
    })
  })
})

async function logFile(directory: string): Promise<string> {
  const names = await readdir(join(directory, 'wal'))
  return join(
    directory,
    'wal',
    names.find((name) => name.endsWith('.log'))!,
  )
}
