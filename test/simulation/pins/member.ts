import type { Request } from '../../../node/cell/commands.ts'
import { Catalog } from '../../../node/pins/catalog.ts'
import { expirePins } from '../../../node/pins/expiry.ts'
import { Holding } from '../../../node/pins/holding.ts'
import { Observer } from '../../../node/pins/observe.ts'
import type { PinCell, PinMesh } from '../../../node/pins/ports.ts'
import { Repairer } from '../../../node/pins/repairer.ts'
import { Tracker } from '../../../node/pins/tracker/index.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { MemorySublevel } from '../../helpers/memory-sublevel.ts'
import type { Dice } from '../dice.ts'
import { nameOf, PIN } from './agreed.ts'
import type { Parts } from './parts.ts'
import { Disk, DiskPins } from './disk.ts'
import type { World } from './world.ts'

const LOOK_MS = 500
const REPAIR_MS = 2_000
const RELEASE_MS = 2_000
const EXPIRY_MS = 5_000
const SUBMIT_MS = 1_500
const ASK_MS = 5_000
const UNPIN_MS = 2_000
const LOG = { debug: () => {} } as never

/** One machine: its disk, and the process that runs on it now, made of the product's own parts. */
export class SimulatedMember {
  readonly peerId: string
  readonly disk: Disk
  /** as long as it believes that it leads */
  believes = false
  isDead = false
  #parts: Parts | undefined
  /** number of the process that runs; what an earlier one waits for never comes */
  #life = 0
  #listeners = new Set<(keys: readonly string[]) => void>()
  readonly #world: World
  readonly #dice: Dice

  constructor(world: World, peerId: string, dice: Dice) {
    this.#world = world
    this.peerId = peerId
    this.#dice = dice
    this.disk = new Disk(world.contents)
  }

  get isUp(): boolean {
    return this.#parts !== undefined
  }

  /** @returns what it has still to do */
  get waiting(): string | undefined {
    const { tracker } = this.#parts!
    for (const cid of tracker.cids()) return `${JSON.stringify(tracker.statusOf(cid))} ${cid}`
    return undefined
  }

  isAtWork(cid: string): boolean {
    return this.#parts!.tracker.statusOf(cid) !== undefined
  }

