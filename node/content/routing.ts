import type { HeliaInit } from 'helia'
import type { ContentRouting, PeerId, PeerStore } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

type Router = Exclude<NonNullable<HeliaInit['routers']>[number], (components: never) => unknown>

export type FindProviders = (cid: CID, signal: AbortSignal | undefined) => AsyncIterable<PeerId>

/**
 * Where Helia looks for holders: in the mesh's DHT and nowhere else. It provides nothing by itself
 * (roots are provided explicitly), so there is no `provide`.
 */
export function createRouter(findProviders: FindProviders, peerStore: PeerStore): Router {
  return {
    name: 'kairos-mesh',
    async *findProviders(cid, options) {
      // Asking one known peer must not start a search for others (see Fetcher).
      if (options?.useNetwork === false) return
      for await (const id of findProviders(cid, options?.signal)) {
        const { addresses } = await peerStore.get(id).catch(() => ({ addresses: [] }))
        const multiaddrs = addresses.map((address) => address.multiaddr)
        yield { id: id.toCID(), multiaddrs, router: 'kairos-mesh', fallback: false }
      }
    },
  }
}

export async function* routedProviders(
  routing: ContentRouting,
  cid: CID,
  signal: AbortSignal | undefined,
): AsyncGenerator<PeerId> {
  for await (const provider of routing.findProviders(cid, signal === undefined ? {} : { signal })) yield provider.id
}
