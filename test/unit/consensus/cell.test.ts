import { expect } from 'chai'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cell } from '../../../consensus/cell/index.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { encodeInput } from '../../../wasm/raft/codec.ts'
import { engineWith, Members } from './members.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

async function until<T>(what: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = what()
    if (value !== undefined && value !== false) return value
    await delay(2)
  }
}

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

  it('what an observer throws stops the member and is told: nothing is lost in silence', async () => {
    members = new Members([1])
    const cell = await members.start(1, {
      events: {
        onFatal: (cause) => members.fatal.set(1, cause),
        onApplied: (applied) => {
          if (applied.some(({ commandId }) => commandId === 'y')) throw new Error('a defect')
        },
      },
    })
    await put(cell, 'y')
    await until(() => members.fatal.has(1))
    expect(members.fatal.get(1)).to.have.property('message', 'a defect')
    expect(await codeFrom(put(cell, 'z'))).to.equal('E_NO_QUORUM')
  })

  it('one that fails gives its engine back', async () => {
    members = new Members([1])
    let engines = 0
    const cell = await members.start(1, {
      loadEngine: engineWith(
        () => undefined,
        (change) => (engines += change),
      ),
    })
    await put(cell, 'a')
    members.logs.get(1)!.failing = new Error('no space')
    await codeFrom(put(cell, 'b'))
    expect(engines).to.equal(0)
  })

  it('a stop during the making anew after a trap waits for its end, and leaves no engine behind', async () => {
    members = new Members([1])
    let engines = 0
    let isPoisoned = false
    const cell = await members.start(1, {
      loadEngine: engineWith(
        () => {
          if (isPoisoned) throw new Error('unreachable')
        },
        (change) => (engines += change),
      ),
    })
    await put(cell, 'a')
    const log = members.logs.get(1)!
    const { promise: reading, resolve: read } = Promise.withResolvers<void>()
    log.reading = reading
    isPoisoned = true
    await until(() => members.traps.length === 1)
    isPoisoned = false
    let hasStopped = false
    const stopped = cell.stop().then(() => (hasStopped = true))
    await until(() => log.isRead)
    expect(hasStopped).to.equal(false)
    read()
    await stopped
    expect(engines, 'but for the one that trapped').to.equal(1)
  })

  it('starts again from its log, and applies what it had not', async () => {
    members = new Members([1, 2, 3])
    await members.startAll()
    const leader = await until(() => members.leader())
    for (let k = 0; k < 20; k++) await put(leader, `k${k}`)
    await members.stop()
    await members.startAll()
    await put(await until(() => members.leader()), 'l')
    expect(members.machines.get(1)!.values.length).to.be.greaterThanOrEqual(20)
  })

  it('a failed write stops the member for good and tells so once', async () => {
    members = new Members([1])
    const cell = await members.start(1)
    await put(cell, 'm')
    members.logs.get(1)!.failing = new Error('no space')
    expect(await codeFrom(cell.propose('n', bytes('n:x'), 5000))).to.equal('E_OUTCOME_UNKNOWN')
    expect(members.fatal.get(1)).to.have.property('message', 'no space')
    expect(await codeFrom(cell.propose('o', bytes('o:x'), 100))).to.equal('E_NO_QUORUM')
  })

  it('messages that come together reach the engine in order, however many bytes they are', async () => {
    members = new Members([1])
    const seen: number[][] = []
    let most = 0
    const cell = await members.start(1, {
      loadEngine: engineWith((input) => {
        if (input.type !== 'step') return
        seen.push(input.messages.map(({ bytes: [first = -1] }) => first))
        most = Math.max(most, encodeInput(input).length)
      }),
    })
    const messages = Array.from({ length: 12 }, (_, n) => ({
      from: 2,
      bytes: new Uint8Array(500_000).fill(n),
      snapshot: undefined,
    }))
    cell.receive(messages)
    await until(() => seen.flat().length === messages.length)
    expect(seen.flat()).to.deep.equal(messages.map((_, n) => n))
    // What the engine takes (`crates/raft/src/wire.rs`).
    expect(most).to.be.at.most(2 << 20)
  })

  it('a trap in the middle of a change is a trap like any other', async () => {
    members = new Members([1])
    let traps = 1
    const cell = await members.start(1, {
      loadEngine: engineWith(({ type }) => {
        if (type === 'configure' && traps-- > 0) throw new Error('unreachable')
      }),
    })
    members.desired = [...members.desired, { id: 2, isRemoved: false }]
    await until(() => members.traps.length === 1)
    await until(() => cell.configuration.learners.includes(2))
    await put(cell, 'v')
  })

  it('a trap is told, and the member goes on from its log', async () => {
    members = new Members([1, 2, 3])
    let poisoned = false
    await members.start(2)
    await members.start(3)
    const cell = await members.start(1, {
      loadEngine: engineWith(() => {
        if (!poisoned) return
        poisoned = false
        throw new Error('unreachable')
      }),
    })
    await put(cell, 'p')
    poisoned = true
    await until(() => members.traps.length === 1)
    await put(cell, 'q')
    expect(members.machines.get(1)!.values).to.deep.equal(['p:x', 'q:x'])
  })
})
