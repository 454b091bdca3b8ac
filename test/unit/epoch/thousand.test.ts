import { expect } from 'chai'
import { applyBlock, checkBlock, openBlock, reportersAfter, type MeshState } from '../../../consensus/epoch/index.ts'
import { keysOf, TestMesh } from './mesh.ts'

const CELLS = 16
const NODES = 63

/** Sixteen operators with a thousand nodes, one validator of each of the first four. */
function large(): TestMesh {
  const names = Array.from({ length: CELLS }, (_, at) => `cell-${String.fromCharCode(97 + at)}`)
  const mesh = new TestMesh(Object.fromEntries(names.map((name) => [name, 1])))
  const operators = mesh.state.operators.map((operator, at) => ({
    ...operator,
    members: keysOf(mesh.newCell(operator.cell, NODES)),
    validators: at < 4 ? operator.validators : [],
  }))
  const decides = (key: Uint8Array): boolean =>
    operators.some(({ validators }) => validators.some((validator) => Buffer.compare(validator, key) === 0))
  const validators = mesh.state.validators.filter(({ key }) => decides(key))
  mesh.state = { ...mesh.state, operators, validators, nextValidators: validators } satisfies MeshState
  return mesh
}

describe('epoch: a thousand reports', () => {
  it('are named, carried, verified and recomputed', () => {
    const mesh = large()
    const reports = mesh.nodes.map((node, at) => mesh.report(node, [2 ** 29, at * 1000]))
    mesh.advance({ holds: () => reports })
    const { bytes } = mesh.build()
    const started = performance.now()
    const block = openBlock(bytes)
    if (typeof block === 'string') throw new Error(block)
    expect(checkBlock(mesh.state, block, mesh.ports)).to.equal(undefined)
    const ms = performance.now() - started
    expect(block.reports).to.have.length(CELLS * NODES)
    expect(block.header.decision.reportingWeight).to.be.above(block.header.decision.totalWeight * 0.9999)
    console.log(`      ${block.reports.length} reports, ${bytes.length} bytes: read and checked in ${ms.toFixed(0)} ms`)
    expect(applyBlock(mesh.state, block).reporters).to.deep.equal(reportersAfter(mesh.state))
  })
})
