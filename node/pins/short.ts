import { setImmediate } from 'node:timers/promises'
import { planRepair, type AgreedPin, type PinShort, type Tree } from '../../consensus/state/index.ts'

/** Pins that are planned for before other work gets its turn. */
const BATCH = 256

export interface Short {
  /** How many were looked at. */
  looked: number
  /** Of these, that have fewer copies than their min and nobody to give them to. */
  count: number
  first: PinShort | undefined
}

/**
 * What repair could not bring to its min with those members that are there now. Every copy of a member that is there
 * counts as held: whether it is, nobody is asked.
 *
 * @param isThere - of a peer id
 */
export async function findShort(
  tree: Tree,
  found: AsyncIterable<AgreedPin> | Iterable<AgreedPin>,
  isThere: (peerId: string) => boolean,
): Promise<Short> {
  const seen: Short = { looked: 0, count: 0, first: undefined }
  const byCid = new Map<string, AgreedPin>()
  const look = (): void => {
    const facts = {
      isDown: (peerId: string) => (isThere(peerId) ? undefined : 0),
      badCopies: () => [],
      pinnedCopies: (cid: string) => byCid.get(cid)!.allocations,
    }
    const { short } = planRepair(tree, byCid.values(), facts, { rebalance: false })
    seen.looked += byCid.size
    seen.count += short.length
    seen.first ??= short[0]
    byCid.clear()
  }
  for await (const pin of found) {
    byCid.set(pin.cid, pin)
    if (byCid.size < BATCH) continue
    look()
    await setImmediate()
  }
  look()
  return seen
}
