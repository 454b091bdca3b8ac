import { CID } from 'multiformats/cid'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type {
  PinCopy,
  PinDocument,
  PinExportRow,
  PinFilter,
  PinImportLine,
  PinImportRow,
  PinOperations,
  PinOptions,
  PinPage,
  PinRewrite,
  PinStatus,
  PinStatusDocument,
  PinSummary,
  PinWait,
} from '../operations-pins.ts'
import type { Service } from '../service.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import type { Log } from '../telemetry/log.ts'
import { timeOf } from './documents.ts'
import { Duties } from './duties.ts'
import { summaryOf, trackedHealth, type PinHealth } from './health.ts'
import {
  matcherOf,
  merged,
  ownDocumentOf,
  ownPinCodec,
  ownPinOf,
  ownRowOf,
  refuseCopies,
  type OwnPin,
} from './own-pin.ts'
import { pinCidOf } from './pin-cid.ts'
import type { PinContent, PinMesh } from './ports.ts'
import { Tracker, type Tracked } from './tracker/index.ts'
import { untilPinned } from './wait.ts'
import type { PinEvent } from './service.ts'

const EXPIRY_MS = 5_000
/** Local pins that are compared in one step. */
const PAGE = 512

export interface OwnPinsInit {
  mesh: Pick<PinMesh, 'self' | 'nameOf'>
  content: PinContent
  local: LocalPins
  /** Of these pins alone. */
  store: Sublevel
  log: Log
  onEvent?: (event: PinEvent) => void
}

/** The pins of a node that is in no cell (light, witness): what it keeps itself, agreed on with nobody. */
export class OwnPins implements PinOperations, Service {
  readonly name = 'pins'
  readonly #init: OwnPinsInit
  readonly #tracker: Tracker
  readonly #duties: Duties

