import { expect } from 'chai'
import {
  checkGovernance,
  MOVE_WINDOW,
  powerOf,
  totalPower,
  type Change,
  type Motion,
} from '../../../consensus/epoch/index.ts'
import { keysOf, TestMesh, TestNode } from './mesh.ts'

const POLICY: Change = { type: 'policy-set', policy: { epochMs: 50, idleEpochMs: 500 } }

describe('epoch: governance', () => {
  const code = (mesh: TestMesh, bytes: Uint8Array): string | undefined => checkGovernance(mesh.state, bytes, mesh.ports)
  const operator = (cell: string, nodes: TestNode[], weight = 1): Change => ({
    type: 'operator-set',
    name: cell,
    cell,
    weight,
    members: keysOf(nodes),
  })
  const motion = (mesh: TestMesh): Motion => mesh.state.motions.at(-1)!

  it('has a set of one grow to four operators and shrink, while it runs', () => {
    const mesh = new TestMesh({ a: 1 })
    for (const cell of ['b', 'c', 'd']) {
      mesh.carry(operator(cell, mesh.newCell(cell, 2)))
      mesh.advance()
      mesh.advance()
    }
    expect(mesh.state.validators).to.have.length(7)
    const total = totalPower(mesh.state.validators)
    for (const { key } of mesh.state.validators) {
      expect(powerOf(mesh.state.validators, key) * (mesh.node(key).cell === 'a' ? 4 : 8)).to.equal(total)
    }
    for (const cell of ['a', 'b', 'c']) {
      mesh.carry({ type: 'operator-remove', cell })
      mesh.advance()
      mesh.advance()
    }
    expect(mesh.validators.map(({ name }) => name)).to.have.members(['d-1', 'd-2'])
    expect(code(mesh, mesh.move(mesh.validators[0]!, { type: 'operator-remove', cell: 'd' }))).to.equal(
      'E_GOVERNANCE_LAST',
    )
  })

  it('makes a carried set decide two epochs later, or at the height that the motion states', () => {
    const mesh = new TestMesh({ a: 1 })
    const nodes = mesh.newCell('b', 1)
    mesh.advance({ pending: { governance: [mesh.move(mesh.nodes[0]!, operator('b', nodes))] } })
    expect(motion(mesh).carried).to.equal(1)
    expect(mesh.state.validators).to.have.length(1)
    expect(mesh.advance().header.height).to.equal(2)
    // decides epoch 3
    expect(mesh.state.validators).to.have.length(2)

    const later = mesh.newCell('c', 1)
    const move = mesh.move(mesh.cell('a')[0]!, operator('c', later), { effectiveAt: 8 })
    mesh.advance({ pending: { governance: [move] } })
    mesh.advance({ pending: { governance: [mesh.vote(mesh.cell('b')[0]!, motion(mesh))] } })
    expect(motion(mesh).carried).to.equal(4)
    mesh.advanceTo(6)
    expect(mesh.state.validators).to.have.length(2)
    expect(mesh.state.nextValidators).to.have.length(3)
    mesh.advance()
    expect(mesh.state.validators).to.have.length(3)
  })

  it('makes a carried policy hold in the epoch that the motion states', () => {
    const mesh = new TestMesh({ a: 1 })
    const move = mesh.move(mesh.nodes[0]!, POLICY, { effectiveAt: 5 })
    mesh.advance({ pending: { governance: [move] } })
    mesh.advanceTo(3)
    expect(mesh.state.policy.epochMs).to.equal(1000)
    mesh.advanceTo(4)
    expect(mesh.state.policy).to.include({ epochMs: 50, idleEpochMs: 500, maxValidators: 7 })
  })

  it('carries with more than two thirds of the power, and ends with more than a third against', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 })
    const [mover, ...others] = mesh.validators as [TestNode, ...TestNode[]]
    const cast = (nodes: TestNode[], yes: boolean): void =>
      void mesh.advance({ pending: { governance: nodes.map((node) => mesh.vote(node, motion(mesh), yes)) } })
    mesh.advance({ pending: { governance: [mesh.move(mover, POLICY)] } })
    cast(others.slice(0, 3), true)
    expect(motion(mesh).carried, '4 of 6 are no more than two thirds').to.equal(undefined)
    cast(others.slice(3, 4), true)
    expect(motion(mesh).carried).to.equal(3)

    mesh.advance({ pending: { governance: [mesh.move(mover, { type: 'operator-remove', cell: 'f' })] } })
    cast(others.slice(0, 2), false)
    expect(code(mesh, mesh.vote(others[3]!, motion(mesh))), '2 of 6 are no more than a third').to.equal(undefined)
    cast(others.slice(2, 3), false)
    expect(code(mesh, mesh.vote(others[3]!, motion(mesh)))).to.equal('E_GOVERNANCE_CLOSED')
    mesh.advance()
    expect(mesh.operator('f')).to.not.equal(undefined)
  })

  it('lets a motion lapse at its expiry', () => {
    const mesh = new TestMesh({ a: 1, b: 1 })
    mesh.advance({ pending: { governance: [mesh.move(mesh.cell('a')[0]!, POLICY, { expires: 3 })] } })
    const late = mesh.vote(mesh.cell('b')[0]!, motion(mesh))
    mesh.advance()
    expect(code(mesh, late)).to.equal(undefined)
    mesh.advance()
    expect(code(mesh, late)).to.equal('E_GOVERNANCE_CLOSED')
    expect(mesh.state.policy.epochMs).to.equal(1000)
  })

  it('takes a command only from a validator of the epoch, signed, for this mesh', () => {
    const mesh = new TestMesh({ a: 1, b: 1 })
    const [by] = mesh.cell('a') as [TestNode]
    expect(code(mesh, mesh.move(new TestNode('x', 'x'), POLICY))).to.equal('E_GOVERNANCE_STRANGER')
    const verify = (): boolean => expect.fail('a signature of a key that says nothing here was checked')
    const strange = mesh.move(new TestNode('x', 'x'), POLICY)
    expect(checkGovernance(mesh.state, strange, { ...mesh.ports, verify })).to.equal('E_GOVERNANCE_STRANGER')
    const forged = mesh.move(by, POLICY)
    forged[forged.length - 1]! ^= 1
    expect(code(mesh, forged)).to.equal('E_GOVERNANCE_SIGNATURE')
    expect(code(mesh, new TestMesh({ a: 1 }).move(by, POLICY))).to.equal('E_GOVERNANCE_MESH')
    expect(code(mesh, Uint8Array.of(1))).to.equal('E_GOVERNANCE_MALFORMED')
  })

  it('takes a move once, and only soon after it was signed: nobody brings it in again', () => {
    const mesh = new TestMesh({ a: 1 })
    const [by] = mesh.nodes as [TestNode]
    const expires = 10_000
    const move = mesh.move(by, POLICY, { expires })
    expect(code(mesh, mesh.move(by, POLICY, { at: 1 }))).to.equal('E_GOVERNANCE_WINDOW')
    mesh.advance({ pending: { governance: [move] } })
    expect(code(mesh, move)).to.equal('E_GOVERNANCE_KNOWN')
    while (mesh.state.motions.length > 0) {
      expect(code(mesh, move)).to.be.oneOf(['E_GOVERNANCE_KNOWN', 'E_GOVERNANCE_WINDOW'])
      mesh.advance()
    }
    expect(code(mesh, move)).to.equal('E_GOVERNANCE_WINDOW')
    expect(mesh.state.height).to.equal(MOVE_WINDOW + 1)
  })

  it('takes one vote of a key on a motion that there is', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1 })
    const [a, b] = [mesh.cell('a')[0]!, mesh.cell('b')[0]!]
    mesh.advance({ pending: { governance: [mesh.move(a, POLICY)] } })
    expect(code(mesh, mesh.vote(a, motion(mesh)))).to.equal('E_GOVERNANCE_VOTED')
    mesh.advance({ pending: { governance: [mesh.vote(b, motion(mesh))] } })
    expect(code(mesh, mesh.vote(b, motion(mesh), false))).to.equal('E_GOVERNANCE_VOTED')
    expect(code(mesh, mesh.vote(b, { id: new Uint8Array(32) }))).to.equal('E_GOVERNANCE_MOTION')
  })

  it('says why a change is not possible', () => {
    const mesh = new TestMesh({ a: 2, b: 1, c: 1, d: 1 })
    const [by] = mesh.validators as [TestNode]
    const nodes = [new TestNode('e', 'e-1')]
    const refused = (change: Change): string | undefined => code(mesh, mesh.move(by, change))
    const change = operator('e', nodes) as Extract<Change, { type: 'operator-set' }>
    expect(refused(change)).to.equal(undefined)
    expect(refused({ ...change, name: 'a' })).to.equal('E_GOVERNANCE_NAME')
    expect(refused({ ...change, members: [] })).to.equal('E_GOVERNANCE_MEMBERS')
    expect(refused({ ...change, cell: 'a', name: 'a' })).to.equal('E_GOVERNANCE_MEMBERS')
    expect(refused({ ...change, members: keysOf(mesh.cell('a')) })).to.equal('E_GOVERNANCE_KEY')
    expect(refused({ ...change, members: [new Uint8Array(32)] })).to.equal('E_GOVERNANCE_KEY')
    expect(refused({ ...change, weight: 2 })).to.equal('E_GOVERNANCE_THIRD')
    expect(refused({ ...change, weight: 2 ** 33 - 1 })).to.equal('E_GOVERNANCE_WEIGHT')
    expect(refused({ type: 'operator-remove', cell: 'e' })).to.equal('E_GOVERNANCE_CELL')
    expect(refused({ type: 'policy-set', policy: { epochMs: 20_000 } })).to.equal('E_GOVERNANCE_POLICY')
    expect(code(mesh, mesh.move(by, POLICY, { expires: 1 }))).to.equal('E_GOVERNANCE_HEIGHT')
    expect(code(mesh, mesh.move(by, POLICY, { expires: 9e9 }))).to.equal('E_GOVERNANCE_HEIGHT')
  })

  it('weighs an operator anew and gives it another name, and keeps its members', () => {
    const mesh = new TestMesh({ a: 1, b: 2 })
    const { members } = mesh.operator('b')
    mesh.carry({ type: 'operator-set', name: 'bee', cell: 'b', weight: 3, members: [] })
    expect(mesh.operator('b')).to.deep.include({ name: 'bee', weight: 3, members })
    mesh.advance()
    expect(powerOf(mesh.state.validators, members[0]!) * 8).to.equal(totalPower(mesh.state.validators) * 3)
  })

  it('has fewer validators of an operator when the policy says so', () => {
    const mesh = new TestMesh({ a: 5 })
    mesh.carry({ type: 'policy-set', policy: { maxValidators: 2 } })
    mesh.advance()
    expect(mesh.operator('a').validators).to.deep.equal(mesh.operator('a').members.slice(0, 2))
    expect(mesh.state.nextValidators).to.have.length(2)
  })

  it('does nothing when what was carried is not possible any more', () => {
    const mesh = new TestMesh({ a: 1 })
    const [by] = mesh.nodes as [TestNode]
    const nodes = mesh.newCell('b', 1)
    const twice = [
      mesh.move(by, operator('b', nodes), { effectiveAt: 5 }),
      mesh.move(by, { ...operator('b', nodes), name: 'other' } as Change, { effectiveAt: 6 }),
    ]
    mesh.advance({ pending: { governance: twice } })
    mesh.advanceTo(6)
    expect(mesh.operator('b').name).to.equal('b')
  })

  it('keeps no more motions of one operator than it may', () => {
    const mesh = new TestMesh({ a: 1, b: 1 })
    const [a] = mesh.cell('a') as [TestNode]
    const moves = [50, 51, 52, 53].map((epochMs) => mesh.move(a, { type: 'policy-set', policy: { epochMs } }))
    mesh.advance({ pending: { governance: moves } })
    expect(mesh.state.motions).to.have.length(4)
    expect(code(mesh, mesh.move(a, POLICY))).to.equal('E_GOVERNANCE_MOTIONS')
    expect(code(mesh, mesh.move(mesh.cell('b')[0]!, POLICY))).to.equal(undefined)
  })
})
