import { z } from 'zod'
import { defineCodec } from '../../protocols/shared/codec.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import { MAX_ADDRESSES_PER_PEER, MAX_ADDRESS_BYTES } from './limits.ts'

/** Peers kept on disk: enough to find the mesh again when every bootstrap peer is gone. */
export const MAX_GOOD_PEERS = 64
const SAVE_INTERVAL_MS = 10_000
const KEY = 'peers'

export interface GoodPeer {
  peerId: string
  /** Multiaddrs without `/p2p`. */
  addresses: string[]
  /** Unix milliseconds at which it was last seen doing well. */
  seen: number
}

const peersCodec = defineCodec<GoodPeer[]>(
  'good peers',
  1_048_576,
  z
    .array(
      z.strictObject({
        peerId: z.string().max(128),
        addresses: z.array(z.string().max(4 * MAX_ADDRESS_BYTES)).max(MAX_ADDRESSES_PER_PEER),
        seen: z.int().nonnegative(),
      }),
    )
    .max(MAX_GOOD_PEERS),
)

/** The last 64 peers with which status was exchanged, the latest last. */
export class PeerMemory {
  readonly #store: Pick<Sublevel, 'get' | 'put'>
  readonly #peers = new Map<string, GoodPeer>()
  #savedAt = -Infinity

  constructor(store: Pick<Sublevel, 'get' | 'put'>) {
    this.#store = store
  }

  async load(): Promise<void> {
    const bytes = await this.#store.get(KEY)
    if (bytes === undefined) return
    for (const peer of peersCodec.decode(bytes)) this.#peers.set(peer.peerId, peer)
  }

  all(): GoodPeer[] {
    return [...this.#peers.values()]
  }

  remember(peer: GoodPeer): void {
    this.#peers.delete(peer.peerId)
    this.#peers.set(peer.peerId, { ...peer, addresses: peer.addresses.slice(0, MAX_ADDRESSES_PER_PEER) })
    const oldest = this.#peers.keys().next()
    if (this.#peers.size > MAX_GOOD_PEERS && oldest.done !== true) this.#peers.delete(oldest.value)
  }

  forget(peerId: string): void {
    this.#peers.delete(peerId)
  }

  /** At most one write in ten seconds, however often peers say hello; `save` at the end keeps the rest. */
  async saveSoon(): Promise<void> {
    const now = performance.now()
    if (now - this.#savedAt < SAVE_INTERVAL_MS) return
    this.#savedAt = now
    await this.save()
  }

  /** Best effort: losing the last seconds of it costs nothing, so it is not synced. */
  async save(): Promise<void> {
    await this.#store.put(KEY, peersCodec.encode(this.all()), { sync: false })
  }
}
