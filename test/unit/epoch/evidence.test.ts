import { expect } from 'chai'
import { Draft } from '../../../consensus/epoch/draft.ts'
import { applyEvidence } from '../../../consensus/epoch/evidence.ts'
import {
  DOMAIN,
  EVIDENCE_HEIGHTS,
  evidenceCodec,
  evidenceOf,
  proposalBody,
  type Evidence,
} from '../../../consensus/epoch/index.ts'
import type { Proposal, Vote } from '../../../consensus/mesh/engine.ts'
import { TestMesh, TestNode } from './mesh.ts'

describe('epoch: evidence', () => {
  let mesh: TestMesh
  let liar: TestNode
  beforeEach(() => {
    mesh = new TestMesh({ a: 2, b: 1, c: 1 })
    liar = mesh.cell('a')[0]!
    mesh.advance()
    mesh.advance()
  })

  const code = (evidence: Evidence): string | undefined =>
    applyEvidence(new Draft(mesh.state), evidenceCodec.encode(evidence), mesh.ports)
  const include = (evidence: Evidence): unknown =>
    mesh.advance({ pending: { evidence: [evidenceCodec.encode(evidence)] } })

  it('of a double vote puts its author out for good', () => {
    include(mesh.doubleVote(liar, 2))
    expect(mesh.state.out).to.deep.equal([liar.key])
    expect(mesh.operator('a').members).to.deep.equal([mesh.cell('a')[1]!.key])
    mesh.advance()
    expect(mesh.validators).to.not.include(liar)
    expect(code(mesh.doubleVote(liar, 1))).to.equal('E_EVIDENCE_KNOWN')
    const members = mesh.cell('a').map(({ key }) => key)
    const attestation = mesh.attestation('a', { members: members.sort(Buffer.compare) })
    const attestations = [mesh.attest(attestation, mesh.cell('a').slice(1))]
    expect(mesh.advance({ pending: { attestations } }).attestations).to.deep.equal([])
  })

  it('of two proposals does so too', () => {
    const proposal = (value: Uint8Array): Proposal => {
      const [height, round, polRound] = [2, 0, -1]
      const signature = liar.sign(DOMAIN.proposal, proposalBody(mesh.mesh, { height, round, polRound, value }))
      return { type: 'proposal', height, round, polRound, value, validator: liar.key, signature }
    }
    const [first, second] = [proposal(mesh.state.head), proposal(mesh.mesh)]
    const evidence = evidenceOf({ type: 'proposals', first, second })!
    expect(evidenceOf({ type: 'proposals', first: second, second: first })).to.deep.equal(evidence)
    expect(evidenceOf({ type: 'proposals', first, second: first })).to.equal(undefined)
    include(evidence)
    expect(mesh.state.out).to.deep.equal([liar.key])
  })

  it('has one form, whoever saw which vote first', () => {
    const { first, second, height, round } = mesh.doubleVote(liar, 2, 'precommit')
    const vote = ({ value, signature }: typeof first): Vote => ({
      type: 'vote',
      kind: 'precommit',
      height,
      round,
      validator: liar.key,
      value,
      signature,
      extension: undefined,
    })
    const seen = [vote(first), vote(second)] as [Vote, Vote]
    const one = evidenceOf({ type: 'votes', first: seen[0], second: seen[1] })!
    const other = evidenceOf({ type: 'votes', first: seen[1], second: seen[0] })!
    expect(evidenceCodec.encode(one)).to.deep.equal(evidenceCodec.encode(other))
    expect(code(one)).to.equal(undefined)
  })

  it('is refused when forged, of a height to come or long past, or against a stranger', () => {
    const good = mesh.doubleVote(liar, 2)
    const signature = good.first.signature.map((byte, at) => (at === 50 ? byte ^ 1 : byte))
    expect(code({ ...good, first: { ...good.first, signature } } as Evidence)).to.equal('E_EVIDENCE_SIGNATURE')
    expect(code({ ...good, round: 1 })).to.equal('E_EVIDENCE_SIGNATURE')
    expect(code({ ...good, validator: mesh.cell('b')[0]!.key })).to.equal('E_EVIDENCE_SIGNATURE')
    expect(code(mesh.doubleVote(liar, 3))).to.equal('E_EVIDENCE_HEIGHT')
    expect(code(mesh.doubleVote(new TestNode('x', 'x'), 2))).to.equal('E_EVIDENCE_STRANGER')
    const old = new Draft({ ...mesh.state, height: EVIDENCE_HEIGHTS + 2 })
    expect(applyEvidence(old, evidenceCodec.encode(good), mesh.ports)).to.equal('E_EVIDENCE_HEIGHT')
    expect(applyEvidence(old, Uint8Array.of(0), mesh.ports)).to.equal('E_EVIDENCE_MALFORMED')
  })

  it('only stands in the record where the policy says so, or nobody would be left', () => {
    mesh.carry({ type: 'policy-set', policy: { doubleVote: 'note' } })
    mesh.advance()
    include(mesh.doubleVote(liar, 2))
    expect(mesh.state.out).to.deep.equal([])

    const one = new TestMesh({ a: 1 })
    one.advance()
    const evidence = evidenceCodec.encode(one.doubleVote(one.nodes[0]!, 1))
    expect(one.advance({ pending: { evidence: [evidence] } }).evidence).to.deep.equal([evidence])
    expect(one.state.out).to.deep.equal([])
    one.advance()
  })
})
