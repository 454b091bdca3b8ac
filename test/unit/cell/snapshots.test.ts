import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { blocks as blocksOf, commandCodec, type Command } from '../../../consensus/state/index.ts'
import { CellMachine } from '../../../node/cell/machine.ts'
import type { CellStores } from '../../../node/cell/open.ts'
import { rootOf } from '../../../node/cell/record.ts'
import { restoreOffer } from '../../../node/cell/restore.ts'
import { refused } from '../storage/refused.ts'
import { CellDirectory, NOBODY } from './cell-stores.ts'

const PEER = '12D3KooWCfN1S8qqD4Mt99xvAGRRAsriBmGP8wBpRG5fiZWgSfTR'

function entry(index: number, request: object) {
  const session = { client: 'c', opened: 0, sequence: index }
  const command = { v: 1, id: `c.${index}`, session, time: index, ...request } as Command
  return { index, term: 1, kind: 'normal' as const, data: commandCodec.encode(command), context: new Uint8Array() }
}
const joined = entry(1, { type: 'member-join', peerId: PEER, incarnation: new Uint8Array(16) })
const labelled = (index: number) => entry(index, { type: 'label-set', peerId: PEER, key: `k${index % 60}`, value: 'v' })

describe('cell: snapshots of the state machine, and their blocks', () => {
  const cell = new CellDirectory()
  beforeEach(() => cell.make())
  afterEach(() => cell.remove())

  const machineOf = ({ state, blocks }: CellStores) =>
    CellMachine.open({ state, blocks, onChanges: () => undefined, onReplaced: () => undefined })

  /** Applies up to there. */
  async function applyTo(machine: CellMachine, index: number) {
    for (let at = machine.applied + 1; at <= index; at++)
      await machine.apply([at === 1 ? joined : labelled(at)], new Map())
  }
  const meta = (index: number, root: Uint8Array) => ({
    index,
    term: 1,
    root,
    configuration: { ...NOBODY, voters: [1] },
  })

  /** Flips a bit of a block on the disk. */
  const damage = (cid: CID) =>
    cell.raw('blocks', async (raw) => {
      const key = Buffer.concat([Buffer.from('!cell-blocks!'), cid.bytes])
      const value = (await raw.get(key))!
      value[3]! ^= 1
      await raw.put(key, value)
    })

  it('the second and third, written without what is there already, are whole after a sweep', () =>
    cell.using(async (stores) => {
      const machine = await machineOf(stores)
      const snapshots = []
      for (const index of [300, 310, 320]) {
        await applyTo(machine, index)
        snapshots.push({ ...(await machine.snapshot()), state: rootOf(machine.tree) })
      }
      await applyTo(machine, 330)
      for (const { index, root, state } of snapshots.slice(1)) {
        await machine.install(meta(index, root))
        expect([machine.applied, rootOf(machine.tree)]).to.deep.equal([index, state])
      }
      const [first] = snapshots
      expect(await stores.blocks.has(CID.decode(first!.root)), 'the first was swept').to.equal(false)
      await machine.close()
    }))

  it("a leader's stays until it is installed, whatever snapshot is taken meanwhile, and takes no kept one's place", async () => {
    const leader = new CellDirectory()
    await leader.make()
    const offered = await leader.using(async (stores) => {
      const machine = await machineOf(stores)
      await applyTo(machine, 50)
      const { index, root } = await machine.snapshot()
      const blocks = [...blocksOf(machine.tree)]
      await machine.close()
      return { index, root, blocks }
    })
    await leader.remove()
    await cell.using(async (stores) => {
      const machine = await machineOf(stores)
      const release = await stores.blocks.hold()
      await stores.blocks.put(offered.blocks)
      machine.offered(offered.index, release)
      for (const index of [10, 20, 30]) {
        await applyTo(machine, index)
        await machine.snapshot()
      }
      expect((await stores.blocks.snapshots()).map(({ index }) => index)).to.deep.equal([20, 30])
      await machine.install(meta(offered.index, offered.root))
      expect(machine.applied).to.equal(50)
      expect((await stores.blocks.snapshots()).map(({ index }) => index)).to.deep.equal([30, 50])
      expect(await stores.blocks.sweep(), 'nobody holds the store any more').to.be.greaterThan(0)
      await machine.close()
    })
  })

  it("a leader's that was left behind is swept, and so is one that another took the place of", () =>
    cell.using(async (stores) => {
      const machine = await machineOf(stores)
      machine.offered(8, await stores.blocks.hold())
      machine.offered(9, await stores.blocks.hold())
      await applyTo(machine, 8)
      await machine.snapshot()
      expect(await stores.blocks.sweep(), 'it may still come').to.equal(undefined)
      await applyTo(machine, 9)
      await machine.snapshot()
      expect(await stores.blocks.sweep()).to.equal(0)
      await machine.close()
    }))

  it("a leader's that the engine refused does not end all sweeps", () =>
    cell.using(async (stores) => {
      const machine = await machineOf(stores)
      const released = Promise.withResolvers<void>()
      machine.offered(1_000_000, released.resolve, 1)
      await released.promise
      await machine.close()
    }))

  it('with a damaged block the one that the log counts on is refused, with the way to rejoin', async () => {
    const snapshot = await cell.using(async (stores) => {
      const machine = await machineOf(stores)
      await applyTo(machine, 300)
      const taken = await machine.snapshot()
      await machine.close()
      return taken
    })
    await damage(CID.decode(snapshot.root))
    await cell.using(async (stores) => {
      const machine = await machineOf(stores)
      const error = await refused(machine.install(meta(snapshot.index, snapshot.root)))
      expect(error.code).to.equal('E_CELL_BLOCK_CORRUPT')
      expect(error.hint).to.contain('joins its cell under a new id')
    })
  })

  it('a damaged block of an older one stops nobody: the newest takes the place of all', async () => {
    const old = await cell.using(async (stores) => {
      const machine = await machineOf(stores)
      await applyTo(machine, 300)
      const { root } = await machine.snapshot()
      await machine.close()
      return CID.decode(root)
    })
    await damage(old)
    await cell.using(async (stores) => {
      const machine = await machineOf(stores)
      await applyTo(machine, 310)
      const { index, root } = await machine.snapshot()
      expect((await stores.blocks.snapshots()).map((kept) => kept.index)).to.deep.equal([310])
      expect(await stores.blocks.sweep()).to.equal(0)
      await machine.install(meta(index, root))
      await machine.close()
    })
  })

  it('with a block store that is begun anew what the log offers can be fetched again', () =>
    cell.using(async (stores) => {
      const machine = await machineOf(stores)
      await applyTo(machine, 40)
      const root = CID.parse(rootOf(machine.tree))
      expect(await restoreOffer(meta(0, new Uint8Array()), stores.blocks, machine), 'nothing was offered').to.equal(
        false,
      )
      expect(await stores.blocks.has(root)).to.equal(false)
      expect(await restoreOffer(meta(40, root.bytes), stores.blocks, machine)).to.equal(true)
      expect(await stores.blocks.has(root)).to.equal(true)
      expect(await restoreOffer(meta(40, root.bytes), stores.blocks, machine), 'it is there').to.equal(false)
      await machine.close()
    }))
})
