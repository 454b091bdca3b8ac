import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { attestationCodec, signedAttestationCodec } from '../../../consensus/epoch/attestation-codec.ts'
import { DOMAIN } from '../../../consensus/epoch/signed-bytes.ts'
import { peerIdFromKey } from '../../../protocols/admission/index.ts'
import { sign } from '../../../protocols/shared/signature.ts'
import { AttestingCell, inOrder, settled, type Member } from './attesting-cell.ts'

describe('mesh: of what members of a cell sign, a node refuses', () => {
  let cell: AttestingCell
  afterEach(() => cell.stop())

  const codes = () => cell.verdicts.flatMap((verdict) => (verdict.kind === 'accept' ? [] : [verdict.code]))
  const shareOf = async (member: Member): Promise<Uint8Array> => {
    const told = Promise.withResolvers<Uint8Array>()
    cell.onShare = (from, bytes) => {
      if (from === member) told.resolve(bytes)
      return undefined
    }
    cell.epoch()
    return told.promise
  }

  it('a forged signature, and what was signed for something else', async () => {
    cell = await AttestingCell.of(3)
    const [a, b] = cell.members as [Member, Member]
    const { a: body, s } = signedAttestationCodec.decode(await shareOf(a))
    const [key, signature] = s[0]!
    const forged = signature.with(5, signature[5]! ^ 1)
    const other = await sign(a.person.key, DOMAIN.governance, body)
    for (const wrong of [forged, other]) {
      const bytes = signedAttestationCodec.encode({ a: body, s: [[key, wrong]] })
      expect(b.attester.take(a.person.peerId, bytes)).to.deep.equal({
        kind: 'reject',
        code: 'E_ATTESTATION_SIGNATURE',
      })
    }
    await settled()
    expect(b.submitted).to.deep.equal([])
  })

  it('a share of another cell’s member, and ignores one of whom the record does not have yet', async () => {
    cell = await AttestingCell.of(3, 2)
    const [a, b, c] = cell.members as [Member, Member, Member]
    const share = await shareOf(a)
    const other = peerIdFromString(peerIdFromKey(cell.state.operators[1]!.members[0]!))
    const member = 'E_ATTESTATION_STRANGER'
    expect(b.attester.take(other, share)).to.deep.equal({ kind: 'reject', code: member })
    const { a: body } = signedAttestationCodec.decode(share)
    const early = [c.person.raw, await sign(c.person.key, DOMAIN.attestation, body)] as const
    const bytes = signedAttestationCodec.encode({ a: body, s: [early] })
    expect(b.attester.take(c.person.peerId, bytes)).to.deep.equal({ kind: 'ignore', code: member })
  })

  it('another cell’s, another mesh’s, several signatures at once, and bytes that are none', async () => {
    cell = await AttestingCell.of(3)
    const [a, b] = cell.members as [Member, Member]
    const { a: body, s } = signedAttestationCodec.decode(await shareOf(a))
    const attestation = attestationCodec.decode(body)
    const of = (change: object) => ({ a: attestationCodec.encode({ ...attestation, ...change }), s })
    const two = inOrder([a.person.raw, b.person.raw]).map((key) => [key, s[0]![1]] as const)
    const malformed = { kind: 'reject', code: 'E_ATTESTATION_MALFORMED' }
    const taken = (share: Parameters<typeof signedAttestationCodec.encode>[0]) =>
      b.attester.take(a.person.peerId, signedAttestationCodec.encode(share))
    expect(taken(of({ cell: 'beta' }))).to.deep.equal(malformed)
    expect(taken({ a: body, s: two })).to.deep.equal(malformed)
    expect(taken(of({ mesh: new Uint8Array(36) }))).to.deep.equal({ kind: 'reject', code: 'E_ATTESTATION_MESH' })
    expect(b.attester.take(a.person.peerId, new Uint8Array(9))).to.deep.equal(malformed)
  })

  it('nothing that comes twice, and counts it once', async () => {
    cell = await AttestingCell.of(5)
    const [a, b] = cell.members as [Member, Member]
    const share = await shareOf(a)
    await settled()
    for (let at = 0; at < 5; at++) expect(b.attester.take(a.person.peerId, share).kind).to.equal('accept')
    await settled()
    expect(b.submitted, 'two of five are no majority').to.deep.equal([])
    expect(codes()).to.deep.equal([])
  })

  it('what the record has already, and what differs from its own at the same entry', async () => {
    cell = await AttestingCell.of(3)
    const [a, b] = cell.members as [Member, Member]
    const share = await shareOf(a)
    await settled()
    const { a: body } = signedAttestationCodec.decode(share)
    const attestation = attestationCodec.decode(body)
    const lie = attestationCodec.encode({ ...attestation, t: [1, 1] })
    const signed = [a.person.raw, await sign(a.person.key, DOMAIN.attestation, lie)] as const
    const differs = b.attester.take(a.person.peerId, signedAttestationCodec.encode({ a: lie, s: [signed] }))
    expect(differs).to.deep.equal({ kind: 'ignore', code: 'E_ATTESTATION_DIFFERS' })
    expect(b.warnings).to.have.length(1)
    cell.onShare = (_from, bytes) => bytes
    await cell.next()
    await cell.next()
    expect(cell.operator.attested).to.deep.include({ epoch: 1 })
    expect(b.attester.take(a.person.peerId, share)).to.deep.equal({ kind: 'ignore', code: 'E_ATTESTATION_STALE' })
  })
})
