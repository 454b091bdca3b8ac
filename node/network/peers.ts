import type { Connection, Libp2p, Peer } from '@libp2p/interface'
import type { Member } from '../../protocols/admission/index.ts'
import type { PeerStatus } from '../../protocols/status/index.ts'
import { hostOf } from './address-range.ts'
import type { NetworkPeer } from './types.ts'

export interface PeersInit {
  libp2p: Libp2p
  members(): Member[]
  status(peerId: string): PeerStatus | undefined
  scores(): (peerId: string) => number
}

/** One row per member that is connected or known, but this node. */
export async function listPeers(init: PeersInit): Promise<NetworkPeer[]> {
  const { libp2p } = init
  const stored = new Map((await libp2p.peerStore.all()).map((peer) => [peer.id.toString(), peer]))
  const self = libp2p.peerId.toString()
  const score = init.scores()
  const open = Map.groupBy(libp2p.getConnections(), ({ remotePeer }) => remotePeer.toString())
  return init
    .members()
    .filter(({ peerId }) => peerId !== self)
    .map((member) =>
      row(member, {
        status: init.status(member.peerId),
        score: score(member.peerId),
        connections: open.get(member.peerId) ?? [],
        stored: stored.get(member.peerId),
      }),
    )
}

interface Known {
  status: PeerStatus | undefined
  score: number
  connections: Connection[]
  stored: Peer | undefined
}

function row({ peerId, name, role, cell }: Member, { status, score, connections, stored }: Known): NetworkPeer {
  // A direct connection says more than a relayed one.
  const best = connections.find(({ direct }) => direct) ?? connections[0]
  return {
    peerId,
    name,
    role,
    cell,
    version: status?.version ?? null,
    connected: best !== undefined,
    direction: best?.direction ?? null,
    relayed: best !== undefined && hostOf(best.remoteAddr) === undefined,
    addresses: stored?.addresses.map(({ multiaddr }) => multiaddr.toString()) ?? [],
    roundTripMs: best?.rtt ?? null,
    score,
  }
}
