import { CodedError } from '../../protocols/shared/errors.ts'
import type { CommitCertificate, Validator } from '../../wasm/bft/types.ts'
import { compareBytes, concatBytes } from './bytes.ts'
import type { Verifier } from './strict.ts'

const VOTE_DOMAIN = new TextEncoder().encode('kairos/bft/vote/1\0')
const PRECOMMIT = 2
const SOME_VALUE = 1

/** Who stands behind a certificate. */
export interface Signed {
  /** of the set that signed, in the order of their keys */
  readonly signers: readonly Validator[]
  readonly signedPower: number
  readonly totalPower: number
}

/** What a validator signs when it precommits a value, from the domain on. */
export function precommitBytes(mesh: Uint8Array, certificate: Omit<CommitCertificate, 'signatures'>): Uint8Array {
  const { height, round, value } = certificate
  const numbers = new DataView(new ArrayBuffer(14))
  numbers.setUint32(0, Math.floor(height / 2 ** 32))
  numbers.setUint32(4, height % 2 ** 32)
  numbers.setUint32(8, round)
  numbers.setUint8(12, PRECOMMIT)
  numbers.setUint8(13, SOME_VALUE)
  return concatBytes(VOTE_DOMAIN, mesh, new Uint8Array(numbers.buffer), value)
}

/**
 * Whether validators of more than 2/3 of the power signed the certificate's value. One signature that is not valid, or
 * of somebody else, spoils the whole: nobody honest makes such a certificate.
 *
 * @param set - whole set that decides the certificate's height
 * @param mesh - mesh id, 36 bytes
 * @throws {CodedError} E_LIGHT_CERTIFICATE with what is wrong with it
 */
export function verifyCertificate(
  set: readonly Validator[],
  certificate: CommitCertificate,
  mesh: Uint8Array,
  verify: Verifier,
): Signed {
  const { height, signatures } = certificate
  const refuse = (why: string): CodedError =>
    new CodedError('E_LIGHT_CERTIFICATE', `the certificate of epoch ${height} proves nothing: ${why}`, {
      hint: 'somebody made it up or changed it; ask others for the epoch',
    })
  const signers = signersOf(set, certificate, refuse)
  const totalPower = sum(set)
  const signedPower = sum(signers)
  if (signedPower * 3 <= totalPower * 2) {
    throw refuse(`${signedPower} of ${totalPower} of the power signed, and it takes more than two thirds`)
  }
  const message = precommitBytes(mesh, certificate)
  const forged = signatures.findIndex(({ validator, signature }) => !verify(validator, message, signature))
  if (forged >= 0) throw refuse(`signature ${forged + 1} of ${signatures.length} is not valid`)
  return { signers, signedPower, totalPower }
}

function signersOf(
  set: readonly Validator[],
  { signatures }: CommitCertificate,
  refuse: (why: string) => CodedError,
): Validator[] {
  return signatures.map(({ validator }, i) => {
    const last = signatures[i - 1]
    if (last !== undefined && compareBytes(last.validator, validator) >= 0) {
      throw refuse('its signers are not in the order of their keys, or one signed twice')
    }
    const signer = set.find(({ key }) => compareBytes(key, validator) === 0)
    if (signer === undefined) throw refuse(`signer ${i + 1} of ${signatures.length} is no validator of this height`)
    return signer
  })
}

/** @returns the power in `set` of those who are in `signers` */
export function powerAmong(set: readonly Validator[], signers: readonly { readonly key: Uint8Array }[]): number {
  return sum(set.filter(({ key }) => signers.some((signer) => compareBytes(signer.key, key) === 0)))
}

export function sum(set: readonly Validator[]): number {
  return set.reduce((total, { power }) => total + power, 0)
}
