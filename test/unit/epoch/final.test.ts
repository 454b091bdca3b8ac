import { expect } from 'chai'
import {
  applyBlock,
  blockCodec,
  certificateCodec,
  checkFinal,
  openBlock,
  stateCodec,
  type MeshState,
  type OpenedBlock,
  type Verify,
} from '../../../consensus/epoch/index.ts'
import { encodedState } from '../../../consensus/epoch/state-codec.ts'
import type { CommitCertificate } from '../../../consensus/mesh/engine.ts'
import { altered, keysOf, TestMesh } from './mesh.ts'

describe('epoch: following what others decided', () => {
  let mesh: TestMesh
  let start: MeshState
  before(() => {
    mesh = new TestMesh({ a: 2, b: 2, c: 1, d: 1 })
    start = mesh.state
    for (let height = 0; height < 10; height++) {
      const reports = mesh.nodes.map((node) => mesh.report(node, [2 ** 29, height]))
      mesh.advance({ holds: () => reports })
    }
    mesh.carry({ type: 'operator-remove', cell: 'd' })
    mesh.advance()
    mesh.advance()
  })

  const final = (at: number, change: (it: CommitCertificate) => CommitCertificate = (it) => it) => {
    const { bytes, certificate } = mesh.finals[at]!
    return [bytes, certificateCodec.encode(change(certificate))] as const
  }

  it('leads to the same state, byte for byte, and checks each signature of the certificate once', () => {
    let state = start
    let checked = 0
    const verify: Verify = (...args) => ++checked > 0 && mesh.ports.verify(...args)
    for (const [at, { certificate, block }] of mesh.finals.entries()) {
      const followed = checkFinal(state, final(at), verify)
      if (typeof followed === 'string') throw new Error(followed)
      expect(followed.value).to.deep.equal(block.value)
      expect(stateCodec.encode(followed.state)).to.deep.equal(stateCodec.encode(applyBlock(state, block)))
      expect(followed.certificate.signatures).to.have.length(certificate.signatures.length)
      expect(followed.certificate.signatures[0]).to.not.have.property('extension')
      state = followed.state
    }
    expect(stateCodec.encode(state)).to.deep.equal(stateCodec.encode(mesh.state))
    expect(checked).to.equal(mesh.finals.reduce((sum, { certificate }) => sum + certificate.signatures.length, 0))
  })

  it('reads an epoch once, and makes its state once, however it becomes final', () => {
    const [bytes, certificate] = final(0)
    const followed = checkFinal(start, [bytes, certificate], mesh.ports.verify)
    if (typeof followed === 'string') throw new Error(followed)
    const block = openBlock(bytes)
    expect(openBlock(bytes)).to.equal(block)
    expect(applyBlock(start, block as OpenedBlock)).to.equal(followed.state)
    expect(encodedState(followed.state).bytes).to.equal(encodedState(followed.state).bytes)
    // On another state it makes another.
    expect(applyBlock({ ...start, height: 5 }, block as OpenedBlock).height).to.equal(6)
  })

  it('refuses an epoch that does not chain, or whose lists are others', () => {
    const { block, certificate } = mesh.finals[0]!
    const other = (change: Parameters<typeof altered>[1]): unknown =>
      checkFinal(
        start,
        [blockCodec.encode(altered(block, change)), certificateCodec.encode(certificate)],
        mesh.ports.verify,
      )
    expect(checkFinal(start, final(1), mesh.ports.verify)).to.equal('E_EPOCH_HEIGHT')
    expect(other({ header: { time: start.time } })).to.equal('E_EPOCH_TIME')
    expect(other({ header: { state: block.value } })).to.equal('E_EPOCH_STATE')
    expect(other({ header: { reports: block.value } })).to.equal('E_EPOCH_LINKS')
    expect(other({ header: { time: block.header.time + 1 } })).to.equal('E_CERTIFICATE_VALUE')
    expect(checkFinal(start, [Uint8Array.of(1), Uint8Array.of(1)], mesh.ports.verify)).to.equal('E_EPOCH_MALFORMED')
    expect(checkFinal(start, [new Uint8Array(2 ** 20 + 1), Uint8Array.of(1)], mesh.ports.verify)).to.equal(
      'E_EPOCH_TOO_LARGE',
    )
  })

  it('refuses a certificate with one signature that is not valid, or short of two thirds', () => {
    const verdict = (change: (it: CommitCertificate) => CommitCertificate): unknown =>
      checkFinal(start, final(0, change), mesh.ports.verify)
    const forge = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === 3 ? byte ^ 1 : byte))
    const last = (it: CommitCertificate) => it.signatures.length - 1
    expect(
      verdict((it) => ({
        ...it,
        signatures: it.signatures.map((each, at) =>
          at === last(it) ? { ...each, signature: forge(each.signature) } : each,
        ),
      })),
    ).to.equal('E_CERTIFICATE_SIGNATURE')
    expect(verdict((it) => ({ ...it, signatures: it.signatures.slice(2) }))).to.be.oneOf([
      'E_CERTIFICATE_POWER',
      undefined,
    ])
    expect(verdict((it) => ({ ...it, signatures: it.signatures.slice(3) }))).to.equal('E_CERTIFICATE_POWER')
    expect(verdict((it) => ({ ...it, round: 3 }))).to.equal('E_CERTIFICATE_SIGNATURE')
  })

  it('refuses a certificate of validators who were and are no more', () => {
    const late = mesh.finals.length - 1
    const { block } = mesh.finals[late]!
    const [gone] = mesh.cell('d')
    const signers = [...mesh.cell('a'), ...mesh.cell('b'), gone!]
    expect(keysOf(signers)).to.have.length(5)
    let state = start
    for (const each of mesh.finals.slice(0, late)) state = applyBlock(state, each.block)
    const forger = Object.assign(Object.create(mesh) as TestMesh, { state })
    const certificate = forger.certify(block.value, { signers })
    expect(checkFinal(state, [final(late)[0], certificateCodec.encode(certificate)], mesh.ports.verify)).to.equal(
      'E_CERTIFICATE_STRANGER',
    )
  })

  it('brings back what the signers saw only when it was checked', () => {
    const [bytes, certificate] = final(0)
    const whole = checkFinal(start, [bytes, certificate], mesh.ports.verify, { extensions: true })
    expect((whole as { certificate: CommitCertificate }).certificate).to.deep.equal(mesh.finals[0]!.certificate)
    const swapped = final(0, (it) => ({
      ...it,
      signatures: it.signatures.map((each) => ({ ...each, extension: it.signatures[0]!.extension! })),
    }))
    expect(checkFinal(start, swapped, mesh.ports.verify, { extensions: true })).to.equal('E_EPOCH_EXTENSION')
    expect(checkFinal(start, swapped, mesh.ports.verify)).to.have.property('certificate')
  })

  it('takes nothing that the next block could not carry: an extension that its validator signed and nobody else takes', () => {
    const [bytes] = final(0)
    const forger = Object.assign(Object.create(mesh) as TestMesh, { state: start })
    const [liar] = forger.validators
    const certificate = forger.certify(mesh.finals[0]!.block.value, {
      extension: (node, honest) =>
        node === liar ? { ...honest, reports: [[mesh.nodes.length, new Uint8Array(32)]] } : honest,
    })
    const followed = checkFinal(start, [bytes, certificateCodec.encode(certificate)], mesh.ports.verify, {
      extensions: true,
    })
    expect(followed).to.equal('E_EPOCH_EXTENSION')
  })
})
