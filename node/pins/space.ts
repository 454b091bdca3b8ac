import { isSpaceNews, spaceOf } from '../../consensus/state/index.ts'
import type { PinCell } from './ports.ts'

export interface SpaceInit {
  cell: Pick<PinCell, 'tree' | 'submit'>
  self: string
  /** Bytes of the block store and of its disk. */
  measure: () => Promise<{ freeBytes: number; totalBytes: number }>
}

/** Has this node's free space agreed on when it has changed by a tenth: allocation goes by it. @returns whether it had */
export async function reportSpace({ cell, self, measure }: SpaceInit): Promise<boolean> {
  const now = await measure()
  if (!isSpaceNews(spaceOf(cell.tree, self), now)) return false
  await cell.submit({ type: 'space-set', peerId: self, ...now })
  return true
}
