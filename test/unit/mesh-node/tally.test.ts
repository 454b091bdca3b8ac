import { expect } from 'chai'
import { MeshTally } from '../../../node/mesh/tally.ts'

describe('what is told of messages that were refused', () => {
  it('counts what breaks a rule; what is only late is told, and accuses nobody', () => {
    const tally = new MeshTally()
    const told: string[] = []
    tally.observe.onRefused = (code) => told.push(code)
    const late = ['E_BFT_DROPPED', 'E_ATTESTATION_STALE', 'E_GOVERNANCE_KNOWN', 'E_REPORT_EPOCH']
    for (const code of late) tally.refused(code)
    expect(tally.counters.refusedMessages).to.equal(0)
    const faults = ['E_BFT_SIGNATURE', 'E_ATTESTATION_SIGNATURE', 'E_REPORT_UNCOUNTED']
    for (const code of faults) tally.refused(code)
    expect(tally.counters.refusedMessages).to.equal(faults.length)
    expect(told).to.deep.equal([...late, ...faults])
  })
})
