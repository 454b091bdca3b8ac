import type { EventLog } from './events.ts'
import { ERRORS } from './error-table.ts'
import type { Log } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface Refusal {
  /** Absent when the peer was cut before it proved its key. */
  peerId?: string
  code: string
  /** Who refused: this node, or the other one. */
  side: 'local' | 'remote'
  message: string
}

/** Peers whose last word is kept, and for how long it is news. */
const MAX_KEPT = 64
const NEWS_MS = 10 * 60_000

/**
 * Who would not have whom: counted by code, told to watchers, and what others said to this node kept
 * for its operator, who must learn why nobody talks to it.
 */
export class Refusals {
  readonly #kept = new Map<string, Refusal & { at: number }>()
  readonly #count: (refusal: Refusal) => void
  readonly #events: EventLog
  readonly #log: Log

  constructor(init: { metrics: Metrics; events: EventLog; log: Log }) {
    const labels = ['code', 'side'] as const
    const total = init.metrics.counter('kairos_peers_refused_total', 'Connections refused, by code and side', labels)
    this.#count = ({ code, side }) => total.inc({ code: code in ERRORS ? code : 'other', side })
    this.#events = init.events
    this.#log = init.log
  }

  add(refusal: Refusal): void {
    this.#count(refusal)
    this.#events.publish('peer.refused', { ...refusal })
    if (refusal.side === 'local') return this.#log.debug('refused a peer', { ...refusal })
    this.#log.warn('a peer refused this node', { ...refusal })
    const key = refusal.peerId ?? ''
    this.#kept.delete(key)
    this.#kept.set(key, { ...refusal, at: performance.now() })
    const oldest = this.#kept.keys().next().value
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }

  /** The peer and this node are connected: what it said before is settled. */
  forget(peerId: string): void {
    this.#kept.delete(peerId)
  }

  /** What other nodes said when they refused this one, in the last ten minutes, newest last. */
  ofThisNode(): Refusal[] {
    const since = performance.now() - NEWS_MS
    return [...this.#kept.values()].filter(({ at }) => at > since)
  }
}
