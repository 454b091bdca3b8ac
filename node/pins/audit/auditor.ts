import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { pinOf, type AgreedPin } from '../../../consensus/state/index.ts'
import { challenge, deadlineMs, proofOf, SALT_BYTES, type ProofAnswer } from '../../../protocols/audit/index.ts'
import { codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import type { LocalPin } from '../../content/pins/index.ts'
import { RETRIES_PER_PERIOD } from './constants.ts'
import type { Findings } from './findings.ts'
import type { OwnVerdicts } from './own-verdicts.ts'
import { fastestMs, intervalMs } from './pace.ts'
import type { Precomputed, Prepared } from './precomputed.ts'
import { Retries, type Retry } from './retries.ts'
import { challengedBy } from './ring.ts'
import { expectationOf, randomBlocks, readerOf, type RandomBytes } from './sample.ts'
import type { AuditInit } from './types.ts'

/** Pins whose order nobody foresees. */
const PAGE = 256

export interface AuditorInit extends AuditInit {
  own: OwnVerdicts
  findings: Findings
  precomputed: Precomputed
  periodMs: number
  now: () => number
  random: RandomBytes
}

/** Challenges the other copies of the pins that are held here, and those for which there are precomputed challenges. */
export class Auditor {
  readonly #init: AuditorInit
  readonly #retries = new Retries()
  readonly #secret: Uint8Array
  #page: string[] = []
  /** the last pin of the page before; '' for the beginning */
  #after: string | undefined
  #visitedAt: number
  #steppedAt: number
  #isRetried = false
  #chance: number
  #bytes = 0

  constructor(init: AuditorInit) {
    this.#init = init
    this.#visitedAt = this.#steppedAt = init.now()
    this.#chance = this.#draw()
    this.#secret = init.random(32)
  }

  /** Until `step` has something to do, milliseconds; it changes as pins come and go. */
  async waitMs(): Promise<number> {
    const { periodMs, now } = this.#init
    const free = this.#steppedAt + fastestMs({ periodMs, bytes: this.#bytes })
    const dueAt = Math.min(await this.#visitAt(), this.#retries.dueAt ?? Infinity)
    return Math.max(0, free - now(), dueAt - now())
  }

  /** The next pin, or a copy that is due again; in turn where both are. */
  async step(signal: AbortSignal): Promise<void> {
    const { now } = this.#init
    const isVisit = this.#isRetried && now() >= (await this.#visitAt())
    const retry = isVisit ? undefined : this.#retries.take(now())
    this.#isRetried = retry !== undefined
    this.#bytes = 0
    if (retry !== undefined) await this.#again(retry, signal)
    else {
      await this.#visit(signal)
      this.#visitedAt = now()
      this.#chance = this.#draw()
    }
    this.#steppedAt = now()
  }

  async #visitAt(): Promise<number> {
    const { local, precomputed, periodMs } = this.#init
    const pins = (await local.stat()).pins.pinned + precomputed.size
    return this.#visitedAt + intervalMs({ periodMs, pins, chance: this.#chance })
  }

  /** Challenges a copy again before its next visit. */
  later(retry: Retry): void {
    const { now, periodMs } = this.#init
    this.#retries.add(retry, now() + periodMs / RETRIES_PER_PERIOD)
  }

  async #again(retry: Retry, signal: AbortSignal): Promise<void> {
    const pin = pinOf(this.#init.cell.tree, retry.cid)
    if (pin?.allocations.includes(retry.peerId) !== true) return
    if (!this.#isConnected(retry.peerId)) this.later(retry)
    else await this.#challenge(pin, retry, signal)
  }

  async #visit(signal: AbortSignal): Promise<void> {
    const { cell, self, now, periodMs } = this.#init
    const cid = await this.#next()
    const pin = cid === undefined ? undefined : pinOf(cell.tree, cid)
    if (pin === undefined) return
    for (const peerId of challengedBy(self, pin.allocations, Math.floor(now() / periodMs))) {
      signal.throwIfAborted()
      const copy = { cid: pin.cid, peerId, blocks: undefined }
      // By luck, others than those that were not proven would clear it.
      await this.#challenge(pin, this.#retries.delete(copy) ?? copy, signal)
    }
  }

  /** All pins one after the other, and what there are precomputed challenges for. */
  async #next(): Promise<string | undefined> {
    const next = this.#page.pop()
    if (next !== undefined) return next
    const { local, precomputed } = this.#init
    const after = this.#after ?? (await this.#start())
    const page = await local.list({ limit: PAGE, ...(after === '' ? {} : { after }) })
    this.#after = page.length < PAGE ? '' : page.at(-1)!.cid
    const extra = this.#after === '' ? precomputed.cids() : []
    this.#page = this.#mixed([...page.filter(({ state }) => state === 'pinned').map(({ cid }) => cid), ...extra])
    return this.#page.length === 0 && after !== '' ? this.#next() : this.#page.pop()
  }

  /** Anywhere: else who is started often would never come to the last of many. */
  async #start(): Promise<string> {
    const { local, random } = this.#init
    if ((await local.stat()).pins.pinned <= PAGE) return ''
    const codec = this.#chance < 0.5 ? raw.code : dagPb.code
    return CID.createV1(codec, Digest.create(sha256.code, random(32))).toString()
  }

  async #challenge(pin: AgreedPin, retry: Retry, signal: AbortSignal): Promise<void> {
    // How long a member may be away is for repair to decide.
    if (!this.#isConnected(retry.peerId)) {
      if (retry.blocks !== undefined) this.later(retry)
      return this.#init.onResult?.('unreachable')
    }
    const prepared = await this.#prepare(pin, retry)
    if (prepared === undefined) return
    this.#bytes += prepared.bytes
    await this.#judge(retry, prepared, await this.#ask(retry, prepared, signal))
  }

  #isConnected(peerId: string): boolean {
    return this.#init.libp2p.getConnections(peerIdFromString(peerId)).length > 0
  }

  async #prepare(pin: AgreedPin, { blocks }: Retry): Promise<Prepared | undefined> {
    const { local, random, readBlock } = this.#init
    const cid = CID.parse(pin.cid)
    const held = await local.get(cid)
    if (!isHeldAs(held, pin)) return this.#prepared(pin)
    const salt = random(SALT_BYTES)
    const expected = await expectationOf(salt, blocks ?? (await randomBlocks(local, cid, random)), readerOf(readBlock))
    return expected && { salt, ...expected }
  }

  /** Of a pin that is held by one node, and not by this one. */
  async #prepared({ cid, mode, allocations }: AgreedPin): Promise<Prepared | undefined> {
    const { precomputed, log } = this.#init
    // They were made from the whole DAG.
    if (mode !== 'recursive' || allocations.length !== 1) return undefined
    const prepared = await precomputed.take(cid)
    if (prepared !== undefined && precomputed.left(cid) === undefined)
      log.warn('the precomputed challenges of a pin are used up: its only copy can be proven no more', { cid })
    return prepared
  }

  /** @returns undefined where there was no valid answer */
  async #ask({ cid, peerId }: Retry, { salt, blocks, bytes }: Prepared, signal: AbortSignal) {
    const { libp2p, claims, log } = this.#init
    try {
      const limit = { signal, deadlineMs: deadlineMs({ blocks: blocks.length, bytes }) }
      const answer = await challenge(libp2p, peerIdFromString(peerId), { pin: cid, salt, blocks }, limit)
      if (answer.type !== 'unclaimed') return answer
      return (await claims?.(cid, peerId, signal)) === true ? undefined : answer
    } catch (error) {
      signal.throwIfAborted()
      const fields = { cid, peer: peerId, code: codeOf(error), reason: messageOf(error) }
      log.debug('a challenge was not answered', fields)
      return undefined
    }
  }

  async #judge(retry: Retry, { blocks, digest }: Prepared, answer: ProofAnswer | undefined): Promise<void> {
    const { cell, own, findings, self, log, onResult } = this.#init
    const { cid, peerId } = retry
    // It was unpinned or moved meanwhile, or is still being fetched.
    if (answer?.type === 'unclaimed' || pinOf(cell.tree, cid)?.allocations.includes(peerId) !== true) return
    const isProven = answer?.type === 'proof' && Buffer.compare(answer.digest, proofOf(digest, peerId)) === 0
    const verdict = answer === undefined ? await own.miss(cid, peerId) : await own.record(cid, peerId, isProven)
    if (verdict !== undefined) findings.report(self, verdict)
    onResult?.(answer === undefined ? 'unreachable' : isProven ? 'proven' : 'failed')
    if (isProven) return
    if (answer !== undefined) log.warn('a copy could not be proven', { cid, peer: peerId, answer: answer.type })
    this.later({ cid, peerId, blocks: answer === undefined ? retry.blocks : blocks })
  }

  /** 0–1, below 1. */
  #draw(): number {
    return Buffer.from(this.#init.random(4)).readUInt32BE() / 2 ** 32
  }

  /** In an order that nobody foresees, and which is the same each time: so no pin waits longer than a period. */
  #mixed(cids: readonly string[]): string[] {
    const key = (cid: string): Buffer => createHash('sha256').update(this.#secret).update(cid).digest()
    const keyed = cids.map((cid) => ({ cid, key: key(cid) }))
    return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ cid }) => cid)
  }
}

/** Whether what is held is what was agreed on. */
export function isHeldAs(held: LocalPin | undefined, pin: Pick<AgreedPin, 'mode'> | undefined): boolean {
  return held?.state === 'pinned' && (pin === undefined || held.mode === pin.mode)
}
