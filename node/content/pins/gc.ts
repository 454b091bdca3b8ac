import { setTimeout as rest } from 'node:timers/promises'
import type { GcRow } from '../../operations-repo.ts'
import type { Sublevel } from '../../storage/sublevel.ts'
import { GC_PAGE_BLOCKS } from './constants.ts'
import type { Sparing } from './expected.ts'
import type { Leases } from './leases.ts'
import { nameOf } from './ledger.ts'
import { countKey, keyEnd } from './records.ts'
import type { PinStore } from './types.ts'

/** While pins are agreed on all the time, blocks of a page are left for the next sweep. */
const MAX_ATTEMPTS = 8

export interface GcInit {
  sublevel: Sublevel
  leases: Leases
  /** Of this sweep. */
  sparing: Sparing
  store: PinStore
  signal: AbortSignal
}

type Listed = Awaited<ReturnType<PinStore['list']>>[number]

/**
 * Deletes what no pin counts, none is to count, and no lease holds, page by page over the store. Nothing is locked but
 * the few blocks that are being decided about, and only for those who want to pin or lease it
 * ({@link Leases} says why that is enough). A crash leaves a store that the next run goes on with.
 */
export async function* collectGarbage(init: GcInit): AsyncGenerator<GcRow> {
  const row: GcRow = { done: false, examined: 0, removed: 0, freedBytes: 0, spared: 0, sparedBytes: 0 }
  let page = await init.store.list({ limit: GC_PAGE_BLOCKS })
  while (page.length > 0) {
    init.signal.throwIfAborted()
    const begun = performance.now()
    const counted = await countedOf(page, init.sublevel)
    const free = page.filter(({ cid }) => !counted.has(nameOf(cid.multihash.bytes)))
    const taken = await take(free, init)
    row.removed += taken.length
    row.freedBytes += bytesOf(taken)
    row.spared += free.length - taken.length
    row.sparedBytes += bytesOf(free) - bytesOf(taken)
    row.examined += page.length
    const tookMs = performance.now() - begun
    yield { ...row }
    await rest(tookMs)
    page = await init.store.list({ after: page.at(-1)!.cid.multihash.bytes, limit: GC_PAGE_BLOCKS })
  }
  yield { ...row, done: true }
}

function bytesOf(blocks: readonly Listed[]): number {
  return blocks.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** @returns those that were free, and are gone */
async function take(blocks: readonly Listed[], { sublevel, leases, sparing, store }: GcInit): Promise<Listed[]> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await sparing.update()
    const gone = await leases.closed(blocks, async (free) => {
      const counts = await Promise.all(free.map(({ cid }) => sublevel.get(countKey(cid.multihash.bytes))))
      // A pin was agreed on just now: what it needs is not known yet.
      if (!sparing.isCurrent) return undefined
      const gone = free.filter((_, at) => counts[at] === undefined)
      await store.deleteAll(gone.map(({ cid }) => cid))
      return gone
    })
    if (gone !== undefined) return gone
  }
  return []
}

/**
 * Multihashes of a page that are counted, by one reading of the rows between its ends. It spares the
 * many a closer look; one that it misses is seen by that.
 */
async function countedOf(page: readonly Listed[], sublevel: Sublevel): Promise<Set<string>> {
  const keys = page.map(({ cid }) => countKey(cid.multihash.bytes)).toSorted(Buffer.compare)
  const counted = new Set<string>()
  // The limit is for a store that lists in another order, whose pages lie far apart.
  for await (const key of sublevel.keys({ gte: keys[0]!, lte: keys.at(-1)!, limit: 2 * GC_PAGE_BLOCKS })) {
    counted.add(nameOf(keyEnd(key)))
  }
  return counted
}
