import { assert } from 'chai'
import { fromString } from 'uint8arrays/from-string'
import { verifyStrict, type Verifier } from '../../../consensus/light/strict.ts'
import { verifyBytes } from '../../../protocols/shared/signature.ts'
import fixture from '../../fixtures/ed25519-strict.json' with { type: 'json' }

/** Signatures on which implementations are known to differ: who decides one differently can be made to fork. */
const VERIFIERS: Record<string, Verifier> = { 'OpenSSL in Node': verifyBytes, 'TypeScript in a page': verifyStrict }

describe('the one strict ed25519 rule', () => {
  for (const [name, verifier] of Object.entries(VERIFIERS)) {
    it(`decides each published edge case by RFC 8032, cofactorless: ${name}`, () => {
      const wrong = fixture.vectors.filter(({ key, message, signature, valid }) => {
        const [a, m, s] = [key, message, signature].map((hex) => fromString(hex, 'hex'))
        return verifier(a!, m!, s!) !== valid
      })
      assert.deepEqual(wrong, [])
    })

    it(`refuses keys and signatures of other lengths without throwing: ${name}`, () => {
      const { key, message, signature } = fixture.vectors.find(({ valid }) => valid)!
      const [a, m, s] = [key, message, signature].map((hex) => fromString(hex, 'hex')) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      assert.isTrue(verifier(a, m, s))
      for (const length of [0, 1, 31, 33, 64])
        assert.isFalse(verifier(new Uint8Array(length), m, s), `key of ${length}`)
      for (const length of [0, 32, 63, 65])
        assert.isFalse(verifier(a, m, new Uint8Array(length)), `signature of ${length}`)
    })
  }
})
