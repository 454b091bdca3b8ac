import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ADMISSION_VERSION, MIN_ADMISSION_VERSION } from './constants.ts'
import { ticketCodec } from './codec.ts'
import { meshIdOf, parseGenesis } from './genesis.ts'
import { refuse } from './refusals.ts'
import type { Admission, AdmissionHost, Certificate, Genesis, Hello, Member, Ticket } from './types.ts'
import { checkChain, expiryOf } from './verify-chain.ts'

export interface JoinHostInit {
  /** From `parseTicket`. */
  ticket: Ticket
  /** The key that joins. */
  self: PeerId
  /** Name of the joining node, kept in its certificate. */
  name: string
  /** Unix milliseconds. */
  now?: () => number
}

/** What a node must keep to be a member. */
export interface Joined {
  genesis: Genesis
  chain: Certificate[]
}

/**
 * The host of a node that is no member yet. It dials the issuer of its ticket, or another full node of the issuer's cell,
 * once; genesis comes with the answer and is believed only if its CID is the ticket's mesh id.
 *
 * @returns the host for the encrypter, and `joined`: what to keep, once the dial has resolved
 */
export function joinHost(init: JoinHostInit): { host: AdmissionHost; joined: () => Joined | undefined } {
  const { ticket, self, name, now = Date.now } = init
  let pending: Joined | undefined
  let joined: Joined | undefined
  return {
    joined: () => joined,
    host: {
      hello: () => ({ mesh: ticket.mesh, version: ADMISSION_VERSION, name, ticket: ticketCodec.encode(ticket) }),
      admit: async (remote, hello) => {
        const { admission, mine } = checkWelcome(hello, { ticket, self, remote, now: now() })
        pending = mine
        return admission
      },
      accepted: () => {
        joined = pending
      },
      refused: () => undefined,
    },
  }
}

interface WelcomeContext {
  ticket: Ticket
  self: PeerId
  remote: PeerId
  now: number
}

function checkWelcome(
  hello: Hello,
  { ticket, self, remote, now }: WelcomeContext,
): { admission: Admission; mine: Joined } {
  checkVersion(hello)
  if (hello.mesh !== ticket.mesh) throw refuse('E_MESH_MISMATCH')
  if (hello.welcome === undefined) throw refuse('E_ADMISSION_MALFORMED', 'no certificate came for the ticket')
  const genesis = parseGenesis(hello.welcome.genesis)
  if (meshIdOf(genesis) !== ticket.mesh) throw refuse('E_MESH_MISMATCH', 'the genesis is not the one of the ticket')
  const chain = hello.chain ?? []
  const member = checkChain(genesis, chain, remote, now)
  if (!redeems(member, ticket, genesis, now)) throw refuse('E_TICKET_NOT_ISSUER', `its issuer is ${ticket.issuer}`)
  const given = checkChain(genesis, hello.welcome.certificate, self, now)
  if (!isGrantOf(ticket, given)) throw refuse('E_ADMISSION_MALFORMED', 'the certificate is not what the ticket gives')
  return { admission: { member, ...optionalExpiry(chain) }, mine: { genesis, chain: hello.welcome.certificate } }
}

function isGrantOf({ cell, role, rights }: Ticket, given: Member): boolean {
  const isAll = rights.length === given.rights.length && rights.every((right) => given.rights.includes(right))
  return isAll && given.cell === cell && given.role === role
}

/** Its issuer does, and any full node of the issuer's cell: they agree on who has used it. */
function redeems(member: Member, ticket: Ticket, genesis: Genesis, now: number): boolean {
  if (member.peerId === ticket.issuer) return true
  const issuer = checkChain(genesis, ticket.chain, peerIdFromString(ticket.issuer), now)
  return member.role === 'full' && member.cell === issuer.cell
}

/** @throws {CodedError} E_VERSION_UNSUPPORTED */
export function checkVersion({ version }: Hello): void {
  if (version < MIN_ADMISSION_VERSION || version > ADMISSION_VERSION) {
    throw refuse(
      'E_VERSION_UNSUPPORTED',
      `the peer speaks ${version}, this node ${MIN_ADMISSION_VERSION}–${ADMISSION_VERSION}`,
    )
  }
}

export function optionalExpiry(chain: readonly Certificate[]): { expires?: number } {
  const expires = expiryOf(chain)
  return expires === undefined ? {} : { expires }
}
