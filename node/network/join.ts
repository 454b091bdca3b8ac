import type { ConnectionEncrypter, Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { joinHost, parseTicket, refusalFrom, type Joined } from '../../protocols/admission/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { encrypterOf } from './encrypter.ts'

const DIAL_TIMEOUT_MS = 15_000
/** What another node may answer otherwise. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'E_ADMISSION_TIMEOUT',
  'E_ADMISSION_UNAVAILABLE',
  'E_CERT_DEPTH',
  'E_MESH_MISMATCH',
  'E_TICKET_MESH',
  'E_TICKET_NOT_ISSUER',
])

export interface RedeemInit {
  privateKey: Ed25519PrivateKey
  /** Name of this node, kept in its certificate. */
  name: string
  /** The text that `kairos invite` printed. */
  ticket: string
  transport: 'noise' | 'tls'
  /** Other full nodes of the issuer's cell, to be asked in its place. */
  at: readonly Multiaddr[]
  signal: AbortSignal
}

/**
 * Trades a ticket for a certificate at its issuer, or at a full node of its cell, over one connection that carries nothing
 * else. Redeeming again with the same key gives the same certificate: a crash burns nothing.
 *
 * @returns what a member keeps, and the addresses of who gave it and of the issuer, with their peer ids: the first to dial
 * @throws {CodedError} the refusal with its own code, E_TICKET_ALTERED for a text that is no ticket, E_ISSUER_UNREACHABLE
 *   when no address answers
 */
export async function redeemTicket(init: RedeemInit): Promise<Joined & { bootstrap: string[] }> {
  const ticket = parseTicket(init.ticket)
  const ofIssuer = ticket.addresses.map((address) => `${address}/p2p/${ticket.issuer}`)
  // Who is asked is told the ticket: only keys that a person or the ticket named.
  const targets = init.at.length === 0 ? [ofIssuer.map((address) => multiaddr(address))] : init.at.map((at) => [at])
  const { host, joined } = joinHost({ ticket, self: peerIdFromPrivateKey(init.privateKey), name: init.name })
  const libp2p = await createLibp2p({
    privateKey: init.privateKey,
    transports: [tcp(), webSockets()],
    connectionEncrypters: [(await encrypterOf(init.transport, host)) as (components: unknown) => ConnectionEncrypter],
    streamMuxers: [yamux()],
    connectionManager: { reconnectRetries: 0, addressDialTimeout: DIAL_TIMEOUT_MS, dialTimeout: DIAL_TIMEOUT_MS },
  })
  const refusals: CodedError[] = []
  let cause: unknown
  try {
    for (const addresses of targets) {
      try {
        await libp2p.dial(addresses, { signal: init.signal })
        const membership = joined()
        if (membership === undefined)
          throw new CodedError('E_ADMISSION_MALFORMED', 'no certificate came for the ticket')
        return { ...membership, bootstrap: [...new Set([...addresses.map(String), ...ofIssuer])] }
      } catch (error) {
        init.signal.throwIfAborted()
        cause = error
        const refusal = error instanceof CodedError ? error : refusalFrom(error)
        if (refusal !== undefined) refusals.push(targets.length === 1 ? refusal : ofAddress(addresses[0]!, refusal))
      }
    }
  } finally {
    await libp2p.stop()
  }
  throw refusals.find(({ code }) => !ELSEWHERE.has(code)) ?? refusals[0] ?? unreachable(cause, targets.flat())
}

function ofAddress(address: Multiaddr, { code, message, hint, cause }: CodedError): CodedError {
  return new CodedError(code, `${address}: ${message}`, { hint, cause })
}

function unreachable(cause: unknown, addresses: readonly Multiaddr[]): CodedError {
  const where = addresses.length === 0 ? 'the ticket names no address' : `nobody answers at ${addresses.join(' or ')}`
  return new CodedError('E_ISSUER_UNREACHABLE', where, {
    hint:
      'the node that issued the ticket must be running and reachable; or ask another full node of its cell that may ' +
      'invite: `kairos join TICKET --at ADDRESS/p2p/PEER`. The ticket is not used up',
    cause,
  })
}
