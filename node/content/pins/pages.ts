import type { Range, Sublevel } from '../../storage/sublevel.ts'
import { PAGE_ROWS } from './constants.ts'

export async function keysOf(sublevel: Sublevel, range: Range): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = []
  for await (const key of sublevel.keys(range)) keys.push(key)
  return keys
}

/** Keys that are there now; those before may be gone when the next page is read. */
export async function* pagesOfKeys(
  sublevel: Sublevel,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array[]> {
  for (let left = range; ;) {
    signal.throwIfAborted()
    const keys = await keysOf(sublevel, { ...left, limit: PAGE_ROWS })
    if (keys.length > 0) yield keys
    if (keys.length < PAGE_ROWS) return
    left = beginAfter(range, keys.at(-1)!)
  }
}

export function beginAfter({ lt }: Range, key: Uint8Array): Range {
  return { gt: key, ...(lt === undefined ? {} : { lt }) }
}
