import type { GossipSub } from '@libp2p/gossipsub'
import { expect } from 'chai'
import { ScoreLedger } from '../../../node/network/ledger.ts'
import { LedgerShare, Watchdog, type ScoredGossip } from '../../../node/network/watchdog.ts'

/** As gossipsub does it: a score that was made up once is told again, until `forget`. */
class CachingGossip implements ScoredGossip {
  readonly #share: LedgerShare
  readonly #own: Map<string, number>
  readonly #cached = new Map<string, number>()

  constructor(share: LedgerShare, own: Map<string, number>) {
    this.#share = share
    this.#own = own
  }

  getScore(peerId: string): number {
    const own = this.#own.get(peerId)
    if (own === undefined) return 0
    const score = this.#cached.get(peerId) ?? own + this.#share.tell(peerId)
    this.#cached.set(peerId, score)
    return score
  }

  dumpPeerScoreStats(): ReturnType<ScoredGossip['dumpPeerScoreStats']> {
    return Object.fromEntries([...this.#own.keys()].map((peerId) => [peerId, { topics: {} }]))
  }

  leave(peerId: string): void {
    this.#own.delete(peerId)
  }

  forget(): void {
    this.#cached.clear()
  }
}

describe('network: what the watchdog holds against a peer', () => {
  const setUp = (own: Record<string, number>) => {
    const ledger = new ScoreLedger(() => 0)
    const share = new LedgerShare(ledger)
    const gossip = new CachingGossip(share, new Map(Object.entries(own)))
    const watchdog = new Watchdog({
      pubsub: gossip as unknown as GossipSub,
      share,
      ledger,
      connected: () => Object.keys(own),
      ban: () => undefined,
    })
    return { ledger, gossip, share, scoreOf: (peerId: string) => watchdog.scores()(peerId) }
  }

  it('counts points at once, though gossipsub tells an older score for a while, and counts them once', () => {
    const { ledger, gossip, scoreOf } = setUp({ liar: 2 })
    expect(scoreOf('liar')).to.equal(2)
    ledger.penalise('liar', 10)
    expect(scoreOf('liar')).to.equal(-8)
    gossip.forget()
    expect(scoreOf('liar')).to.equal(-8)
  })

  it('counts the points of a peer of whom gossipsub knows nothing', () => {
    const { ledger, scoreOf } = setUp({})
    ledger.penalise('liar', 10)
    expect(scoreOf('liar')).to.equal(-10)
  })

  it('forgets what gossipsub was told of whom it has forgotten', () => {
    const { ledger, gossip, share, scoreOf } = setUp({ liar: 2, other: 0 })
    ledger.penalise('liar', 10)
    expect([scoreOf('liar'), share.told('liar')]).to.deep.equal([-8, -10])
    gossip.leave('liar')
    expect([scoreOf('liar'), share.told('liar')]).to.deep.equal([-10, 0])
  })
})
