/**
 * What the Raft engine takes and gives: the vocabulary of `raft`, TiKV's crate, without its types. Indexes, terms and ids
 * are whole numbers under 2^53.
 */

export interface HardState {
  readonly term: number
  /** raft id voted for in this term, 0 for nobody */
  readonly vote: number
  readonly commit: number
}

/** Who votes and who learns; joint while `votersOutgoing` is not empty. */
export interface Configuration {
  readonly voters: readonly number[]
  readonly learners: readonly number[]
  readonly votersOutgoing: readonly number[]
  readonly learnersNext: readonly number[]
}

/** `normal` carries a command (empty: a leader's first entry), `change` a change of the configuration. */
export type EntryKind = 'normal' | 'change'

export interface Entry {
  readonly index: number
  readonly term: number
  readonly kind: EntryKind
  readonly data: Uint8Array
}

export interface CommittedEntry extends Entry {
  /** what a `change` was proposed with; empty otherwise */
  readonly context: Uint8Array
}

export interface SnapshotMeta {
  readonly index: number
  readonly term: number
  readonly configuration: Configuration
  /** root CID of the state at `index`, as bytes */
  readonly root: Uint8Array
}

export interface Change {
  readonly kind: 'voter' | 'learner' | 'remove'
  readonly id: number
}

/** A message to another member; opaque but for what a transport and a snapshot need. */
export interface OutMessage {
  readonly to: number
  readonly bytes: Uint8Array
  /** of a message that offers a snapshot */
  readonly snapshot: SnapshotMeta | undefined
}

/** A message of another member, in the envelope that the transport vouches for. */
export interface InMessage {
  /** raft id of who sent it */
  readonly from: number
  readonly bytes: Uint8Array
  /** of a message that offers a snapshot, whose blocks are here */
  readonly snapshot: Pick<SnapshotMeta, 'index' | 'root'> | undefined
}

export type EngineInput =
  | { readonly type: 'tick' }
  /** a message that is none, not for this node, or not what its envelope says is counted in `refused` */
  | { readonly type: 'step'; readonly messages: readonly InMessage[] }
  | { readonly type: 'propose'; readonly commands: readonly Uint8Array[] }
  /** several changes at once are joint; `context` comes back with the entry */
  | { readonly type: 'change'; readonly changes: readonly Change[]; readonly context: Uint8Array }
  /** asks for an index to read at; `context` is never used twice */
  | { readonly type: 'read'; readonly context: Uint8Array }
  /** everything of the readies up to `number` is durable */
  | { readonly type: 'persisted'; readonly number: number }
  /** the state machine has applied everything up to `index` */
  | { readonly type: 'applied'; readonly index: number }
  /** takes a committed `change` entry into force; the effects carry the new configuration */
  | { readonly type: 'configure'; readonly data: Uint8Array }
  | { readonly type: 'transfer'; readonly to: number }
  | { readonly type: 'campaign' }
  | { readonly type: 'unreachable'; readonly id: number }
  | { readonly type: 'snapshotSent'; readonly id: number; readonly ok: boolean }
  /** a durable snapshot to offer to those who lag; entries up to `compact` are forgotten */
  | { readonly type: 'snapshot'; readonly meta: SnapshotMeta; readonly compact: number }

/** What the host has to do, in this order: send, persist, (when durable) send the rest, apply, answer reads. */
export interface EngineEffects {
  /** of the last ready among these, for `persisted`; 0 when there was none */
  readonly number: number
  /** to be sent at once */
  readonly messages: readonly OutMessage[]
  /** to be sent when everything up to `number` is durable */
  readonly persistedMessages: readonly OutMessage[]
  /** to append; whatever the log has from the first one's index on is replaced */
  readonly entries: readonly Entry[]
  readonly hardState: HardState | undefined
  /** a snapshot of the leader's that takes the place of log and state */
  readonly snapshot: SnapshotMeta | undefined
  readonly committed: readonly CommittedEntry[]
  readonly reads: readonly { readonly index: number; readonly context: Uint8Array }[]
  readonly status: EngineStatus
  /** after `configure` or an installed snapshot */
  readonly configuration: Configuration | undefined
  readonly refused: number
}

export type RaftRole = 'follower' | 'candidate' | 'leader' | 'precandidate'

export interface EngineStatus {
  readonly role: RaftRole
  /** raft id, 0 for unknown */
  readonly leader: number
  readonly term: number
  readonly commit: number
  readonly lastIndex: number
  /** of every member, on the leader only: the greatest index it is known to hold durably, and whether it answers */
  readonly progress: readonly { readonly id: number; readonly match: number; readonly active: boolean }[]
}

/** What an engine starts from: what the log held when the process began. */
export interface EngineStart {
  readonly id: number
  readonly hardState: HardState
  readonly configuration: Configuration
  /** the last snapshot; its index 0 and an empty root when there was none */
  readonly snapshot: SnapshotMeta
  /** contiguous, from the snapshot's index + 1 */
  readonly entries: readonly Entry[]
  /** up to where the state machine has applied */
  readonly applied: number
  readonly electionTicks: number
  readonly heartbeatTicks: number
  /** of everything random (election timeouts), a whole number under 2^53: from the system, or of a simulation */
  readonly seed: number
}

/**
 * A Raft node that decides and does nothing else: no clock, no sockets, no disk.
 *
 * @throws EngineRefusal for an input it cannot take; it goes on as if the input had not come
 * @throws whatever else: the instance is poisoned and must be made anew from the log
 */
export interface Engine {
  input(input: EngineInput): EngineEffects
  free(): void
}

export type CreateEngine = (start: EngineStart) => Engine

/**
 * E_RAFT_MESSAGE: not a message of a member that keeps the rules; E_RAFT_DROPPED: there is no leader, or a change or a
 * transfer is under way; E_RAFT_INPUT: out of range or out of place.
 */
export type EngineRefusalCode = 'E_RAFT_MESSAGE' | 'E_RAFT_DROPPED' | 'E_RAFT_INPUT'

/** A refused input; branch on `code`. */
export class EngineRefusal extends Error {
  override name = 'EngineRefusal'
  readonly code: EngineRefusalCode

  constructor(code: EngineRefusalCode, message: string) {
    super(message)
    this.code = code
  }
}
