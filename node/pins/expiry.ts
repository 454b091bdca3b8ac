import { pinOf } from '../../consensus/state/index.ts'
import type { Catalog } from './catalog.ts'
import type { PinCell } from './ports.ts'

/** As many as one command names. */
const AT_ONCE = 64

/** Has the pins removed whose time is over; the time of the command that says so decides. @returns how many */
export async function expirePins(cell: PinCell, catalog: Catalog, now: number): Promise<number> {
  const cids: string[] = []
  for await (const { cid } of catalog.find({ by: 'expires', to: now })) {
    const pin = pinOf(cell.tree, cid)
    if (pin?.expires !== undefined && pin.expires <= now) cids.push(cid)
    if (cids.length === AT_ONCE) break
  }
  if (cids.length > 0) await cell.submit({ type: 'pins-expire', cids })
  return cids.length
}
