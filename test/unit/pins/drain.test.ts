import { expect } from 'chai'
import { isDraining, pinOf, pins } from '../../../consensus/state/index.ts'
import type { Request } from '../../../node/cell/commands.ts'
import { drainAndLeave, type Drain } from '../../../node/pins/drain.ts'
import { peer, type Body, type Replica } from '../state/cell.ts'
import { cellOf, cidOf, drain, pin } from '../state/pins.ts'

/** A of a cell that agrees with itself; `away` are those that A does not see. */
function nodeA(replica: Replica, away = '') {
  const left: string[] = []
  const cell = {
    get tree() {
      return replica.tree
    },
    applied: 0,
    isLeader: true,
    read: async () => undefined,
    submit: async (request: Request) => void replica.run(request as Body),
    subscribe: () => () => undefined,
  }
  const mesh = { self: peer('A'), isConnected: (peerId: string) => ![...away].map(peer).includes(peerId) }
  const catalog = {
    async *find() {
      for (const { cid, allocations } of pins(replica.tree))
        if (allocations.includes(peer('A'))) yield { cid, cursor: cid }
    },
  }
  const controller = new AbortController()
  const start = (how: Partial<Drain> = {}) =>
    drainAndLeave(
      { cell, mesh, catalog },
      { isRepairing: async () => true, leave: async () => void left.push('left'), ...how },
      controller.signal,
    )
  return { start, left, cell, stop: () => controller.abort(new Error('enough')) }
}

/** As repair would. */
function move(replica: Replica, number: number, to: string): void {
  const { cid, revision } = pinOf(replica.tree, cidOf(number))!
  replica.run({ type: 'pin-move', cid, revision, add: [peer(to)], drop: [peer('A')] })
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const drained = ({ tree }: Replica) => isDraining(tree, peer('A'))

describe('pins: a node that leaves', () => {
  let replica: Replica
  beforeEach(() => {
    replica = cellOf('ABCD')
    for (const number of [1, 2]) pin(replica, number, { min: 2, max: 2, allocations: [peer('A'), peer('B')] })
  })

  it('is drained, says how many copies are left, and leaves when there is none', async () => {
    const node = nodeA(replica)
    const rows = node.start()
    expect((await rows.next()).value).to.equal(2)
    expect([drained(replica), node.left]).to.deep.equal([true, []])
    move(replica, 1, 'C')
    expect((await rows.next()).value).to.equal(1)
    move(replica, 2, 'D')
    expect((await rows.next()).done).to.equal(true)
    expect(node.left).to.deep.equal(['left'])
  })

  it('leaves at once where it holds nothing, or where there is nobody else', async () => {
    const empty = nodeA(cellOf('AB'))
    expect((await empty.start().next()).done).to.equal(true)
    const alone = cellOf('A')
    pin(alone, 1)
    const only = nodeA(alone)
    expect((await only.start().next()).done).to.equal(true)
    expect([empty.left, only.left, drained(alone)]).to.deep.equal([['left'], ['left'], false])
  })

  it('stays where copies have no other place, with how many, and is drained no more', async () => {
    pin(replica, 3, { min: 3, max: 3, allocations: ['A', 'B', 'C'].map(peer), name: 'films' })
    const node = nodeA(replica, 'D')
    const error = await node
      .start()
      .next()
      .catch((error: { code: string; message: string; hint: string }) => error)
    expect(error).to.include({
      code: 'E_DRAIN_SHORT',
      message: 'no other place for 1 copy of this node: films wants 3 copies, and the other members can hold 2',
    })
    expect(error).to.have.property('hint').that.contains('--no-drain').and.contains('invite')
    expect([drained(replica), node.left]).to.deep.equal([false, []])
  })

  it('stays where the leader does not repair, and where nothing moves', async () => {
    const node = nodeA(replica)
    expect(await codeOf(node.start({ isRepairing: async () => false }).next())).to.equal('E_DRAIN_STALLED')
    expect(drained(replica)).to.equal(false)
    const rows = node.start({ stallMs: 1 })
    await rows.next()
    expect(await codeOf(rows.next())).to.equal('E_DRAIN_STALLED')
    expect([drained(replica), node.left]).to.deep.equal([false, []])
  })

  it('stays when it is broken off, while it waits or between two rows, or when leaving fails', async () => {
    const node = nodeA(replica)
    const waiting = node.start()
    await waiting.next()
    const next = codeOf(waiting.next())
    node.stop()
    expect([await next, drained(replica)]).to.deep.equal(['enough', false])
    const between = nodeA(replica).start()
    await between.next()
    await between.return(undefined)
    expect(drained(replica)).to.equal(false)
    const failing = nodeA(replica).start({ leave: () => Promise.reject(new Error('no quorum')) })
    await failing.next()
    for (const number of [1, 2]) move(replica, number, 'C')
    expect([await codeOf(failing.next()), drained(replica)]).to.deep.equal(['no quorum', false])
  })

  it('says why it stays, and not that nobody could agree to drain it no more', async () => {
    const node = nodeA(replica)
    const rows = node.start({ stallMs: 1 })
    await rows.next()
    node.cell.submit = () => Promise.reject(Object.assign(new Error('nobody'), { code: 'E_NO_QUORUM' }))
    expect(await codeOf(rows.next())).to.equal('E_DRAIN_STALLED')
  })

  it('goes on being drained where an operator had asked for it before', async () => {
    replica.run(drain('A'))
    const rows = nodeA(replica).start()
    await rows.next()
    await rows.return(undefined)
    expect(drained(replica)).to.equal(true)
  })
})
