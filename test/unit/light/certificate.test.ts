import { assert } from 'chai'
import { verifyCertificate } from '../../../consensus/light/certificate.ts'
import { verifyStrict, type Verifier } from '../../../consensus/light/strict.ts'
import { voteBody, DOMAIN } from '../../../consensus/epoch/signed-bytes.ts'
import { precommitBytes } from '../../../consensus/light/certificate.ts'
import { cidOf } from '../../../consensus/epoch/cid.ts'
import { verify, verifyBytes } from '../../../protocols/shared/signature.ts'
import type { CommitCertificate } from '../../../wasm/bft/types.ts'
import { assertRefused } from '../../helpers/refused.ts'
import { certify, setOf, testKey } from '../../helpers/light-chain.ts'

const mesh = cidOf(Uint8Array.of(1))
const value = cidOf(Uint8Array.of(2))
const decision = { height: 2 ** 40 + 7, round: 3, value }
const set = setOf(0, 1, 2, 3)

const VERIFIERS: Record<string, Verifier> = { 'OpenSSL in Node': verifyBytes, 'TypeScript in a page': verifyStrict }

describe('verifyCertificate', () => {
  for (const [name, verifier] of Object.entries(VERIFIERS)) {
    const refused = (certificate: CommitCertificate, why: RegExp, of = mesh) =>
      assertRefused(() => verifyCertificate(set, certificate, of, verifier), 'E_LIGHT_CERTIFICATE', why)

    describe(name, () => {
      it('says who signed, with how much of the power', () => {
        const { signers, signedPower, totalPower } = verifyCertificate(
          set,
          certify(mesh, decision, [0, 1, 2]),
          mesh,
          verifier,
        )
        assert.deepEqual({ signedPower, totalPower }, { signedPower: 300, totalPower: 400 })
        assert.deepEqual(signers, setOf(0, 1, 2))
      })

      it('takes exactly two thirds for too little', () => {
        const three = setOf(0, 1, 2)
        const two = certify(mesh, decision, [0, 1])
        assertRefused(
          () => verifyCertificate(three, two, mesh, verifier),
          'E_LIGHT_CERTIFICATE',
          /200 of 300 of the power/,
        )
      })

      it('refuses one with a single signature that is not valid, though the others were enough', () => {
        const { signatures, ...rest } = certify(mesh, decision, [0, 1, 2, 3])
        for (const at of [0, 3]) {
          const forged = signatures.map((each, i) =>
            i === at ? { ...each, signature: flipped(each.signature) } : each,
          )
          refused({ ...rest, signatures: forged }, new RegExp(`signature ${at + 1} of 4 is not valid`))
        }
      })

      it('refuses a signer that stands there twice, or out of order', () => {
        const { signatures, ...rest } = certify(mesh, decision, [0, 1, 2])
        const [first, second] = signatures
        refused({ ...rest, signatures: [first!, first!, second!] }, /signed twice/)
        refused({ ...rest, signatures: signatures.toReversed() }, /not in the order/)
      })

      it('refuses the signature of somebody who is no validator, though the others were enough', () => {
        refused(certify(mesh, decision, [0, 1, 2, 9]), /no validator of this height/)
      })

      it('refuses signatures for another height, round, value or mesh', () => {
        const signed = certify(mesh, decision, [0, 1, 2])
        refused({ ...signed, height: decision.height - 1 }, /not valid/)
        refused({ ...signed, height: decision.height - 2 ** 40 }, /not valid/)
        refused({ ...signed, round: 4 }, /not valid/)
        refused({ ...signed, value: mesh }, /not valid/)
        refused(signed, /not valid/, value)
      })

      it('refuses prevotes in the place of precommits', () => {
        const message = Uint8Array.from([
          ...new TextEncoder().encode(`${DOMAIN.vote}\0`),
          ...voteBody(mesh, { ...decision, kind: 'prevote' }),
        ])
        assert.lengthOf(message, precommitBytes(mesh, decision).length)
        const { signatures, ...rest } = certify(mesh, decision, [0, 1, 2], message)
        refused({ ...rest, signatures }, /not valid/)
      })

      it('refuses one that nobody signed, of a set of nobody too', () => {
        refused({ ...decision, signatures: [] }, /0 of 400/)
        assertRefused(
          () => verifyCertificate([], { ...decision, signatures: [] }, mesh, verifier),
          'E_LIGHT_CERTIFICATE',
          /0 of 0/,
        )
      })
    })
  }

  it('checks the very bytes that validators sign', () => {
    const [{ validator, signature }] = certify(mesh, decision, [5]).signatures as [
      CommitCertificate['signatures'][number],
    ]
    assert.deepEqual(validator, testKey(5).key)
    assert.isTrue(verify(validator, DOMAIN.vote, voteBody(mesh, { ...decision, kind: 'precommit' }), signature))
  })
})

function flipped(signature: Uint8Array): Uint8Array {
  return signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
}
