import type { Change, Policy } from '../consensus/epoch/types.ts'

export type { Change, Policy }

/** What the mesh's record can be asked. Keys are peer ids, CIDs are text, T is a pair of numbers. */
export interface MeshOperations {
  summary(): ChainSummary
  /** Newest first unless `from` is given: then from there upward; at most `limit` (1…1000). */
  epochs(options: { from?: number; limit: number }): AsyncIterable<EpochRow>
  /** @throws {CodedError} E_EPOCH_UNKNOWN: not final yet, or no longer kept here, with the range there is */
  epoch(height: number | 'latest'): Promise<EpochDocument>
  /**
   * An epoch with all that a stranger needs to verify it: genesis, skip path, certificate. ≤ 16 MiB.
   *
   * @param from - of an epoch that the stranger has a checkpoint of; the way begins there, else at the genesis
   */
  exportEpoch(height: number | 'latest', from?: number): Promise<Uint8Array>
  validators(): Promise<ValidatorsDocument>
  motions(): Promise<MotionRow[]>
  /** Moves a change, and votes for it. Resolves when it is in an epoch. @throws {CodedError} E_NOT_VALIDATOR, E_MOTION_REFUSED, E_NO_QUORUM */
  move(change: Change, options: MotionOptions): Promise<MotionRow>
  vote(motion: string, yes: boolean): Promise<MotionRow>
}

/** The same for the node's faces, in JSON alone: a node is named by its name where one is known, a motion by how its id begins. */
export interface RecordOperations extends Omit<MeshOperations, 'motions' | 'move' | 'vote'> {
  motions(): Promise<MotionDocument[]>
  /** @throws {CodedError} also E_PEER_ID_INVALID; E_INVALID_INPUT for a name that more than one has */
  move(change: ChangeDocument, options: MotionOptions): Promise<MotionDocument>
  /** @throws {CodedError} also E_MOTION_UNKNOWN; E_INVALID_INPUT where more than one begins so */
  vote(motion: string, yes: boolean): Promise<MotionDocument>
}

export interface MotionOptions {
  /** height from which it is to hold; as soon as it may unless told */
  effectiveAt?: number
  /** epochs from now on in which it may be carried */
  expiresIn?: number
}

type OperatorSet = Extract<Change, { type: 'operator-set' }>
/** Members are peer ids. */
export type ChangeDocument =
  Exclude<Change, OperatorSet> | (Omit<OperatorSet, 'members'> & { readonly members: readonly string[] })

/** The record in a node's status. */
export interface ChainSummary {
  height: number
  /** of the head */
  cid: string
  /** ISO, of the head; null at height 0 */
  time: string | null
  /** this node's part in the next epoch */
  role: 'validator' | 'follower'
  /** from the start of a height here to its decision; null before the first */
  finalizedMs: { p50: number; p99: number } | null
  /** agreed T_global of the epoch before the head; null at height 0 */
  t: [re: number, im: number] | null
  magnitudeSquared: number | null
  collapsed: boolean | null
  validators: number
  operators: number
  /** operators that may lie before nothing is agreed any more */
  toleratedFaults: number
  /** what the record here rests on */
  trust: 'genesis' | 'checkpoint'
  /** heights behind the highest that a peer told; 0 when it keeps up */
  behind: number
  /** why nothing becomes final or is followed; null when it does */
  problem: { code: string; message: string; hint?: string } | null
  counters: MeshCounters
}

/** Since the start of this node. */
export interface MeshCounters {
  rounds: number
  missedProposals: number
  evidence: number
  traps: number
  refusedMessages: number
  syncedEpochs: number
}

export interface EpochRow {
  height: number
  cid: string
  time: string
  round: number
  proposer: string
  proposerName: string
  reports: number
  t: [re: number, im: number]
  magnitudeSquared: number
  collapsed: boolean
  evidence: number
  governance: number
}

export interface EpochDocument extends EpochRow {
  previous: string
  state: string
  median: [re: number, im: number]
  decision: { collapsed: boolean; agreeing: number; reporting: number }
  validators: { cid: string; nextCid: string }
  /** who signed, with their part of the power */
  certificate: {
    round: number
    signers: { peerId: string; name: string; power: number }[]
    power: number
    total: number
  }
  reportRows: { peerId: string; name: string; cell: string; t: [re: number, im: number]; counted: boolean }[]
  attestations: { cell: string; epoch: number; root: string; t: [re: number, im: number] | null; revoked: string[] }[]
  governanceRows: { by: string; kind: 'move' | 'vote'; text: string }[]
  evidenceRows: { key: string; height: number; kind: string }[]
}

export interface ValidatorsDocument {
  height: number
  operators: {
    name: string
    cell: string
    weight: number
    members: {
      peerId: string
      name: string
      isValidator: boolean
      power: number
      isSelf: boolean
      isConnected: boolean
    }[]
    attested: { epoch: number; root: string; t: [re: number, im: number] | null } | null
  }[]
  policy: Policy
  total: number
  toleratedFaults: number
  next: { height: number; validators: { peerId: string; power: number }[] }
  out: string[]
  revoked: { peerId: string; cell: string; height: number }[]
}

export interface MotionRow {
  id: string
  change: Change
  /** the change in words */
  text: string
  by: string
  opened: number
  expires: number
  state: 'open' | 'carried'
  /** height from which it holds, when it is carried */
  holdsFrom: number | null
  /** parts of the power, 0…1 */
  yes: number
  no: number
}

export interface MotionDocument extends Omit<MotionRow, 'change'> {
  change: ChangeDocument
}
