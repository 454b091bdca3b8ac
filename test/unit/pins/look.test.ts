import { expect } from 'chai'
import { pinOf, type AgreedPin } from '../../../consensus/state/index.ts'
import { Look } from '../../../node/pins/look.ts'
import type { PinFilter, PinPage, PinStatus } from '../../../node/operations-pins.ts'
import { peer } from '../state/cell.ts'
import { cellOf, cidOf, pin } from '../state/pins.ts'

const { signal } = new AbortController()
const SEEN = { name: '', reason: null, attempts: 0, since: '', progress: null, proven: null }

/** Node A with pins, some of which have failed. */
function nodeA(count: number, failed: readonly number[]) {
  const replica = cellOf('AB')
  const numbers = Array.from({ length: count }, (_, number) => number)
  for (const number of numbers) pin(replica, number, { min: 1, max: 1, allocations: [peer('A')] })
  const all = numbers.map((number) => pinOf(replica.tree, cidOf(number))!)
  const calls = { agreed: 0, applied: 0, filters: [] as PinFilter[], asked: 0 }
  const pages = (from: 'agreed' | 'applied') => ({
    pin: async () => ((calls[from] += 1), all[0]!),
    async page(filter: PinFilter, { limit, after = '0' }: PinPage) {
      calls[from] += 1
      calls.filters.push(filter)
      const end = Number(after) + limit
      return { found: all.slice(Number(after), end), next: end < all.length ? String(end) : null }
    },
  })
  const status = async ({ cid, name, min, max }: AgreedPin) => {
    const status: PinStatus = failed.some((number) => cidOf(number) === cid) ? 'pin_error' : 'pinned'
    return { cid, name, replicationMin: min, replicationMax: max, pinned: 1, copies: [{ ...SEEN, peerId: '', status }] }
  }
  const look = new Look({
    mesh: { self: peer('A'), peerIdOf: peer },
    agreed: pages('agreed'),
    applied: pages('applied'),
    observer: {
      status,
      statuses: async (found) => ((calls.asked += found.length), Promise.all(found.map(status))),
    },
  })
  return { look, calls }
}

describe('pins: looking at many', () => {
  const wanted = { statuses: ['pin_error'] as const }

  it('a status that is rare is found, however many others come before', async () => {
    const { look } = nodeA(500, [333, 444])
    const { statuses, next } = await look.statuses(wanted, { limit: 100, local: false }, signal)
    expect([statuses.map(({ cid }) => cid), next]).to.deep.equal([[cidOf(333), cidOf(444)], null])
  })

  it('a page is never longer than was asked for, and goes on where it ended', async () => {
    const failed = Array.from({ length: 300 }, (_, at) => at).filter((at) => at % 3 > 0)
    const { look } = nodeA(300, failed)
    const found: string[] = []
    for (let after: string | null | undefined; after !== null;) {
      const more = after === undefined ? {} : { after }
      const { statuses, next } = await look.statuses(wanted, { limit: 10, local: false, ...more }, signal)
      expect(statuses.length).to.be.within(1, 10)
      found.push(...statuses.map(({ cid }) => cid))
      after = next
    }
    expect(found).to.deep.equal(failed.map(cidOf))
  })

  it('what nobody has is not sought through all at once', async () => {
    const { look, calls } = nodeA(5_000, [])
    const { statuses, next } = await look.statuses(wanted, { limit: 100, local: false }, signal)
    expect([statuses, next, calls.asked]).to.deep.equal([[], '1000', 1000])
  })

  it('of this node alone: what is allocated to it, as it is here, without asking the cell', async () => {
    const { look, calls } = nodeA(3, [])
    await look.statuses({ name: 'n' }, { limit: 10, local: true }, signal)
    await look.status(cidOf(0), { local: true }, signal)
    expect(calls).to.deep.include({ agreed: 0, applied: 2, filters: [{ name: 'n', allocatedTo: peer('A') }] })
    const other = await look.statuses({ allocatedTo: 'B' }, { limit: 10, local: true }, signal)
    expect([other, calls.applied]).to.deep.equal([{ statuses: [], next: null }, 2])
    await look.status(cidOf(0), { local: false }, signal)
    expect(calls.agreed).to.equal(1)
  })
})
