import type { ComponentLogger, Libp2p, Peer } from '@libp2p/interface'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { Service } from '../service.ts'
import { MAX_ADDRESSES_PER_PEER, MAX_PEER_STORE_PEERS, PEER_STORE_SWEEP_MS } from './limits.ts'

/** libp2p's peer store grows with everything that DHT and identify say: cut back every ten minutes. */
export class PeerStoreSweep implements Service {
  readonly name = 'peer-store-sweep'
  readonly #libp2p: Libp2p
  readonly #log: ReturnType<ComponentLogger['forComponent']>
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()

  constructor(libp2p: Libp2p, logger: ComponentLogger) {
    this.#libp2p = libp2p
    this.#log = logger.forComponent('kairos:peer-store')
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#sweeping = sweepPeerStore(this.#libp2p).catch((error: unknown) => {
        this.#log.error('sweep failed: %s', messageOf(error))
      })
    }, PEER_STORE_SWEEP_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sweeping
  }
}

/** Keeps at most 5000 peers of at most 16 addresses; those never reached go first, connected and tagged ones stay. */
export async function sweepPeerStore(libp2p: Pick<Libp2p, 'peerStore' | 'getPeers'>): Promise<void> {
  const connected = new Set(libp2p.getPeers().map(String))
  const peers = await libp2p.peerStore.all()
  for (const peer of peers) {
    if (peer.addresses.length <= MAX_ADDRESSES_PER_PEER) continue
    const certifiedFirst = peer.addresses.toSorted((a, b) => Number(b.isCertified) - Number(a.isCertified))
    const multiaddrs = certifiedFirst.slice(0, MAX_ADDRESSES_PER_PEER).map(({ multiaddr }) => multiaddr)
    await libp2p.peerStore.patch(peer.id, { multiaddrs })
  }
  const removable = peers.filter(({ id, tags }) => !connected.has(id.toString()) && tags.size === 0)
  removable.sort((a, b) => lastReached(a) - lastReached(b))
  const surplus = Math.max(0, peers.length - MAX_PEER_STORE_PEERS)
  for (const { id } of removable.slice(0, surplus)) await libp2p.peerStore.delete(id)
}

/** Unix milliseconds of the last successful dial, 0 when there was none; libp2p keeps it as text. */
function lastReached(peer: Peer): number {
  const bytes = peer.metadata.get('last-dial-success')
  return bytes === undefined ? 0 : Number(Buffer.from(bytes).toString()) || 0
}
