import { CID } from 'multiformats/cid'
import { pinOf, type AgreedPin } from '../../consensus/state/index.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type { Catalog } from './catalog.ts'
import type { PinCell } from './ports.ts'
import type { Tracker, Wanted } from './tracker/index.ts'

/** Local pins that are compared with the agreed ones in one step. */
const PAGE = 512

export interface HoldingInit {
  cell: Pick<PinCell, 'tree'>
  self: string
  local: Pick<LocalPins, 'get' | 'list'>
  tracker: Pick<Tracker, 'want' | 'drop' | 'statusOf'>
  catalog: Catalog
}

/** Tells the tracker what this node is to hold: all at the start, then what changes. */
export class Holding {
  readonly #init: HoldingInit

  constructor(init: HoldingInit) {
    this.#init = init
  }

  /** Compares all that is allocated here with all that is held here. */
  async compare(signal: AbortSignal): Promise<void> {
    const { catalog, self, local } = this.#init
    for await (const { cid } of catalog.find({ by: 'holder', peerId: self })) {
      if (signal.aborted) return
      const held = await local.get(CID.parse(cid))
      if (held?.state !== 'pinned') await this.follow(cid)
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

  /** A pin has changed, or gone. */
  async follow(cid: string): Promise<void> {
    const { local, tracker } = this.#init
    const pin = this.#mine(cid)
    if (pin !== undefined) return tracker.want(wantedOf(pin))
    const isKnown = tracker.statusOf(cid) !== undefined || (await local.get(CID.parse(cid))) !== undefined
    // It may have become ours while that was read.
    if (isKnown && this.#mine(cid) === undefined) tracker.drop(cid)
  }

  #mine(cid: string): AgreedPin | undefined {
    const pin = pinOf(this.#init.cell.tree, cid)
    return pin?.allocations.includes(this.#init.self) === true ? pin : undefined
  }
}

function wantedOf({ cid, mode, priority, origins }: AgreedPin): Wanted {
  return { cid, mode, priority, origins }
}