  start(): void {
    if (this.isUp || this.isDead) return
    this.#life++
    const cell = this.#cell()
    const parts = (this.#parts = this.#assemble(cell))
    const { catalog, holding, repairer, tracker } = parts
    catalog.open(cell.tree, cell.applied)
    cell.subscribe(
      (keys) => {
        catalog.update(keys, cell.tree)
        for (const key of keys) if (key.startsWith(PIN)) void holding.follow(key.slice(PIN.length))
      },
      // Entries alone bring this cell's state.
      () => undefined,
    )
    this.#watched(holding.compare(parts.stopping.signal))
    this.#catchUp()
    this.#again(LOOK_MS, async () => tracker.look())
    this.#again(RELEASE_MS, () => holding.release(parts.stopping.signal))
    this.#again(REPAIR_MS, async () => {
      repairer.watch()
      await repairer.step(parts.stopping.signal)
    })
    this.#again(EXPIRY_MS, async () => {
      if (cell.isLeader) await expirePins(cell, catalog, this.#world.now)
    })
  }

  crash(): void {
    if (this.#parts === undefined) return
    const { stopping, tracker } = this.#parts
    this.#life++
    this.#parts = undefined
    this.believes = false
    this.#listeners = new Set()
    stopping.abort(new CodedError('E_STOPPING', 'the process is gone'))
    void tracker.stop()
  }

  async submit(request: Request): Promise<void> {
    const world = this.#world
    world.judge.proposed(this, request)
    await this.pause(this.#dice.between(2, 60))
    if (!world.canPropose(this)) {
      await this.pause(SUBMIT_MS)
      throw new CodedError('E_NO_QUORUM', 'no quorum')
    }
    const isLost = this.#dice.chance(world.loss / 4)
    if (isLost && this.#dice.chance(0.5)) throw new CodedError('E_OUTCOME_UNKNOWN', 'nobody knows')
    const result = world.agreed.append(request, world.now)
    const index = world.agreed.head
    await this.pause(this.#dice.between(2, 60))
    if (isLost) throw new CodedError('E_OUTCOME_UNKNOWN', 'nobody knows')
    this.#deliver(index)
    if (!result.ok) throw new CodedError(result.code, 'refused')
  }

  /** Its own copy, as it answers others. */
  async answer(cid: string, signal: AbortSignal) {
    const { observer } = this.#parts!
    const pin = this.#world.agreed.pin(cid, this.disk.view)
    if (pin === undefined) throw new CodedError('E_PIN_UNKNOWN', `${cid} is not pinned`)
    const document = await observer.status(pin, { local: true }, signal)
    this.#world.judge.answered(this, cid, document.pinned > 0)
    return document
  }

  /** In this process; it never resolves when that is gone. */
  pause(ms: number, signal?: AbortSignal): Promise<void> {
    const life = this.#life
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.#world.time.after(ms, () => {
        if (life === this.#life && this.isUp) resolve()
      })
    })
  }

  #assemble(cell: PinCell): Parts {
    const { profile, mutant, judge, contents } = this.#world
    const { peerId: self, disk } = this
    const now = () => this.#world.now
    const local = new DiskPins({
      disk,
      contents,
      now,
      fetch: (block, signal) => this.#fetch(block, signal),
      pause: () => this.pause(this.#dice.between(0, UNPIN_MS)),
      onUnpin: (cid) => judge.unpins(this, cid),
    })
    const mesh = this.#mesh()
    const world = this.#world
    const proofs = {
      provenAt: () => undefined,
      badCopies: (cid: string) => [...world.members.keys()].filter((peerId) => world.bad.has(`${cid} ${peerId}`)),
    }
    const honest = new Tracker({
      pins: local,
      fetch: () => () => Promise.reject(new Error('unused')),
      limits: {
        active: 3,
        again: 1,
        patient: 2,
        unpins: 2,
        firstRetryMs: 1_000,
        lastRetryMs: 20_000,
        ...mutant?.limits,
      },
      now,
      random: () => this.#dice.next(),
      onChange: (cid) => this.#note(cid),
    })
    const tracker = mutant?.tracker?.(honest) ?? honest
    const catalog = new Catalog(new MemorySublevel(disk.catalog))
    const seeing = { cell, mesh, local, tracker, proofs }
    const observer = new Observer(seeing)
    const sight = mutant?.sight?.(observer) ?? observer
    const holding = new Holding({ cell, self, local, tracker, observer: sight, catalog, now })
    const { graceMs, movesPerMinute, rebalance } = profile
    const policy = { enabled: true, graceMs: mutant?.graceMs ?? graceMs, movesPerMinute, rebalance }
    const repairCell = mutant?.leads === true ? this.#cell(true) : cell
    const repairer = new Repairer({ cell: repairCell, mesh, observer, proofs, policy, log: LOG, now })
    return { catalog, tracker, observer, holding, repairer, stopping: new AbortController() }
  }

  #note(cid: string): void {
    const { trace, contents, now } = this.#world
    const status = this.#parts?.tracker.statusOf(cid)?.status ?? 'done'
    trace.note(`${nameOf(this.peerId)} ${contents.cids.indexOf(cid)} ${status}`, now)
  }

  #cell(leads = false): PinCell {
    const { agreed } = this.#world
    const { disk } = this
    const believes = (): boolean => leads || this.believes
    return {
      get tree() {
        return agreed.tree(disk.view)
      },
      get applied() {
        return disk.view
      },
      get isLeader() {
        return believes()
      },
      read: () => this.#read(),
      submit: (request) => this.submit(request),
      subscribe: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  #mesh(): PinMesh {
    const { members } = this.#world
    const asked = (peerId: string, cid: string, signal: AbortSignal) => this.#asked(members.get(peerId)!, cid, signal)
    return {
      self: this.peerId,
      nameOf,
      peerIdOf: (name) => name,
      isConnected: (peerId) => this.#world.linked(this, members.get(peerId)!),
      async *ask(peer, { cid }, signal) {
        yield await asked(peer.toString(), String(cid), signal)
      },
    }
  }

  async #asked(other: SimulatedMember, cid: string, signal: AbortSignal) {
    const world = this.#world
    await this.pause(this.#dice.between(1, 60), signal)
    if (!world.linked(this, other)) throw new CodedError('E_PEER_UNREACHABLE', 'not connected')
    // Nobody answers when the other ends meanwhile, or when the answer is lost.
    const answer = this.#dice.chance(world.loss) ? new Promise<never>(() => {}) : other.answer(cid, signal)
    const late = this.pause(ASK_MS, signal).then(() => {
      throw new CodedError('E_TIMEOUT', 'no answer')
    })
    late.catch(() => {})
    const document = await Promise.race([answer, late])
    await this.pause(this.#dice.between(1, 60), signal)
    return document
  }

  async #fetch(block: string, signal: AbortSignal): Promise<void> {
    const world = this.#world
    const { patienceMs, blockMs } = world.profile
    const until = patienceMs === 0 ? Infinity : world.now + patienceMs
    for (;;) {
      await this.pause(this.#dice.between(0, 2 * blockMs), signal)
      if (world.up.some((other) => world.linked(this, other) && other.disk.blocks.has(block))) return
      if (world.now >= until) throw new CodedError('E_CONTENT_NOT_FOUND', `nobody has ${block}`)
      await this.pause(500, signal)
    }
  }

  async #read(): Promise<void> {
    const { agreed } = this.#world
    const target = agreed.head
    await this.pause(this.#dice.between(1, 40))
    if (!this.#world.hasQuorum(this)) {
      await this.pause(SUBMIT_MS)
      throw new CodedError('E_NO_QUORUM', 'no quorum')
    }
    this.#deliver(target)
  }

  #deliver(index: number): void {
    const { view } = this.disk
    if (index <= view || !this.isUp) return
    this.disk.view = index
    const keys = this.#world.agreed.changed(view, index)
    for (const listener of this.#listeners) listener(keys)
  }

  #catchUp(): void {
    this.#again(this.#dice.between(10, 10 + 2 * this.#world.profile.lagMs), async () => {
      if (this.#world.hasQuorum(this)) this.#deliver(this.#world.agreed.head)
    })
  }

  /** One at a time, and after a pause, as the node's duties. */
  #again(everyMs: number, run: () => Promise<unknown>): void {
    const life = this.#life
    const next = (): void => {
      if (life !== this.#life) return
      void this.#watched(run()).then(() => this.#world.time.after(everyMs, next))
    }
    this.#world.time.after(this.#dice.between(0, everyMs), next)
  }

  /** What fails without a code is a defect. */
  #watched(work: Promise<unknown>): Promise<unknown> {
    return work.catch((error: unknown) => {
      if (!(error instanceof CodedError)) this.#world.judge.report('only coded errors', String((error as Error).stack))
    })
  }
}
