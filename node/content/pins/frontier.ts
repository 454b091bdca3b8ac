import { CID } from 'multiformats/cid'
import type { Sublevel } from '../../storage/sublevel.ts'
import { MAX_WAITING_BLOCKS, PAGE_ROWS } from './constants.ts'
import { nameOf } from './ledger.ts'
import { decodeVarints, keyEnd, wantedOf } from './records.ts'

export interface Wanted {
  cid: CID
  depth: number
}

/**
 * The blocks that a walk wants yet. All of them are rows on disk, so that a crash forgets none; some
 * wait in memory, too, so that a usual walk hardly reads those rows.
 */
export class Frontier {
  readonly #sublevel: Sublevel
  readonly #root: Uint8Array
  readonly #waiting: Wanted[] = []
  /** In memory or under way: not to be read from disk again. */
  readonly #taken = new Set<string>()
  /** Where the reading of rows goes on; undefined when there is no row but those taken. */
  #from: Uint8Array | undefined
  /** Whether rows came that memory had no room for, perhaps behind the place of reading. */
  #again = false

  /** @param isNew - no row is on disk yet: what the walk wants first is added, and nothing need be read */
  constructor(sublevel: Sublevel, root: Uint8Array, isNew = false) {
    this.#sublevel = sublevel
    this.#root = root
    this.#from = isNew ? undefined : (wantedOf(root).gte as Uint8Array)
  }

  /** Blocks whose rows have just been written. */
  add(cids: readonly CID[], depth: number): void {
    for (const cid of cids) {
      const name = nameOf(cid.bytes)
      if (this.#taken.has(name)) continue
      if (this.#waiting.length >= MAX_WAITING_BLOCKS) {
        this.#again = true
        return
      }
      this.#taken.add(name)
      this.#waiting.push({ cid, depth })
    }
  }

  /** @returns undefined when there is none but those under way */
  async next(): Promise<Wanted | undefined> {
    while (this.#waiting.length === 0 && (this.#from !== undefined || this.#again)) await this.#read()
    return this.#waiting.shift()
  }

  /** Of one whose row is gone. */
  done({ cid }: Wanted): void {
    this.#taken.delete(nameOf(cid.bytes))
  }

  async #read(): Promise<void> {
    const all = wantedOf(this.#root)
    if (this.#from === undefined) {
      this.#from = all.gte as Uint8Array
      this.#again = false
    }
    let rows = 0
    for await (const [key, value] of this.#sublevel.entries({ ...all, gte: this.#from, limit: PAGE_ROWS })) {
      rows++
      // The least key after this one.
      this.#from = Buffer.concat([key, Uint8Array.of(0)])
      const cid = CID.decode(keyEnd(key, this.#root))
      this.add([cid], decodeVarints(value)[0]!)
    }
    if (rows < PAGE_ROWS) this.#from = undefined
  }
}