  constructor(init: OwnPinsInit) {
    this.#init = init
    this.#tracker = new Tracker({
      pins: init.local,
      fetch: ({ origins }, onProblem) => init.content.fetch(origins, { onProblem }),
      onChange: (cid) => this.#tell(cid),
    })
    this.#duties = new Duties([{ name: 'expiry', everyMs: EXPIRY_MS, run: () => this.#expire() }], init.log)
  }

  async start(): Promise<void> {
    this.#init.local.onLost((root) => void this.#wantAgain(root.toString()).catch(() => undefined))
    for await (const [cid, pin] of this.#all()) {
      const held = await this.#init.local.get(CID.parse(cid))
      if (held?.state !== 'pinned' || held.mode !== pin.mode) this.#want(cid, pin)
    }
    await this.#dropOthers()
    this.#duties.start()
  }

  /** What is held and is no pin: its removal was answered, and the process ended before it was unpinned. */
  async #dropOthers(): Promise<void> {
    let after: string | undefined
    for (;;) {
      const page = await this.#init.local.list({ limit: PAGE, ...(after !== undefined && { after }) })
      for (const { cid } of page) if (!(await this.#init.store.has(cid))) this.#tracker.drop(cid)
      if (page.length < PAGE) return
      after = page.at(-1)!.cid
    }
  }

  async stop(): Promise<void> {
    await this.#duties.stop()
    await this.#tracker.stop()
  }

  get counts(): Partial<Record<Tracked['status'], number>> {
    return this.#tracker.counts()
  }

  async summary(): Promise<PinSummary> {
    return { agreed: null, ...(await summaryOf(this.#tracker, this.#init.local)), repair: null }
  }

  async health(): Promise<PinHealth> {
    return { ...trackedHealth(this.#tracker), cell: undefined }
  }

  async add(path: string, options: PinOptions, signal: AbortSignal): Promise<PinDocument> {
    refuseCopies(options)
    const cid = pinCidOf(await this.#init.content.resolve(path, signal))
    const pin = merged(await this.#find(cid), options, Date.now())
    await this.#put(cid, pin)
    return this.#document(cid, pin)
  }

  async *addAndWait(path: string, options: PinOptions, wait: PinWait, signal: AbortSignal) {
    const { cid } = await this.add(path, options, signal)
    yield* untilPinned(() => this.status(cid, { local: true }, signal), wait, signal)
  }

  async remove(path: string, signal: AbortSignal): Promise<PinDocument> {
    const { cid, pin } = await this.#known(path, signal)
    await this.#drop(cid)
    return this.#document(cid, pin)
  }

  async update(from: string, to: string, { keep }: { keep: boolean }, signal: AbortSignal): Promise<PinDocument> {
    const { cid, pin } = await this.#known(from, signal)
    const after = pinCidOf(await this.#init.content.resolve(to, signal))
    const moved = { ...pin, created: Date.now() }
    await this.#put(after, moved)
    if (!keep && after !== cid) await this.#drop(cid)
    return this.#document(after, moved)
  }

  async list(filter: PinFilter, page: PinPage) {
    const { found, next } = await this.#page(filter, page)
    return { pins: found.map(([cid, pin]) => this.#document(cid, pin)), next }
  }

  async get(path: string, signal: AbortSignal): Promise<PinDocument> {
    const { cid, pin } = await this.#known(path, signal)
    return this.#document(cid, pin)
  }

  async status(path: string, _options: { local: boolean }, signal: AbortSignal): Promise<PinStatusDocument> {
    const { cid, pin } = await this.#known(path, signal)
    return this.#status(cid, pin)
  }

  async statuses(
    { statuses, ...filter }: PinFilter & { statuses?: readonly PinStatus[] },
    page: PinPage,
    _signal: AbortSignal,
  ) {
    const { found, next } = await this.#page(filter, page)
    const seen = await Promise.all(found.map(([cid, pin]) => this.#status(cid, pin)))
    const isWanted = ({ copies }: PinStatusDocument): boolean =>
      statuses === undefined || copies.some(({ status }) => statuses.includes(status))
    return { statuses: seen.filter(isWanted), next }
  }

  async recover(path: string | undefined, _options: { local: boolean }, signal: AbortSignal) {
    if (path === undefined) return { recovered: this.#tracker.recover() }
    const { cid } = await this.#known(path, signal)
    return { recovered: this.#tracker.recover(cid) }
  }

  async *verify(path: string, { repair }: { repair: boolean }, signal: AbortSignal) {
    const { cid } = await this.#known(path, signal)
    const get = this.#init.content.fetch([], { isRemote: true })
    yield* this.#init.local.verify(CID.parse(cid), { repair, get, signal })
  }

  async plan() {
    return { moves: [], short: [], more: 0, names: {} }
  }

  async *export(): AsyncGenerator<PinExportRow> {
    for await (const [cid, pin] of this.#all()) yield ownRowOf(cid, pin)
  }

  async *import(lines: AsyncIterable<PinImportLine>, _rewrite: PinRewrite, signal: AbortSignal) {
    let [imported, refused] = [0, 0]
    for await (const given of lines) {
      signal.throwIfAborted()
      const refusal: PinImportRow | undefined = given.type === 'refused' ? given : await this.#import(given, signal)
      if (refusal === undefined) imported += 1
      else {
        refused += 1
        yield refusal
      }
    }
    yield { type: 'end' as const, imported, refused }
  }

  async #import({ line, pin: row }: Extract<PinImportLine, { type: 'pin' }>, signal: AbortSignal) {
    try {
      const cid = pinCidOf(await this.#init.content.resolve(row.cid, signal))
      await this.#put(cid, ownPinOf(row, Date.now()))
      return undefined
    } catch (error) {
      return { type: 'refused' as const, line, cid: row.cid, code: codeOf(error), message: messageOf(error) }
    }
  }

  async #put(cid: string, pin: OwnPin): Promise<void> {
    await this.#init.store.put(cid, ownPinCodec.encode(pin))
    this.#init.onEvent?.({ change: 'agreed', cid, name: pin.name })
    this.#want(cid, pin)
  }

  async #drop(cid: string): Promise<void> {
    await this.#init.store.del(cid)
    this.#init.onEvent?.({ change: 'removed', cid })
    this.#tracker.drop(cid)
  }

  /** One that is not whole any more. */
  async #wantAgain(cid: string): Promise<void> {
    const pin = await this.#find(cid)
    if (pin !== undefined) this.#want(cid, pin)
  }

  #want(cid: string, { mode, priority, origins }: OwnPin): void {
    this.#tracker.want({ cid, mode, priority, origins })
  }

  async #find(cid: string): Promise<OwnPin | undefined> {
    const bytes = await this.#init.store.get(cid)
    return bytes && ownPinCodec.decode(bytes)
  }

  async #known(path: string, signal: AbortSignal): Promise<{ cid: string; pin: OwnPin }> {
    const cid = pinCidOf(await this.#init.content.resolve(path, signal))
    const pin = await this.#find(cid)
    if (pin !== undefined) return { cid, pin }
    throw new CodedError('E_PIN_UNKNOWN', `${cid} is not pinned here`, { hint: '`kairos pin ls` lists what is' })
  }

  async *#all(after?: string): AsyncGenerator<[cid: string, pin: OwnPin]> {
    for await (const [key, value] of this.#init.store.entries(after === undefined ? {} : { gt: after }))
      yield [Buffer.from(key).toString('latin1'), ownPinCodec.decode(value)]
  }

  async #page(filter: PinFilter, { limit, after }: PinPage) {
    const matches = matcherOf(filter)
    const found: [string, OwnPin][] = []
    for await (const [cid, pin] of this.#all(after)) {
      if (!matches(pin)) continue
      if (found.length === limit) return { found, next: found.at(-1)![0] }
      found.push([cid, pin])
    }
    return { found, next: null }
  }

  #document(cid: string, pin: OwnPin): PinDocument {
    const { self, nameOf } = this.#init.mesh
    return ownDocumentOf(cid, pin, { peerId: self, name: nameOf(self) })
  }

  async #status(cid: string, { name }: OwnPin): Promise<PinStatusDocument> {
    const { self } = this.#init.mesh
    const who = { peerId: self, name: this.#init.mesh.nameOf(self), proven: null }
    const tracked = this.#tracker.statusOf(cid)
    const copy: PinCopy =
      tracked === undefined
        ? { ...who, ...(await this.#held(cid)), reason: null, attempts: 0, progress: null }
        : { ...who, ...tracked, since: timeOf(tracked.since) }
    const pinned = copy.status === 'pinned' ? 1 : 0
    return { cid, name, replicationMin: 1, replicationMax: 1, pinned, copies: [copy] }
  }

  async #held(cid: string): Promise<Pick<PinCopy, 'status' | 'since'>> {
    const held = await this.#init.local.get(CID.parse(cid))
    const status = held?.state === 'pinned' ? 'pinned' : 'unexpectedly_unpinned'
    return { status, since: timeOf(held?.since ?? Date.now()) }
  }

  async #expire(): Promise<void> {
    for await (const [cid, { expires }] of this.#all()) {
      if (expires !== null && expires <= Date.now()) await this.#drop(cid)
    }
  }

  #tell(cid: string): void {
    const tracked = this.#tracker.statusOf(cid)
    if (tracked === undefined) this.#init.onEvent?.({ change: 'pinned', cid })
    else if (tracked.status === 'pin_error')
      this.#init.onEvent?.({ change: 'failed', cid, reason: tracked.reason?.message ?? '' })
  }
}
