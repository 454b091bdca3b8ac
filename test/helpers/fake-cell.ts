import type { CellMemberRow, CellService, CellStatusDocument } from '../../node/cell/types.ts'
import type { Parts } from '../../node/parts.ts'
import type { Member, Role } from '../../protocols/admission/index.ts'

export const ALPHA_1 = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'
export const ALPHA_2 = '12D3KooWMTXVjEgmuQ5RFg3QYFYSWuSk5k7fttSa4RjbAeXhEqd9'
export const ALPHA_3 = '12D3KooWDPxVcnWo7bc5Vtnf77tWKgoafe7z8hrhz17ZqTTxmUw7'

/** A cell that works: alpha-1, which is this node, leads three voters. */
export const WELL: CellStatusDocument = {
  cell: 'alpha',
  role: 'leader',
  raftId: 1,
  leader: ALPHA_1,
  term: 4,
  commitIndex: 20,
  appliedIndex: 19,
  snapshotIndex: 10,
  stateRoot: 'bafyroot',
  voters: [ALPHA_1, ALPHA_2, ALPHA_3],
  learners: [],
  absent: [],
  hasQuorum: true,
  problem: null,
  renewed: [],
  counters: { leaderChanges: 2, traps: 0, refusedMessages: 5, slowFlushes: 0 },
}

export function memberRow(peerId: string, name: string, changes: Partial<CellMemberRow> = {}): CellMemberRow {
  return {
    peerId,
    name,
    raftId: 1,
    status: 'voter',
    counts: 'voter',
    isLeader: peerId === ALPHA_1,
    isSelf: peerId === ALPHA_1,
    behind: 0,
    isActive: true,
    since: '2026-01-01T00:00:00.000Z',
    draining: false,
    copies: 0,
    labels: {},
    ...changes,
  }
}

export interface FakeCell extends CellService {
  status: CellStatusDocument
  rows: CellMemberRow[]
  /** What it was asked, with whom. */
  calls: unknown[][]
}

/** A cell that says what a test wants. */
export function fakeCell(changes: Partial<CellService> & Partial<Pick<FakeCell, 'status' | 'rows'>> = {}): FakeCell {
  const calls: unknown[][] = []
  const cell: FakeCell = {
    name: 'cell',
    status: WELL,
    rows: [memberRow(ALPHA_1, 'alpha-1'), memberRow(ALPHA_2, 'alpha-2'), memberRow(ALPHA_3, 'alpha-3')],
    calls,
    start: async () => undefined,
    stop: async () => undefined,
    members: async () => cell.rows,
    async transfer(to = ALPHA_2) {
      calls.push(['transfer', to])
      return { leader: to }
    },
    snapshot: async () => ({ index: 20, root: 'bafyroot' }),
    remove: async (...given) => void calls.push(['remove', ...given]),
    leave: async () => void calls.push(['leave']),
    setLabel: async (...given) => void calls.push(['setLabel', ...given]),
    drain: async (...given) => void calls.push(['drain', ...given]),
    observe: {},
    ...changes,
  }
  return cell
}

/** What the faces need of a node beside its cell; `stops` counts. */
export function fakeParts(cell: CellService | undefined, role: Role = 'full') {
  const member = (peerId: string, name: string, role: Role = 'full', of = 'alpha') =>
    ({ peerId, name, role, cell: of, rights: [] }) as unknown as Member
  const self = member(ALPHA_1, 'alpha-1', role)
  const members = [self, member(ALPHA_2, 'alpha-2'), member('12D3KooWbeta', 'beta-1', 'full', 'beta')]
  const stopped = { count: 0 }
  const parts = {
    cell,
    membership: { self, members: () => members, member: (id: string) => members.find(({ peerId }) => peerId === id) },
    stop: () => void stopped.count++,
  } as unknown as Pick<Parts, 'cell' | 'membership' | 'network' | 'config' | 'pins' | 'stop'>
  return { parts, stopped, members }
}
