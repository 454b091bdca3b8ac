import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { seats } from '../../../consensus/state/index.ts'
import { askResults } from '../../../protocols/audit/index.ts'
import { codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { PinCell } from '../ports.ts'
import { POLL_PAGES, POLL_TIMEOUT_MS } from './constants.ts'
import type { Findings } from './findings.ts'

export interface CollectorInit {
  libp2p: Libp2p
  cell: Pick<PinCell, 'tree'>
  self: string
  findings: Pick<Findings, 'report'>
  log: Log
  now: () => number
}

/** Asks the other members what they have found out. */
export class Collector {
  readonly #init: CollectorInit
  readonly #cursors = new Map<string, number>()
  readonly #answeredAt = new Map<string, number>()

  constructor(init: CollectorInit) {
    this.#init = init
  }

  /** When a member was last heard, Unix milliseconds. */
  answeredAt(peerId: string): number | undefined {
    return this.#answeredAt.get(peerId)
  }

  async poll(signal: AbortSignal): Promise<void> {
    const { cell, libp2p, self } = this.#init
    const members = seats(cell.tree).map(({ peerId }) => peerId)
    for (const known of this.#answeredAt.keys()) if (!members.includes(known)) this.#forget(known)
    const asked = members.filter(
      (peerId) => peerId !== self && libp2p.getConnections(peerIdFromString(peerId)).length > 0,
    )
    await Promise.all(asked.map((peerId) => this.#ask(peerId, signal)))
  }

  async #ask(peerId: string, signal: AbortSignal): Promise<void> {
    const { libp2p, findings, log, now } = this.#init
    const limit = { signal, deadlineMs: POLL_TIMEOUT_MS }
    try {
      for (let pages = 0; pages < POLL_PAGES; pages++) {
        const { rows, next } = await askResults(libp2p, peerIdFromString(peerId), this.#cursors.get(peerId) ?? 0, limit)
        const at = now()
        for (const [cid, copy, isProven, agoMs] of rows)
          findings.report(peerId, { cid, peerId: copy, isProven, at: at - agoMs })
        this.#cursors.set(peerId, next)
        this.#answeredAt.set(peerId, at)
        if (rows.length === 0) return
      }
    } catch (error) {
      signal.throwIfAborted()
      log.debug('a member did not say what it has found out', {
        peer: peerId,
        code: codeOf(error),
        reason: messageOf(error),
      })
    }
  }

  #forget(peerId: string): void {
    this.#cursors.delete(peerId)
    this.#answeredAt.delete(peerId)
  }
}
