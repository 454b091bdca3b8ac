import { CID } from 'multiformats/cid'
import { pinCount, pinOf, type AgreedPin } from '../../consensus/state/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type {
  PinFilter,
  PinImportLine,
  PinOperations,
  PinOptions,
  PinPage,
  PinRewrite,
  PinStatusDocument,
  PinSummary,
  PinWait,
} from '../operations-pins.ts'
import type { Service } from '../service.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import type { Log } from '../telemetry/log.ts'
import { AgreedPins } from './agreed.ts'
import { asApplied } from './as-applied.ts'
import { Catalog } from './catalog.ts'
import { namesOf } from './documents.ts'
import { drainAndLeave, type Drain } from './drain.ts'
import { Duties } from './duties.ts'
import { expirePins } from './expiry.ts'
import { cellHealth, summaryOf, trackedHealth, type PinHealth } from './health.ts'
import { Holding } from './holding.ts'
import { Look, type StatusFilter } from './look.ts'
import { Observer } from './observe.ts'
import { placementOf } from './placement.ts'
import type { PinCell, PinContent, PinMesh } from './ports.ts'
import type { Proofs } from './proofs.ts'
import { Recovery, type Recovering } from './recovery.ts'
import { Repairer, type RepairPolicy } from './repairer.ts'
import { reportSpace } from './space.ts'
import { Tracker, type Tracked } from './tracker/index.ts'
import { untilPinned } from './wait.ts'

const SPACE_MS = 30_000
const EXPIRY_MS = 5_000
const REPAIR_MS = 2_000
const RELEASE_MS = 2_000
/** Commands that expire pins, one after the other. */
const MAX_EXPIRY_ROUNDS = 100
const PIN = 'pin/'

export interface NodePinsInit {
  cell: PinCell
  mesh: PinMesh & Recovering
  content: PinContent
  local: LocalPins
  /** Of the catalog alone. */
  store: Sublevel
  proofs: Proofs
  policy: RepairPolicy
  /** Bytes for blocks on this node. */
  measure: () => Promise<{ freeBytes: number; totalBytes: number }>
  log: Log
  onEvent?: (event: PinEvent) => void
}

/** `agreed`, `removed`, `replaced`: the cell, in the last one all of it at once; the others: this node's copy. */
export interface PinEvent {
  change: 'agreed' | 'removed' | 'replaced' | 'moved' | 'pinned' | 'failed' | 'unpinned'
  cid?: string
  name?: string
  reason?: string
}

/** The pinset of a full node: agreed on by its cell, held where it is allocated, seen from here. */
export class NodePins implements PinOperations, Service {
  readonly name = 'pins'
  readonly #init: NodePinsInit
  readonly #catalog: Catalog
  readonly #tracker: Tracker
  readonly #agreed: AgreedPins
  readonly #observer: Observer
  readonly #look: Look
  readonly #recovery: Recovery
  readonly #repairer: Repairer
  readonly #holding: Holding
  readonly #duties: Duties
  readonly #stopped = new AbortController()
  #unsubscribe = (): void => {}
  #comparing: Promise<void> = Promise.resolve()

