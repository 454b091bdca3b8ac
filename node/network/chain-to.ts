import { founderOf, MAX_CHAIN_DEPTH, refuse, type Certificate, type Genesis } from '../../protocols/admission/index.ts'

/**
 * From a founder to a member, by certificates that are known here; nothing of them is checked.
 *
 * @throws {CodedError} E_ADMISSION_UNAVAILABLE when one is missing
 */
export function chainTo(
  genesis: Genesis,
  member: string,
  certificateOf: (peerId: string) => Certificate | undefined,
): Certificate[] {
  const chain: Certificate[] = []
  for (let peerId = member; founderOf(genesis, peerId) === undefined; peerId = chain[0]!.issuer) {
    const certificate = certificateOf(peerId)
    if (certificate === undefined || chain.length === MAX_CHAIN_DEPTH) throw refuse('E_ADMISSION_UNAVAILABLE')
    chain.unshift(certificate)
  }
  return chain
}
