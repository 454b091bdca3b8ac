import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { pinOf } from '../../../consensus/state/index.ts'
import { createAuditHandler, type AuditHandler } from '../../../protocols/audit/index.ts'
import { messageOf } from '../../../protocols/shared/errors.ts'
import type { Service } from '../../service.ts'
import type { Proofs } from '../proofs.ts'
import { Auditor, isHeldAs } from './auditor.ts'
import { Collector } from './collector.ts'
import { PERIOD_MS, POLL_MS, POLLS_MISSED } from './constants.ts'
import { Findings } from './findings.ts'
import { OwnVerdicts } from './own-verdicts.ts'
import { Precomputed } from './precomputed.ts'
import { readerOf } from './sample.ts'
import type { AuditInit } from './types.ts'

const PIN_PREFIX = 'pin/'
/** Pins come and go while the next visit is waited for. */
const LOOK_MS = 10_000

export interface Audit extends Service, Proofs {
  /**
   * Computes challenges for content that one other node alone is to hold, recursively; they are durable when it resolves, and
   * before that the content must not be given away. Once they are used up there are no more.
   *
   * @throws {CodedError} E_CONTENT_NOT_FOUND, and what reading and writing throw
   */
  precompute(cid: string | CID, signal: AbortSignal): Promise<void>
}

/** Has the copies of pins proven, answers for its own, and gathers what the whole cell has found out. */
export function createAudit(init: AuditInit): Audit {
  return new AuditService(init)
}

class AuditService implements Audit {
  readonly name = 'audit'
  readonly #init: AuditInit & { periodMs: number; now: () => number }
  readonly #pollMs: number
  readonly #findings: Findings
  readonly #own: OwnVerdicts
  readonly #precomputed: Precomputed
  readonly #auditor: Auditor
  readonly #collector: Collector
  readonly #handler: AuditHandler
  #stopping = new AbortController()
  #unsubscribe: (() => void) | undefined
  #running: Promise<unknown> = Promise.resolve()
  /** Of what pins that have changed leave behind. */
  #tidying: Promise<void> = Promise.resolve()

  constructor(given: AuditInit) {
    const init = { ...given, periodMs: given.periodMs ?? PERIOD_MS, now: given.now ?? Date.now }
    const { cell, self, store, readBlock, periodMs, now, random = randomBytes } = init
    this.#init = init
    this.#pollMs = Math.min(POLL_MS, periodMs / 20)
    const canBeAsked = (peerId: string): boolean =>
      peerId === self || now() - (this.#collector.answeredAt(peerId) ?? -Infinity) <= POLLS_MISSED * this.#pollMs
    this.#findings = new Findings({ cell, periodMs, now, canBeAsked })
    this.#own = new OwnVerdicts({ store, periodMs, now })
    this.#precomputed = new Precomputed({ store, readBlock, random })
    const { own, findings, precomputed } = { own: this.#own, findings: this.#findings, precomputed: this.#precomputed }
    this.#auditor = new Auditor({ ...init, random, own, findings, precomputed })
    this.#collector = new Collector({ ...init, findings })
    this.#handler = this.#createHandler()
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    const { cell, self } = this.#init
    const holders = (cid: string): readonly string[] => pinOf(cell.tree, cid)?.allocations ?? []
    await this.#own.open((cid, peerId) => holders(cid).includes(peerId))
    await this.#precomputed.open((cid) => pinOf(cell.tree, cid) !== undefined)
    for (const verdict of this.#own.all()) {
      this.#findings.report(self, verdict)
      if (!verdict.isProven) this.#auditor.later({ cid: verdict.cid, peerId: verdict.peerId, blocks: undefined })
    }
    this.#unsubscribe = cell.subscribe(
      (keys) => this.#changed(keys),
      () => this.#replaced(),
    )
    await this.#handler.start()
    const { signal } = this.#stopping
    this.#running = Promise.all([this.#audit(signal), this.#collect(signal)])
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    await this.#handler.stop()
    await this.#running
    await this.#tidying
  }

  provenAt(cid: string, peerId: string): number | undefined {
    return this.#findings.provenAt(cid, peerId)
  }

  badCopies(cid: string): readonly string[] {
    return this.#findings.badCopies(cid)
  }

  async precompute(cid: string | CID, signal: AbortSignal): Promise<void> {
    const root = typeof cid === 'string' ? CID.parse(cid) : cid
    const isMade = await this.#precomputed.make(root, AbortSignal.any([signal, this.#stopping.signal]))
    if (!isMade) this.#init.log.warn('no challenges were computed for a pin: too many have some', { cid: String(root) })
  }

  #createHandler(): AuditHandler {
    const { libp2p, cell, local, readBlock, isOfCell, judge, onRefused, log } = this.#init
    const read = readerOf(readBlock)
    return createAuditHandler({
      libp2p,
      source: {
        claims: async (pin) => isHeldAs(await local.get(CID.parse(pin)), pinOf(cell.tree, pin)),
        read,
      },
      results: (after) => this.#own.page(after),
      isOfCell,
      refused: (peer, code) => onRefused?.(peer, code),
      judge: (peer, verdict) => judge?.(peer, verdict),
      log,
    })
  }

  async #audit(signal: AbortSignal): Promise<void> {
    await this.#repeat(signal, async () => {
      const waitMs = await this.#auditor.waitMs()
      await delay(Math.min(waitMs, LOOK_MS), undefined, { signal })
      if (waitMs <= LOOK_MS) await this.#auditor.step(signal)
    })
  }

  async #collect(signal: AbortSignal): Promise<void> {
    await this.#repeat(signal, async () => {
      await delay(this.#pollMs, undefined, { signal })
      await this.#collector.poll(signal)
    })
  }

  /** A failure is told, and costs a while. */
  async #repeat(signal: AbortSignal, turn: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await turn()
      } catch (error) {
        if (signal.aborted) return
        this.#init.log.warn('an audit failed', { reason: messageOf(error) })
        await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  #changed(keys: readonly string[]): void {
    for (const key of keys) if (key.startsWith(PIN_PREFIX)) this.#pinChanged(key.slice(PIN_PREFIX.length))
  }

  #replaced(): void {
    const known = [this.#findings, this.#own, this.#precomputed].flatMap((of) => of.cids())
    for (const cid of new Set(known)) this.#pinChanged(cid)
  }

  #pinChanged(cid: string): void {
    const [findings, own, precomputed] = [this.#findings, this.#own, this.#precomputed]
    // Most of the pins that change are new.
    if (!findings.has(cid) && !own.has(cid) && precomputed.left(cid) === undefined) return
    const pin = pinOf(this.#init.cell.tree, cid)
    const holders = pin?.allocations ?? []
    findings.keep(cid, holders)
    this.#tidy(() => own.keep(cid, holders))
    if (pin === undefined) this.#tidy(() => precomputed.drop(cid))
  }

  #tidy(work: () => Promise<void>): void {
    // The database tells its failures to the node.
    this.#tidying = this.#tidying.then(work).catch(() => undefined)
  }
}
