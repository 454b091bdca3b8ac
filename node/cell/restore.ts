import { CID } from 'multiformats/cid'
import type { SnapshotMeta } from '../../consensus/cell/index.ts'
import type { SnapshotBlocks } from './block-store.ts'
import type { CellMachine } from './machine.ts'

/**
 * Blocks that were lost, with a store that was begun anew, are written again: members fetch what the log offers.
 *
 * @param offered - the log's snapshot
 * @returns whether they were lost; when the state has gone on since, the log needs another snapshot
 */
export async function restoreOffer(
  { index, root }: SnapshotMeta,
  blocks: SnapshotBlocks,
  machine: CellMachine,
): Promise<boolean> {
  if (index === 0 || machine.applied < index || (await blocks.has(CID.decode(root)))) return false
  await machine.snapshot()
  return true
}
