import type { PeerId } from '@libp2p/interface'

/** A peer that has, or should have, the blocks of one operation. */
export interface Holder {
  readonly peer: PeerId
  /** It speaks bitswap alone. */
  isMute: boolean
}

/** The peers worth asking in one operation. */
export class Holders {
  readonly #holders = new Map<string, Holder>()
  readonly #pending: (peer: PeerId) => number
  #search: Promise<void> | undefined

  /** @param pending - wants that a peer has not answered */
  constructor(pending: (peer: PeerId) => number, known: Iterable<PeerId> = []) {
    this.#pending = pending
    for (const peer of known) this.add(peer)
  }

  /**
   * Settles, without an error, when the search under way has ended: whoever it finds is then asked for the other
   * blocks, too. Nothing to wait for when who was found cannot be asked.
   */
  get search(): Promise<void> | undefined {
    return [...this.#holders.values()].some(({ isMute }) => isMute) ? undefined : this.#search
  }

  async searching<T>(search: Promise<T>): Promise<T> {
    const ended = search.then(
      () => undefined,
      () => undefined,
    )
    this.#search = ended
    try {
      return await search
    } finally {
      if (this.#search === ended) this.#search = undefined
    }
  }

  add(peer: PeerId): void {
    const key = peer.toString()
    if (!this.#holders.has(key)) this.#holders.set(key, { peer, isMute: false })
  }

  remove(peer: PeerId): void {
    this.#holders.delete(peer.toString())
  }

  /** The one with the least to do among those that were not yet tried for a block and pass the test. */
  next(tried: ReadonlySet<Holder>, isWanted: (holder: Holder) => boolean = () => true): Holder | undefined {
    let best: Holder | undefined
    for (const holder of this.#holders.values()) {
      if (tried.has(holder) || holder.isMute || !isWanted(holder)) continue
      if (best === undefined || this.#pending(holder.peer) < this.#pending(best.peer)) best = holder
    }
    return best
  }
}
