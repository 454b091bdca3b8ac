import { expect } from 'chai'
import { maxNames } from '../../../consensus/epoch/certificate.ts'
import {
  digestOf,
  extensionCodec,
  PendingPool,
  reportersAfter,
  ReportPool,
  type ComplexQ30,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import type { Equivocation, Vote } from '../../../consensus/mesh/engine.ts'
import { keysOf, TestMesh, TestNode } from './mesh.ts'

const T: ComplexQ30 = [5, 6]

describe('epoch: the pool of reports', () => {
  let mesh: TestMesh
  let pool: ReportPool
  let node: TestNode
  beforeEach(() => {
    mesh = new TestMesh({ a: 2, b: 1 })
    mesh.advanceTo(3)
    pool = new ReportPool(mesh.state, mesh.ports.openReport)
    node = mesh.nodes[0]!
  })

  it('holds those of the last epoch but one to the next but one, and of members only', () => {
    for (const epoch of [2, 3, 4, 5]) expect(pool.put(mesh.report(node, T, epoch))).to.equal(undefined)
    for (const epoch of [1, 6]) expect(pool.put(mesh.report(node, T, epoch))).to.equal('E_REPORT_EPOCH')
    expect(pool.put(mesh.report(new TestNode('x', 'x'), T))).to.equal('E_REPORT_UNCOUNTED')
    expect(pool.size).to.equal(4)
    mesh.advance()
    pool.enter(mesh.state)
    expect(pool.size).to.equal(3)
  })

  it('holds no third of an author, none twice, and none that does not hold', () => {
    const two = [1, 2].map((seq) => mesh.report(node, T, 4, seq))
    for (const bytes of two) expect(pool.put(bytes)).to.equal(undefined)
    expect(pool.put(two[0]!)).to.equal('E_REPORT_KNOWN')
    expect(pool.put(mesh.report(node, T, 4, 3))).to.equal('E_REPORT_KNOWN')
    const forged = mesh.report(mesh.nodes[1]!, T)
    forged[forged.length - 1]! ^= 1
    expect(pool.put(forged)).to.equal('E_REPORT_MALFORMED')
    expect(pool.put(new Uint8Array(513))).to.equal('E_REPORT_MALFORMED')
    expect(pool.read(4, [digestOf(two[1]!), digestOf(forged)])).to.deep.equal([two[1]])
  })

  it('names what it holds of the epoch that is decided, and no more than there is room for', () => {
    const reports = mesh.nodes.map((each) => mesh.report(each, T, 4))
    const second = mesh.report(node, T, 4, 2)
    for (const bytes of [...reports, second, mesh.report(node, T, 3)]) pool.put(bytes)
    const extension = extensionCodec.decode(pool.extension(7.9))
    const numbers = reportersAfter(mesh.state).map(({ key }) => key)
    expect(extension.time).to.equal(7)
    const digests = [...reports, second].map((bytes) => Buffer.from(digestOf(bytes)).toString('hex'))
    expect(extension.reports.map(([, digest]) => Buffer.from(digest).toString('hex'))).to.have.members(digests)
    const doubled = numbers.findIndex((key) => Buffer.compare(key, node.key) === 0)
    expect(extension.reports.filter(([reporter]) => reporter === doubled)).to.have.length(2)
  })

  it('gives each operator reporters where not all members of all have room', () => {
    const validators = Array.from({ length: 64 }, (_, at) => ({ key: new Uint8Array(32).fill(at), power: 1 }))
    const operators = Array.from({ length: 20 }, (_, cell) => ({
      ...mesh.state.operators[0]!,
      cell: `c${100 + cell}`,
      members: Array.from({ length: 50 }, (_, at) => new Uint8Array(32).fill(at).fill(cell, 0, 1)),
    }))
    const wide: MeshState = { ...mesh.state, validators, operators }
    const reporters = reportersAfter(wide)
    expect(reporters).to.have.length(maxNames(64))
    for (const { cell } of operators) {
      expect(reporters.filter((reporter) => reporter.cell === cell).length).to.be.within(10, 11)
    }
  })

  it('knows whether anybody says something else than in the last block', () => {
    expect(pool.isMoving).to.equal(false)
    const reports = mesh.nodes.map((each) => mesh.report(each, T, 4))
    for (const bytes of reports) pool.put(bytes)
    expect(pool.isMoving).to.equal(true)
    mesh.advance({ holds: () => reports })
    pool.enter(mesh.state)
    const block = mesh.advance()
    pool.enter(mesh.state, block.reports)
    expect(pool.isMoving).to.equal(false)
    pool.put(mesh.report(node, T, 6))
    expect(pool.isMoving).to.equal(false)
    pool.put(mesh.report(mesh.nodes[1]!, [6, 6], 6))
    expect(pool.isMoving).to.equal(true)
  })
})

describe('epoch: what waits for a block', () => {
  let mesh: TestMesh
  let pool: PendingPool
  beforeEach(() => {
    mesh = new TestMesh({ a: 2, b: 1 })
    mesh.advanceTo(2)
    pool = new PendingPool(mesh.state, mesh.ports)
  })

  const policy = (epochMs: number, by = mesh.cell('a')[0]!): Uint8Array =>
    mesh.move(by, { type: 'policy-set', policy: { epochMs } })

  it('tells who submits a command why it is not taken, and forgets it once it is in the record', () => {
    const move = policy(50)
    expect(pool.isBusy).to.equal(false)
    expect(pool.putGovernance(move)).to.equal(undefined)
    expect(pool.isBusy).to.equal(true)
    expect(pool.putGovernance(move)).to.equal('E_GOVERNANCE_PENDING')
    expect(pool.putGovernance(policy(20_000))).to.equal('E_GOVERNANCE_POLICY')
    expect(pool.putGovernance(policy(50, new TestNode('x', 'x')))).to.equal('E_GOVERNANCE_STRANGER')
    const block = mesh.advance({ pending: pool.all })
    expect(block.governance).to.deep.equal([move])
    pool.enter(mesh.state, block)
    expect(pool.all.governance).to.deep.equal([])
    expect(pool.putGovernance(mesh.vote(mesh.cell('b')[0]!, mesh.state.motions[0]!))).to.equal(undefined)
  })

  it('holds no more commands of an author than it may', () => {
    const moves = [50, 51, 52, 53].map((ms) => policy(ms))
    for (const move of moves) expect(pool.putGovernance(move)).to.equal(undefined)
    expect(pool.putGovernance(policy(54))).to.equal('E_GOVERNANCE_MOTIONS')
  })

  it('holds the newest attestation of each cell, and is busy only when it says something new', () => {
    const attest = (some: Parameters<TestMesh['attestation']>[1]): Uint8Array =>
      mesh.attest(mesh.attestation('a', some), mesh.cell('a'))
    const [older, newer] = [attest({ index: 5 }), attest({ index: 6 })]
    expect(pool.putAttestation(older)).to.equal(undefined)
    expect(pool.isBusy).to.equal(false)
    expect(pool.putAttestation(newer)).to.equal(undefined)
    expect(pool.putAttestation(older)).to.equal('E_ATTESTATION_STALE')
    expect(pool.all.attestations).to.deep.equal([newer])
    expect(pool.putAttestation(attest({ index: 7, t: [1, 1] }))).to.equal(undefined)
    expect(pool.isBusy).to.equal(true)
    const block = mesh.advance({ pending: pool.all })
    pool.enter(mesh.state, block)
    expect(pool.all.attestations).to.deep.equal([])
    expect(pool.putAttestation(mesh.attest(mesh.attestation('a'), [mesh.cell('a')[0]!]))).to.equal(
      'E_ATTESTATION_MAJORITY',
    )
  })

  it('is busy until a new set decides', () => {
    const members = keysOf(mesh.cell('a').slice(0, 1))
    mesh.advance({
      pending: { attestations: [mesh.attest(mesh.attestation('a', { members, validators: members }), mesh.cell('a'))] },
    })
    pool.enter(mesh.state, { attestations: [], governance: [], evidence: [] })
    expect(pool.isBusy).to.equal(true)
    const block = mesh.advance()
    pool.enter(mesh.state, block)
    expect(pool.isBusy).to.equal(false)
  })

  it('keeps evidence of the height that is decided for the next, and never proposes it twice', () => {
    const seen = (height: number): Equivocation => {
      const { first, second, validator, round } = mesh.doubleVote(mesh.cell('a')[0]!, height)
      const vote = ({ value, signature }: typeof first): Vote => ({
        type: 'vote',
        kind: 'prevote',
        height,
        round,
        value,
        validator,
        signature,
        extension: undefined,
      })
      return { type: 'votes', first: vote(first), second: vote(second) }
    }
    mesh.carry({ type: 'policy-set', policy: { doubleVote: 'note' } })
    mesh.advance()
    pool.enter(mesh.state, { attestations: [], governance: [], evidence: [] })
    const found = seen(mesh.state.height + 1)
    pool.putEvidence(found)
    pool.putEvidence(found)
    expect(pool.all.evidence).to.have.length(1)
    const early = mesh.advance({ pending: pool.all })
    expect(early.evidence).to.deep.equal([])
    pool.enter(mesh.state, early)
    const block = mesh.advance({ pending: pool.all })
    expect(block.evidence).to.have.length(1)
    pool.enter(mesh.state, block)
    pool.putEvidence(found)
    expect(pool.all.evidence).to.deep.equal([])
    expect(pool.isBusy).to.equal(false)
  })
})
