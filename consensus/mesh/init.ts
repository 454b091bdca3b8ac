import type { BftMessage, CreateEngine, EngineRefusalCode, Equivocation, Validator } from './engine.ts'
import type { Application, Clock, ProposedBlock, Transport, Wal } from './ports.ts'

export interface MeshOptions {
  /** how long a round waits for its proposal, and how much longer each round than the one before */
  readonly proposeMs: number
  readonly proposeStepMs: number
  /** the same for the votes of either kind */
  readonly voteMs: number
  readonly voteStepMs: number
  /** after which the last votes are sent again */
  readonly rebroadcastMs: number
  /** after which a block that is named and did not come is asked for, and asked for again */
  readonly blockMs: number
  /** for how long more than a third of the power must have been ahead before that is told, and how often it is */
  readonly behindMs: number
  /** the same where it is less than a third: they may have decided with a vote that others never got */
  readonly stuckMs: number
  /** of one height that are named by proposals or votes, and that nothing names yet */
  readonly maxBlocks: number
  readonly maxUnnamedBlocks: number
}

// A round of three messages fits ten times into the first timeouts on any continent; a block of 1 MiB needs longer.
export const MESH_OPTIONS: MeshOptions = {
  proposeMs: 1_000,
  proposeStepMs: 500,
  voteMs: 500,
  voteStepMs: 500,
  rebroadcastMs: 1_000,
  blockMs: 400,
  behindMs: 500,
  stuckMs: 5_000,
  maxBlocks: 8,
  maxUnnamedBlocks: 4,
}

/** Least time from one decision to the start of the next height, ms; `idleEpochMs` while there is nothing new. */
export interface Pace {
  readonly epochMs: number
  readonly idleEpochMs: number
}

/** What the driver tells who runs it; none of it may throw. Keys are raw ed25519 keys. */
export interface MeshEvents {
  /** a round begins at this validator */
  onRound?(height: number, round: number, proposer: Uint8Array): void
  /** An epoch that this validator decided is final. `ms`: from the start of the height here to the decision */
  onDecided?(height: number, decision: { readonly round: number; readonly ms: number }): void
  /** an epoch decided elsewhere is final here */
  onSynced?(height: number): void
  /** Others decide `height`: what is before it is final there. A hint, not proven; at most once in `behindMs` */
  onBehind?(height: number): void
  /** the engine trapped and is made anew from the log */
  onTrap?(cause: unknown): void
  /** a message that no validator that keeps the rules sends, or that comes out of place */
  onRefused?(code: EngineRefusalCode, from: Uint8Array): void
  /** a message that was not looked at: of nobody in the set, of a height too far off, or one too many */
  onDropped?(from: Uint8Array): void
  /** a round ended here without the block of its proposer */
  onMissedProposal?(proposer: Uint8Array): void
  /** the proposed block does not hold what it must */
  onInvalidBlock?(code: string, proposer: Uint8Array): void
  /** this node was to propose and could not build a block: the round passes without one */
  onProposalFailed?(round: number, cause: unknown): void
  onEquivocation?(equivocation: Equivocation): void
  /** Disk or application failed: everything has stopped, nothing is sent any more, and it must not start by itself. */
  onFatal(cause: unknown): void
}

export interface MeshInit {
  /** CID of the genesis, 36 bytes */
  readonly mesh: Uint8Array
  /** raw ed25519 seed of this node, 32 bytes, and its public key */
  readonly seed: Uint8Array
  readonly key: Uint8Array
  /** a fresh instance each time: a trap spoils the one before */
  readonly loadEngine: () => Promise<CreateEngine>
  /** @throws for bytes that are no message */
  readonly decode: (bytes: Uint8Array) => BftMessage
  /** @returns the key of who proposes in a round; as the engine has it */
  readonly proposerOf: (validators: readonly Validator[], height: number, round: number) => Uint8Array
  /** Whether the bytes of a block are those that its value names, whole: a peer may send others under its name. */
  readonly matches: (block: ProposedBlock) => boolean
  /** as the policy of the next height has it; asked again at each wait */
  readonly pace: () => Pace
  readonly wal: Wal
  readonly application: Application
  readonly transport: Transport
  readonly clock: Clock
  readonly events: MeshEvents
  readonly options?: Partial<MeshOptions>
}
