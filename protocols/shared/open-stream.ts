import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'

/**
 * Opens a stream on the best connection that there is, a relayed one included, and dials only
 * without one. `libp2p.dialProtocol` passes over a relayed connection and dials a direct one, which
 * fails for a peer that nobody can dial (libp2p 3.3, `findExistingConnection`).
 */
export async function openStream(
  libp2p: Libp2p,
  peer: PeerId,
  protocols: string | string[],
  options: { signal?: AbortSignal } = {},
): Promise<Stream> {
  const onAny = { ...options, runOnLimitedConnection: true }
  const connection = libp2p.getConnections(peer).reduce(better, undefined)
  if (connection === undefined) return libp2p.dialProtocol(peer, protocols, onAny)
  return connection.newStream(protocols, onAny)
}

function better(best: Connection | undefined, other: Connection): Connection | undefined {
  if (other.status !== 'open') return best
  return best === undefined || rank(other) > rank(best) ? other : best
}

function rank(connection: Connection): number {
  return (connection.limits === undefined ? 2 : 0) + (connection.direct ? 1 : 0)
}
