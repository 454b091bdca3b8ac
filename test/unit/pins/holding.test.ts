import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { pinOf, type AgreedPin } from '../../../consensus/state/index.ts'
import type { LocalPin } from '../../../node/content/pins/index.ts'
import type { PinStatusDocument } from '../../../node/operations-pins.ts'
import { Holding } from '../../../node/pins/holding.ts'
import type { Tracked } from '../../../node/pins/tracker/index.ts'
import { peer, type Replica } from '../state/cell.ts'
import { cellOf, cidOf, pin } from '../state/pins.ts'

const { signal } = new AbortController()
const cid = cidOf(1)
const SEEN = { name: '', reason: null, attempts: 0, since: '', progress: null, proven: null }

/** Node A of a cell of five, with what it holds and what it sees of the others. */
class NodeA {
  readonly replica: Replica
  readonly done: string[] = []
  readonly held = new Map<string, LocalPin>()
  /** CID → names of those that are seen to have it */
  readonly seen = new Map<string, string>()
  /** CIDs that the tracker is at work on */
  readonly tracked = new Set<string>()
  asked = 0
  now = 0
  duringAsk: () => void = () => {}
  readonly holding: Holding

  constructor(domains: Readonly<Record<string, string>> = {}) {
    const replica = (this.replica = cellOf('ABCDE', domains))
    const { held, done } = this
    this.holding = new Holding({
      cell: {
        get tree() {
          return replica.tree
        },
      },
      self: peer('A'),
      local: {
        get: async (cid: CID) => held.get(cid.toString()),
        list: async () => [...held.values()],
      },
      tracker: {
        want: ({ cid, mode }) => void done.push(`want ${nameOf(cid)} ${mode}`),
        drop: (cid) => void done.push(`drop ${nameOf(cid)}`),
        statusOf: (cid) => (this.tracked.has(cid) ? ({} as Tracked) : undefined),
        cids: () => this.tracked,
      },
      observer: { statuses: (found) => this.#statuses(found) },
      catalog: {
        find: async function* () {
          for (const cid of held.keys())
            if (pinOf(replica.tree, cid)?.allocations.includes(peer('A')) === true) yield { cid, cursor: cid }
        },
      },
      now: () => this.now,
    })
  }

  hold(number: number, state: LocalPin['state'] = 'pinned', mode: LocalPin['mode'] = 'recursive'): void {
    this.held.set(cidOf(number), { cid: cidOf(number), mode, state, blocks: 1, bytes: 1, since: 0 })
  }

  /** Allocated to these. */
  to(names: string, number = 1, min = names.length): Promise<void> {
    pin(this.replica, number, { min, max: names.length, allocations: [...names].map(peer) })
    return this.holding.follow(cidOf(number))
  }

  release(): Promise<void> {
    return this.holding.release(signal)
  }

  async #statuses(found: readonly AgreedPin[]): Promise<PinStatusDocument[]> {
    this.asked += found.length
    this.duringAsk()
    return found.map(({ cid, name, min, max, allocations }) => {
      const isSeen = (peerId: string) => [...(this.seen.get(cid) ?? '')].some((name) => peer(name) === peerId)
      const copies = allocations.map((peerId) => ({
        ...SEEN,
        peerId,
        status: isSeen(peerId) ? ('pinned' as const) : ('pinning' as const),
      }))
      const pinned = copies.filter(({ status }) => status === 'pinned').length
      return { cid, name, replicationMin: min, replicationMax: max, pinned, copies }
    })
  }
}

const nameOf = (cid: string): string => String([...Array(1000).keys()].find((number) => cidOf(number) === cid))

