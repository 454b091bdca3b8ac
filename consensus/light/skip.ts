import { CodedError } from '../../protocols/shared/errors.ts'
import type { CommitCertificate, Validator } from '../../wasm/bft/types.ts'
import type { EpochHeader } from '../epoch/types.ts'
import { equalBytes } from './bytes.ts'
import { powerAmong, sum, verifyCertificate, type Signed } from './certificate.ts'
import type { Verifier } from './strict.ts'
import { cidText } from './text.ts'

/** A set, with the CID that headers name it by. */
export interface ValidatorSet {
  readonly cid: Uint8Array
  readonly validators: readonly Validator[]
}

/** The end of what is trusted so far: the genesis (height 0), a checkpoint, or an epoch that was verified. */
export interface Trusted {
  readonly mesh: Uint8Array
  readonly height: number
  /** Unix ms */
  readonly time: number
  /** of the header, or of the genesis */
  readonly cid: Uint8Array
  /** who decides `height + 1` */
  readonly next: ValidatorSet
}

/** An epoch that trust is to reach. */
export interface Target {
  readonly header: EpochHeader
  /** of the header's bytes */
  readonly cid: Uint8Array
  /** who decided it */
  readonly validators: ValidatorSet
  readonly certificate: CommitCertificate
}

export interface TrustPolicy {
  /** How long the word of a former set is worth something, ms: within it those who lied can still be held to account. */
  readonly trustingMs: number
  /** Unix ms */
  readonly now: number
  readonly verify: Verifier
}

export const DEFAULT_TRUSTING_MS = 14 * 86_400_000
/** How much a validator's clock may be ahead of this one. */
export const MAX_CLOCK_AHEAD_MS = 10_000

/**
 * Moves trust from one epoch to a later one, over any number between: more than 1/3 of the trusted power (so at least
 * one honest validator of it) and more than 2/3 of the target's own set have signed the target (consensus.md, "What a
 * stranger can verify"). The next epoch must have the very set that the trusted one names.
 *
 * @throws {CodedError} E_LIGHT_MESH | E_LIGHT_CHAIN | E_LIGHT_CLOCK | E_LIGHT_TRUST_EXPIRED | E_LIGHT_CERTIFICATE | E_LIGHT_OVERLAP
 */
export function verifySkip(trusted: Trusted, target: Target, policy: TrustPolicy): Signed {
  const { header } = target
  requireFresh(trusted, policy)
  if (header.height <= trusted.height || header.time <= trusted.time) {
    throw broken(header.height, `it does not come after epoch ${trusted.height}, in height and in time`)
  }
  if (!equalBytes(header.mesh, trusted.mesh)) throw foreign(header.mesh, trusted.mesh)
  const isNext = header.height === trusted.height + 1
  if (isNext && !equalBytes(header.previous, trusted.cid)) {
    throw broken(header.height, `it does not follow on epoch ${trusted.height} as that is known`)
  }
  if (isNext && !equalBytes(header.validators, trusted.next.cid)) {
    throw broken(header.height, `its validators are not those that epoch ${trusted.height} names`)
  }
  const signed = verifyTarget(target, policy)
  if (!isNext) requireOverlap(trusted, header.height, signed)
  return signed
}

/**
 * What an epoch itself must hold, whoever trusts it.
 *
 * @throws {CodedError} E_LIGHT_CHAIN | E_LIGHT_CLOCK | E_LIGHT_CERTIFICATE
 */
export function verifyTarget({ header, cid, validators, certificate }: Target, { now, verify }: TrustPolicy): Signed {
  const { height, mesh, time } = header
  if (time > now + MAX_CLOCK_AHEAD_MS) throw fromTheFuture(height, time, now)
  if (!equalBytes(header.validators, validators.cid)) throw broken(height, 'the set that comes with it is another')
  if (certificate.height !== height || !equalBytes(certificate.value, cid)) {
    throw new CodedError(
      'E_LIGHT_CERTIFICATE',
      `the certificate that comes with epoch ${height} is of another: of height ${certificate.height}, of the value ${cidText(certificate.value)}`,
      { hint: 'somebody put together what does not belong together; ask others for the epoch' },
    )
  }
  return verifyCertificate(validators.validators, certificate, mesh, verify)
}

/** @throws {CodedError} E_LIGHT_TRUST_EXPIRED when keys of that time may have been sold since */
export function requireFresh({ height, time }: Trusted, { trustingMs, now }: TrustPolicy): void {
  if (now - time <= trustingMs) return
  const root = height === 0 ? 'the genesis' : `epoch ${height}`
  const [age, limit] = [now - time, trustingMs].map((ms) => `${Number((ms / 86_400_000).toPrecision(3))} days`)
  throw new CodedError(
    'E_LIGHT_TRUST_EXPIRED',
    `${root} is ${age} old, and the validators of that time are trusted for ${limit}: whoever has their keys by now could have written another history`,
    {
      hint: 'a checkpoint is needed: HEIGHT:CID of a recent epoch, from somebody you trust (--checkpoint), and a file that was exported from it',
    },
  )
}

function requireOverlap(trusted: Trusted, height: number, { signers }: Signed): void {
  const [known, whole] = [powerAmong(trusted.next.validators, signers), sum(trusted.next.validators)]
  if (known * 3 > whole) return
  throw new CodedError(
    'E_LIGHT_OVERLAP',
    `of the validators known at epoch ${trusted.height} only ${known} of ${whole} of the power signed epoch ${height}, and trust moves with more than a third`,
    { hint: 'a path with more epochs between them is needed: export the epoch again' },
  )
}

export function broken(height: number, why: string): CodedError {
  return new CodedError('E_LIGHT_CHAIN', `epoch ${height} is not of this chain: ${why}`, {
    hint: 'somebody made it up or changed it; ask others for the epoch',
  })
}

export function foreign(mesh: Uint8Array, expected: Uint8Array): CodedError {
  return new CodedError('E_LIGHT_MESH', `it is of the mesh ${cidText(mesh)}, not of ${cidText(expected)}`, {
    hint: 'compare the mesh ids, and give the genesis of the mesh that you mean',
  })
}

function fromTheFuture(height: number, time: number, now: number): CodedError {
  const ahead = Math.round((time - now) / 1000)
  return new CodedError('E_LIGHT_CLOCK', `epoch ${height} is ${ahead} s ahead of the clock of this machine`, {
    hint: 'set the clock; if it is right, validators made the epoch in advance, and it is not to be trusted',
  })
}
