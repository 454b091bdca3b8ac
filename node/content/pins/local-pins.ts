import { CID } from 'multiformats/cid'
import { CodedError, codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import type { GcRow, VerifyRow } from '../../operations-repo.ts'
import type { Sublevel } from '../../storage/sublevel.ts'
import { MAX_DAG_DEPTH, MAX_DAG_LINKS } from './constants.ts'
import { Expected, Sparing } from './expected.ts'
import { collectGarbage } from './gc.ts'
import { Leases } from './leases.ts'
import { Ledger, nameOf, type Transaction } from './ledger.ts'
import { checkRoot } from './links.ts'
import { Lost } from './lost.ts'
import { beginAfter, keysOf, pagesOfKeys } from './pages.ts'
import * as rows from './records.ts'
import type { PinRecord } from './records.ts'
import { stopping, unknown } from './refusals.ts'
import { Room } from './room.ts'
import * as steps from './steps.ts'
import { Sweeps } from './sweeps.ts'
import { Turns } from './turns.ts'
import type { HeldStat, Lease, LocalPin, LocalPins, PinStore, PinWalkOptions, VerifyOptions } from './types.ts'
import { pagesOf, verifyBlocks } from './verify.ts'
import { holdBlock, walk, type WalkInit, type WalkLimits } from './walk.ts'

export interface LocalPinsInit {
  /** Of this index alone. */
  sublevel: Sublevel
  store: PinStore
  /** A pin has become whole, or is gone. */
  onSettled?: (root: CID) => void
  now?: () => number
  limits?: Partial<WalkLimits>
}

export function createLocalPins(init: LocalPinsInit): LocalPins {
  return new PinIndex(init)
}

/**
 * What this node holds: a root record, a row for each block of each pin, and for each block the number
 * of pins that hold it (`records.ts`). So a shared block costs each pin one row, unpin reads
 * no block, and gc needs only the counts.
 */
class PinIndex implements LocalPins {
  readonly #sublevel: Sublevel
  readonly #store: PinStore
  readonly #onSettled: (root: CID) => void
  readonly #now: () => number
  readonly #limits: WalkLimits
  readonly #ledger: Ledger
  readonly #leases = new Leases()
  readonly #expected = new Expected()
  readonly #turns = new Turns()
  readonly #room = new Room()
  readonly #sweeps: Sweeps
  readonly #lost: Lost
  #onLost: (root: CID) => void = () => {}
  #young: Lease | undefined
  #closing = AbortSignal.abort()
  #close: (reason: Error) => void = () => {}

  constructor(init: LocalPinsInit) {
    this.#sublevel = init.sublevel
    this.#store = init.store
    this.#onSettled = init.onSettled ?? (() => {})
    this.#now = init.now ?? Date.now
    this.#limits = { depth: MAX_DAG_DEPTH, links: MAX_DAG_LINKS, ...init.limits }
    this.#ledger = new Ledger(init.sublevel)
    const [store, now] = [init.store, this.#now]
    this.#sweeps = new Sweeps({ store, now, stat: () => this.stat(), gc: () => this.gc(this.#closing) })
    const parts = { sublevel: init.sublevel, ledger: this.#ledger, turns: this.#turns, store, now }
    this.#lost = new Lost({ ...parts, onLost: (root) => this.#onLost(root) })
  }

  async open(): Promise<void> {
    const closing = new AbortController()
    this.#closing = closing.signal
    this.#close = (reason) => closing.abort(reason)
    for await (const key of this.#sublevel.keys(rows.allLeaving())) {
      const root = rows.keyEnd(key).slice()
      // A failure is the database's, which stops the node; the next start goes on.
      void this.#turns.run(nameOf(root), undefined, () => this.#dropRows(root)).catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#close(stopping())
    await this.#turns.end(stopping())
    await Promise.all([this.#lost.settled(), this.#sweeps.settled()])
    await this.#ledger.settled()
  }

  async pin(cid: CID, options: PinWalkOptions): Promise<LocalPin> {
    this.#checkOpen()
    checkRoot(cid)
    return this.#turns.run(nameOf(cid.bytes), options.signal, (signal) => this.#pin(cid, { ...options, signal }))
  }

  async unpin(cid: CID): Promise<void> {
    this.#checkOpen()
    const reason = new CodedError('E_ABORTED', `${cid} was unpinned`)
    await this.#turns.takeOver(nameOf(cid.bytes), reason, async () => {
      await this.#ledger.run((tx) => steps.leave(tx, cid.bytes))
      await this.#dropRows(cid.bytes)
      this.#settled(cid)
    })
  }

  expect(cid: string): void {
    this.#expected.add(cid)
  }

  async get(cid: CID): Promise<LocalPin | undefined> {
    const bytes = await this.#sublevel.get(rows.pinKey(cid.bytes))
    return bytes === undefined ? undefined : rows.localPin(cid.bytes, rows.decodePin(bytes))
  }

  async list({ after, limit }: { after?: string; limit: number }): Promise<LocalPin[]> {
    const range = { ...rows.allPins(), limit }
    const pins: LocalPin[] = []
    const from = after === undefined ? range : { ...beginAfter(range, rows.pinKey(CID.parse(after).bytes)), limit }
    for await (const [key, value] of this.#sublevel.entries(from)) {
      pins.push(rows.localPin(rows.keyEnd(key), rows.decodePin(value)))
    }
    return pins
  }

  async blocksOf(cid: CID, { after, limit }: { after?: Uint8Array; limit: number }): Promise<CID[]> {
    const all = rows.membersOf(cid.bytes)
    const range = after === undefined ? all : beginAfter(all, rows.memberKey(cid.bytes, after))
    const blocks: CID[] = []
    for await (const [key, codecs] of this.#sublevel.entries({ ...range, limit })) {
      const multihash = rows.keyEnd(key, cid.bytes)
      // In mode direct no codec is noted: the one block is the root.
      blocks.push(rows.cidOf(multihash.slice(), rows.decodeVarints(codecs)[0] ?? cid.code))
    }
    return blocks
  }

  async isHeld(cid: CID): Promise<boolean> {
    return this.#leases.isHeld(cid) || (await this.#isPinned(cid))
  }

  hold(): Lease {
    return this.#leases.hold()
  }

  stored(cid: CID): void {
    void this.#young?.add(cid)
  }

  damaged(cid: CID): void {
    this.#lost.add(cid, this.#closing)
  }

  onLost(listener: (root: CID) => void): void {
    this.#onLost = listener
  }

  async *gc(signal: AbortSignal): AsyncGenerator<GcRow> {
    this.#checkOpen()
    if (this.#young !== undefined) throw new CodedError('E_GC_RUNNING', 'the block store is being swept already')
    const lease = (this.#young = this.#leases.hold())
    const [store, sublevel, leases] = [this.#store, this.#sublevel, this.#leases]
    const sparing = new Sparing({ expected: this.#expected, store, lease, signal })
    try {
      yield* collectGarbage({ store, sublevel, leases, sparing, signal })
    } finally {
      lease.release()
      this.#young = undefined
    }
  }

  async *verify(cid: CID | undefined, options: VerifyOptions): AsyncGenerator<VerifyRow> {
    this.#checkOpen()
    if (cid !== undefined && (await this.get(cid)) === undefined) throw unknown(cid)
    const pages = cid === undefined ? this.#allBlocks() : pagesOf((page) => this.blocksOf(cid, page))
    const isPinned = (block: CID): Promise<boolean> => this.#isPinned(block)
    const onMissing = (block: CID): void => this.damaged(block)
    yield* verifyBlocks(pages, { store: this.#store, leases: this.#leases, isPinned, onMissing }, options)
  }

  async stat(): Promise<HeldStat> {
    return rows.decodeTotals(await this.#sublevel.get(rows.TOTALS_KEY))
  }

  async #pin(cid: CID, options: PinWalkOptions): Promise<LocalPin> {
    const isDirect = options.mode === 'direct'
    const known = await this.get(cid)
    if (!isDirect && known?.mode === 'direct') await this.#dropBelow(cid)
    const begin = (tx: Transaction): Promise<PinRecord> => steps.begin(tx, cid, options.mode, this.#now())
    const begun = this.#ledger.run(begin, steps.readsOf(cid.bytes))
    // Its failure is told below; while the root is fetched nobody listens to it.
    begun.catch(() => {})
    try {
      // Before all other rows of a new pin; but its root is fetched while that row is on its way to the disk.
      const record = known === undefined && !isDirect ? undefined : await begun
      const ended = record?.state === 'pinned' ? record : await this.#hold(cid, record, options)
      await begun
      this.#settled(cid)
      return rows.localPin(cid.bytes, ended)
    } catch (error) {
      await begun
      options.signal.throwIfAborted()
      const reason = { code: codeOf(error), message: messageOf(error) }
      const failed = { state: 'failed' as const, since: this.#now(), error: reason }
      // The first failure is the one to tell; the database tells its own to the node.
      await this.#ledger.run((tx) => steps.end(tx, cid.bytes, failed)).catch(() => {})
      throw error
    }
  }

  async #hold(cid: CID, begun: PinRecord | undefined, options: PinWalkOptions): Promise<PinRecord> {
    const init = this.#walkInit(options)
    let record: PinRecord | undefined
    if (options.mode === 'direct') {
      await holdBlock(cid, { cid: rows.asV1(cid), depth: 0 }, init, true)
      await this.#dropBelow(cid)
    } else {
      record = await walk(cid, begun, init)
    }
    if (record?.state !== 'pinned') {
      const end = (tx: Transaction): Promise<PinRecord | undefined> =>
        steps.end(tx, cid.bytes, { state: 'pinned', since: this.#now() })
      record = (await this.#ledger.run(end, steps.readsOf(cid.bytes)))!
    }
    init.report(record, undefined)
    return record
  }

  #settled(cid: CID): void {
    this.#expected.delete(cid)
    this.#onSettled(cid)
  }

  #walkInit({ get, signal, onProgress }: PinWalkOptions): WalkInit {
    const report: WalkInit['report'] = ({ blocks, bytes, totalBytes }, missing) => {
      onProgress?.({ blocks, bytes, totalBytes, ...(missing === undefined ? {} : { missing: missing.toString() }) })
    }
    const limits = this.#limits
    const parts = { sublevel: this.#sublevel, ledger: this.#ledger, leases: this.#leases, store: this.#store }
    return { ...parts, room: this.#room, sweeps: this.#sweeps, limits, get, signal, now: this.#now, report }
  }

  /** Ends an unpin: all rows of the root, then the note that they are to go. */
  async #dropRows(root: Uint8Array): Promise<void> {
    await this.#dropWanted(root)
    await this.#dropMembers(root, () => true)
    await this.#ledger.run(async (tx) => tx.del(rows.leavingKey(root)))
  }

  /** Makes a pin of mode direct what it is: its root alone, with no link taken. */
  async #dropBelow(cid: CID): Promise<void> {
    const own = nameOf(cid.multihash.bytes)
    await this.#dropWanted(cid.bytes)
    await this.#dropMembers(cid.bytes, (multihash) => nameOf(multihash) !== own)
    await this.#ledger.run((tx) => steps.keepBare(tx, cid))
  }

  async #dropMembers(root: Uint8Array, goes: (multihash: Uint8Array) => boolean): Promise<void> {
    for await (const keys of pagesOfKeys(this.#sublevel, rows.membersOf(root), this.#closing)) {
      const going = keys.map((key) => rows.keyEnd(key, root)).filter(goes)
      await this.#ledger.run((tx) => steps.release(tx, root, going), steps.releaseReads(root, going))
    }
  }

  async #dropWanted(root: Uint8Array): Promise<void> {
    for await (const keys of pagesOfKeys(this.#sublevel, rows.wantedOf(root), this.#closing)) {
      await this.#ledger.run(async (tx) => keys.forEach((key) => tx.del(key)))
    }
  }

  async *#allBlocks(): AsyncGenerator<CID[]> {
    const counted = pagesOf(async ({ after, limit }) => {
      const all = rows.allCounts()
      const range = after === undefined ? all : beginAfter(all, rows.countKey(after))
      return (await keysOf(this.#sublevel, { ...range, limit })).map((key) => rows.cidOf(rows.keyEnd(key)))
    })
    // First what is counted and yet no block of the store: reading takes a damaged one away.
    for await (const page of counted) {
      const lost: CID[] = []
      for (const cid of page) if (!(await this.#store.has(cid))) lost.push(cid)
      yield lost
    }
    yield* pagesOf(async (page) => (await this.#store.list(page)).map(({ cid }) => cid))
  }

  async #isPinned(cid: CID): Promise<boolean> {
    return this.#sublevel.has(rows.countKey(cid.multihash.bytes))
  }

  #checkOpen(): void {
    if (this.#closing.aborted) throw stopping()
  }
}
