import type { CommitCertificate, Validator, VoteKind } from '../mesh/engine.ts'

/** A complex number whose parts are Q1.30 integers: value = n / 2³⁰ (coherence.md P11). */
export type ComplexQ30 = readonly [re: number, im: number]

/** An operator and its nodes, as the record has them. Keys are raw ed25519 keys, each list in bytewise order. */
export interface Operator {
  readonly name: string
  readonly cell: string
  /** whole, ≥ 1; Σ < 2³³ */
  readonly weight: number
  /** full nodes: their reports count, in equal parts of the operator's weight */
  readonly members: readonly Uint8Array[]
  /** of the members, who vote on epochs, in equal parts of the operator's weight */
  readonly validators: readonly Uint8Array[]
  /** what the cell last attested; undefined before it first did */
  readonly attested: Attested | undefined
}

export interface Attested {
  /** of the last epoch whose T_cell it says */
  readonly epoch: number
  /** raft index of the state */
  readonly index: number
  /** root CID of the cell's state, bytes */
  readonly root: Uint8Array
  /** T_cell as the cell committed it; null when none of its members reported */
  readonly t: ComplexQ30 | null
}

/** What governance may change, agreed by everybody: `genesis` gives the first. */
export interface Policy {
  /** least time between two epochs, ms */
  readonly epochMs: number
  /** the same while nothing changes */
  readonly idleEpochMs: number
  /** how long a former set's word is trusted, ms */
  readonly trustingMs: number
  /** I_c in Q1.30 */
  readonly collapseThreshold: number
  /** of the validators of one operator, 1…16 */
  readonly maxValidators: number
  /** what becomes of the author of a double vote */
  readonly doubleVote: 'remove' | 'note'
}

/** One change of the set or the policy. */
export type Change =
  /** a new operator, or another weight or name for one that there is; keys of its first members when it is new */
  | {
      readonly type: 'operator-set'
      readonly name: string
      readonly cell: string
      readonly weight: number
      readonly members: readonly Uint8Array[]
    }
  | { readonly type: 'operator-remove'; readonly cell: string }
  | { readonly type: 'policy-set'; readonly policy: Partial<Policy> }

/** A change that is being voted on. Its id is the sha-256 of the proposing command, 32 bytes. */
export interface Motion {
  readonly id: Uint8Array
  readonly change: Change
  /** key of the validator that moved it */
  readonly by: Uint8Array
  readonly opened: number
  /** height after which it lapses */
  readonly expires: number
  /** height from which it holds once it is carried; 0 for as soon as possible */
  readonly effectiveAt: number
  /** keys of those for and against, in bytewise order */
  readonly yes: readonly Uint8Array[]
  readonly no: readonly Uint8Array[]
  /** height in which it was carried; it holds from `max(effectiveAt, carried + 2)` */
  readonly carried: number | undefined
}

export interface Revocation {
  /** raw key */
  readonly subject: Uint8Array
  readonly cell: string
  /** of the epoch that carried it */
  readonly height: number
}

/** Everything that follows from the epochs up to `height`; small and bounded, one dag-cbor block, its CID in the next header. */
export interface MeshState {
  /** CID of the genesis, 36 bytes */
  readonly mesh: Uint8Array
  readonly height: number
  /** Unix ms of the last epoch */
  readonly time: number
  /** CID of the last header; of the genesis at height 0 */
  readonly head: Uint8Array
  /** in the order of their cells' names */
  readonly operators: readonly Operator[]
  /** who decided `height`, and so signed the certificate in block `height + 1`; empty at height 0 */
  readonly lastValidators: readonly Validator[]
  /** who decides `height + 1`, and `height + 2` */
  readonly validators: readonly Validator[]
  readonly nextValidators: readonly Validator[]
  /** whose reports of epoch `height` count; what the numbers in its precommits' extensions count in */
  readonly reporters: readonly Reporter[]
  readonly policy: Policy
  readonly motions: readonly Motion[]
  readonly revoked: readonly Revocation[]
  /** keys that voted twice and are out for good */
  readonly out: readonly Uint8Array[]
}

export interface Reporter {
  readonly key: Uint8Array
  readonly cell: string
}

