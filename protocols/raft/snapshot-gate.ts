import type { PeerId } from '@libp2p/interface'
import type { SnapshotMeta } from '../../consensus/cell/engine.ts'

/** A message that waits until the blocks of the snapshot that it offers are here. */
export interface Offer {
  readonly meta: SnapshotMeta
  readonly from: PeerId
  deliver(): void | Promise<void>
  /** Delivered, or not: the fetch failed, or something newer took its place. */
  settled(ok: boolean, error?: unknown): void
}

export type BeforeSnapshot = (meta: SnapshotMeta, from: PeerId, signal: AbortSignal) => Promise<void>

/** One fetch at a time, and one offer that waits for its end; a newer offer takes an older one's place. */
export class SnapshotGate {
  readonly #before: BeforeSnapshot
  #current: Offer | undefined
  #next: Offer | undefined
  #fetch = new AbortController()
  #running: Promise<void> | undefined

  constructor(before: BeforeSnapshot) {
    this.#before = before
  }

  /** Does not wait. The same offer again is answered once, by the fetch under way. */
  offer(offer: Offer): void {
    const latest = this.#next ?? this.#current
    if (latest !== undefined && isSame(offer, latest)) return
    if (latest !== undefined && !isNewer(offer, latest)) {
      offer.settled(false)
      return
    }
    this.#next?.settled(false)
    this.#next = offer
    this.#fetch.abort()
    this.#running ??= this.#run()
  }

  /** Ends the fetch under way and waits for its end. */
  async stop(): Promise<void> {
    this.#next = undefined
    this.#fetch.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    for (let offer = this.#next; offer !== undefined; offer = this.#next) {
      this.#next = undefined
      this.#current = offer
      this.#fetch = new AbortController()
      await this.#bring(offer, this.#fetch.signal)
    }
    this.#current = undefined
    this.#running = undefined
  }

  async #bring(offer: Offer, signal: AbortSignal): Promise<void> {
    try {
      await this.#before(offer.meta, offer.from, signal)
      signal.throwIfAborted()
      await offer.deliver()
    } catch (error) {
      offer.settled(false, error)
      return
    }
    offer.settled(true)
  }
}

function isSame(a: Offer, b: Offer): boolean {
  return a.meta.index === b.meta.index && a.meta.term === b.meta.term && a.from.equals(b.from)
}

/** Of a later term or index, or the same one from another member, who is then the leader. */
function isNewer({ meta, from }: Offer, than: Offer): boolean {
  if (meta.index !== than.meta.index) return meta.index > than.meta.index
  return meta.term > than.meta.term || (meta.term === than.meta.term && !from.equals(than.from))
}
