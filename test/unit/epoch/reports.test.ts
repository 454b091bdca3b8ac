import { expect } from 'chai'
import { digestOf, type ComplexQ30, type Extension } from '../../../consensus/epoch/index.ts'
import { CREATED, TestMesh, type TestNode } from './mesh.ts'

const ONE = 2 ** 30
const NORTH: ComplexQ30 = [ONE, 0]
const SOUTH: ComplexQ30 = [-ONE, 0]

const magnitude = ([re, im]: ComplexQ30): number => Math.hypot(re, im) / ONE
const distance = (a: ComplexQ30, b: ComplexQ30): number => magnitude([a[0] - b[0], a[1] - b[1]])

describe('epoch: which reports count', () => {
  /** What epoch 2 makes of the reports of epoch 1, of which each validator holds what `holds` says. */
  function decided(mesh: TestMesh, holds: (validator: TestNode) => Uint8Array[], signers = mesh.validators) {
    mesh.advance({ holds, signers })
    return mesh.advance()
  }

  it('has one in that more than a third of the power holds, and none that fewer do', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 })
    const [first, second] = mesh.nodes.slice(0, 2).map((node) => mesh.report(node, NORTH)) as [Uint8Array, Uint8Array]
    const index = (validator: TestNode): number => mesh.validators.indexOf(validator)
    const { reports } = decided(mesh, (validator) => [
      ...(index(validator) < 3 ? [first] : []),
      ...(index(validator) < 2 ? [second] : []),
    ])
    expect(reports).to.deep.equal([first])
  })

  it('cannot be kept from going on by a third of a certificate who name what nobody has', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 })
    const invented: Extension['reports'] = [[0, digestOf(Uint8Array.of(1))]]
    const liars = mesh.validators.slice(0, 2)
    // Two of five signers are more than a third of the certificate's power, and less than a third of all.
    mesh.advance({
      signers: mesh.validators.slice(0, 5),
      extension: (node, honest) => (liars.includes(node) ? { ...honest, reports: invented } : honest),
    })
    expect(mesh.advance().reports).to.deep.equal([])
  })

  it('refuses what is named and is no report of that author and epoch', () => {
    const mesh = new TestMesh({ a: 1 })
    const stale = mesh.report(mesh.nodes[0]!, NORTH, 5)
    mesh.advance({ extension: (_, honest) => ({ ...honest, reports: [[0, digestOf(stale)]] }) })
    expect(mesh.check(mesh.build().block)).to.equal('E_EPOCH_REPORT')
  })

  it('counts an author with two different reports for nothing, and keeps both as evidence', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1 })
    const [double, ...others] = mesh.nodes as [TestNode, ...TestNode[]]
    const two = [mesh.report(double, NORTH), mesh.report(double, SOUTH, 1, 2)]
    const rest = others.map((node) => mesh.report(node, NORTH))
    const { reports, header } = decided(mesh, () => [...two, ...rest])
    expect(reports).to.have.length(5)
    expect(header.decision.reportingWeight * 4).to.equal(header.decision.totalWeight * 3)
    expect(magnitude(header.t)).to.equal(0.75)
  })

  it('carries no more than two reports of an author, and all first ones before any second', () => {
    const mesh = new TestMesh({ a: 1, b: 1 })
    const [reporter] = mesh.nodes as [TestNode]
    const at = mesh.validators.indexOf(reporter)
    const named = (seqs: number[]): Extension['reports'] =>
      seqs
        .map((seq) => digestOf(mesh.report(reporter, NORTH, 1, seq)))
        .sort(Buffer.compare)
        .map((digest) => [at, digest] as const)
    const says = new Map(mesh.validators.map((node, index) => [node, index === 0 ? named([1, 2]) : named([3])]))
    mesh.advance({ extension: (node, honest) => ({ ...honest, reports: says.get(node)! }) })
    const { reports, header } = mesh.advance()
    expect(reports).to.have.length(2)
    expect(header.decision.reportingWeight).to.equal(0)
  })

  it('counts the silent weight as zero', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1 }, { a: 2 })
    const [speaking] = mesh.cell('a') as [TestNode]
    const only = mesh.report(speaking, NORTH)
    expect(decided(mesh, () => [only]).header.t).to.deep.equal([ONE / 2, 0])
  })

  it("shares an operator's weight among those of its nodes that report", () => {
    const mesh = new TestMesh({ a: 3, b: 1 })
    const reports = [...mesh.cell('a').slice(1), ...mesh.cell('b')].map((node) => mesh.report(node, NORTH))
    const { t, decision } = decided(mesh, () => reports).header
    expect(t).to.deep.equal(NORTH)
    expect(decision.reportingWeight).to.equal(decision.totalWeight)
    expect(decision.collapsed).to.equal(true)
  })

  it('counts nobody who is no member any more', () => {
    const mesh = new TestMesh({ a: 3, b: 1, c: 1 })
    const [gone, ...left] = mesh.cell('a') as [TestNode, ...TestNode[]]
    const members = left.map(({ key }) => key).sort(Buffer.compare)
    mesh.advance()
    const attestation = mesh.attestation('a', { members, validators: members, revoked: [gone.key] })
    const reports = mesh.nodes.map((node) => mesh.report(node, node === gone ? SOUTH : NORTH))
    mesh.advance({ holds: () => reports, pending: { attestations: [mesh.attest(attestation, left)] } })
    const { header, reports: included } = mesh.advance()
    expect(included).to.have.length(5)
    expect(header.t).to.deep.equal(NORTH)
  })

  it('P7: liars of weight β move T_global by at most 2β', () => {
    for (const liars of [1, 2, 3]) {
      const honest = magnitudes(liars, NORTH)
      const lying = magnitudes(liars, SOUTH)
      expect(distance(honest.t, lying.t)).to.be.at.most((2 * liars) / 10 + 1e-9)
      expect(distance(honest.t, lying.t)).to.be.above((2 * liars) / 10 - 1e-6)
    }
  })

  it('P8: liars of weight β move the median by at most ρ(1-β)/sqrt(1-2β), and forge no collapse', () => {
    for (const liars of [1, 2, 3]) {
      const beta = liars / 10
      // The honest lie within ρ of 0.9: the liars stand wherever they like.
      for (const lie of [SOUTH, [0, ONE], [0, 0]] as ComplexQ30[]) {
        const { median } = magnitudes(liars, lie, 0.9)
        const bound = (0.05 * (1 - beta)) / Math.sqrt(1 - 2 * beta)
        expect(distance(median, [0.9 * ONE, 0])).to.be.at.most(bound + 1e-6)
      }
      expect(magnitudes(liars, NORTH, 0.1).decision.collapsed).to.equal(false)
    }
  })

  /** Ten operators of equal weight, the honest around `centre` within 0.05, through two blocks. */
  function magnitudes(liars: number, lie: ComplexQ30, centre?: number) {
    const mesh = new TestMesh(Object.fromEntries([...'abcdefghij'].map((cell) => [cell, 1])))
    const honest = (at: number): ComplexQ30 =>
      centre === undefined ? NORTH : [Math.round(centre * ONE), Math.round((at % 2 === 0 ? 0.05 : -0.05) * ONE)]
    const reports = mesh.nodes.map((node, at) => mesh.report(node, at < liars ? lie : honest(at)))
    return decided(mesh, () => reports).header
  }
})

