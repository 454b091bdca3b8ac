import type { CellMemberRow, CellStatusDocument } from './cell/types.ts'

export type { CellMemberRow, CellStatusDocument }

/**
 * What the cell of a node can be asked. A member is named by its peer id or its name.
 *
 * On a node whose role has no cell every method throws E_NOT_IN_ROLE, with the nodes to ask as its hint. Without a
 * quorum all but `status` and stale reads throw E_NO_QUORUM: nothing was changed; or E_OUTCOME_UNKNOWN.
 */
export interface CellOperations {
  status(): CellDocument
  /** Linearizable unless `stale`: then what this node has applied. */
  members(options: { stale: boolean }): Promise<CellMemberRow[]>
  /**
   * Takes the member's vote and revokes its certificate, for good.
   *
   * @throws {CodedError} also E_MEMBER_UNKNOWN, E_MEMBER_LAST; E_INVALID_INPUT for this node itself, which leaves
   */
  remove(member: string, reason: string): Promise<RemovalDocument>
  /** @param value - null drops the label */
  label(member: string, key: string, value: string | null): Promise<LabelDocument>
  /** Gives it no more copies and has those that it has moved elsewhere (`on`), or takes that back. */
  drain(member: string, on: boolean): Promise<DrainDocument>
  /** @param to - the fittest unless told */
  transfer(to?: string): Promise<LeaderDocument>
  snapshot(): Promise<{ index: number; root: string }>
  /**
   * Has the copies of this node moved elsewhere where `drain`, hands leadership and vote over, then stops the node. It
   * runs on and is drained no more where that fails or is broken off.
   *
   * @returns how many copies are left, whenever that changes; at the end which cell was left
   * @throws {CodedError} E_MEMBER_LAST, E_DRAIN_SHORT, E_DRAIN_STALLED
   */
  leave(options: LeaveOptions, signal: AbortSignal): AsyncIterable<LeaveRow>
}

export interface CellDocument extends CellStatusDocument {
  /** Of the leader, the voters and the learners, by peer id. */
  names: Record<string, string>
}

/** The cell of a node in its status: people, not peer ids. */
export interface CellSummary {
  name: string
  /** This node's. */
  role: CellStatusDocument['role']
  /** null while this node knows none. */
  leader: string | null
  term: number
  commitIndex: number
  appliedIndex: number
  voters: string[]
  learners: string[]
  hasQuorum: boolean
  problem: CellStatusDocument['problem']
}

export interface RemovalDocument {
  peerId: string
  name: string
  reason: string
}

export interface LabelDocument {
  peerId: string
  name: string
  key: string
  value: string | null
}

export interface DrainDocument {
  peerId: string
  name: string
  draining: boolean
  /** That are allocated to it now. */
  copies: number
}

export interface LeaveOptions {
  drain: boolean
  /** Without a copy that has moved for so long it is given up; 10 minutes unless told. */
  drainTimeoutMs?: number
}

export type LeaveRow = { copiesLeft: number } | { left: string }

export interface LeaderDocument {
  leader: string
  name: string
}
