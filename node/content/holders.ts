import type { PeerId } from '@libp2p/interface'
import { PEER_SILENCE_MS } from './constants.ts'

/** A peer that sent a block of this operation, and how long it has been silent while asked. */
export class Holder {
  readonly peer: PeerId
  pending = 0
  #lastHeard = 0

  constructor(peer: PeerId) {
    this.peer = peer
  }

  asked(): void {
    if (this.pending++ === 0) this.#lastHeard = performance.now()
  }

  heard(): void {
    this.#lastHeard = performance.now()
  }

  done(): void {
    this.pending--
  }

  /** ms since its last block, or since it was asked when it had nothing to do. */
  silentMs(): number {
    return performance.now() - this.#lastHeard
  }

  isGivenUp(): boolean {
    return this.silentMs() >= PEER_SILENCE_MS
  }
}

/** The peers worth asking in one operation. */
export class Holders {
  readonly #holders = new Map<string, Holder>()
  /** Settles, without an error, when the search for a holder that is under way has ended. */
  search: Promise<void> | undefined

  async searching<T>(search: Promise<T>): Promise<T> {
    const ended = (): void => {
      this.search = undefined
    }
    this.search = search.then(ended, ended)
    return search
  }

  add(peer: PeerId): void {
    const key = peer.toString()
    if (!this.#holders.has(key)) this.#holders.set(key, new Holder(peer))
  }

  /** The one with the least to do among those that were not yet tried for a block. */
  next(tried: ReadonlySet<Holder>): Holder | undefined {
    let best: Holder | undefined
    for (const holder of this.#holders.values()) {
      if (!tried.has(holder) && (best === undefined || holder.pending < best.pending)) best = holder
    }
    return best
  }
}
