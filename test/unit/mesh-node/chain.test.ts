import { expect } from 'chai'
import { refused } from '../storage/refused.ts'
import { after, bytes, epochOf, MeshDirectory, trimmed, valueOf } from './mesh-directory.ts'
import { newerIdentity } from './newer.ts'

describe('store of epochs', () => {
  const mesh = new MeshDirectory()
  beforeEach(() => mesh.make())
  afterEach(() => mesh.remove())

  const state = (height: number) => bytes(`state ${height}`)

  it('begins empty, and has each epoch by its height and the height by its CID', async () => {
    await mesh.using(async ({ chain }) => {
      expect(chain.head).to.include({ height: 0, oldest: 1, trust: 'genesis' })
      expect([await chain.state(), await chain.epoch(1)]).to.deep.equal([undefined, undefined])
    })
    await mesh.fill(1, 3)
    await mesh.using(async ({ chain }) => {
      expect(chain.head).to.include({ height: 3, oldest: 1 })
      expect(chain.head.value).to.deep.equal(valueOf('3'))
      expect(await chain.epoch(2)).to.deep.equal(trimmed(2))
      expect(await chain.epoch(3)).to.deep.equal(epochOf(3))
      expect([await chain.heightOf(valueOf('2')), await chain.heightOf(valueOf('9'))]).to.deep.equal([2, undefined])
      expect(await chain.state()).to.deep.equal(state(3))
    })
  })

  it('keeps a proposed block until its height is decided, after a restart too', async () => {
    await mesh.using(async ({ chain }) => {
      await chain.persist(valueOf('1'), bytes('block 1'))
      await chain.persist(valueOf('other'), bytes('another block'))
    })
    await mesh.using(async ({ chain }) => {
      expect(await chain.proposal(valueOf('1'))).to.deep.equal(bytes('block 1'))
      await chain.commit(1, epochOf(1), after(1))
      expect([await chain.proposal(valueOf('1')), await chain.proposal(valueOf('other'))]).to.deep.equal([
        undefined,
        undefined,
      ])
    })
  })

  it('keeps states of the last two epochs and of every 256th height', async () => {
    await mesh.fill(1, 515)
    await mesh.using(async ({ chain }) => {
      const kept = []
      for (let height = 0; height <= 515; height++) if ((await chain.stateAt(height)) !== undefined) kept.push(height)
      expect(kept).to.deep.equal([256, 512, 514, 515])
    })
  })

  it('forgets what is older than it is told to keep, and what belongs to it', async () => {
    await mesh.fill(1, 300)
    expect((await mesh.rows('chain')).filter(([key]) => key.includes('heights'))).to.have.lengthOf(300)
    await mesh.fill(301, 310, { keep: 20 })
    await mesh.using(async ({ chain }) => {
      expect(chain.head).to.include({ height: 310, oldest: 291 })
      expect([await chain.epoch(290), await chain.heightOf(valueOf('290')), await chain.stateAt(256)]).to.deep.equal([
        undefined,
        undefined,
        undefined,
      ])
      expect(await chain.epoch(291)).to.deep.equal(trimmed(291))
    })
    expect((await mesh.rows('chain')).filter(([key]) => /blocks|values|heights/.test(`${key}`))).to.have.lengthOf(60)
  })

  it('writes its end after an epoch that is still being written', async () => {
    await mesh.fill(1, 3)
    let committing = Promise.resolve()
    await mesh.using(async ({ chain }) => void (committing = chain.commit(4, epochOf(4), after(4))))
    await committing
    await mesh.using(async ({ chain }) => expect(chain.head.height).to.equal(4))
  })

  it('keeps validator sets by their CIDs', async () => {
    const set = { cid: valueOf('set'), bytes: bytes('a set') }
    await mesh.using(({ chain }) => chain.commit(1, epochOf(1), { ...after(1), sets: [set] }))
    await mesh.using(async ({ chain }) => {
      expect([await chain.set(set.cid), await chain.set(valueOf('other'))]).to.deep.equal([set.bytes, undefined])
    })
  })

  it('refuses an epoch that does not follow on its head, and stays as it was', async () => {
    await mesh.fill(1, 2)
    await mesh.using(async ({ chain }) => {
      for (const height of [2, 4]) {
        expect((await refused(chain.commit(height, epochOf(height), after(height)))).code).to.equal(
          'E_MESH_STORE_ORDER',
        )
      }
      await chain.commit(3, epochOf(3), after(3))
      expect(chain.head.height).to.equal(3)
    })
  })

  it('begins anew at a checkpoint ahead of it, and says so from then on', async () => {
    await mesh.fill(1, 3)
    await mesh.using(async ({ chain }) => {
      expect((await refused(chain.install(3, epochOf(3), after(3)))).code).to.equal('E_MESH_STORE_ORDER')
      await chain.install(900, epochOf(900), after(900))
      expect([await chain.epoch(3), await chain.epoch(900)]).to.deep.equal([undefined, epochOf(900)])
      await chain.commit(901, epochOf(901), after(901))
    })
    await mesh.using(async ({ chain }) => {
      expect(chain.head).to.include({ height: 901, oldest: 900, trust: 'checkpoint' })
    })
  })

  it('is after a crash at an epoch’s end or at the one before, whole in either case', async () => {
    await mesh.using(async ({ chain }) => {
      const copies = [await mesh.copy('at 0')]
      for (let height = 1; height <= 4; height++) {
        await chain.persist(valueOf(`${height}`), bytes(`block ${height}`))
        const proposed = await mesh.copy(`proposed ${height}`)
        await mesh.using(
          async (later) => {
            expect(later.chain.head.height).to.equal(height - 1)
            expect(await later.chain.proposal(valueOf(`${height}`))).to.deep.equal(bytes(`block ${height}`))
          },
          { directory: proposed },
        )
        await chain.commit(height, epochOf(height), after(height))
        copies.push(await mesh.copy(`at ${height}`))
      }
      for (const [height, directory] of copies.entries()) {
        await mesh.using(async (later) => expect(later.chain.head.height).to.equal(height), { directory })
      }
    })
  })

  it('of a node that only follows has no log of votes beside it', async () => {
    await mesh.using(async ({ wal }) => expect(wal).to.equal(undefined), { isValidator: false })
  })

  describe('refuses a store', () => {
    beforeEach(() => mesh.fill(1, 3))

    it('of another mesh or node', async () => {
      for (const other of [{ meshId: 'mesh-2' }, { peerId: 'peer-2' }]) {
        const error = await refused(mesh.open({ ...other, isValidator: false }))
        expect(error.code).to.equal('E_MESH_STORE_FOREIGN')
        expect(error.hint).to.contain('nothing was changed')
      }
    })

    it('of a newer release', async () => {
      const [identity] = (await mesh.rows('chain')).find(([key]) => key.toString('latin1').endsWith('identity'))!
      await mesh.reseal('chain', identity, newerIdentity)
      expect((await refused(mesh.open())).code).to.equal('E_DATA_VERSION')
    })

    it('that has lost a row of its head, its first epoch, or any value between', async () => {
      // What nothing at the start asks for: the heights of other CIDs, and what is between the ends.
      const isNeeded = ([key]: [Buffer, Buffer]) =>
        !key.includes('!mesh-heights!') && !(/!mesh-(blocks|certificates|states)!/.test(`${key}`) && key.at(-1) === 2)
      const rows = (await mesh.rows('chain')).filter(isNeeded)
      expect(rows.length).to.be.greaterThan(7)
      for (const [key, value] of rows) {
        await mesh.raw('chain', (level) => level.del(key))
        const error = await refused(mesh.open())
        expect(error.code, key.toString('latin1')).to.equal('E_MESH_STORE_DAMAGED')
        expect(error.hint).to.contain('mesh/wal where it is')
        await mesh.raw('chain', (level) => level.put(key, value))
      }
      await mesh.using(async ({ chain }) => expect(chain.head.height).to.equal(3))
    })

    it('with a bit flipped in its identity, its head, or what its head names', async () => {
      const rows = (await mesh.rows('chain')).filter(
        ([key]) => /!mesh-(chain|values)!/.test(`${key}`) || (key.includes('!mesh-states!') && key.at(-1) === 3),
      )
      for (const [key, value] of rows) {
        for (let at = 0; at < value.byteLength; at += 7) {
          const flipped = Buffer.from(value)
          flipped[at] = flipped[at]! ^ (1 << (at % 8))
          await mesh.raw('chain', (level) => level.put(key, flipped))
          const opened = await mesh.open().then(
            async (stores) => {
              // A value between the ends is checked when it is read.
              expect((await refused(stores.chain.epoch(2))).code).to.equal('E_STORAGE_CORRUPT')
              expect(mesh.fatal.splice(0).map(({ code }) => code)).to.deep.equal(['E_MESH_STORE_DAMAGED'])
              await stores.close()
              return 'E_MESH_STORE_DAMAGED'
            },
            (error: { code: string }) => error.code,
          )
          expect(opened, `${key.toString('latin1')} ${at}`).to.equal('E_MESH_STORE_DAMAGED')
        }
        await mesh.raw('chain', (level) => level.put(key, value))
      }
    }).timeout(60_000)

    it('that has an epoch after its end', async () => {
      const [[key, value]] = (await mesh.rows('chain')).filter(([key]) => /values/.test(`${key}`)) as [[Buffer, Buffer]]
      const later = Buffer.from(key)
      later[later.length - 1] = 4
      await mesh.raw('chain', (level) => level.put(later, value))
      expect((await refused(mesh.open())).code).to.equal('E_MESH_STORE_DAMAGED')
    })
  })
})
