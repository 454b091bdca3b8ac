import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { InboundLanes } from '../../../protocols/shared/inbound-lanes.ts'

describe('the inbound lanes', () => {
  const stream = (name: string, aborted: string[]) => ({ abort: () => void aborted.push(name) }) as unknown as Stream

  it('serve a newer stream of a lane when what the older one has in hand is finished', async () => {
    const lanes = new InboundLanes('E_RAFT_REPLACED', 5_000)
    const [aborted, served]: [string[], string[]] = [[], []]
    const inHand = Promise.withResolvers<void>()
    const older = lanes.run('a', stream('older', aborted), () => inHand.promise)
    const newer = lanes.run('a', stream('newer', aborted), async () => void served.push('newer'))
    expect([aborted, served]).to.deep.equal([['older'], []])
    inHand.resolve()
    expect(await Promise.all([older, newer])).to.deep.equal([true, true])
    expect([aborted, served]).to.deep.equal([['older'], ['newer']])
  })

  it('let only one stream wait for another', async () => {
    const lanes = new InboundLanes('E_RAFT_REPLACED', 5_000)
    const inHand = Promise.withResolvers<void>()
    const older = lanes.run('a', stream('older', []), () => inHand.promise)
    const newer = lanes.run('a', stream('newer', []), async () => {})
    expect(await lanes.run('a', stream('newest', []), async () => {})).to.equal(false)
    inHand.resolve()
    expect(await Promise.all([older, newer])).to.deep.equal([true, true])
  })

  it('are free again after a stream that failed, and do not know of each other', async () => {
    const lanes = new InboundLanes('E_RAFT_REPLACED', 5_000)
    const failed = lanes.run('a', stream('a', []), () => Promise.reject(new Error('broken')))
    expect(await lanes.run('b', stream('b', []), async () => {})).to.equal(true)
    expect(await failed.catch((error: unknown) => String(error))).to.equal('Error: broken')
    const aborted: string[] = []
    expect(await lanes.run('a', stream('again', aborted), async () => {})).to.equal(true)
    expect(aborted).to.deep.equal([])
  })
})
