import { expect } from 'chai'
import * as fc from 'fast-check'
import {
  certificateCodec,
  checkFinal,
  evidenceCodec,
  MAX_STATE_BYTES,
  openBlock,
  applyBlock,
  stateCodec,
  totalPower,
  type Change,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import { keysOf, TestMesh, type TestNode } from '../../unit/epoch/mesh.ts'

const BLOCKS = 200
const CELLS = ['a', 'b', 'c', 'd', 'e', 'f']

const step = fc.record({
  kind: fc.constantFrom('reports', 'move', 'vote', 'vote', 'attest', 'evidence', 'none'),
  round: fc.nat({ max: 4 }),
  pick: fc.nat(),
  cell: fc.constantFrom(...CELLS),
  weight: fc.integer({ min: 1, max: 4 }),
  clock: fc.integer({ min: -3000, max: 3000 }),
  isYes: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Nodes of cells that may come in; those of the genesis have the first of them. */
function pool(mesh: TestMesh): void {
  for (const cell of CELLS) if (!mesh.cells.has(cell)) mesh.newCell(cell, 3)
}

function change({ pick, cell, weight }: Step, mesh: TestMesh): Change {
  if (pick % 5 === 0) return { type: 'operator-remove', cell }
  if (pick % 5 === 1) return { type: 'policy-set', policy: { maxValidators: 1 + (pick % 4) } }
  const members = mesh.operator(cell) === undefined ? keysOf(mesh.cell(cell)) : []
  return { type: 'operator-set', name: `${cell}${pick % 3}`, cell, weight, members }
}

/** What is submitted in an epoch; much of it is not valid then, and must be left out. */
function pending(mesh: TestMesh, it: Step) {
  const by = mesh.validators[it.pick % mesh.validators.length]!
  if (it.kind === 'move') return { governance: [mesh.move(by, change(it, mesh), { expires: mesh.state.height + 20 })] }
  if (it.kind === 'vote') {
    const motion = mesh.state.motions.at(it.pick % Math.max(1, mesh.state.motions.length))
    return motion === undefined ? {} : { governance: mesh.validators.map((node) => mesh.vote(node, motion, it.isYes)) }
  }
  if (it.kind === 'attest' && mesh.operator(it.cell) !== undefined) return { attestations: [attestation(mesh, it)] }
  if (it.kind === 'evidence' && it.pick % 16 === 0)
    return { evidence: [evidenceCodec.encode(mesh.doubleVote(by, Math.max(1, mesh.state.height)))] }
  return {}
}

function attestation(mesh: TestMesh, { cell, pick }: Step): Uint8Array {
  const nodes = mesh.cell(cell)
  const members = keysOf(nodes.filter((_, at) => (pick >> at) % 7 !== 0))
  const recorded = mesh.operator(cell).members.map((key) => mesh.node(key))
  const revoked = pick % 11 === 0 ? keysOf(nodes.slice(0, 1)) : []
  return mesh.attest(mesh.attestation(cell, { members, validators: members.slice(0, 2), revoked }), recorded)
}

function quorum(mesh: TestMesh, { pick }: Step): TestNode[] {
  const { validators } = mesh.state
  const without = validators[pick % validators.length]!
  const isEnough = (totalPower(validators) - without.power) * 3 > totalPower(validators) * 2
  return mesh.validators.filter(({ key }) => !isEnough || key !== without.key)
}

describe('epoch: the record', function () {
  this.timeout(240_000)

  it(`has every node at the same state, byte for byte, after ${BLOCKS} random epochs`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: BLOCKS, maxLength: BLOCKS }), (steps) => {
        const mesh = new TestMesh({ a: 2, b: 1, c: 1, d: 1 })
        pool(mesh)
        let [follower, restarted]: MeshState[] = [mesh.state, mesh.state]
        let last = mesh.state.time
        for (const it of steps) {
          const members = follower!.operators.flatMap((operator) => operator.members.map((key) => mesh.node(key)))
          const reports =
            it.kind === 'reports' ? members.map((node, at) => mesh.report(node, [at * 1000, it.pick % 100_000])) : []
          const block = mesh.advance({
            round: it.round,
            pending: pending(mesh, it),
            holds: () => reports,
            clock: () => mesh.state.time + it.clock,
            signers: quorum(mesh, it),
          })
          const { bytes, certificate } = mesh.finals.at(-1)!
          const followed = checkFinal(follower!, [bytes, certificateCodec.encode(certificate)], mesh.ports.verify)
          if (typeof followed === 'string') throw new Error(followed)
          follower = followed.state
          const opened = openBlock(bytes)
          if (typeof opened === 'string') throw new Error(opened)
          restarted = stateCodec.decode(stateCodec.encode(applyBlock(restarted!, opened)))
          expect(block.header.time).to.be.above(last)
          last = block.header.time
        }
        const bytes = stateCodec.encode(mesh.state)
        expect(stateCodec.encode(follower!)).to.deep.equal(bytes)
        expect(stateCodec.encode(restarted!)).to.deep.equal(bytes)
        expect(bytes.length).to.be.at.most(MAX_STATE_BYTES)
        expect(mesh.state.validators.length).to.be.within(1, 64)
      }),
      { numRuns: 5, endOnFailure: true },
    )
  })
})
