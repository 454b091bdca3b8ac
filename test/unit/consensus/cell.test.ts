import { expect } from 'chai'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cell } from '../../../consensus/cell/index.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { Members, until } from './members.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

const codeFrom = (promise: Promise<unknown>) => promise.then(() => undefined, codeOf)

describe('cell: one member after the other, in memory', () => {
  let members: Members
  afterEach(() => members.stop())

  const put = (cell: Cell, id: string) => cell.propose(id, bytes(`${id}:x`), 5000)

  it('three members elect a leader, and any of them takes commands', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    await until(() => members.leader())
    const results = await Promise.all([...members.cells.values()].map((cell, at) => put(cell, `a${at}`)))
    expect(results.map(({ commandId }) => commandId)).to.deep.equal(['a0', 'a1', 'a2'])
    await until(() => [...members.machines.values()].every(({ values }) => values.length === 3))
    const [first, ...others] = [...members.machines.values()].map(({ values }) => values)
    for (const values of others) expect(values).to.deep.equal(first)
  })

  it('many commands share a write of the log: the group commit', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    const leader = await until(() => members.leader())
    await Promise.all(Array.from({ length: 2000 }, (_, k) => put(leader, `b${k}`)))
    for (const log of members.logs.values()) expect(log.writes).to.be.lessThan(400)
  })

  it('a read sees what was acknowledged before it, on every member', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    const leader = await until(() => members.leader())
    for (let k = 0; k < 20; k++) {
      await put(leader, `c${k}`)
      for (const [id, cell] of members.cells) {
        await cell.read(5000)
        expect(members.machines.get(id)!.values).to.include(`c${k}:x`)
      }
    }
  })

  it('a read is answered though its answer takes longer than the time after which it is asked again', async () => {
    members = new Members([1, 2, 3], { tickMs: 20 })
    await members.startAll()
    const leader = await until(() => members.leader())
    await put(leader, 'c')
    members.delayMs = 80
    for (const [id, cell] of members.cells) {
      await cell.read(5000)
      expect(members.machines.get(id)!.values).to.include('c:x')
    }
  })

  it('without a majority a command says that it may have been applied, or that it surely was not', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    const leader = await until(() => members.leader())
    for (const [id, cell] of members.cells) if (cell !== leader) members.cut.add(id)
    expect(await codeFrom(leader.propose('d', bytes('d:x'), 100))).to.equal('E_OUTCOME_UNKNOWN')
    await until(() => leader.status.role !== 'leader')
    expect(await codeFrom(leader.propose('e', bytes('e:x'), 100))).to.equal('E_NO_QUORUM')
    expect(await codeFrom(leader.read(100))).to.equal('E_NO_QUORUM')
    members.cut.clear()
    await put(leader, 'f')
    expect(members.machines.get(1)!.values.filter((value) => value === 'e:x')).to.deep.equal([])
  })

  it('a lost leader is replaced; what was acknowledged stays', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    const first = await until(() => members.leader())
    await put(first, 'g')
    const firstId = [...members.cells].find(([, cell]) => cell === first)![0]
    members.cut.add(firstId)
    const second = await until(() => members.leader())
    await put(second, 'h')
    members.cut.delete(firstId)
    await until(() => members.machines.get(firstId)!.values.length === 2)
    expect(members.machines.get(firstId)!.values).to.deep.equal(['g:x', 'h:x'])
  })

  it('a leader that is about to stop hands over first, and waits for nobody where it is alone', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    const leader = await until(() => members.leader())
    await put(leader, 'a')
    await leader.handOver(5000)
    const next = await until(() => members.leader())
    expect(next).to.not.equal(leader)
    expect(leader.status.leader).to.equal(next.status.leader)
    await leader.handOver(5000)
    expect(next.status.role, 'who does not lead hands nothing over').to.equal('leader')
    await members.stop()
    members = new Members([1])
    const alone = await members.start(1)
    await until(() => members.leader())
    await alone.handOver(1_000_000)
    expect(alone.status.role).to.equal('leader')
  })

  it('a cell of one grows to three by learners that catch up, also from a snapshot, and shrinks back', async () => {
    members = new Members([1], { snapshotEvery: 50, keepEntries: 10 })
    const first = await members.start(1)
    for (let k = 0; k < 200; k++) await put(first, `i${k}`)
    await until(() => first.snapshotIndex > 100)
    for (const id of [2, 3]) {
      await members.start(id)
      members.desired = [...members.desired, { id, isRemoved: false }]
    }
    await until(() => first.configuration.voters.length === 3)
    await until(() => [...members.machines.values()].every(({ values }) => values.length === 200))
    members.desired = members.desired.map(({ id }) => ({ id, isRemoved: id === 1 }))
    const leader = await until(() => {
      const cell = members.leader()
      return cell !== undefined && cell !== first && cell
    })
    await until(() => leader.configuration.voters.length === 2)
    expect(leader.configuration.voters).to.deep.equal([2, 3])
    await put(leader, 'j')
  })

  it('takes no new snapshot while a member fetches the last one, until that is told to have ended', async () => {
    members = new Members([1], { snapshotEvery: 20, keepEntries: 5 })
    const leader = await members.start(1)
    for (let k = 0; k < 60; k++) await put(leader, `s${k}`)
    await until(() => leader.snapshotIndex > 20)
    // A member that never says what became of its snapshot.
    members.losesOffers = true
    await members.start(2)
    members.desired = [...members.desired, { id: 2, isRemoved: false }]
    await until(() => leader.configuration.learners.length === 1)
    await until(() => members.offers.includes(2))
    const offered = leader.snapshotIndex
    for (let k = 0; k < 60; k++) await put(leader, `t${k}`)
    expect(leader.snapshotIndex).to.equal(offered)
    leader.snapshotSent(2, true)
    for (let k = 0; k < 5; k++) await put(leader, `u${k}`)
    await until(() => leader.snapshotIndex > offered)
  })

  it('a snapshot that is asked for while entries are applied is taken after them', async () => {
    members = new Members([1])
    const cell = await members.start(1)
    const machine = members.machines.get(1)!
    const { promise: applying, resolve: apply } = Promise.withResolvers<void>()
    machine.applying = applying
    const applied = put(cell, 'w')
    await until(() => machine.isApplying)
    const before = machine.applied
    const snapshot = cell.snapshot()
    apply()
    expect(await snapshot).to.be.greaterThan(before)
    await applied
    expect(machine.values).to.deep.equal(['w:x'])
  })

  it('snapshots that are asked for together are one', async () => {
    members = new Members([1])
    const cell = await members.start(1)
    await put(cell, 'x')
    const indexes = await Promise.all([cell.snapshot(), cell.snapshot(), cell.snapshot()])
    expect(indexes).to.deep.equal(indexes.map(() => members.machines.get(1)!.applied))
    expect(members.machines.get(1)!.snapshots).to.equal(1)
  })

  it('a stop waits for a snapshot that is being written', async () => {
    members = new Members([1])
    const cell = await members.start(1)
    await until(() => members.leader())
    await put(cell, 'a')
    const [begun, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const machine = members.machines.get(1)!
    const original = machine.snapshot.bind(machine)
    let isWritten = false
    machine.snapshot = async () => {
      begun.resolve()
      await written.promise
      isWritten = true
      return original()
    }
    const snapshot = cell.snapshot()
    await begun.promise
    const stopped = cell.stop().then(() => isWritten)
    // All that a stop could do without it.
    await delay(20)
    written.resolve()
    expect(await stopped).to.equal(true)
    await snapshot
  })
})
