import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { decide } from '../../../node/coherence/global/decision.ts'
import { weightedSum } from '../../../node/coherence/global/weighted-sum.ts'
import { agree, countedReport, createEpochPorts } from '../../../node/mesh/epoch-ports.ts'
import { isReport, readReport, signReport, type PhaseReport } from '../../../protocols/phase/index.ts'
import { MESH, reportBy } from '../phase/reports.ts'

const Q30 = 2 ** 30

describe('ports of epochs', () => {
  it('agree to the bit with the live T_global, silent weight counted as zero', () => {
    const at = (magnitude: number, angle: number) => ({
      re: Math.round(magnitude * Math.cos(angle) * Q30),
      im: Math.round(magnitude * Math.sin(angle) * Q30),
    })
    const ts = [at(0.99, 0.1), at(0.98, 0.2), at(0.3, 2), at(0.985, 0.15)]
    const [threshold, totalWeight] = [0.95, 10_000]
    const live = ts.map((t, i) => ({ peer: `${i}`, weight: 1000 * (i + 1) - (i === 3 ? 500 : 0), t }))
    const silent = { peer: '', weight: 500, t: { re: 0, im: 0 } }
    const { median, collapsed, agreeingWeight } = decide(live, { threshold, totalWeight })
    const t = weightedSum([...live, silent])
    const columns = live.map(({ weight, t }) => ({ weight, ...t }))
    expect(agree(columns, Math.round(threshold * Q30), totalWeight)).to.deep.equal({
      t: [t.re, t.im],
      median: [median.re, median.im],
      agreeingWeight,
      collapsed,
    })
    expect(agree([], Math.round(threshold * Q30), totalWeight)).to.deep.equal({
      t: [0, 0],
      median: [0, 0],
      agreeingWeight: 0,
      collapsed: false,
    })
  })

  it('open a report whose T_sync is the mean of its halves, and no other', async () => {
    const key = await generateKeyPair('Ed25519')
    const { openReport } = createEpochPorts(MESH)
    const opened = async (change: Partial<PhaseReport>) => openReport(await signReport(key, reportBy(key, change)), '')
    expect(await opened({ epoch: 9 })).to.deep.equal({ author: key.publicKey.raw, epoch: 9, t: [2 ** 29, 0] })
    expect(await opened({ sync: [2 ** 28, 0] })).to.equal(undefined)
    expect(await opened({ master: null, alignment: null })).to.equal(undefined)
    expect(await opened({ mesh: Buffer.from('other') })).to.equal(undefined)
  })

  it('count what gossip has checked as if it came in a block', async () => {
    const key = await generateKeyPair('Ed25519')
    const { openReport } = createEpochPorts(MESH)
    for (const change of [{}, { sync: [1, 0] as [number, number] }]) {
      const envelope = await signReport(key, reportBy(key, change))
      const report = readReport(envelope, MESH)
      if (!isReport(report)) throw new Error(report.kind)
      expect(countedReport(report)).to.deep.equal(openReport(envelope, ''))
    }
  })
})
