import { expect } from 'chai'
import type { Cell } from '../../../consensus/cell/index.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { encodeInput } from '../../../wasm/raft/codec.ts'
import { engineWith, Members, until } from './members.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

const codeFrom = (promise: Promise<unknown>) => promise.then(() => undefined, codeOf)

describe('cell: what fails, and starts again', () => {
  let members: Members
  afterEach(() => members.stop())

  const put = (cell: Cell, id: string) => cell.propose(id, bytes(`${id}:x`), 5000)

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
    // What the engine takes (`crates/raft/src/lib.rs`).
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
