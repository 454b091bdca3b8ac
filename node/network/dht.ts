import type { KadDHT, KadDHTComponents, Selectors, Validators } from '@libp2p/kad-dht'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { DhtNamespace } from './dht-datastore.ts'

export interface DhtInit {
  meshId: string
  mode: 'server' | 'client'
  namespaces: Record<string, DhtNamespace>
}

/** The mesh's own DHT: another mesh's nodes do not even speak its protocol. */
export async function dhtService(init: DhtInit): Promise<(components: KadDHTComponents) => KadDHT> {
  const { kadDHT } = await import('@libp2p/kad-dht')
  return kadDHT({
    protocol: `/kairos/${init.meshId}/kad/1.0.0`,
    clientMode: init.mode === 'client',
    kBucketSize: 20,
    alpha: 10,
    disjointPaths: 10,
    validators: validatorsOf(init.namespaces),
    selectors: selectorsOf(init.namespaces),
    // The default drops private addresses, which is most of what a private mesh has.
    peerInfoMapper: (peer) => peer,
    maxInboundStreams: 8,
    maxOutboundStreams: 32,
    incomingMessageTimeout: 5_000,
    datastorePrefix: '/dht',
  })
}

function validatorsOf(namespaces: Record<string, DhtNamespace>): Validators {
  const own = Object.entries(namespaces).map(([name, namespace]) => [name, namespace.validate] as const)
  return { ...Object.fromEntries(own), pk: refusePublicKeys }
}

function selectorsOf(namespaces: Record<string, DhtNamespace>): Selectors {
  const own = Object.entries(namespaces).map(([name, { sequence }]) => [name, highest(sequence)] as const)
  return { ...Object.fromEntries(own), pk: refusePublicKeys }
}

function highest(sequence: (value: Uint8Array) => bigint): (key: Uint8Array, values: Uint8Array[]) => number {
  return (_key, values) => {
    const sequences = values.map(sequence)
    return sequences.reduce((best, value, index) => (value > (sequences[best] ?? 0n) ? index : best), 0)
  }
}

/** kad-dht brings `pk` along: a free store for anyone, and peer ids here carry their key. */
function refusePublicKeys(): never {
  throw new CodedError('E_DHT_NAMESPACE', 'this mesh keeps no public key records')
}
