import { expect } from 'chai'
import { applyAttestation } from '../../../consensus/epoch/attestations.ts'
import { Draft } from '../../../consensus/epoch/draft.ts'
import type { Attestation } from '../../../consensus/epoch/index.ts'
import { keysOf, TestMesh, TestNode } from './mesh.ts'

describe('epoch: attestations', () => {
  let mesh: TestMesh
  let nodes: TestNode[]
  beforeEach(() => {
    mesh = new TestMesh({ a: 3, b: 1, c: 1 })
    nodes = mesh.cell('a')
    mesh.advance()
  })

  const code = (attestation: Attestation, signers = nodes): string | undefined =>
    applyAttestation(new Draft(mesh.state), mesh.attest(attestation, signers), mesh.ports)
  const take = (attestation: Attestation, signers = nodes): void =>
    void mesh.advance({ pending: { attestations: [mesh.attest(attestation, signers)] } })

  it('record what a majority of the recorded members says of its cell', () => {
    const root = new Uint8Array(36).fill(7)
    take(mesh.attestation('a', { root, index: 12, t: [5, -5] }), nodes.slice(0, 2))
    expect(mesh.operator('a').attested).to.deep.equal({ epoch: 1, index: 12, root, t: [5, -5] })
  })

  it('are refused when forged, short of a majority, or signed by a stranger', () => {
    const attestation = mesh.attestation('a')
    expect(code(attestation, nodes.slice(0, 1))).to.equal('E_ATTESTATION_MAJORITY')
    expect(code(attestation, [])).to.equal('E_ATTESTATION_MAJORITY')
    expect(code(attestation, [...nodes, mesh.cell('b')[0]!])).to.equal('E_ATTESTATION_STRANGER')
    const forged = mesh.attest(attestation, nodes)
    forged[forged.length - 1]! ^= 1
    expect(applyAttestation(new Draft(mesh.state), forged, mesh.ports)).to.equal('E_ATTESTATION_SIGNATURE')
    const half = new TestMesh({ a: 2 })
    half.advance()
    const two = half.attest(half.attestation('a'), half.cell('a').slice(0, 1))
    expect(applyAttestation(new Draft(half.state), two, half.ports)).to.equal('E_ATTESTATION_MAJORITY')
  })

  it('are refused when stale, of an epoch to come, of another mesh, or of no operator', () => {
    take(mesh.attestation('a', { epoch: 1, index: 5 }))
    expect(code(mesh.attestation('a', { epoch: 1, index: 5 }))).to.equal('E_ATTESTATION_STALE')
    expect(code(mesh.attestation('a', { epoch: 0, index: 9 }))).to.equal('E_ATTESTATION_STALE')
    expect(code(mesh.attestation('a', { epoch: 1, index: 6 }))).to.equal(undefined)
    expect(code(mesh.attestation('a', { epoch: 3 }))).to.equal('E_ATTESTATION_EPOCH')
    expect(code(mesh.attestation('a', { mesh: new Uint8Array(36) }))).to.equal('E_ATTESTATION_MESH')
    expect(code({ ...mesh.attestation('a'), cell: 'z' })).to.equal('E_ATTESTATION_CELL')
  })

  it('are refused with validators who are no members, too many, or keys that may not be', () => {
    const members = keysOf(nodes)
    const refused = (some: Partial<Attestation>): string | undefined => code(mesh.attestation('a', some))
    expect(refused({ members: members.slice(0, 1) })).to.equal('E_ATTESTATION_VALIDATORS')
    const eight = keysOf(Array.from({ length: 8 }, (_, at) => new TestNode('a', `many-${at}`)))
    expect(refused({ members: eight, validators: eight })).to.equal('E_ATTESTATION_VALIDATORS')
    expect(refused({ members: keysOf([...nodes, ...mesh.cell('b')]) })).to.equal('E_ATTESTATION_TAKEN')
    expect(refused({ members: [new Uint8Array(32), ...members] })).to.equal('E_ATTESTATION_KEY')
    expect(refused({ revoked: members.slice(0, 1) })).to.equal('E_ATTESTATION_REVOKED')
  })

  it('take members in and out: their validators decide two epochs later', () => {
    const fresh = new TestNode('a', 'a-9')
    mesh.cells.set('a', [...nodes, fresh])
    const members = keysOf([nodes[0]!, fresh])
    take(mesh.attestation('a', { members, validators: keysOf([fresh]) }))
    expect(mesh.operator('a')).to.deep.include({ members, validators: [fresh.key] })
    expect(mesh.state.nextValidators).to.have.length(3)
    mesh.advance()
    expect(mesh.validators).to.include(fresh)
    expect(mesh.validators).to.not.include(nodes[1])
    // Those that it took out have no say about the cell any more.
    expect(code(mesh.attestation('a'), nodes)).to.equal('E_ATTESTATION_STRANGER')
  })

  it('revoke keys of the cell: nobody takes them in again, and no other cell revokes them', () => {
    const [gone, ...left] = nodes as [TestNode, ...TestNode[]]
    const [members, foreign] = [keysOf(left), mesh.cell('c')[0]!.key]
    take(mesh.attestation('a', { members, validators: members, revoked: [gone.key, foreign].sort(Buffer.compare) }))
    const revoked = mesh.state.revoked.map(({ subject, cell, height }) => ({ subject, cell, height }))
    expect(revoked).to.have.deep.members([
      { subject: gone.key, cell: 'a', height: 2 },
      { subject: foreign, cell: 'a', height: 2 },
    ])
    expect(code(mesh.attestation('a', { members: keysOf(nodes) }), left)).to.equal('E_ATTESTATION_REVOKED')
    expect(code(mesh.attestation('c'), mesh.cell('c'))).to.equal(undefined)
  })

  it('revoke without end only what their own cell revoked: what others did stays', () => {
    const draft = new Draft(mesh.state)
    const subject = (at: number): Uint8Array => new Uint8Array(32).fill(at % 256).fill(at >> 8, 0, 1)
    draft.revoke('b', [subject(1), subject(2)])
    for (let at = 0; at < 5000; at += 50)
      draft.revoke(
        'c',
        Array.from({ length: 50 }, (_, i) => subject(at + i)),
      )
    expect(draft.revoked).to.have.length(4096)
    expect(draft.revoked.filter(({ cell }) => cell === 'b')).to.have.length(2)
    expect(draft.isRevoked(subject(4999), 'c')).to.equal(true)
    expect(draft.isRevoked(subject(0), 'c')).to.equal(false)
  })

  it('never leave the mesh without a validator', () => {
    const one = new TestMesh({ a: 1 })
    one.advance()
    const attestation = one.attest(one.attestation('a', { validators: [] }), one.cell('a'))
    expect(applyAttestation(new Draft(one.state), attestation, one.ports)).to.equal('E_ATTESTATION_LAST')
  })

  it('keep neither other cells nor commands waiting by their length, whatever their names', () => {
    const cells = Array.from({ length: 20 }, (_, at) => `c${10 + at}`)
    const many = new TestMesh(Object.fromEntries(cells.map((cell) => [cell, 1])))
    many.advance()
    const moves = ['x', 'y'].map((cell) => {
      const members = keysOf(Array.from({ length: 32 }, (_, at) => new TestNode(cell, `${cell}-${at}`)))
      return many.move(many.validators[0]!, { type: 'operator-set', name: cell, cell, weight: 1, members })
    })
    /** Together more than a block has room for, epoch after epoch. */
    const long = (cell: string): Uint8Array => {
      const revoked = Array.from({ length: 64 }, (_, at) =>
        new Uint8Array(32).fill(at + 1).fill(many.state.height, 0, 1),
      )
      return many.attest(many.attestation(cell, { revoked }), many.cell(cell))
    }
    const { governance } = many.advance({ pending: { attestations: cells.map(long), governance: moves } })
    expect(governance).to.deep.equal(moves)
    many.advance({ pending: { attestations: cells.map(long) } })
    expect(cells.filter((cell) => many.operator(cell).attested === undefined)).to.deep.equal([])
  })

  it('are one of a cell and in the order of the cells, which who builds a block sees to', () => {
    const attestations = ['c', 'a', 'b'].map((cell) => mesh.attest(mesh.attestation(cell), mesh.cell(cell)))
    const block = mesh.advance({ pending: { attestations } })
    expect(block.attestations).to.deep.equal([attestations[1], attestations[2], attestations[0]])
    const draft = new Draft(mesh.state)
    const [b, a] = ['b', 'a'].map((cell) => mesh.attest(mesh.attestation(cell), mesh.cell(cell)))
    expect(applyAttestation(draft, b!, mesh.ports)).to.equal(undefined)
    expect(applyAttestation(draft, a!, mesh.ports)).to.equal('E_EPOCH_ORDER')
    expect(applyAttestation(draft, b!, mesh.ports)).to.equal('E_EPOCH_ORDER')
  })
})
