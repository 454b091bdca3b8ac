import type { CommitCertificate, Validator } from '../mesh/engine.ts'
import { equalBytes } from '../light/bytes.ts'
import { readExtension } from './certificate-codec.ts'
import { MAX_EXTENSION_BYTES, NAMED_BYTES, NAMING_BYTES } from './limits.ts'
import { DOMAIN, extensionBody, voteBody, type Verify } from './signed-bytes.ts'
import type { Extension } from './types.ts'
import { isQuorum, powerOf, totalPower } from './validators.ts'

const EXTENSION_FRAME = 16

/** @returns how many reports one extension may name, so that a certificate of all validators fits into a block */
export function maxNames(validators: number): number {
  const perExtension = Math.min(
    MAX_EXTENSION_BYTES - EXTENSION_FRAME,
    Math.floor(NAMING_BYTES / Math.max(1, validators)),
  )
  return Math.floor(perExtension / NAMED_BYTES)
}

/**
 * What an extension may say: the same where a validator takes a precommit in and where a block carries it, or honest
 * validators could hold a certificate that no block may carry.
 *
 * @returns undefined for bytes that are no extension of such a height
 */
export function extensionFor(bytes: Uint8Array, reporters: number, validators: number): Extension | undefined {
  const extension = readExtension(bytes)
  if (extension === undefined || extension.reports.length > maxNames(validators)) return undefined
  const last = extension.reports.at(-1)
  return last === undefined || last[0] < reporters ? extension : undefined
}

/**
 * @param of - height and value that it must be of
 * @returns a code when it is not the word of more than 2/3 of the validators' power, or one signature is not valid
 */
export function checkCertificate(
  { mesh, validators }: { mesh: Uint8Array; validators: readonly Validator[] },
  certificate: CommitCertificate,
  of: { height: number; value: Uint8Array },
  verify: Verify,
): string | undefined {
  const { height, round, value, signatures } = certificate
  if (height !== of.height || !equalBytes(value, of.value)) return 'E_CERTIFICATE_VALUE'
  const powers = signatures.map(({ validator }) => powerOf(validators, validator))
  if (powers.includes(0)) return 'E_CERTIFICATE_STRANGER'
  const signed = powers.reduce((sum, power) => sum + power, 0)
  if (!isQuorum(signed, totalPower(validators))) return 'E_CERTIFICATE_POWER'
  const body = voteBody(mesh, { height, round, kind: 'precommit', value })
  const isValid = signatures.every(({ validator, signature }) => verify(validator, DOMAIN.vote, body, signature))
  return isValid ? undefined : 'E_CERTIFICATE_SIGNATURE'
}

/** @returns whether each precommit carries an extension that its validator signed */
export function isExtended(mesh: Uint8Array, certificate: CommitCertificate, verify: Verify): boolean {
  const { height, round, value, signatures } = certificate
  return signatures.every(({ validator, extension }) => {
    if (extension === undefined) return false
    const body = extensionBody(mesh, { height, round, value, validator, extension: extension.bytes })
    return verify(validator, DOMAIN.extension, body, extension.signature)
  })
}

/** One precommit of an extended certificate, read. */
export interface Witness {
  readonly validator: Uint8Array
  readonly power: number
  readonly extension: Extension
}

/** @returns undefined when a signer is missing its extension, or one is not well formed */
export function witnessesOf(
  certificate: CommitCertificate,
  validators: readonly Validator[],
  reporters: number,
): Witness[] | undefined {
  const witnesses: Witness[] = []
  for (const { validator, extension: signed } of certificate.signatures) {
    const extension = signed && extensionFor(signed.bytes, reporters, validators.length)
    if (extension === undefined) return undefined
    witnesses.push({ validator, power: powerOf(validators, validator), extension })
  }
  return witnesses
}

/**
 * Weighted median of the clocks: with less than a third lying, and more than two thirds signing, never before the
 * first honest clock nor after the last.
 */
export function medianTime(witnesses: readonly Witness[]): number {
  const clocks = witnesses.map(({ power, extension }) => ({ power, time: extension.time }))
  clocks.sort((a, b) => a.time - b.time)
  const total = clocks.reduce((sum, { power }) => sum + power, 0)
  let passed = 0
  return clocks.find(({ power }) => (passed += power) * 2 >= total)?.time ?? 0
}
