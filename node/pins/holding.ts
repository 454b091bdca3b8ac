import { CID } from 'multiformats/cid'
import { EVERYWHERE, pinOf, type AgreedPin } from '../../consensus/state/index.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type { PinStatusDocument } from '../operations-pins.ts'
import type { Catalog } from './catalog.ts'
import { Leaving } from './leaving.ts'
import type { Observer } from './observe.ts'
import type { PinCell } from './ports.ts'
import type { Tracker, Wanted } from './tracker/index.ts'

/** Local pins that are compared with the agreed ones in one step. */
const PAGE = 512
/** Copies on their way out of which the others are asked in one step. */
const ASKED_AT_ONCE = 64

export interface HoldingInit {
  cell: Pick<PinCell, 'tree'>
  self: string
  local: Pick<LocalPins, 'get' | 'list'>
  tracker: Pick<Tracker, 'want' | 'drop' | 'statusOf' | 'cids'>
  observer: Pick<Observer, 'statuses'>
  catalog: Pick<Catalog, 'find'>
  /** The index here could not be read. */
  onFailed?: (cid: string, error: unknown) => void
  /** Unix milliseconds */
  now?: () => number
}

/**
 * Tells the tracker what this node is to hold: all at the start, then what changes.
 *
 * A whole copy that is no longer allocated here is kept for as long as those that are to hold it instead are not seen to
 * have it: whatever was agreed on, and however late it comes here, the last copy of a pin goes only with the pin.
 */
export class Holding {
  readonly #init: HoldingInit
  readonly #leaving: Leaving
  readonly #following = new Set<Promise<void>>()

  constructor(init: HoldingInit) {
    this.#init = init
    this.#leaving = new Leaving(init.now ?? Date.now)
  }

  /** Copies that are kept though they are not allocated here, until others have them. */
  get leaving(): number {
    return this.#leaving.size
  }

  /** Compares all that is allocated here with all that is held here, or on its way: whatever was not told is found. */
  async compare(signal: AbortSignal): Promise<void> {
    const { catalog, self, local, tracker } = this.#init
    for (const cid of tracker.cids()) if (this.#mine(cid) === undefined) await this.follow(cid)
    for await (const { cid } of catalog.find({ by: 'holder', peerId: self })) {
      if (signal.aborted) return
      const held = await local.get(CID.parse(cid))
      const isWhole = held?.state === 'pinned' && held.mode === this.#mine(cid)?.mode
      const isMoving = this.#leaving.has(cid) || tracker.statusOf(cid) !== undefined
      if (!isWhole || isMoving) await this.follow(cid)
    }
    let after: string | undefined
    for (;;) {
      const page = await local.list({ limit: PAGE, ...(after !== undefined && { after }) })
      for (const { cid } of page) {
        if (signal.aborted) return
        if (this.#mine(cid) === undefined) await this.follow(cid)
      }
      if (page.length < PAGE) return
      after = page.at(-1)!.cid
    }
  }

  /** A pin has changed, or gone: it is looked at in its own time. */
  changed(cid: string): void {
    const done = this.follow(cid)
      .catch((error: unknown) => this.#init.onFailed?.(cid, error))
      .finally(() => this.#following.delete(done))
    this.#following.add(done)
  }

  /** Resolves when all that has changed is looked at. */
  async settled(): Promise<void> {
    await Promise.all(this.#following)
  }

  /** A pin has changed, or gone. */
  async follow(cid: string): Promise<void> {
    if (this.#keep(cid)) return
    const held = await this.#init.local.get(CID.parse(cid))
    // It may have become ours while that was read.
    if (this.#keep(cid)) return
    if (held?.state === 'pinned' && this.#pin(cid) !== undefined) return this.#leaving.add(cid)
    this.#leaving.delete(cid)
    if (held !== undefined || this.#init.tracker.statusOf(cid) !== undefined) this.#init.tracker.drop(cid)
  }

  /** Drops what the others are now seen to have; the rest is looked at again, less and less often. */
  async release(signal: AbortSignal): Promise<void> {
    const pins = this.#leaving.due(ASKED_AT_ONCE).flatMap((cid) => this.#pin(cid) ?? [])
    const seen = await this.#init.observer.statuses(pins, { local: false }, signal)
    for (const [at, { cid, revision }] of pins.entries()) {
      const isAsItWas = this.#pin(cid)?.revision === revision && this.#leaving.has(cid)
      if (!isAsItWas || this.#mine(cid) !== undefined || !isHeldEnough(seen[at]!)) continue
      this.#leaving.delete(cid)
      this.#init.tracker.drop(cid)
    }
  }

  /** @returns whether it is to be held here */
  #keep(cid: string): boolean {
    const pin = this.#mine(cid)
    if (pin === undefined) return false
    this.#leaving.delete(cid)
    this.#init.tracker.want(wantedOf(pin, this.#init.self))
    return true
  }

  #mine(cid: string): AgreedPin | undefined {
    const pin = this.#pin(cid)
    return pin?.allocations.includes(this.#init.self) === true ? pin : undefined
  }

  #pin(cid: string): AgreedPin | undefined {
    return pinOf(this.#init.cell.tree, cid)
  }
}

/** By min failure domains; or by all that are to hold it, where that is fewer. */
function isHeldEnough({ copies, pinned, replicationMin }: PinStatusDocument): boolean {
  if (copies.length === 0) return false
  if (replicationMin !== EVERYWHERE && pinned >= replicationMin) return true
  return copies.every(({ status }) => status === 'pinned')
}

function wantedOf({ cid, mode, priority, origins, owner, allocations }: AgreedPin, self: string): Wanted {
  const members = [...new Set([owner, ...allocations])].filter((peerId) => peerId !== self)
  return { cid, mode, priority, origins, members }
}
