import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { SnapshotGate, type Offer } from '../../../protocols/raft/snapshot-gate.ts'
import { until } from '../../helpers/libp2p-pair.ts'

const from = peerIdFromString('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5')
const configuration = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [] }

describe('the gate of offered snapshots', () => {
  let events: string[]
  let running: { index: number; signal: AbortSignal; done: PromiseWithResolvers<void> }[]
  let gate: SnapshotGate

  const offer = (index: number, term = 1): Offer => ({
    meta: { index, term, configuration, root: new Uint8Array(36) },
    from,
    deliver: () => void events.push(`deliver ${index}`),
    settled: (ok) => void events.push(`${ok ? 'took' : 'lost'} ${index}`),
  })

  beforeEach(() => {
    events = []
    running = []
    gate = new SnapshotGate(async ({ index }, _from, signal) => {
      const done = Promise.withResolvers<void>()
      running.push({ index, signal, done })
      await done.promise
    })
  })

  it('delivers a message when the blocks are here, and only then', async () => {
    gate.offer(offer(5))
    expect(events).to.deep.equal([])
    running[0]?.done.resolve()
    await until(() => events.length === 2)
    expect(events).to.deep.equal(['deliver 5', 'took 5'])
  })

  it('fetches the same offer once', async () => {
    gate.offer(offer(5))
    gate.offer(offer(5))
    running[0]?.done.resolve()
    await until(() => events.length === 2)
    expect(running).to.have.length(1)
  })

  it('aborts an older fetch for a newer offer, and starts the newest of those that came meanwhile after its end', async () => {
    for (const index of [5, 6, 7]) gate.offer(offer(index))
    expect(running.map(({ index, signal }) => [index, signal.aborted])).to.deep.equal([[5, true]])
    expect(events).to.deep.equal(['lost 6'])
    running[0]?.done.resolve()
    await until(() => running.length === 2)
    running[1]?.done.resolve()
    await until(() => events.length === 4)
    expect(events).to.deep.equal(['lost 6', 'lost 5', 'deliver 7', 'took 7'])
  })

  it('refuses an older offer while a newer is fetched', () => {
    gate.offer(offer(5))
    gate.offer(offer(4))
    expect(events).to.deep.equal(['lost 4'])
  })

  it('says that a fetch failed, and takes the same offer again', async () => {
    gate.offer(offer(5))
    running[0]?.done.reject(new Error('gone'))
    await until(() => events.length === 1)
    expect(events).to.deep.equal(['lost 5'])
    gate.offer(offer(5))
    await until(() => running.length === 2)
    running[1]?.done.resolve()
    await until(() => events.length === 3)
    expect(events.slice(1)).to.deep.equal(['deliver 5', 'took 5'])
  })
})