describe('epoch: time', () => {
  const honest = CREATED + 5000

  it('is the weighted median of the clocks: liars below a third cannot move it out of the honest ones', () => {
    for (const lie of [0, 8.64e15]) {
      const mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 })
      const liars = mesh.validators.slice(2, 4)
      const clock = (node: TestNode): number =>
        liars.includes(node) ? lie : honest + mesh.validators.indexOf(node) * 10
      mesh.advance({ clock, signers: mesh.validators.slice(0, 5) })
      const { time } = mesh.advance().header
      expect(time).to.be.within(honest, honest + 40)
    }
  })

  it('goes on by a millisecond at least, whatever the clocks say', () => {
    const mesh = new TestMesh({ a: 1, b: 1 })
    mesh.advance({ clock: () => honest })
    mesh.advance({ clock: () => honest - 4000 })
    const { time } = mesh.advance({ clock: () => 0 }).header
    expect(time).to.equal(honest + 1)
    expect(mesh.advance().header.time).to.equal(honest + 2)
  })

  it('gives the power of a validator its say', () => {
    const mesh = new TestMesh({ a: 1, b: 1, c: 1 }, { a: 5 })
    mesh.advance({ clock: (node) => (node.cell === 'a' ? honest : honest + 1000) })
    expect(mesh.advance().header.time).to.equal(honest)
  })
})
