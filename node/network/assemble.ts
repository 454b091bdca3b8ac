import type { GossipSub } from '@libp2p/gossipsub'
import type { ConnectionGater, Libp2p } from '@libp2p/interface'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { ROLES } from '../roles.ts'
import type { AddressRanges } from './address-range.ts'
import { DhtDatastore } from './dht-datastore.ts'
import { dhtService } from './dht.ts'
import { encrypterOf } from './encrypter.ts'
import { gossipService } from './gossip.ts'
import { baseServices, libp2pOptions } from './libp2p-options.ts'
import { relayServer, relayTransport } from './relay.ts'
import type { NetworkInit } from './types.ts'

export interface Parts {
  gater: ConnectionGater
  trusted: AddressRanges
  /** From the ledger. */
  score(peerId: string): number
}

export type MeshLibp2p = Libp2p<{ pubsub: GossipSub }>

const RELAYED = '/p2p-circuit'

/** Builds libp2p for a role: what the role does not use is not imported. */
export async function assembleLibp2p(init: NetworkInit, parts: Parts): Promise<MeshLibp2p> {
  const { membership, config } = init
  const role = ROLES[init.role]
  const relay = config.relay.enabled === false ? 'none' : role.relay
  const encrypters = [await encrypterOf(config.transport, membership.host)]
  const listen = relay === 'use' && !config.listen.includes(RELAYED) ? [...config.listen, RELAYED] : config.listen
  const base = libp2pOptions({ config: { ...config, listen }, encrypters, gater: parts.gater })
  const namespaces = init.dhtNamespaces ?? {}
  const datastore = new DhtDatastore(init.datastore, membership.self.peerId, namespaces)
  await datastore.load()
  const options = {
    ...base,
    privateKey: init.privateKey,
    datastore,
    logger: init.logger,
    nodeInfo: { name: 'kairos', version: init.version, userAgent: init.userAgent },
    transports: relay === 'serve' ? base.transports : [...base.transports, await relayTransport()],
    peerDiscovery: config.mdns ? [await mdnsDiscovery(membership.meshId)] : [],
    services: {
      ...baseServices(),
      pubsub: gossipService({ topics: init.topics, trusted: parts.trusted, score: parts.score }),
      dht: await dhtService({ meshId: membership.meshId, mode: role.dht, namespaces }),
      ...(relay === 'serve' ? { relay: await relayServer(config.relay) } : {}),
    },
    ...(init.metrics === undefined ? {} : { metrics: init.metrics }),
  }
  return (await createLibp2p(options as unknown as Libp2pOptions)) as unknown as MeshLibp2p
}

/** Under the mesh's own name: nodes of other meshes on the same network do not even dial. */
async function mdnsDiscovery(meshId: string) {
  const { mdns } = await import('@libp2p/mdns')
  return mdns({ serviceTag: `_kairos-${meshId.slice(-16)}._udp.local` })
}
