import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { pinOf } from '../../../consensus/state/index.ts'
import { Recovery } from '../../../node/pins/recovery.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { peer } from '../state/cell.ts'
import { cellOf, cidOf, pin } from '../state/pins.ts'

const { signal } = new AbortController()
const cid = cidOf(1)

/** Node A of a cell of four, D of which is away; pin 1 is to be at A and B. */
function nodeA({ failed = ['A', 'B', 'C'], refusal }: { failed?: string[]; refusal?: string } = {}) {
  const replica = cellOf('ABCD')
  pin(replica, 1, { min: 2, max: 2, allocations: [peer('A'), peer('B')] })
  const done: string[] = []
  const known = async () => pinOf(replica.tree, cid)!
  const never = () => Promise.reject(new Error('not to be asked'))
  const states = { read: 0 }
  const recovery = new Recovery({
    cell: { tree: replica.tree },
    mesh: {
      self: peer('A'),
      nameOf: () => 'beta',
      isConnected: (peerId) => peerId !== peer('D'),
      recoverAt: async (peerId, one) => {
        if (refusal !== undefined) throw new CodedError(refusal, 'no')
        const name = ['B', 'C', 'D'].find((name) => peer(name) === peerId)
        done.push(`${name} ${one ?? 'all'}`)
        return failed.includes(name!) ? 1 : 0
      },
    },
    agreed: { pin: () => ((states.read += 1), known()) },
    applied: { pin: known },
    local: { get: never },
    tracker: {
      recover: (one) => (done.push(`A ${one ?? 'all'}`), failed.includes('A') ? 1 : 0),
      statusOf: () => ({ status: 'pin_error', reason: null, attempts: 1, since: 0, progress: null }),
    },
    holding: { follow: never },
  })
  return { recovery, done, states }
}

describe('pins: trying again', () => {
  it('one pin is tried again by those that are to hold it, and by nobody else', async () => {
    const { recovery, done } = nodeA()
    expect(await recovery.run(cid, { local: false }, signal)).to.equal(2)
    expect(done).to.deep.equal([`A ${cid}`, `B ${cid}`])
  })

  it('without a name each member that is there is asked once', async () => {
    const { recovery, done } = nodeA({ failed: ['C'] })
    expect(await recovery.run(undefined, { local: false }, signal)).to.equal(1)
    expect(done.toSorted()).to.deep.equal(['A all', 'B all', 'C all'])
  })

  it('here alone asks nobody, the cell neither', async () => {
    const { recovery, done, states } = nodeA()
    expect(await recovery.run(cid, { local: true }, signal)).to.equal(1)
    expect([done, states.read]).to.deep.equal([[`A ${cid}`], 0])
  })

  it('says who did not; to whom the pin is new, it is not yet to be tried again', async () => {
    const refused = async (refusal: string) =>
      nodeA({ refusal })
        .recovery.run(cid, { local: false }, signal)
        .catch((error: CodedError) => `${error.code} ${error.message}`)
    expect(await refused('E_PINS_BUSY')).to.equal('E_PINS_BUSY beta did not try again: no')
    expect(await refused('E_PIN_UNKNOWN')).to.equal(1)
  })

  it('what this node is to hold and has lost is wanted anew', async () => {
    const replica = cellOf('A')
    pin(replica, 1, { min: 1, max: 1, allocations: [peer('A')] })
    const found = async () => pinOf(replica.tree, cid)!
    const followed: string[] = []
    const recovery = new Recovery({
      cell: { tree: replica.tree },
      mesh: { self: peer('A'), nameOf: String, isConnected: () => true, recoverAt: async () => 0 },
      agreed: { pin: found },
      applied: { pin: found },
      local: { get: async (one: CID) => void one },
      tracker: { recover: () => 0, statusOf: () => undefined },
      holding: { follow: async (one) => void followed.push(one) },
    })
    expect(await recovery.run(cid, { local: false }, signal)).to.equal(1)
    expect(followed).to.deep.equal([cid])
  })
})
