import type { CommitCertificate } from '../mesh/engine.ts'
import { partsCodec } from './block-codec.ts'
import { checkChain, isLinked, readBlock, rememberBlock, stateAfter, unreadable } from './block.ts'
import { checkCertificate, isExtended, witnessesOf } from './certificate.ts'
import { certificateCodec } from './certificate-codec.ts'
import { headerCodec, valueOf } from './header-codec.ts'
import { reportersAfter } from './reports.ts'
import type { Verify, VerifyAside } from './signed-bytes.ts'
import type { EpochHeader, MeshState } from './types.ts'

/** An epoch that follows on a state and is final, and the state after it. */
export interface Followed {
  readonly header: EpochHeader
  readonly value: Uint8Array
  readonly certificate: CommitCertificate
  readonly state: MeshState
}

/**
 * Takes an epoch decided elsewhere, for those who follow. The header must chain to the state, its lists be those that
 * it links to, and more than 2/3 of the power have signed it, each signature strictly valid. What the signers checked
 * before they signed (signatures in the lists, the numbers) is not checked again: their certificate stands for it.
 *
 * @param final - bytes of the block and of its certificate, as `finalPartsCodec` has them
 * @param options.extensions - checks what the precommits carry, too: needed by who will build the next block on them;
 *   otherwise the certificate comes back without
 * @returns the code of the first rule that it breaks
 */
export function checkFinal(
  state: MeshState,
  final: readonly [block: Uint8Array, certificate: Uint8Array],
  verify: Verify,
  options: { extensions?: boolean } = {},
): Followed | string {
  try {
    const parts = partsCodec.decode(final[0])
    const header = headerCodec.decode(parts.header)
    const chain = checkChain(state, header)
    if (chain !== undefined) return chain
    if (header.time <= state.time) return 'E_EPOCH_TIME'
    if (!isLinked(header, parts)) return 'E_EPOCH_LINKS'
    const value = valueOf(parts.header)
    const certificate = certificateCodec.decode(final[1])
    const code = checkCertificate(state, certificate, { height: header.height, value }, verify)
    if (code !== undefined) return code
    if (options.extensions === true && !isBuildable(state, certificate, verify)) return 'E_EPOCH_EXTENSION'
    const block = readBlock(header, parts)
    const after = stateAfter(state, block)
    if (typeof after === 'string') return after
    rememberBlock(final[0], block)
    return { header, value, certificate: options.extensions === true ? certificate : plain(certificate), state: after }
  } catch (error) {
    return unreadable(error)
  }
}

/**
 * As {@link checkFinal}, with all its signatures checked at once: first all other rules, as if each signature were
 * valid, then whether they are.
 */
export async function checkFinalAside(
  state: MeshState,
  final: readonly [block: Uint8Array, certificate: Uint8Array],
  verify: VerifyAside,
  options: { extensions?: boolean } = {},
): Promise<Followed | string> {
  const claims: Parameters<Verify>[] = []
  const result = checkFinal(state, final, (...claim) => claims.push(claim) > 0, options)
  if (typeof result === 'string') return result
  const answers = await Promise.all(claims.map((claim) => verify(...claim)))
  if (answers.every(Boolean)) return result
  // Which rule that breaks: the claims come in the same order.
  let next = 0
  return checkFinal(state, final, () => answers[next++] === true, options)
}

/**
 * Whether the next block can carry it. Who decides alone may hold an extension that nobody else would have taken: if it
 * came here by sync, no block could follow any more.
 */
function isBuildable(state: MeshState, certificate: CommitCertificate, verify: Verify): boolean {
  const witnesses = witnessesOf(certificate, state.validators, reportersAfter(state).length)
  return witnesses !== undefined && isExtended(state.mesh, certificate, verify)
}

/** Without what its signers saw: only the decision. */
export function plain(certificate: CommitCertificate): CommitCertificate {
  const signatures = certificate.signatures.map(({ validator, signature }) => ({ validator, signature }))
  return { ...certificate, signatures }
}
