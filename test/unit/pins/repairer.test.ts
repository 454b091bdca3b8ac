import { expect } from 'chai'
import type { AgreedPin } from '../../../consensus/state/index.ts'
import type { Observer } from '../../../node/pins/observe.ts'
import { Repairer } from '../../../node/pins/repairer.ts'
import { peer, type Body } from '../state/cell.ts'
import { cellOf, holders, pin } from '../state/pins.ts'

const { signal } = new AbortController()
const SEEN = { name: '', reason: null, attempts: 0, since: '', progress: null, proven: null }
const PINS = 100

/** The leader of a cell of four, B of which is away; each pin is at A and B. */
function leader(movesPerMinute: number) {
  const replica = cellOf('ABCD')
  for (let number = 0; number < PINS; number++)
    pin(replica, number, { min: 2, max: 2, allocations: [peer('A'), peer('B')] })
  const time = { now: 0 }
  const asked: number[] = []
  const repairer = new Repairer({
    cell: {
      get tree() {
        return replica.tree
      },
      applied: 0,
      isLeader: true,
      read: async () => {},
      submit: async (request) => replica.run(request as Body),
      subscribe: () => () => {},
    },
    mesh: { self: peer('A'), isConnected: (peerId: string) => peerId !== peer('B') } as never,
    observer: {
      async statuses(found: readonly AgreedPin[]) {
        asked.push(found.length)
        return found.map(({ cid }) => ({ cid, copies: [{ ...SEEN, peerId: peer('A'), status: 'pinned' }] }))
      },
    } as unknown as Observer,
    proofs: { provenAt: () => undefined, badCopies: () => [] },
    policy: { enabled: true, rebalance: false, graceMs: 1, movesPerMinute },
    log: { debug: () => {} } as never,
    now: () => time.now,
  })
  const step = (): Promise<number> => {
    time.now += 60_000
    repairer.watch()
    return repairer.step(signal)
  }
  const lost = (): number =>
    Array.from({ length: PINS }, (_, number) => holders(replica, number)).filter((names) => names!.includes('B')).length
  return { step, asked, lost, replica }
}

describe('pins: repair', () => {
  it('asks about no more pins than it may soon move, and comes to all of them', async () => {
    const { step, asked, lost, replica } = leader(10)
    await step()
    const left = [lost()]
    while (left.at(-1)! > 0 && left.length < 30) {
      expect(await step()).to.be.at.most(10)
      left.push(lost())
    }
    expect(left.at(-1)).to.equal(0)
    expect(Math.max(...asked)).to.equal(20)
    expect(holders(replica, 0)).to.match(/^A[CD]$/)
  })
})
