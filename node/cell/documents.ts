import type { Cell } from '../../consensus/cell/index.ts'
import { isDraining, labelsOf, memberByRaftId, pinsHeldBy, type Tree } from '../../consensus/state/index.ts'
import type { Member } from '../../protocols/admission/index.ts'
import type { CodedError } from '../../protocols/shared/errors.ts'
import { standing } from './record.ts'
import type { CellMemberRow, CellStatusDocument } from './types.ts'

export interface CellView {
  cell: Cell | undefined
  tree: Tree
  self: Member
  raftId: number
  /** peer ids */
  connected: ReadonlySet<string>
  problem: CodedError | undefined
}

export function cellDocument(view: CellView): Omit<CellStatusDocument, 'counters' | 'renewed' | 'stateRoot'> {
  const { cell, tree, self, raftId, connected, problem } = view
  const { voters = [], learners = [] } = cell?.configuration ?? {}
  const peerOf = (id: number): string => memberByRaftId(tree, id)?.peerId ?? `raft id ${id}`
  const leader = cell?.status.leader ?? 0
  const absent = voters.map(peerOf).filter((peerId) => peerId !== self.peerId && !connected.has(peerId))
  return {
    cell: self.cell,
    role: roleOf(cell, voters.includes(raftId)),
    raftId,
    leader: leader === 0 ? null : peerOf(leader),
    term: cell?.status.term ?? 0,
    commitIndex: cell?.status.commit ?? 0,
    appliedIndex: cell?.applied ?? 0,
    snapshotIndex: cell?.snapshotIndex ?? 0,
    voters: voters.map(peerOf),
    learners: learners.map(peerOf),
    absent,
    hasQuorum: 2 * absent.length < voters.length,
    problem: problem === undefined ? null : problemOf(problem),
  }
}

function roleOf(cell: Cell | undefined, isVoter: boolean): CellStatusDocument['role'] {
  if (cell === undefined) return 'none'
  const { role } = cell.status
  if (role === 'leader') return 'leader'
  if (!isVoter) return 'learner'
  return role === 'follower' ? 'follower' : 'candidate'
}

function problemOf({ code, message, hint }: CodedError): NonNullable<CellStatusDocument['problem']> {
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

export function memberRows(
  cell: Cell | undefined,
  tree: Tree,
  self: string,
  nameOf: (peerId: string) => string,
): CellMemberRow[] {
  const { voters = [], learners = [] } = cell?.configuration ?? {}
  const leads = cell?.status.role === 'leader'
  return standing(tree).map(({ id, peerId, status, since }) => {
    const progress = leads ? cell.status.progress.find((one) => one.id === id) : undefined
    return {
      peerId,
      name: nameOf(peerId),
      raftId: id,
      status,
      counts: voters.includes(id) ? 'voter' : learners.includes(id) ? 'learner' : 'none',
      isLeader: cell?.status.leader === id,
      isSelf: peerId === self,
      behind: progress === undefined ? null : Math.max(0, cell!.status.lastIndex - progress.match),
      isActive: progress?.active ?? null,
      since: new Date(since).toISOString(),
      draining: isDraining(tree, peerId),
      copies: pinsHeldBy(tree, peerId),
      labels: Object.fromEntries(labelsOf(tree, peerId).map(({ key, value }) => [key, value])),
    }
  })
}
