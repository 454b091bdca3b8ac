import type { Connection, Libp2p, Peer } from '@libp2p/interface'
import type { Member } from '../../protocols/admission/index.ts'
import type { PeerStatus } from '../../protocols/status/index.ts'
import { hostOf } from './address-range.ts'
import type { NetworkPeer } from './types.ts'

export interface PeersInit {
  libp2p: Libp2p
  members(): Member[]
  status(peerId: string): PeerStatus | undefined
  score(peerId: string): number
}

/** One row per member that is connected or known, but this node. */
export async function listPeers(init: PeersInit): Promise<NetworkPeer[]> {
  const { libp2p } = init
  const stored = new Map((await libp2p.peerStore.all()).map((peer) => [peer.id.toString(), peer]))
  const self = libp2p.peerId.toString()
  const open = Map.groupBy(libp2p.getConnections(), ({ remotePeer }) => remotePeer.toString())
  return init
    .members()
    .filter(({ peerId }) => peerId !== self)
    .map((member) =>
      row(init, member, { connections: open.get(member.peerId) ?? [], stored: stored.get(member.peerId) }),
    )
}

function row(
  init: PeersInit,
  { peerId, name, role, cell }: Member,
  { connections, stored }: { connections: Connection[]; stored: Peer | undefined },
): NetworkPeer {
  // A direct connection says more than a relayed one.
  const best = connections.find(({ direct }) => direct) ?? connections[0]
  return {
    peerId,
    name,
    role,
    cell,
    version: init.status(peerId)?.version ?? null,
    connected: best !== undefined,
    direction: best?.direction ?? null,
    relayed: best !== undefined && hostOf(best.remoteAddr) === undefined,
    addresses: stored?.addresses.map(({ multiaddr }) => multiaddr.toString()) ?? [],
    roundTripMs: best?.rtt ?? null,
    score: init.score(peerId),
  }
}