/** Links are CIDs of dag-cbor blocks that travel with the header. */
export interface EpochHeader {
  readonly v: 1
  readonly mesh: Uint8Array
  readonly height: number
  /** in which it was built */
  readonly round: number
  /** Unix ms: weighted median of the clocks in `precommits`, and later than the epoch before */
  readonly time: number
  readonly proposer: Uint8Array
  /** CID of the header before, of the genesis at height 1; bytes and no link, so that a pin of one epoch is of one epoch */
  readonly previous: Uint8Array
  /** CIDs of the validator sets of this height and the next */
  readonly validators: Uint8Array
  readonly nextValidators: Uint8Array
  /** CID of the mesh state before this epoch */
  readonly state: Uint8Array
  /** CIDs of the lists */
  readonly precommits: Uint8Array
  readonly reports: Uint8Array
  readonly attestations: Uint8Array
  readonly governance: Uint8Array
  readonly evidence: Uint8Array
  /** of the reports in this block, which belong to epoch `height − 1` */
  readonly t: ComplexQ30
  readonly median: ComplexQ30
  readonly decision: EpochDecision
}

export interface EpochDecision {
  readonly collapsed: boolean
  /** in parts of `totalWeight` */
  readonly agreeingWeight: number
  readonly reportingWeight: number
  readonly totalWeight: number
}

/** A whole epoch: what a proposal's parts carry. */
export interface EpochBlock {
  readonly header: EpochHeader
  /** extended commit of the epoch before; null at height 1 */
  readonly precommits: CommitCertificate | null
  /** signed envelopes of `/kairos/phase/1`, by author and bytes in bytewise order */
  readonly reports: readonly Uint8Array[]
  readonly attestations: readonly Uint8Array[]
  /** signed governance commands */
  readonly governance: readonly Uint8Array[]
  readonly evidence: readonly Uint8Array[]
}

/** What a validator says about the set and the policy; carried signed. */
export type GovernanceCommand = Move | Ballot

export interface Move {
  readonly kind: 'move'
  readonly mesh: Uint8Array
  /** key of a current validator, which is for it */
  readonly by: Uint8Array
  /** height of the state that it was signed on: it is taken in within MOVE_WINDOW epochs, and so never twice */
  readonly at: number
  readonly change: Change
  readonly expires: number
  /** 0 for as soon as possible */
  readonly effectiveAt: number
}

/** One of a key on a motion; it is not taken back. */
export interface Ballot {
  readonly kind: 'vote'
  readonly mesh: Uint8Array
  readonly by: Uint8Array
  readonly motion: Uint8Array
  readonly yes: boolean
}

/** Two signed messages of one validator that contradict each other, without what is not needed to show it. */
export type Evidence = VoteEvidence | ProposalEvidence

interface EvidenceHead {
  readonly validator: Uint8Array
  readonly height: number
  readonly round: number
}

export interface VoteEvidence extends EvidenceHead {
  readonly kind: VoteKind
  readonly first: SignedValue
  readonly second: SignedValue
}

export interface ProposalEvidence extends EvidenceHead {
  readonly kind: 'proposal'
  readonly first: SignedValue & { readonly polRound: number }
  readonly second: SignedValue & { readonly polRound: number }
}

export interface SignedValue {
  /** undefined for no value */
  readonly value: Uint8Array | undefined
  readonly signature: Uint8Array
}

/** An epoch that is final: what nodes keep, serve and export. */
export interface FinalEpoch {
  readonly block: EpochBlock
  readonly certificate: CommitCertificate
}

/** What one validator's precommit of `height` says beside its vote. */
export interface Extension {
  /** its clock, Unix ms */
  readonly time: number
  /** reports of epoch `height` that it holds: number of the reporter, sha-256 of the envelope; ascending, at most two of one reporter */
  readonly reports: readonly (readonly [reporter: number, digest: Uint8Array])[]
}

/** What a majority of a cell's recorded members says about the cell. */
export interface Attestation {
  readonly mesh: Uint8Array
  readonly cell: string
  readonly epoch: number
  readonly index: number
  readonly root: Uint8Array
  readonly t: ComplexQ30 | null
  readonly members: readonly Uint8Array[]
  readonly validators: readonly Uint8Array[]
  /** keys revoked since the attestation before, at most 64 at once */
  readonly revoked: readonly Uint8Array[]
}
