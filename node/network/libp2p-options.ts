import { identify, identifyPush } from '@libp2p/identify'
import type { ConnectionEncrypter, ConnectionGater } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2pOptions } from 'libp2p'
import * as limits from './limits.ts'
import { coalescingTcp } from './tcp.ts'
import type { NetworkConfig } from './types.ts'
import { sparingYamux } from './yamux.ts'

type EncrypterFactory = NonNullable<Libp2pOptions['connectionEncrypters']>[number]

export interface OptionsInit {
  config: Pick<NetworkConfig, 'listen' | 'announce' | 'maxConnections'>
  encrypters: ((components: never) => ConnectionEncrypter)[]
  gater: ConnectionGater
}

/** The part of libp2p's configuration that no role changes: transports, limits, nothing public. */
export function libp2pOptions({ config, encrypters, gater }: OptionsInit) {
  return {
    start: false,
    addresses: {
      listen: config.listen,
      announce: config.announce,
      // libp2p tells nobody a public address until others have verified it; the operator has said so.
      appendAnnounce: config.announce.length > 0 ? [] : config.listen.filter(isConcrete),
    },
    transports: [
      coalescingTcp({
        backlog: 64,
        maxConnections: config.maxConnections + limits.MAX_PENDING,
        inboundSocketInactivityTimeout: 120_000,
        outboundSocketInactivityTimeout: 120_000,
      }),
      webSockets({ maxBufferedAmount: 4_194_304 }),
    ],
    connectionEncrypters: encrypters as EncrypterFactory[],
    streamMuxers: [
      sparingYamux({
        maxInboundStreams: 256,
        maxOutboundStreams: 256,
        maxMessageSize: 65_536,
        maxEarlyStreams: 10,
        streamOptions: {
          // A window below the read buffer, so that a paused stream holds the sender and is not reset (F3).
          initialStreamWindowSize: 262_144,
          maxStreamWindowSize: 1_048_576,
          maxReadBufferLength: 2_097_152,
          // 4 MiB breaks bitswap.
          maxWriteBufferLength: 16_777_216,
          inactivityTimeout: 30_000,
        },
      }),
    ] as NonNullable<Libp2pOptions['streamMuxers']>,
    connectionManager: {
      maxConnections: config.maxConnections,
      maxIncomingPendingConnections: limits.LIBP2P_MAX_PENDING,
      inboundConnectionThreshold: limits.LIBP2P_CONNECTION_THRESHOLD,
      inboundUpgradeTimeout: limits.UPGRADE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: limits.INBOUND_NEGOTIATION_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: limits.OUTBOUND_NEGOTIATION_TIMEOUT_MS,
      maxParallelDials: 50,
      maxDialQueueLength: 500,
      maxPeerAddrsToDial: 2 * limits.MAX_ADDRESSES_PER_PEER,
      dialTimeout: limits.DIAL_TIMEOUT_MS,
      addressDialTimeout: limits.ADDRESS_DIAL_TIMEOUT_MS,
      reconnectRetries: 5,
      maxParallelReconnects: 5,
    },
    connectionMonitor: {
      pingInterval: limits.PING_INTERVAL_MS,
      // libp2p's default follows the fastest answer so far: one busy second on either side would cost the connection.
      pingTimeout: { minTimeout: limits.PING_TIMEOUT_MS, maxTimeout: limits.PING_TIMEOUT_MS },
    },
    connectionGater: gater,
  } satisfies Libp2pOptions
}

/** What every role speaks. */
export function baseServices() {
  return {
    identify: identify({ maxMessageSize: 8192, timeout: 5000, maxInboundStreams: 1 }),
    identifyPush: identifyPush({ maxMessageSize: 8192, concurrency: 8, debounce: 1000 }),
    // The connection monitor, the DHT and people ping at once; one refused would cost the connection.
    ping: ping({ maxInboundStreams: 8, maxOutboundStreams: 8 }),
  }
}

/** An address that means one socket: no wildcard, no port to be chosen, no relay to be found. */
function isConcrete(address: string): boolean {
  const components = multiaddr(address).getComponents()
  return components.every(
    ({ name, value }) =>
      name !== 'p2p-circuit' && !(name === 'tcp' && value === '0') && value !== '0.0.0.0' && value !== '::',
  )
}
