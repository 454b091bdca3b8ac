import type { PeerId } from '@libp2p/interface'
import { isSigned } from './certificate.ts'
import { MAX_CHAIN_DEPTH } from './constants.ts'
import { founderOf, meshIdOf } from './genesis.ts'
import { brokenBy } from './grant.ts'
import { strictKeyFrom, strictKeyOf } from './keys.ts'
import { refuse } from './refusals.ts'
import type { Certificate, Genesis, Member } from './types.ts'

/**
 * Proves what a peer is. A founder is what genesis says, whatever chain it shows. Everybody else
 * shows its chain, the founder's certificate first and its own last.
 *
 * @param subject - the key on the line, proven by the encryption
 * @param now - Unix milliseconds
 * @throws {CodedError} E_KEY_WEAK, E_CERT_MISSING, E_CERT_DEPTH, E_CERT_NOT_FROM_GENESIS, E_CERT_SIGNATURE,
 *   E_CERT_EXPIRED, E_CERT_RIGHTS, E_CERT_CROSSES_CELLS, E_CERT_SUBJECT, E_MESH_MISMATCH
 */
export function checkChain(genesis: Genesis, chain: readonly Certificate[], subject: PeerId, now: number): Member {
  strictKeyOf(subject)
  const founder = founderOf(genesis, subject.toString())
  if (founder !== undefined) return founder
  const first = chain[0]
  if (first === undefined) throw refuse('E_CERT_MISSING')
  if (chain.length > MAX_CHAIN_DEPTH) throw refuse('E_CERT_DEPTH')
  const root = founderOf(genesis, first.issuer)
  if (root === undefined) throw refuse('E_CERT_NOT_FROM_GENESIS')
  const member = chain.reduce((issuer, certificate) => checkLink(genesis, issuer, certificate, now), root)
  if (member.peerId !== subject.toString()) throw refuse('E_CERT_SUBJECT')
  return member
}

/** @returns Unix milliseconds at which the first certificate of the chain ends, undefined when none does */
export function expiryOf(chain: readonly Certificate[]): number | undefined {
  const ends = chain.flatMap(({ expires }) => (expires === undefined ? [] : [expires]))
  return ends.length === 0 ? undefined : Math.min(...ends)
}

function checkLink(genesis: Genesis, issuer: Member, certificate: Certificate, now: number): Member {
  if (certificate.mesh !== meshIdOf(genesis)) throw refuse('E_MESH_MISMATCH', 'a certificate of another mesh')
  if (certificate.issuer !== issuer.peerId) throw refuse('E_CERT_NOT_FROM_GENESIS', 'a link is missing')
  strictKeyFrom(certificate.subject)
  if (!isSigned(certificate)) throw refuse('E_CERT_SIGNATURE')
  if (certificate.expires !== undefined && certificate.expires <= now) throw refuse('E_CERT_EXPIRED')
  const broken = brokenBy(genesis, issuer, certificate)
  if (broken !== undefined) throw refuse(broken)
  const { subject, name, cell, role, rights } = certificate
  return { peerId: subject, name, cell, role, rights }
}
