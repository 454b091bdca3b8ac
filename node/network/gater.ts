import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CodedError } from '../../protocols/shared/errors.ts'
import { hostOf, isDiallable, ownerOf, type AddressRanges } from './address-range.ts'
import type { ScoreLedger } from './ledger.ts'
import * as limits from './limits.ts'
import { TokenBuckets } from './token-bucket.ts'

const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'

export interface GaterInit {
  /** Addresses with the looser limits, and without bans by host. */
  trusted: AddressRanges
  ledger: ScoreLedger
  now(): number
  connections(peerId: PeerId): Connection[]
  /** Of the relay that this node serves; empty when it serves none. */
  reservations(): Iterable<{ peerId: string; host: string | undefined }>
}

/**
 * Who may knock, how often, and who is shut out. Never `connectionManager.allow`: an allow-list there
 * disarms its limits for everyone (F10).
 */
export function createGater(init: GaterInit): ConnectionGater {
  const rates = new TokenBuckets(limits.MAX_TRACKED_ADDRESSES)
  const pending = new PendingHandshakes()

  function denyInboundConnection(connection: MultiaddrConnection): boolean {
    const host = hostOf(connection.remoteAddr)
    const trusted = host === undefined || init.trusted.has(host)
    const owner = host === undefined ? relayOf(connection.remoteAddr) : ownerOf(host)
    if (!trusted && init.ledger.bannedOf(owner) >= limits.BANNED_IDS_PER_HOST) return true
    const ratePerSecond = trusted ? limits.TRUSTED_CONNECTIONS_PER_S : limits.STRANGER_CONNECTIONS_PER_S
    if (!rates.take(owner, { ratePerSecond, burst: ratePerSecond }, init.now())) return true
    pending.add(owner, connection, trusted ? limits.TRUSTED_PENDING : limits.STRANGER_PENDING)
    return false
  }

  function denyEncrypted(peerId: PeerId): boolean {
    return init.ledger.isBanned(peerId.toString()) || init.connections(peerId).length >= limits.MAX_CONNECTIONS_PER_PEER
  }

  return {
    denyInboundConnection,
    denyInboundEncryptedConnection: denyEncrypted,
    denyOutboundEncryptedConnection: denyEncrypted,
    denyInboundUpgradedConnection(_peerId, connection) {
      pending.remove(connection)
      return false
    },
    denyDialPeer: (peerId) => init.ledger.isBanned(peerId.toString()),
    denyDialMultiaddr: (address) => !isDiallable(address),
    denyInboundRelayReservation: (source) => tooManyReservations(init, source),
    denyOutboundRelayedConnection: (source, destination) =>
      init.ledger.isBanned(destination.toString()) || circuitsOf(init, source) > limits.MAX_CIRCUITS_PER_SOURCE,
    denyInboundRelayedConnection: (_relay, remote) => init.ledger.isBanned(remote.toString()),
    filterMultiaddrForPeer: (_peerId, address) =>
      address.bytes.byteLength <= limits.MAX_ADDRESS_BYTES && isDiallable(address),
  }
}

/** Handshakes under way, oldest first. A full house costs the oldest its place, never the newcomer (F1). */
class PendingHandshakes {
  readonly #byConnection = new Map<MultiaddrConnection, string>()

  add(owner: string, connection: MultiaddrConnection, maxOfOwner: number): void {
    const ofOwner = [...this.#byConnection].filter(([, other]) => other === owner)
    const crowded = ofOwner.length >= maxOfOwner ? ofOwner[0]?.[0] : this.#oldestWhenFull()
    if (crowded !== undefined) {
      this.remove(crowded)
      crowded.abort(new CodedError('E_HANDSHAKE_CROWDED', 'too many handshakes under way'))
    }
    this.#byConnection.set(connection, owner)
    connection.addEventListener('close', () => this.remove(connection), { once: true })
  }

  remove(connection: MultiaddrConnection): void {
    this.#byConnection.delete(connection)
  }

  #oldestWhenFull(): MultiaddrConnection | undefined {
    return this.#byConnection.size < limits.MAX_PENDING ? undefined : this.#byConnection.keys().next().value
  }
}

function tooManyReservations(init: GaterInit, source: PeerId): boolean {
  const address = init.connections(source)[0]?.remoteAddr
  const host = address === undefined ? undefined : hostOf(address)
  if (host === undefined) return true
  if (init.trusted.has(host)) return false
  const others = [...init.reservations()].filter(
    (held) => held.peerId !== source.toString() && held.host !== undefined && ownerOf(held.host) === ownerOf(host),
  )
  return others.length >= limits.MAX_RESERVATIONS_PER_HOST
}

/** A circuit lives as long as the hop stream that asked for it. */
function circuitsOf(init: GaterInit, source: PeerId): number {
  return init
    .connections(source)
    .flatMap(({ streams }) => streams)
    .filter(({ protocol, direction }) => protocol === HOP_PROTOCOL && direction === 'inbound').length
}

/** All that arrives over one relay shares the relay's allowance. */
function relayOf(address: Multiaddr): string {
  return `relay ${address.toString().split('/p2p-circuit')[0] ?? ''}`
}
