import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'

/** Peers that are said to have something; who is not connected is dialled meanwhile. An address that is none is left out. */
export function originPeers(libp2p: Libp2p, origins: readonly string[]): PeerId[] {
  return origins.flatMap((origin) => {
    try {
      const address = multiaddr(origin)
      const id = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
      if (id === undefined) return []
      const peer = peerIdFromString(id)
      // Whoever is no member is refused by admission; that it does not answer shows when it is asked.
      if (libp2p.getConnections(peer).length === 0) libp2p.dial(address).catch(() => undefined)
      return [peer]
    } catch {
      return []
    }
  })
}
