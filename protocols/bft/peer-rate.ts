import { ACCEPT, ignore, reject, type Verdict } from '../shared/verdict.ts'
import { MAX_RATED_PEERS } from './constants.ts'

export interface Rate {
  readonly bytesPerSecond: number
  readonly framesPerSecond: number
}

/** At once, in seconds' worth. */
const BURST_S = 2

interface Spent {
  /** how far ahead of the clock the peer has got, in ms of its rate, for what was taken and for what was dropped */
  taken: { bytesUntil: number; framesUntil: number }
  droppedUntil: number
}

/**
 * What each peer may send: over its rate it is dropped, and held against it once as much was dropped as may come at once.
 * It survives streams and connections; the peer unused for longest is forgotten first.
 */
export class PeerRate {
  readonly #rate: Rate
  readonly #peers = new Map<string, Spent>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** @param nowMs - monotonic. @returns E_BFT_RATE for what is to be dropped, E_BFT_FLOOD where that is abuse */
  spend(peer: string, bytes: number, nowMs: number): Verdict {
    const spent = this.#of(peer)
    const { taken } = spent
    const most = nowMs + BURST_S * 1000
    const bytesUntil = Math.max(taken.bytesUntil, nowMs) + (bytes * 1000) / this.#rate.bytesPerSecond
    const framesUntil = Math.max(taken.framesUntil, nowMs) + 1000 / this.#rate.framesPerSecond
    if (bytesUntil <= most && framesUntil <= most) {
      spent.taken = { bytesUntil, framesUntil }
      return ACCEPT
    }
    const cost = Math.max(bytes / this.#rate.bytesPerSecond, 1 / this.#rate.framesPerSecond) * 1000
    spent.droppedUntil = Math.max(spent.droppedUntil, nowMs) + cost
    if (spent.droppedUntil <= most) return ignore('E_BFT_RATE')
    spent.droppedUntil = nowMs
    return reject('E_BFT_FLOOD')
  }

  /** Counts what was done for a peer whose cost was not known before: what it asks for next waits for that. */
  charge(peer: string, bytes: number, nowMs: number): void {
    const { taken } = this.#of(peer)
    taken.bytesUntil = Math.max(taken.bytesUntil, nowMs) + (bytes * 1000) / this.#rate.bytesPerSecond
  }

  #of(peer: string): Spent {
    const spent = this.#peers.get(peer) ?? { taken: { bytesUntil: 0, framesUntil: 0 }, droppedUntil: 0 }
    this.#peers.delete(peer)
    this.#peers.set(peer, spent)
    if (this.#peers.size > MAX_RATED_PEERS) this.#peers.delete(this.#peers.keys().next().value!)
    return spent
  }
}
