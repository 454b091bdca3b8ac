import { expect } from 'chai'
import type { EngineStatus } from '../../../consensus/cell/index.ts'
import { initialState, type Tree } from '../../../consensus/state/index.ts'
import type { Request } from '../../../node/cell/commands.ts'
import { LeaderDuties } from '../../../node/cell/duties.ts'
import { isFirstOfGenesis, isFirstOfRecord, isFounder } from '../../../node/cell/founding.ts'
import { desiredMembers, leastId } from '../../../node/cell/record.ts'
import { KEY_1, KEY_2, peerIdOf } from '../../helpers/fake-mesh.ts'
import { bytes, peer, Replica } from '../state/cell.ts'

type Place = Parameters<typeof isFirstOfGenesis>[0]

const [SELF, OTHER] = [peer('A'), peer('B')]
const NOBODY = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }

/** The disks of a founder: what a crash leaves of them is what was written before it. */
class Disks {
  raftId = 0
  founded: Uint8Array | undefined
  crashesAfter = Infinity

  #write(): void {
    if (this.crashesAfter-- === 0) throw new Error('crash')
  }

  async setRaftId(id: number): Promise<void> {
    this.#write()
    this.raftId = id
  }

  start(founder = SELF): Promise<boolean> {
    const operator = {
      cell: 'alpha',
      founders: [
        { peerId: OTHER, role: 'light' },
        { peerId: founder, role: 'full' },
      ],
    }
    const membership = { genesis: { operators: [operator] }, self: { peerId: SELF, cell: 'alpha' } }
    const store = {
      get: async () => this.founded,
      put: async (_key: unknown, value: Uint8Array) => {
        this.#write()
        this.founded = value
      },
    }
    const isFirst = isFirstOfGenesis(membership as unknown as Place) || this.raftId === 1
    return isFounder({ store } as unknown as Parameters<typeof isFounder>[0], this, isFirst)
  }
}

describe('cell: its founding', () => {
  it('is for the first full founder that genesis names, at its first start and at each after it', async () => {
    const disks = new Disks()
    expect(await disks.start(OTHER)).to.equal(false)
    expect([disks.raftId, disks.founded]).to.deep.equal([0, undefined])
    expect([await disks.start(), disks.raftId]).to.deep.equal([true, 1])
    expect([await disks.start(), disks.raftId]).to.deep.equal([true, 1])
  })

  it('a crash at any write of it is made good by the next start', async () => {
    for (const crashesAfter of [0, 1]) {
      const disks = new Disks()
      disks.crashesAfter = crashesAfter
      expect(await disks.start().catch(() => 'crash')).to.equal('crash')
      disks.crashesAfter = Infinity
      expect([await disks.start(), disks.raftId, disks.founded?.length]).to.deep.equal([true, 1, 1])
    }
  })

  it('never happens twice: a founder whose log was lost joins, and keeps the id that it is given', async () => {
    const disks = new Disks()
    await disks.start()
    disks.raftId = 0
    expect([await disks.start(), disks.raftId]).to.deep.equal([false, 0])
    disks.raftId = 7
    expect([await disks.start(), disks.raftId]).to.deep.equal([false, 7])
  })
})

describe('cell: its founding where the genesis does not know it', () => {
  const [first, second] = [KEY_1, KEY_2].sort(Buffer.compare) as [Uint8Array, Uint8Array]
  const operator = {
    name: 'Beta',
    cell: 'beta',
    weight: 1,
    members: [first, second],
    validators: [],
    attested: undefined,
  }
  const place = (key: Uint8Array, cells: string[] = ['alpha']) => {
    const operators = cells.map((cell) => ({ cell, founders: [] }))
    return { genesis: { operators }, self: { peerId: peerIdOf(key), cell: 'beta' } } as unknown as Place
  }

  it('is for the first member that the record names, and for no other', () => {
    expect(isFirstOfRecord(place(first), { operators: [operator] })).to.equal(true)
    expect(isFirstOfRecord(place(second), { operators: [operator] })).to.equal(false)
    expect(isFirstOfRecord(place(first), { operators: [] })).to.equal(false)
    expect(isFirstOfRecord(place(first), { operators: [{ ...operator, members: [] }] })).to.equal(false)
  })

  it('is over when the cell has said anything, and never for a cell of the genesis', () => {
    const attested = { epoch: 7, index: 1, root: new Uint8Array(36), t: null }
    expect(isFirstOfRecord(place(first), { operators: [{ ...operator, attested }] })).to.equal(false)
    expect(isFirstOfRecord(place(first, ['alpha', 'beta']), { operators: [operator] })).to.equal(false)
  })
})

