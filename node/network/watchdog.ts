import type { GossipSub } from '@libp2p/gossipsub'
import type { Service } from '../service.ts'
import { GRAYLIST_THRESHOLD, INVALID_MESSAGE_WEIGHT } from './gossip.ts'
import type { ScoreLedger } from './ledger.ts'
import { WATCHDOG_INTERVAL_MS } from './limits.ts'

/** gossipsub's class has these beyond its interface. */
export interface ScoredGossip {
  getScore(peerId: string): number
  dumpPeerScoreStats(): Record<string, { topics: Record<string, { invalidMessageDeliveries: number }> }>
}

/**
 * The ledger's part in gossipsub's scores. gossipsub keeps a score for a second: what it was told when it made the score
 * up is in there, not what the ledger says now.
 */
export class LedgerShare {
  readonly #ledger: ScoreLedger
  readonly #told = new Map<string, number>()

  constructor(ledger: ScoreLedger) {
    this.#ledger = ledger
  }

  /** For gossipsub, which asks whenever it makes a score up. */
  tell(peerId: string): number {
    const points = this.#ledger.score(peerId)
    this.#told.set(peerId, points)
    return points
  }

  /** What gossipsub was told last. */
  told(peerId: string): number {
    return this.#told.get(peerId) ?? 0
  }

  /** Forgets whom gossipsub has forgotten. */
  keepOnly(isScored: (peerId: string) => boolean): void {
    for (const peerId of this.#told.keys()) if (!isScored(peerId)) this.#told.delete(peerId)
  }
}

export interface WatchdogInit {
  pubsub: GossipSub
  share: LedgerShare
  ledger: ScoreLedger
  connected(): Iterable<string>
  ban(peerId: string, score: number): void
}

/**
 * gossipsub only ignores a peer below its graylist threshold, and still decodes all it sends (F7); this
 * hangs up and bans. Runs every 200 ms, so a flooder at line rate is gone within a second.
 */
export class Watchdog implements Service {
  readonly name = 'watchdog'
  readonly #init: WatchdogInit
  /** What was below zero at the last look. */
  readonly #last = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(init: WatchdogInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#look(), WATCHDOG_INTERVAL_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
  }

  /** @returns the scores of peers as of now, ledger included: one look for as many peers as asked */
  scores(): (peerId: string) => number {
    const gossip = this.#gossipScores()
    return (peerId) => gossip.of(peerId) + this.#init.ledger.score(peerId)
  }

  /** To be called when a peer leaves: gossipsub forgets its score when it comes back (F5), the ledger does not. */
  left(peerId: string): void {
    const score = Math.min(this.#gossipScores().of(peerId), this.#last.get(peerId) ?? 0)
    this.#last.delete(peerId)
    if (score < 0) this.#init.ledger.penalise(peerId, -score)
  }

  #look(): void {
    const scores = this.#gossipScores()
    for (const peerId of this.#init.connected()) {
      const gossip = scores.of(peerId)
      if (gossip < 0) this.#last.set(peerId, gossip)
      else this.#last.delete(peerId)
      const score = gossip + this.#init.ledger.score(peerId)
      if (score < GRAYLIST_THRESHOLD) this.#init.ban(peerId, score)
    }
  }

  /** What gossipsub holds against peers, without the ledger's part, invalid messages counted as of now. */
  #gossipScores(): { of(peerId: string): number } {
    const { share } = this.#init
    const pubsub = this.#init.pubsub as GossipSub & ScoredGossip
    const stats = pubsub.dumpPeerScoreStats()
    share.keepOnly((peerId) => stats[peerId] !== undefined)
    return {
      of: (peerId) => {
        const known = stats[peerId]
        if (known === undefined) return 0
        const invalid = Object.values(known.topics).reduce((sum, topic) => sum + topic.invalidMessageDeliveries ** 2, 0)
        const cached = pubsub.getScore(peerId) - share.told(peerId)
        return invalid === 0 ? cached : Math.min(cached, INVALID_MESSAGE_WEIGHT * invalid)
      },
    }
  }
}
