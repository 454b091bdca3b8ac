import { createHash } from 'node:crypto'
import { MAX_ASKED_DIGESTS } from './constants.ts'
import { keyOf } from './key-of.ts'

/** Which reports were asked of whom: nobody sends any that it was not asked for. */
export class ReportWants {
  /** epochs by digest, for each peer */
  readonly #asked = new Map<string, Map<string, number>>()

  asked(peer: string, epoch: number, digests: readonly Uint8Array[]): void {
    let digestsOf = this.#asked.get(peer)
    if (digestsOf === undefined) this.#asked.set(peer, (digestsOf = new Map()))
    for (const digest of digests) {
      digestsOf.set(keyOf(digest), epoch)
      if (digestsOf.size > MAX_ASKED_DIGESTS) digestsOf.delete(digestsOf.keys().next().value!)
    }
  }

  /** @returns the epoch for which the peer was asked for this report, undefined when it was not; once each */
  take(peer: string, envelope: Uint8Array): number | undefined {
    const digest = keyOf(createHash('sha256').update(envelope).digest())
    const digestsOf = this.#asked.get(peer)
    const epoch = digestsOf?.get(digest)
    digestsOf?.delete(digest)
    if (digestsOf?.size === 0) this.#asked.delete(peer)
    return epoch
  }

  forget(peer: string): void {
    this.#asked.delete(peer)
  }
}
