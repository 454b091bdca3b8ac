import type { CellDocument, CellMemberRow, CellSummary, DrainDocument, RemovalDocument } from '../operations.ts'
import { list, printable, table } from './text.ts'

/** The cell in one line of `status`. */
export function summaryText(cell: CellSummary): string {
  const { role, leader, term, commitIndex, appliedIndex, voters, learners, hasQuorum, problem } = cell
  const led = leader === null ? 'no leader' : `led by ${leader}`
  const catchingUp = learners.length === 0 ? '' : `, ${learners.length} catching up`
  const quorum = hasQuorum ? '' : ', no quorum seen'
  const applied = `term ${term}, applied ${appliedIndex} of ${commitIndex}`
  const trouble = problem === null ? '' : `; ${problem.message} (${problem.code})`
  return `${cell.name}, ${role}, ${led} (${counted(voters.length, 'voter')}${catchingUp}${quorum}; ${applied})${trouble}`
}

export function cellText(cell: CellDocument): string {
  const { leader, problem, counters } = cell
  const names = (peers: string[]) => peers.map((peer) => cell.names[peer] ?? peer).join(', ') || 'none'
  return list([
    ['cell', cell.cell],
    ['this node', cell.role === 'none' ? 'not a member yet' : `${cell.role}, raft id ${cell.raftId}`],
    ['leader', leader === null ? 'none' : names([leader])],
    ['term', String(cell.term)],
    ['committed', `${cell.commitIndex}, of which ${cell.appliedIndex} are applied here`],
    ['snapshot', `up to ${cell.snapshotIndex}`],
    ['state', cell.stateRoot],
    ['voters', `${names(cell.voters)}${cell.hasQuorum ? '' : ' (no majority is connected)'}`],
    ...(cell.absent.length === 0 ? [] : [['not connected', names(cell.absent)] as [string, string]]),
    ['learners', names(cell.learners)],
    ['leader changes', `${counters.leaderChanges} since the start of this node`],
    ...(problem === null ? [] : problemRows(problem)),
  ])
}

function problemRows({ code, message, hint }: NonNullable<CellDocument['problem']>): [string, string][] {
  return [['problem', `${code}: ${message}`], ...(hint === undefined ? [] : [['to do', hint] as [string, string]])]
}

const HEADER = [
  'PEER',
  'NAME',
  'RAFT ID',
  'STATUS',
  'COUNTS AS',
  'LEADER',
  'BEHIND',
  'ANSWERS',
  'COPIES',
  'SINCE',
  'LABELS',
]

export function membersText(members: CellMemberRow[]): string {
  return table(HEADER, members.map(columns))
}

function columns({ counts, isLeader, isSelf, behind, isActive, ...member }: CellMemberRow): string[] {
  return [
    member.peerId,
    `${member.name}${isSelf ? ' (this)' : ''}`,
    String(member.raftId),
    member.draining ? 'draining' : member.status,
    counts,
    isLeader ? 'leader' : '',
    behind === null ? '-' : String(behind),
    isActive === null ? '-' : isActive ? 'yes' : 'no',
    String(member.copies),
    member.since,
    Object.entries(member.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  ]
}

export function removalText({ peerId, name }: RemovalDocument): string {
  return `removed ${printable(name === peerId ? peerId : `${name} (${peerId})`)}; its key is let in no more`
}

export function drainText({ name, draining, copies }: DrainDocument): string {
  if (!draining) return `${printable(name)} is drained no more`
  const left = `${copies} ${copies === 1 ? 'copy' : 'copies'}`
  return `${printable(name)} is drained: ${left} to move, as kairos members shows`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