describe('cell: the duties of its leader', () => {
  const founder = { peerId: SELF, incarnation: bytes(1) }
  const leads = { status: { role: 'leader' } as EngineStatus, configuration: { ...NOBODY, voters: [1] } }
  const follows = { ...leads, status: { role: 'follower' } as EngineStatus }

  function duties(tree: () => Tree, submit: (request: Request) => Promise<unknown>, isFounder = true) {
    return new LeaderDuties({
      machine: {
        get tree() {
          return tree()
        },
        markedIndex: 0,
        markedRoot: () => new Uint8Array(),
      },
      commands: { submit: submit as never },
      log: { debug: () => undefined },
      founder: isFounder ? founder : undefined,
    })
  }

  it('the founder says that it is a member, once, as soon as it leads, and again when nobody heard', async () => {
    const replica = new Replica()
    const said: Request[] = []
    let isHeard = false
    const founding = duties(
      () => replica.tree,
      async (request) => {
        said.push(request)
        if (!isHeard) throw new Error('no quorum')
        replica.run(request as never)
      },
    )
    founding.run(follows)
    expect(said).to.deep.equal([])
    founding.run(leads)
    founding.run(leads)
    expect(said).to.deep.equal([{ type: 'member-join', ...founder }])
    await new Promise(setImmediate)
    isHeard = true
    founding.run(leads)
    await new Promise(setImmediate)
    founding.run(leads)
    expect(said).to.have.length(2)
    expect(desiredMembers(replica.tree, leads.configuration)).to.deep.equal([{ id: 1, isRemoved: false }])
  })

  it('what nobody heard is said again though nothing is applied meanwhile', async () => {
    const again = Promise.withResolvers<void>()
    let times = 0
    const founding = duties(
      () => initialState().tree,
      async () => {
        if (++times === 3) again.resolve()
        throw new Error('no quorum')
      },
    )
    founding.start(leads, 1)
    await again.promise
    founding.stop()
  })

  it('who did not found the cell says nothing of the kind', () => {
    const said: Request[] = []
    duties(
      () => initialState().tree,
      async (request) => said.push(request),
      false,
    ).run(leads)
    expect(said).to.deep.equal([])
  })
})

describe('cell: who has a say on the wire', () => {
  it('a removed member as long as the configuration has it, and another incarnation of it after that', () => {
    const replica = new Replica()
    const join = (peerId: string, incarnation: number) =>
      replica.run({ type: 'member-join', peerId, incarnation: bytes(incarnation) })
    join(SELF, 1)
    expect(leastId(replica.tree, NOBODY, OTHER)).to.equal(0)
    join(OTHER, 1)
    replica.run({ type: 'member-remove', peerId: OTHER, reason: '' })
    for (const part of ['voters', 'learners', 'votersOutgoing', 'learnersNext'] as const)
      expect(leastId(replica.tree, { ...NOBODY, [part]: [1, 2] }, OTHER)).to.equal(2)
    expect(leastId(replica.tree, { ...NOBODY, voters: [1] }, OTHER)).to.equal(3)
    join(OTHER, 2)
    expect(leastId(replica.tree, { ...NOBODY, voters: [1] }, OTHER)).to.equal(3)
  })
})
