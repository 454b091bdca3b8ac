import { expect } from 'chai'
import { openBlock, proposerOf, type ComplexQ30, type OpenedBlock } from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import type { CommitCertificate } from '../../../consensus/mesh/engine.ts'
import { altered, CREATED, TestMesh, TestNode } from './mesh.ts'

const T: ComplexQ30 = [2 ** 29, 0]
const OTHER = new Uint8Array(36).fill(9)

describe('epoch: the checks of a block', () => {
  let mesh: TestMesh
  let block: OpenedBlock

  /** Epoch 3 of four operators: what its validators saw of epoch 2 stands in it. */
  before(() => {
    mesh = new TestMesh({ a: 1, b: 1, c: 2, d: 1 })
    mesh.advance()
    const reports = mesh.nodes.map((node) => mesh.report(node, T))
    mesh.advance({ holds: () => reports })
    block = mesh.build().block
  })

  const code = (change: Parameters<typeof altered>[1]): string | undefined => mesh.check(altered(block, change))
  const precommits = (change: (certificate: CommitCertificate) => CommitCertificate): string | undefined =>
    code({ precommits: change(block.precommits!) })

  it('pass what an honest proposer builds, in any round', () => {
    expect(mesh.check(block)).to.equal(undefined)
    expect(block.reports).to.have.length(5)
    for (const round of [1, 2, 5]) expect(mesh.check(mesh.build({}, round).block)).to.equal(undefined)
  })

  it('refuse a header that does not follow on the state', () => {
    expect(code({ header: { mesh: OTHER } })).to.equal('E_EPOCH_MESH')
    expect(code({ header: { height: 4 } })).to.equal('E_EPOCH_HEIGHT')
    expect(code({ header: { previous: OTHER } })).to.equal('E_EPOCH_PREVIOUS')
    expect(code({ header: { validators: OTHER } })).to.equal('E_EPOCH_VALIDATORS')
    expect(code({ header: { nextValidators: OTHER } })).to.equal('E_EPOCH_NEXT_VALIDATORS')
    expect(code({ header: { state: OTHER } })).to.equal('E_EPOCH_STATE')
  })

  it('refuse a proposer whose turn it was not', () => {
    const other = mesh.validators.find(({ key }) => !equalBytes(key, block.header.proposer))!
    expect(code({ header: { proposer: other.key } })).to.equal('E_EPOCH_PROPOSER')
    const next = proposerOf(mesh.state.validators, 3, 1)
    expect(code({ header: { proposer: next } })).to.equal('E_EPOCH_PROPOSER')
    expect(code({ header: { proposer: next, round: 1 } })).to.equal(undefined)
  })

  it('refuse a certificate that is missing, of another epoch, forged or short of its power', () => {
    expect(code({ precommits: null })).to.equal('E_EPOCH_PRECOMMITS')
    expect(precommits((it) => ({ ...it, height: 1 }))).to.equal('E_CERTIFICATE_VALUE')
    expect(precommits((it) => ({ ...it, value: OTHER }))).to.equal('E_CERTIFICATE_VALUE')
    expect(precommits((it) => ({ ...it, round: 7 }))).to.equal('E_CERTIFICATE_SIGNATURE')
    expect(precommits((it) => ({ ...it, signatures: it.signatures.slice(0, 3) }))).to.equal('E_CERTIFICATE_POWER')
    const stranger = { ...block.precommits!.signatures[0]!, validator: new TestNode('x', 'x').key }
    expect(precommits((it) => ({ ...it, signatures: [stranger, ...it.signatures.slice(1)] }))).to.equal(
      'E_CERTIFICATE_STRANGER',
    )
    const forge = (signature: Uint8Array): Uint8Array => signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte))
    expect(
      precommits((it) => ({
        ...it,
        signatures: it.signatures.map((each, at) => (at === 4 ? { ...each, signature: forge(each.signature) } : each)),
      })),
    ).to.equal('E_CERTIFICATE_SIGNATURE')
  })

  it('refuse a certificate at the first epoch', () => {
    const first = new TestMesh({ a: 1 })
    const { block: one } = first.build()
    expect(one.header.time).to.equal(CREATED + 1)
    expect(first.check(altered(one, { precommits: block.precommits }))).to.equal('E_EPOCH_PRECOMMITS')
  })

  it('refuse an extension that is missing, not well formed, or not signed by its validator', () => {
    const withExtension = (extension: CommitCertificate['signatures'][number]['extension']): string | undefined =>
      precommits((it) => ({
        ...it,
        signatures: it.signatures.map(({ validator, signature, extension: own }, at) => {
          const chosen = at === 2 ? extension : own
          return chosen === undefined ? { validator, signature } : { validator, signature, extension: chosen }
        }),
      }))
    const own = block.precommits!.signatures[2]!.extension!
    const other = block.precommits!.signatures[3]!.extension!
    expect(withExtension(own)).to.equal(undefined)
    expect(withExtension(undefined)).to.equal('E_EPOCH_EXTENSION')
    expect(withExtension({ ...own, bytes: own.bytes.subarray(1) })).to.equal('E_EPOCH_EXTENSION')
    expect(withExtension({ ...own, signature: other.signature })).to.equal('E_EPOCH_EXTENSION')
  })

  it('refuse another time than the median of the clocks', () => {
    for (const time of [block.header.time - 1, block.header.time + 1]) {
      expect(code({ header: { time } })).to.equal('E_EPOCH_TIME')
    }
  })

  it('refuse reports that are missing, too many, out of order, twice, or not valid', () => {
    const [first, second, ...rest] = block.reports as [Uint8Array, Uint8Array, ...Uint8Array[]]
    const late = mesh.report(mesh.nodes[0]!, [1, 1], 2, 9)
    expect(code({ reports: [second, ...rest] })).to.equal('E_EPOCH_REPORT_MISSING')
    expect(code({ reports: [...block.reports, late] })).to.equal('E_EPOCH_REPORT_EXTRA')
    expect(code({ reports: [second, first, ...rest] })).to.equal('E_EPOCH_REPORT_ORDER')
    expect(code({ reports: [first, first, second, ...rest] })).to.equal('E_EPOCH_REPORT_ORDER')
    const forged = first.map((byte, at) => (at === first.length - 1 ? byte ^ 1 : byte))
    expect(code({ reports: [forged, second, ...rest] })).to.equal('E_EPOCH_REPORT_EXTRA')
  })

  it('refuse T_global, median and decision that are not what the reports come to', () => {
    const { t, median, decision } = block.header
    expect(code({ header: { t: [t[0] + 1, t[1]] } })).to.equal('E_EPOCH_T')
    expect(code({ header: { median: [median[0], median[1] + 1] } })).to.equal('E_EPOCH_MEDIAN')
    expect(code({ header: { decision: { ...decision, collapsed: !decision.collapsed } } })).to.equal('E_EPOCH_DECISION')
    for (const field of ['agreeingWeight', 'reportingWeight', 'totalWeight'] as const) {
      const off = { ...decision, [field]: decision[field] + 1 }
      expect(code({ header: { decision: off } }), field).to.equal('E_EPOCH_DECISION')
    }
  })

  it('refuse lists out of order, over their room, or with a part that is not valid', () => {
    expect(code({ evidence: [OTHER, OTHER] })).to.equal('E_EPOCH_ORDER')
    expect(code({ evidence: [OTHER] })).to.equal('E_EVIDENCE_MALFORMED')
    expect(code({ governance: [OTHER] })).to.equal('E_GOVERNANCE_MALFORMED')
    expect(code({ attestations: [OTHER] })).to.equal('E_ATTESTATION_MALFORMED')
    expect(code({ governance: Array.from({ length: 13 }, () => new Uint8Array(4096)) })).to.equal('E_EPOCH_TOO_LARGE')
  })

  it('refuse bytes that are not a block, whole and in its one form', () => {
    const { bytes } = mesh.build()
    expect(openBlock(bytes)).to.deep.equal(block)
    expect(openBlock(new Uint8Array(1_048_577))).to.equal('E_EPOCH_TOO_LARGE')
    expect(openBlock(bytes.subarray(0, -1))).to.equal('E_EPOCH_MALFORMED')
    const wrong = bytes.slice()
    wrong[wrong.length - 1]! ^= 1
    expect(openBlock(wrong)).to.equal('E_EPOCH_LINKS')
  })
})