  constructor(init: NodePinsInit) {
    const { cell, mesh, content, local, proofs, policy, log, measure } = init
    this.#init = init
    this.#catalog = new Catalog(init.store)
    this.#tracker = new Tracker({
      pins: local,
      fetch: ({ origins, members = [] }, onProblem) => content.fetch(origins, { members, onProblem }),
      onChange: (cid) => this.#trackerChanged(cid),
    })
    const agreed = (this.#agreed = new AgreedPins({ cell, content, mesh, catalog: this.#catalog }))
    const applied = new AgreedPins({ cell: asApplied(cell), content, mesh, catalog: this.#catalog })
    this.#observer = new Observer({ cell, mesh, local, tracker: this.#tracker, proofs })
    this.#holding = new Holding({
      cell,
      self: mesh.self,
      local,
      tracker: this.#tracker,
      observer: this.#observer,
      catalog: this.#catalog,
      onFailed: (cid, error) => log.error('a changed pin was not looked at', { cid, reason: messageOf(error) }),
    })
    this.#look = new Look({ mesh, agreed, applied, observer: this.#observer })
    const [tracker, holding] = [this.#tracker, this.#holding]
    this.#recovery = new Recovery({ cell, mesh, agreed, applied, local, tracker, holding })
    const onMoved = (reason: string): void => init.onEvent?.({ change: 'moved', reason })
    this.#repairer = new Repairer({ cell, mesh, observer: this.#observer, proofs, policy, log, onMoved })
    this.#duties = new Duties(
      [
        { name: 'space', everyMs: SPACE_MS, run: () => reportSpace({ cell, self: mesh.self, measure }) },
        { name: 'expiry', everyMs: EXPIRY_MS, run: () => this.#expire() },
        { name: 'repair', everyMs: REPAIR_MS, run: (signal) => this.#repair(signal) },
        { name: 'release', everyMs: RELEASE_MS, run: (signal) => this.#holding.release(signal) },
      ],
      log,
    )
  }

  async start(): Promise<void> {
    const { cell } = this.#init
    this.#unsubscribe = cell.subscribe(
      (keys) => this.#changed(keys),
      () => {
        this.#compare()
        this.#init.onEvent?.({ change: 'replaced' })
      },
    )
    this.#init.local.onLost((root) => this.#holding.changed(root.toString()))
    this.#compare()
    this.#duties.start()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#unsubscribe()
    // The catalog is told of nothing after this; the cell may go on.
    const { applied } = this.#init.cell
    await this.#duties.stop()
    await this.#holding.settled()
    await this.#tracker.stop()
    await this.#comparing
    await this.#catalog.close(applied).catch(() => undefined)
  }

  /** How many pins of this node are in each status that is not final. */
  get counts(): Partial<Record<Tracked['status'], number>> {
    return this.#tracker.counts()
  }

  async summary(): Promise<PinSummary> {
    const { cell, local, policy } = this.#init
    return { agreed: pinCount(cell.tree), ...(await summaryOf(this.#tracker, local)), repair: policy.enabled }
  }

  /** For `doctor`. */
  async health(): Promise<PinHealth> {
    const cell = await cellHealth({ ...this.#init, isRepairing: this.#init.policy.enabled })
    return { ...trackedHealth(this.#tracker), cell }
  }

  /** Peer ids of who is likely to be given a copy of something new; the cell decides. */
  placement(options: PinOptions): string[] {
    return placementOf(this.#init.cell.tree, options, this.#init.mesh)
  }

  /** @see drainAndLeave */
  drain(how: Drain, signal: AbortSignal): AsyncGenerator<number> {
    return drainAndLeave({ ...this.#init, catalog: this.#catalog }, how, signal)
  }

  add(path: string, options: PinOptions, signal: AbortSignal) {
    return this.#agreed.add(path, options, signal)
  }

  async *addAndWait(path: string, options: PinOptions, wait: PinWait, signal: AbortSignal) {
    const { cid } = await this.#agreed.add(path, options, signal)
    const look = async (): Promise<PinStatusDocument> => this.#statusOf(await this.#agreed.pin(cid, signal), signal)
    yield* untilPinned(look, wait, signal)
  }

  remove(path: string, signal: AbortSignal) {
    return this.#agreed.remove(path, signal)
  }

  update(from: string, to: string, { keep }: { keep: boolean }, signal: AbortSignal) {
    return this.#agreed.update(from, to, keep, signal)
  }

  list({ local, ...filter }: PinFilter, page: PinPage) {
    const here = local === true ? { allocatedTo: this.#init.mesh.self } : {}
    return this.#agreed.list({ ...filter, ...here }, page)
  }

  get(path: string, signal: AbortSignal) {
    return this.#agreed.get(path, signal)
  }

  status(path: string, options: { local: boolean }, signal: AbortSignal) {
    return this.#look.status(path, options, signal)
  }

  statuses(filter: StatusFilter, page: PinPage & { local: boolean }, signal: AbortSignal) {
    return this.#look.statuses(filter, page, signal)
  }

  async recover(path: string | undefined, options: { local: boolean }, signal: AbortSignal) {
    return { recovered: await this.#recovery.run(path, options, signal) }
  }

  async *verify(path: string, { repair }: { repair: boolean }, signal: AbortSignal) {
    const { cid } = await this.#agreed.pin(path, signal)
    const get = this.#init.content.fetch([], { isRemote: true })
    yield* this.#init.local.verify(CID.parse(cid), { repair, get, signal })
  }

  /** Resolves when this node knows all that it is to hold now, and has let go of the rest. @throws {CodedError} E_NO_QUORUM */
  async known(): Promise<void> {
    await this.#init.cell.read()
    await this.#comparing
    await this.#holding.settled()
    await this.#tracker.unpinned()
  }

  async plan() {
    const plan = await this.#repairer.plan(this.#stopped.signal)
    const peers = plan.moves.flatMap(({ add, drop }) => [...add, ...drop])
    return { ...plan, names: namesOf(new Set(peers), (peerId) => this.#init.mesh.nameOf(peerId)) }
  }

  export() {
    return this.#agreed.export()
  }

  import(lines: AsyncIterable<PinImportLine>, rewrite: PinRewrite, signal: AbortSignal) {
    return this.#agreed.import(lines, rewrite, signal)
  }

  #statusOf(pin: AgreedPin, signal: AbortSignal): Promise<PinStatusDocument> {
    return this.#observer.status(pin, { local: false }, signal)
  }

  #changed(keys: readonly string[]): void {
    const { tree } = this.#init.cell
    this.#catalog.update(keys, tree)
    for (const key of keys) {
      if (!key.startsWith(PIN)) continue
      const cid = key.slice(PIN.length)
      this.#tellAgreed(cid, pinOf(tree, cid))
      this.#holding.changed(cid)
    }
  }

  #tellAgreed(cid: string, pin: AgreedPin | undefined): void {
    if (pin === undefined) this.#init.onEvent?.({ change: 'removed', cid })
    else this.#init.onEvent?.({ change: 'agreed', cid, name: pin.name })
  }

  #trackerChanged(cid: string): void {
    const tracked = this.#tracker.statusOf(cid)
    if (tracked?.status === 'pin_error')
      this.#init.onEvent?.({ change: 'failed', cid, reason: tracked.reason?.message ?? '' })
    if (tracked !== undefined) return
    const isOurs = pinOf(this.#init.cell.tree, cid)?.allocations.includes(this.#init.mesh.self) === true
    this.#init.onEvent?.({ change: isOurs ? 'pinned' : 'unpinned', cid })
  }

  /** All that is agreed with all that is here. The node is there before a million pins are compared. */
  #compare(): void {
    const { cell, log } = this.#init
    this.#catalog.open(cell.tree, cell.applied)
    this.#comparing = this.#comparing
      .then(() => this.#holding.compare(this.#stopped.signal))
      .catch((error: unknown) => {
        log.error('what is held here was not compared with what is agreed', { reason: messageOf(error) })
      })
  }

  async #expire(): Promise<void> {
    const { cell } = this.#init
    for (let round = 0; round < MAX_EXPIRY_ROUNDS && cell.isLeader; round++)
      if ((await expirePins(cell, this.#catalog, Date.now())) === 0) return
  }

  async #repair(signal: AbortSignal): Promise<void> {
    this.#repairer.watch()
    await this.#repairer.step(signal)
  }
}
