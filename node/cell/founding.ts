import { FOUNDER_RAFT_ID } from '../../consensus/state/index.ts'
import type { CellServiceInit } from './init.ts'
import type { DurableLog } from './log.ts'

const FOUNDED = 'founded'

/**
 * Whether this node begins its cell, or once began it and has its log still: the first founder that genesis names does;
 * the others and all later nodes join. A founder that lost its log joins too: its cell has gone on without it.
 */
export async function isFounder(
  {
    membership,
    store,
  }: Pick<CellServiceInit, 'store'> & {
    membership: Pick<CellServiceInit['membership'], 'genesis' | 'self'>
  },
  log: Pick<DurableLog, 'raftId' | 'setRaftId'>,
): Promise<boolean> {
  const { genesis, self } = membership
  const operator = genesis.operators.find(({ cell }) => cell === self.cell)
  const first = operator?.founders.find(({ role }) => role === 'full')
  if (first?.peerId !== self.peerId) return false
  if (log.raftId === 0 && (await store.get(FOUNDED)) === undefined) await log.setRaftId(FOUNDER_RAFT_ID)
  if (log.raftId !== FOUNDER_RAFT_ID) return false
  // After the id, and at every start: a crash between both must not leave a founder that never found its cell.
  await store.put(FOUNDED, new Uint8Array([1]))
  return true
}
