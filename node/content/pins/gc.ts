import { setTimeout as rest } from 'node:timers/promises'
import type { GcRow } from '../../operations-pins.ts'
import type { Sublevel } from '../../storage/sublevel.ts'
import { GC_CONCURRENCY, GC_PAGE_BLOCKS } from './constants.ts'
import type { Leases } from './leases.ts'
import { nameOf } from './ledger.ts'
import { countKey, keyEnd } from './records.ts'
import type { PinStore } from './types.ts'

export interface GcInit {
  sublevel: Sublevel
  leases: Leases
  store: PinStore
  signal: AbortSignal
}

type Listed = Awaited<ReturnType<PinStore['list']>>[number]

/**
 * Deletes what no pin counts and no lease holds, page by page over the store. Nothing is locked but
 * the few blocks that are being decided about, and only for those who want to pin or lease it
 * ({@link Leases} says why that is enough). A crash leaves a store that the next run goes on with.
 */
export async function* collectGarbage(init: GcInit): AsyncGenerator<GcRow> {
  const row: GcRow = { done: false, examined: 0, removed: 0, freedBytes: 0 }
  let page = await init.store.list({ limit: GC_PAGE_BLOCKS })
  while (page.length > 0) {
    init.signal.throwIfAborted()
    const begun = performance.now()
    const counted = await countedOf(page, init.sublevel)
    const free = page.filter(({ cid }) => !counted.has(nameOf(cid.multihash.bytes)))
    for (let at = 0; at < free.length; at += GC_CONCURRENCY) {
      const taken = await Promise.all(free.slice(at, at + GC_CONCURRENCY).map((block) => take(block, init)))
      row.removed += taken.filter((bytes) => bytes !== undefined).length
      row.freedBytes += taken.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)
    }
    row.examined += page.length
    const tookMs = performance.now() - begun
    yield { ...row }
    await rest(tookMs)
    page = await init.store.list({ after: page.at(-1)!.cid.multihash.bytes, limit: GC_PAGE_BLOCKS })
  }
  yield { ...row, done: true }
}

/** @returns the bytes that became free; undefined when the block is held */
async function take({ cid, bytes }: Listed, { sublevel, leases, store }: GcInit): Promise<number | undefined> {
  return leases.closed(cid, async () => {
    if (await sublevel.has(countKey(cid.multihash.bytes))) return undefined
    await store.delete(cid)
    return bytes
  })
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
