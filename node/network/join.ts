import type { ConnectionEncrypter, Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { joinHost, parseTicket, refusalFrom, type Joined } from '../../protocols/admission/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { encrypterOf } from './encrypter.ts'

const DIAL_TIMEOUT_MS = 15_000

export interface RedeemInit {
  privateKey: Ed25519PrivateKey
  /** Name of this node, kept in its certificate. */
  name: string
  /** The text that `kairos invite` printed. */
  ticket: string
  transport: 'noise' | 'tls'
  signal: AbortSignal
}

/**
 * Trades a ticket for a certificate at its issuer, over one connection that carries nothing else.
 * Redeeming again with the same key gives the same certificate: a crash burns nothing.
 *
 * @returns what a member keeps, and the issuer's addresses with its peer id: the first to dial
 * @throws {CodedError} the issuer's refusal with its own code, E_TICKET_ALTERED for a text that is no
 *   ticket, E_ISSUER_UNREACHABLE when no address answers
 */
export async function redeemTicket(init: RedeemInit): Promise<Joined & { bootstrap: string[] }> {
  const ticket = parseTicket(init.ticket)
  const bootstrap = ticket.addresses.map((address) => `${address}/p2p/${ticket.issuer}`)
  const { host, joined } = joinHost({ ticket, self: peerIdFromPrivateKey(init.privateKey), name: init.name })
  const libp2p = await createLibp2p({
    privateKey: init.privateKey,
    transports: [tcp(), webSockets()],
    connectionEncrypters: [(await encrypterOf(init.transport, host)) as (components: unknown) => ConnectionEncrypter],
    streamMuxers: [yamux()],
    connectionManager: { reconnectRetries: 0, addressDialTimeout: DIAL_TIMEOUT_MS, dialTimeout: DIAL_TIMEOUT_MS },
  })
  try {
    const addresses = bootstrap.map((address) => multiaddr(address))
    await libp2p.dial(addresses, { signal: init.signal })
    const membership = joined()
    if (membership === undefined) throw new CodedError('E_ADMISSION_MALFORMED', 'the issuer gave no certificate')
    return { ...membership, bootstrap }
  } catch (error) {
    throw refusalFrom(error) ?? unreachable(error, bootstrap)
  } finally {
    await libp2p.stop()
  }
}

function unreachable(cause: unknown, addresses: string[]): CodedError {
  return new CodedError('E_ISSUER_UNREACHABLE', 'the node that issued the ticket does not answer', {
    hint: `it must be running and reachable at ${addresses.join(' or ')}; then try again, the ticket is not used up`,
    cause,
  })
}
