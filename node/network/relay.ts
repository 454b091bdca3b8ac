import type { Transport } from '@libp2p/interface'
import type { RelayReservation } from '@libp2p/circuit-relay-v2'
import { hostOf } from './address-range.ts'
import { MAX_CIRCUITS_PER_SOURCE } from './limits.ts'
import type { RelayConfig } from './types.ts'

/** Found relays are told apart by nothing: a relay that comes back must be reserved again. */
const REMEMBER_NOTHING = { has: () => false, add: () => undefined, remove: () => undefined }

/** Dials through relays, and where the node listens on `/p2p-circuit` keeps a reservation on one. */
export async function relayTransport(): Promise<(components: never) => Transport> {
  const { circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
  return circuitRelayTransport({ discoveryFilter: REMEMBER_NOTHING, reservationCompletionTimeout: 10_000 })
}

/**
 * Serves members only, since admission lets nobody else in; the gater adds limits per address and source.
 * Connections over it are limited ones: protocols that may run there say so (`runOnLimitedConnection`).
 */
export async function relayServer(config: RelayConfig) {
  const { circuitRelayServer } = await import('@libp2p/circuit-relay-v2')
  return circuitRelayServer({
    hopTimeout: 10_000,
    maxInboundHopStreams: 2 * MAX_CIRCUITS_PER_SOURCE,
    maxOutboundStopStreams: 4 * MAX_CIRCUITS_PER_SOURCE,
    reservations: {
      maxReservations: config.maxReservations,
      reservationTtl: 3_600_000,
      applyDefaultLimit: true,
      defaultDurationLimit: config.maxDurationMs,
      defaultDataLimit: BigInt(config.maxDataBytes),
    },
  })
}

/** The server's reservations as the gater counts them. */
export function* reservationsOf(service: unknown): Generator<{ peerId: string; host: string | undefined }> {
  const { reservations } = (service ?? {}) as { reservations?: Iterable<[{ toString(): string }, RelayReservation]> }
  for (const [peerId, { addr }] of reservations ?? []) yield { peerId: peerId.toString(), host: hostOf(addr) }
}
