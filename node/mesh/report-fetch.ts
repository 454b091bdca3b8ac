import type { PeerId } from '@libp2p/interface'
import type { ReportPool } from '../../consensus/epoch/report-pool.ts'
import type { Named } from '../../consensus/epoch/reports.ts'
import { peerOf } from './named.ts'

/** One that was asked has answered within this, or the next is asked. */
const PATIENCE_MS = 150

export interface ReportFetchInit {
  reports: () => Pick<ReportPool, 'missing'>
  request: (epoch: number, digests: readonly Uint8Array[], of: readonly PeerId[]) => void
  isConnected: (peer: PeerId) => boolean
}

/** Gets the reports that a block must carry: one of those who name a report is honest, and has it. */
export class ReportFetch {
  readonly #init: ReportFetchInit
  readonly #waiting = new Set<() => void>()

  constructor(init: ReportFetchInit) {
    this.#init = init
  }

  /** A report has come. */
  arrived(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Until all are in the pool, or the signal aborts. */
  async fetch(epoch: number, missing: readonly Named[], signal: AbortSignal): Promise<[]> {
    const { reports } = this.#init
    for (let turn = 0; !signal.aborted; turn++) {
      const left = reports().missing(missing)
      if (left.length === 0) break
      this.#ask(epoch, left, turn)
      await this.#untilDone(missing, signal)
    }
    return []
  }

  /** Each at one of its holders, at another in each turn. */
  #ask(epoch: number, left: readonly Named[], turn: number): void {
    const { request, isConnected } = this.#init
    const byPeer = new Map<string, { peer: PeerId; digests: Uint8Array[] }>()
    for (const { digest, holders } of left) {
      const peers = holders.map(peerOf).filter(isConnected)
      const peer = peers[turn % Math.max(1, peers.length)]
      if (peer === undefined) continue
      const asked = byPeer.get(peer.toString()) ?? { peer, digests: [] }
      asked.digests.push(digest)
      byPeer.set(peer.toString(), asked)
    }
    for (const { peer, digests } of byPeer.values()) request(epoch, digests, [peer])
  }

  async #untilDone(missing: readonly Named[], signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => void (this.#init.reports().missing(missing).length === 0 && resolve())
    const timer = setTimeout(resolve, PATIENCE_MS)
    const stop = (): void => resolve()
    this.#waiting.add(wake)
    signal.addEventListener('abort', stop, { once: true })
    await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    this.#waiting.delete(wake)
  }
}
