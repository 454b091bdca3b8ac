import { pinOf, type Tree } from '../../../consensus/state/index.ts'
import type { Proofs } from '../proofs.ts'
import { MAX_FINDINGS } from './constants.ts'
import type { Verdict } from './verdict.ts'

interface Finding {
  provenAt: number | undefined
  /** by whom, and when last, Unix milliseconds */
  readonly failed: Map<string, number>
}

export interface FindingsInit {
  cell: { readonly tree: Tree }
  periodMs: number
  /** Whether a node could take its verdict back. */
  canBeAsked(peerId: string): boolean
  now: () => number
  limit?: number
}

/** What this node and the others of its cell have found out, together; in memory alone. */
export class Findings implements Proofs {
  readonly #init: FindingsInit
  /** by CID, the one that was changed last is last */
  readonly #pins = new Map<string, Map<string, Finding>>()
  #size = 0

  constructor(init: FindingsInit) {
    this.#init = init
  }

  get size(): number {
    return this.#size
  }

  cids(): string[] {
    return [...this.#pins.keys()]
  }

  has(cid: string): boolean {
    return this.#pins.has(cid)
  }

  provenAt(cid: string, peerId: string): number | undefined {
    return this.#pins.get(cid)?.get(peerId)?.provenAt
  }

  badCopies(cid: string): readonly string[] {
    const since = this.#init.now() - this.#init.periodMs
    const stands = ([finder, at]: [string, number]) => at >= since && this.#init.canBeAsked(finder)
    return [...(this.#pins.get(cid) ?? [])].filter(([, { failed }]) => [...failed].some(stands)).map(([peer]) => peer)
  }

  report(finder: string, { cid, peerId, isProven, at }: Verdict): void {
    // Nobody vouches for itself.
    if (finder === peerId) return
    const pin = pinOf(this.#init.cell.tree, cid)
    // One that is not known is agreed on and not applied here yet, or gone: then it is forgotten with the oldest.
    if (pin !== undefined && !pin.allocations.includes(peerId)) return
    const finding = this.#finding(cid, peerId)
    if (isProven) {
      finding.provenAt = Math.max(finding.provenAt ?? 0, at)
      finding.failed.delete(finder)
    } else finding.failed.set(finder, at)
    this.#makeRoom()
  }

  /** Of a pin that has changed. @param holders - who is to have a copy now */
  keep(cid: string, holders: readonly string[]): void {
    const copies = this.#pins.get(cid)
    if (copies === undefined) return
    for (const peerId of copies.keys()) if (!holders.includes(peerId) && copies.delete(peerId)) this.#size--
    if (copies.size === 0) this.#pins.delete(cid)
  }

  #finding(cid: string, peerId: string): Finding {
    const copies = this.#pins.get(cid) ?? new Map<string, Finding>()
    this.#pins.delete(cid)
    this.#pins.set(cid, copies)
    let finding = copies.get(peerId)
    if (finding === undefined) {
      copies.set(peerId, (finding = { provenAt: undefined, failed: new Map() }))
      this.#size++
    }
    return finding
  }

  #makeRoom(): void {
    for (const [cid, copies] of this.#pins) {
      if (this.#size <= (this.#init.limit ?? MAX_FINDINGS)) return
      this.#pins.delete(cid)
      this.#size -= copies.size
    }
  }
}
