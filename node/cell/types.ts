import type { Tree } from '../../consensus/state/index.ts'
import type { Service } from '../service.ts'
import type { Request } from './commands.ts'

/** A member of the cell, as the agreed state has it, with what this node sees of it. */
export interface CellMemberRow {
  peerId: string
  name: string
  raftId: number
  /** `joining` until it has caught up, then `voter` */
  status: 'joining' | 'voter'
  /** what Raft counts it as now */
  counts: 'voter' | 'learner' | 'none'
  isLeader: boolean
  isSelf: boolean
  /** entries behind the leader's log; null where this node does not lead */
  behind: number | null
  /** answers the leader; null where this node does not lead */
  isActive: boolean | null
  since: string
  /** gets no more copies, and those that it has move elsewhere */
  draining: boolean
  /** copies that are allocated to it */
  copies: number
  /** in the order of their keys, at most 64 */
  labels: Record<string, string>
}

export interface CellStatusDocument {
  cell: string
  /** of this node: `none` while it has no raft id yet */
  role: 'leader' | 'follower' | 'candidate' | 'learner' | 'none'
  raftId: number
  /** peer id of the leader, null when there is none */
  leader: string | null
  term: number
  commitIndex: number
  appliedIndex: number
  /** index of the last durable snapshot */
  snapshotIndex: number
  /** root CID of the agreed state as applied here */
  stateRoot: string
  voters: string[]
  learners: string[]
  /** voters that this node is not connected to */
  absent: string[]
  /** a majority of voters is connected, as far as this node sees */
  hasQuorum: boolean
  /** why the cell does not work here, with what to do; null when it does */
  problem: { code: string; message: string; hint?: string } | null
  /** what was damaged when this node started, and begun anew: the state or the snapshots, never the log */
  renewed: string[]
  /** since the start of this node */
  counters: {
    leaderChanges: number
    traps: number
    refusedMessages: number
    /** of the log, over half a second */
    slowFlushes: number
  }
}

/** The cell as the rest of the node sees it. */
export interface CellService extends Service {
  readonly status: CellStatusDocument
  /** Linearizable unless `stale`. @throws CodedError E_NO_QUORUM */
  members(options?: { stale?: boolean }): Promise<CellMemberRow[]>
  /** Hands leadership over, to the fittest when nobody is named. @throws CodedError E_NO_QUORUM, E_MEMBER_UNKNOWN */
  transfer(to?: string): Promise<{ leader: string }>
  /** Takes a snapshot now. */
  snapshot(): Promise<{ index: number; root: string }>
  /** Takes a member's vote and revokes its certificate: it is hung up on and refused. @throws CodedError E_NO_QUORUM, E_OUTCOME_UNKNOWN, E_MEMBER_UNKNOWN, E_MEMBER_LAST */
  remove(peerId: string, reason: string): Promise<void>
  /** This node's own vote goes to the others; its leadership first. @throws CodedError as remove */
  leave(): Promise<void>
  /** Sets or (null) drops a label of a member. @throws CodedError E_NO_QUORUM, E_OUTCOME_UNKNOWN, E_MEMBER_UNKNOWN, E_LABELS_FULL */
  setLabel(peerId: string, key: string, value: string | null): Promise<void>
  /** Has a member get no more copies and those that it has moved elsewhere, or takes that back. @throws CodedError as setLabel */
  drain(peerId: string, on: boolean): Promise<void>
  /** Told of every change of leader, configuration or members; and of each flush of the log. */
  readonly observe: {
    onChange?: () => void
    onFlush?: (flush: { ms: number; bytes: number; entries: number }) => void
    /** proposal to result, milliseconds */
    onCommit?: (ms: number) => void
  }
}

/** The agreed state, for those services of the node that live by it. */
export interface CellState {
  /** as applied here */
  readonly tree: Tree
  readonly applied: number
  readonly isLeader: boolean
  /** Resolves when the tree holds all that was agreed at the call. @throws {CodedError} E_NO_QUORUM */
  read(): Promise<void>
  /** @throws {CodedError} E_NO_QUORUM, E_OUTCOME_UNKNOWN, E_CELL_BUSY, or the code of a refusal */
  submit(request: Request): Promise<unknown>
  /**
   * Told the keys of the state that changed, after each turn.
   *
   * @param onReplaced - a leader's state took the place of the one here: anything may have changed, and no key is told
   * @returns what ends it
   */
  subscribe(listener: (keys: readonly string[]) => void, onReplaced: () => void): () => void
}
