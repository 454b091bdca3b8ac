import { CID } from 'multiformats/cid'
import type { Sublevel } from '../../storage/sublevel.ts'
import { nameOf, type Ledger } from './ledger.ts'
import { pagesOfKeys } from './pages.ts'
import * as rows from './records.ts'
import * as steps from './steps.ts'
import type { Turns } from './turns.ts'
import type { PinStore } from './types.ts'

/** Blocks that are sought in one pass over all pins. */
const AT_ONCE = 64

export interface LostInit {
  sublevel: Sublevel
  ledger: Ledger
  turns: Turns
  store: Pick<PinStore, 'has'>
  now: () => number
  /** A pin is not whole any more: pinned again, it fetches what it lacks. */
  onLost: (root: CID) => void
}

/**
 * Counted blocks that are gone. There is no row from a block to its pins: this is rare, and such rows would make each pin
 * larger. So all pins are looked through until as many are found as count the block.
 */
export class Lost {
  readonly #init: LostInit
  /** By name. */
  readonly #blocks = new Map<string, CID>()
  #looking: Promise<void> | undefined

  constructor(init: LostInit) {
    this.#init = init
  }

  add(cid: CID, signal: AbortSignal): void {
    this.#blocks.set(nameOf(cid.multihash.bytes), cid)
    // A failure is the database's, which stops the node.
    this.#looking ??= this.#look(signal)
      .catch(() => {})
      .finally(() => (this.#looking = undefined))
  }

  /** Resolves when nothing is looked for. */
  async settled(): Promise<void> {
    await this.#looking
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (this.#blocks.size > 0 && !signal.aborted) {
      const blocks = [...this.#blocks].slice(0, AT_ONCE)
      for (const [name] of blocks) this.#blocks.delete(name)
      await this.#lose(
        blocks.map(([, cid]) => cid),
        signal,
      )
    }
  }

  async #lose(blocks: readonly CID[], signal: AbortSignal): Promise<void> {
    const { sublevel } = this.#init
    const sought = new Map<CID, number>()
    for (const cid of blocks) {
      const count = await sublevel.get(rows.countKey(cid.multihash.bytes))
      if (count !== undefined) sought.set(cid, rows.decodeCount(count).pins)
    }
    for await (const keys of pagesOfKeys(sublevel, rows.allPins(), signal)) {
      for (const root of keys.map((key) => rows.keyEnd(key).slice())) {
        for (const [cid, left] of sought) {
          if (!(await sublevel.has(rows.memberKey(root, cid.multihash.bytes)))) continue
          await this.#loseOf(root, cid)
          if (left > 1) sought.set(cid, left - 1)
          else sought.delete(cid)
        }
        if (sought.size === 0) return
      }
    }
  }

  async #loseOf(root: Uint8Array, cid: CID): Promise<void> {
    const { turns, ledger, store, now, onLost } = this.#init
    await turns.run(nameOf(root), undefined, async () => {
      // Somebody may have fetched it meanwhile.
      if (await store.has(cid)) return
      const error = { code: 'E_BLOCK_CORRUPT', message: `block ${cid} of it was damaged and is gone` }
      const change = { state: 'failed' as const, since: now(), error }
      if (await ledger.run((tx) => steps.lose(tx, root, cid, change))) onLost(CID.decode(root))
    })
  }
}
