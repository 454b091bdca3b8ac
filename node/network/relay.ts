import { setTimeout as delay } from 'node:timers/promises'
import type { Transport, Upgrader } from '@libp2p/interface'
import type { CircuitRelayTransportComponents, RelayReservation } from '@libp2p/circuit-relay-v2'
import { hostOf } from './address-range.ts'
import { MAX_CIRCUITS_PER_SOURCE } from './limits.ts'
import type { RelayConfig } from './types.ts'

type RelayComponents = CircuitRelayTransportComponents & { upgrader: Upgrader }

/** Found relays are told apart by nothing: a relay that comes back must be reserved again. */
const REMEMBER_NOTHING = { has: () => false, add: () => undefined, remove: () => undefined }

/**
 * libp2p looks for a relay by walking the DHT, and where the mesh has none it would do nothing else: half a
 * core on both sides. Relays that join are found without it, as every member is.
 */
const WALK_PAUSE_MS = 5_000

/**
 * Dials through relays, and where the node listens on `/p2p-circuit` keeps a reservation on one.
 *
 * The relay cuts a connection at its limits whatever we call it here. Called "limited", libp2p would dial a
 * new circuit for each stream to such a peer, and could not answer one that has no address (adr/0001).
 */
export async function relayTransport(): Promise<(components: RelayComponents) => Transport> {
  const { circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
  const make = circuitRelayTransport({ discoveryFilter: REMEMBER_NOTHING, reservationCompletionTimeout: 10_000 })
  return (components) => make(adapted(components))
}

/** libp2p fills its components in as it goes, so they cannot be copied. */
function adapted(components: RelayComponents): RelayComponents {
  const own = { upgrader: unlimited(components.upgrader), randomWalk: paced(components) }
  return new Proxy(components, {
    get: (target, name) => Reflect.get(Object.hasOwn(own, name) ? own : target, name),
  })
}

function paced(components: RelayComponents): RelayComponents['randomWalk'] {
  return {
    async *walk(options) {
      for await (const peer of components.randomWalk.walk(options)) {
        yield peer
        await delay(WALK_PAUSE_MS, undefined, options?.signal === undefined ? {} : { signal: options.signal })
      }
    },
  }
}

function unlimited(upgrader: Upgrader): Upgrader {
  return new Proxy(upgrader, {
    get(target, name) {
      if (name === 'upgradeInbound' || name === 'upgradeOutbound') {
        return (connection: never, options: object) =>
          target[name](connection, { ...options, limits: undefined } as never)
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Serves members only, since admission lets nobody else in; the gater adds limits per address and source. */
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
