import { noise } from '@chainsafe/libp2p-noise'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify, type Identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import { coalescingTcp } from '../../node/network/tcp.ts'
import { sparingYamux } from '../../node/network/yamux.ts'

export type TestLibp2p = Libp2p<{ identify: Identify }>

export interface TestLibp2pOptions {
  listen?: string[]
  /** Serves circuit relay to others. */
  isRelay?: boolean
}

/** A libp2p node on a free loopback port, with plain Noise, and the transport and stream limits of a real node. */
export async function startLibp2p({ listen, isRelay = false }: TestLibp2pOptions = {}): Promise<TestLibp2p> {
  return createLibp2p({
    addresses: { listen: listen ?? ['/ip4/127.0.0.1/tcp/0'] },
    transports: [coalescingTcp({}), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      sparingYamux({
        maxMessageSize: 65_536,
        streamOptions: {
          initialStreamWindowSize: 262_144,
          maxStreamWindowSize: 1_048_576,
          maxReadBufferLength: 2_097_152,
          maxWriteBufferLength: 16_777_216,
        },
      }),
    ],
    connectionManager: { inboundConnectionThreshold: 1000 },
    services: { identify: identify(), ...(isRelay ? { relay: circuitRelayServer() } : {}) },
  })
}

export async function connect(from: Libp2p, to: Libp2p): Promise<void> {
  await from.dial(to.getMultiaddrs())
}

/** Polls a condition until it holds; the test's own timeout ends a hopeless wait. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Until a figure has stood still for half a second of looks at it. */
export async function settled(figure: () => number): Promise<void> {
  let last = NaN
  let still = 0
  await until(() => {
    const now = figure()
    still = now === last ? still + 1 : 0
    last = now
    return still >= 50
  })
}
