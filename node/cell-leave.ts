import { peerIdFromString } from '@libp2p/peer-id'
import { query } from '../protocols/query/index.ts'
import type { CellService } from './cell/types.ts'
import type { LeaveOptions, LeaveRow, StatusDocument } from './operations.ts'
import type { Parts } from './parts.ts'

const ASK_MS = 5_000

type LeaveParts = Pick<Parts, 'membership' | 'network' | 'config' | 'pins' | 'stop'>

/** @see CellOperations.leave */
export async function* leaveCell(
  parts: LeaveParts,
  cell: CellService,
  { drain, drainTimeoutMs }: LeaveOptions,
  signal: AbortSignal,
): AsyncGenerator<LeaveRow> {
  const leave = (): Promise<void> => cell.leave()
  if (drain && parts.pins?.drain !== undefined) {
    const isRepairing = (): Promise<boolean> => leaderRepairs(parts, cell)
    const stall = drainTimeoutMs === undefined ? {} : { stallMs: drainTimeoutMs }
    for await (const copiesLeft of parts.pins.drain({ isRepairing, leave, ...stall }, signal)) yield { copiesLeft }
  } else await leave()
  try {
    yield { left: parts.membership.self.cell }
  } finally {
    parts.stop()
  }
}

/** Who cannot be asked may well repair: then waiting tells. */
async function leaderRepairs({ membership, network, config }: LeaveParts, { status }: CellService): Promise<boolean> {
  if (status.leader === null) return true
  if (status.leader === membership.self.peerId) return config.pins.repair
  const leader = peerIdFromString(status.leader)
  try {
    const rows = query(network.libp2p, leader, { what: 'status', params: {} }, { signal: AbortSignal.timeout(ASK_MS) })
    for await (const row of rows) return (row as Partial<StatusDocument>).pins?.repair !== false
  } catch {
    return true
  }
  return true
}
