import type { MeshState } from '../../consensus/epoch/types.ts'
import { FOUNDER_RAFT_ID } from '../../consensus/state/index.ts'
import type { CellServiceInit } from './init.ts'
import { peerIdOf } from '../mesh/named.ts'
import type { DurableLog } from './log.ts'

const FOUNDED = 'founded'

type Place = Pick<CellServiceInit['membership'], 'genesis' | 'self'>

/** The first founder that the genesis names of a cell begins it. */
export function isFirstOfGenesis({ genesis, self }: Place): boolean {
  const operator = genesis.operators.find(({ cell }) => cell === self.cell)
  return operator?.founders.find(({ role }) => role === 'full')?.peerId === self.peerId
}

/** Of a cell that the genesis does not know, the first member that the record names: until the cell says itself who its members are. */
export function isFirstOfRecord({ genesis, self }: Place, { operators }: Pick<MeshState, 'operators'>): boolean {
  if (genesis.operators.some(({ cell }) => cell === self.cell)) return false
  const operator = operators.find(({ cell }) => cell === self.cell)
  const [first] = operator?.attested === undefined ? (operator?.members ?? []) : []
  return first !== undefined && peerIdOf(first) === self.peerId
}

/**
 * Whether this node begins its cell, or once began it and has its log still; all others join. A founder that lost its log
 * joins too: its cell has gone on without it.
 *
 * @param isFirst - of its cell, as genesis or record name it
 */
export async function isFounder(
  { store }: Pick<CellServiceInit, 'store'>,
  log: Pick<DurableLog, 'raftId' | 'setRaftId'>,
  isFirst: boolean,
): Promise<boolean> {
  if (!isFirst) return false
  if (log.raftId === 0 && (await store.get(FOUNDED)) === undefined) await log.setRaftId(FOUNDER_RAFT_ID)
  if (log.raftId !== FOUNDER_RAFT_ID) return false
  // After the id, and at every start: a crash between both must not leave a founder that never found its cell.
  await store.put(FOUNDED, new Uint8Array([1]))
  return true
}
