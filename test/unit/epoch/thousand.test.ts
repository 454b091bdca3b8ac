import { expect } from 'chai'
import { applyBlock, checkBlock, openBlock, reportersAfter } from '../../../consensus/epoch/index.ts'
import { largeMesh } from './large-mesh.ts'

describe('epoch: a thousand reports', () => {
  it('are named, carried, verified and recomputed', () => {
    const mesh = largeMesh()
    const reports = mesh.nodes.map((node, at) => mesh.report(node, [2 ** 29, at * 1000]))
    mesh.advance({ holds: () => reports })
    const { bytes } = mesh.build()
    const started = performance.now()
    const block = openBlock(bytes)
    if (typeof block === 'string') throw new Error(block)
    expect(checkBlock(mesh.state, block, mesh.ports)).to.equal(undefined)
    const ms = performance.now() - started
    expect(block.reports).to.have.length(mesh.nodes.length)
    expect(block.header.decision.reportingWeight).to.be.above(block.header.decision.totalWeight * 0.9999)
    console.log(`      ${block.reports.length} reports, ${bytes.length} bytes: read and checked in ${ms.toFixed(0)} ms`)
    expect(applyBlock(mesh.state, block).reporters).to.deep.equal(reportersAfter(mesh.state))
  })
})