describe('pins: holding', () => {
  it('a copy that moves elsewhere stays until min others are seen to have it', async () => {
    const node = new NodeA()
    node.hold(1)
    await node.to('BC')
    await node.release()
    node.seen.set(cid, 'B')
    node.now = 10_000
    await node.release()
    expect([node.done, node.holding.leaving]).to.deep.equal([[], 1])
    node.seen.set(cid, 'BC')
    node.now = 20_000
    await node.release()
    expect([node.done, node.holding.leaving]).to.deep.equal([['drop 1'], 0])
  })

  it('where fewer are to hold it than min, all of them must; and where it is to be everywhere', async () => {
    const node = new NodeA()
    node.hold(1)
    await node.to('BC')
    const move = { add: [], drop: [peer('C')], revision: pinOf(node.replica.tree, cid)!.revision }
    node.replica.run({ type: 'pin-move', cid, ...move })
    node.seen.set(cid, 'C')
    await node.release()
    expect(node.done).to.deep.equal([])
    node.seen.set(cid, 'B')
    node.now = 10_000
    await node.release()
    expect(node.done).to.deep.equal(['drop 1'])
    node.replica.run({ type: 'member-drain', peerId: peer('A'), on: true })
    node.hold(2)
    pin(node.replica, 2, { min: -1, max: -1 })
    await node.holding.follow(cidOf(2))
    node.seen.set(cidOf(2), 'BCD')
    await node.release()
    expect(node.done).to.deep.equal(['drop 1'])
  })

  it('a pin that is removed altogether is dropped at once, also while its copy waits', async () => {
    const node = new NodeA()
    node.hold(1)
    await node.to('BC')
    node.replica.run({ type: 'pin-unset', cid })
    await node.holding.follow(cid)
    expect([node.done, node.holding.leaving]).to.deep.equal([['drop 1'], 0])
  })

  it('what is not whole is dropped at once', async () => {
    const node = new NodeA()
    node.hold(1, 'pinning')
    await node.to('BC')
    expect([node.done, node.holding.leaving]).to.deep.equal([['drop 1'], 0])
  })

  it('what comes back while the others are asked stays', async () => {
    const node = new NodeA()
    node.hold(1)
    await node.to('BC')
    node.seen.set(cid, 'BC')
    node.duringAsk = () => void node.to('AB')
    await node.release()
    expect([node.done, node.holding.leaving]).to.deep.equal([['want 1 recursive'], 0])
  })

  it('what is allocated otherwise while the others are asked is asked anew', async () => {
    const node = new NodeA()
    node.hold(1)
    await node.to('BC')
    node.seen.set(cid, 'BC')
    node.duringAsk = () => void node.to('DE')
    await node.release()
    expect([node.done, node.holding.leaving]).to.deep.equal([[], 1])
  })

  it('asks less and less often, and of a bounded number at once', async () => {
    const node = new NodeA()
    for (let number = 1; number <= 100; number++) {
      node.hold(number)
      await node.to('BC', number)
    }
    const asked: number[] = []
    for (let second = 0; second < 60; second += 2) {
      node.now = second * 1000
      const before = node.asked
      await node.release()
      asked.push(node.asked - before)
    }
    expect(Math.max(...asked)).to.equal(64)
    const sum = (some: number[]) => some.reduce((a, b) => a + b)
    expect([sum(asked.slice(0, 15)), sum(asked.slice(15))]).to.deep.equal([400, 100])
  })

  it('after a start finds what moved away meanwhile, what is missing, and what is held in another way', async () => {
    const node = new NodeA()
    for (const number of [1, 2, 3, 4, 5]) pin(node.replica, number, { max: 2, allocations: ['A', 'B'].map(peer) })
    pin(node.replica, 1, { max: 2, allocations: ['B', 'C'].map(peer) })
    node.hold(1)
    node.hold(2)
    node.hold(3, 'failed')
    node.hold(4, 'pinned', 'direct')
    node.replica.run({ type: 'pin-unset', cid: cidOf(5) })
    node.hold(5)
    await node.holding.compare(signal)
    expect(node.done).to.deep.equal(['want 3 recursive', 'want 4 recursive', 'drop 5'])
    expect(node.holding.leaving).to.equal(1)
  })

  describe('where a snapshot took the place of the state, and nothing was told of what it changed', () => {
    const toUs = (node: NodeA) => pin(node.replica, 1, { min: 1, max: 2, allocations: [peer('A'), peer('B')] })

    it('what was on its way out and is ours again stays', async () => {
      const node = new NodeA()
      node.hold(1)
      await node.to('BC')
      node.seen.set(cid, 'BC')
      toUs(node)
      await node.release()
      expect(node.done).to.deep.equal([])
      await node.holding.compare(signal)
      expect([node.done, node.holding.leaving]).to.deep.equal([['want 1 recursive'], 0])
    })

    it('what was to be unpinned and is ours again is wanted, and what was wanted and is gone is dropped', async () => {
      const node = new NodeA()
      node.hold(1)
      toUs(node)
      node.tracked.add(cid).add(cidOf(2))
      await node.holding.compare(signal)
      expect(node.done).to.deep.equal(['drop 2', 'want 1 recursive'])
    })
  })
})
