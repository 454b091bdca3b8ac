/** CIDv1, dag-cbor, sha2-256, as bytes: 36 of them. A value is the CID of an epoch's header; so is the mesh id of a genesis. */
export const VALUE_BYTES = 36
export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
/** Of one vote extension. */
export const MAX_EXTENSION_BYTES = 65_536
/** Of one message between validators: a round certificate of 64 of them, or a vote with the longest extension. */
export const MAX_MESSAGE_BYTES = 131_072
/** Of one height: more are refused at the start. */
export const MAX_VALIDATORS = 64
/** Σ of the powers of a set stays below. */
export const MAX_TOTAL_POWER = 2 ** 33

export interface Validator {
  /** raw ed25519 key, which is the node's identity; validators are ordered by it, bytewise */
  readonly key: Uint8Array
  /** whole, ≥ 1 */
  readonly power: number
}

export type VoteKind = 'prevote' | 'precommit'
export type TimeoutKind = 'propose' | 'prevote' | 'precommit' | 'rebroadcast'

export interface Timeout {
  readonly kind: TimeoutKind
  readonly round: number
}

export interface SignedExtension {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

export interface Vote {
  readonly type: 'vote'
  readonly kind: VoteKind
  readonly height: number
  readonly round: number
  /** undefined votes for no value */
  readonly value: Uint8Array | undefined
  readonly validator: Uint8Array
  readonly signature: Uint8Array
  /** of every precommit for a value, and of nothing else */
  readonly extension: SignedExtension | undefined
}

export interface Proposal {
  readonly type: 'proposal'
  readonly height: number
  readonly round: number
  readonly value: Uint8Array
  /** the earlier round in which a quorum prevoted the value, −1 for none */
  readonly polRound: number
  readonly validator: Uint8Array
  readonly signature: Uint8Array
}

/** Signed prevotes of a quorum for one value. */
export interface PolkaCertificate {
  readonly type: 'polka'
  readonly height: number
  readonly round: number
  readonly value: Uint8Array
  readonly signatures: readonly { readonly validator: Uint8Array; readonly signature: Uint8Array }[]
}

/** Votes that justify entering a later round. */
export interface RoundCertificate {
  readonly type: 'round'
  readonly height: number
  readonly round: number
  /** of which the votes are: `precommit` a quorum of any, `skip` more than a third */
  readonly cause: 'precommit' | 'skip'
  readonly votes: readonly {
    readonly kind: VoteKind
    readonly value: Uint8Array | undefined
    readonly validator: Uint8Array
    readonly signature: Uint8Array
  }[]
}

/** What validators say to each other: opaque between `encodeMessage` and `decodeMessage` of `messages.ts`. */
export type BftMessage = Vote | Proposal | PolkaCertificate | RoundCertificate

/** Precommits of more than 2/3 of the power for one value at one height, in the order of the keys. */
export interface CommitCertificate {
  readonly height: number
  readonly round: number
  readonly value: Uint8Array
  readonly signatures: readonly {
    readonly validator: Uint8Array
    readonly signature: Uint8Array
    /** absent where only the decision is carried, not what its validators saw */
    readonly extension?: SignedExtension
  }[]
}

/** Two messages of one validator that contradict each other. */
export type Equivocation =
  | { readonly type: 'votes'; readonly first: Vote; readonly second: Vote }
  | { readonly type: 'proposals'; readonly first: Proposal; readonly second: Proposal }

export type EngineInput =
  /** the height begins: round 0, or where the log had got to */
  | { readonly type: 'start' }
  /** of another validator, as it came: refused before work when it is none of this height's */
  | { readonly type: 'message'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout'; readonly timeout: Timeout }
  /** the value asked for by `getValue`; its block is durable */
  | { readonly type: 'propose'; readonly round: number; readonly value: Uint8Array }
  /** the block of a proposal was received, checked and (when valid) made durable */
  | {
      readonly type: 'block'
      readonly round: number
      readonly validRound: number
      readonly proposer: Uint8Array
      readonly value: Uint8Array
      readonly valid: boolean
    }

/** What the host has to do, strictly in this order. */
export type EngineEffect =
  /** append to the log; everything after it in the list but `timeout` waits until it is durable */
  | { readonly type: 'log'; readonly record: Uint8Array }
  | { readonly type: 'publish'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout'; readonly timeout: Timeout }
  | { readonly type: 'cancelTimeouts' }
  | { readonly type: 'round'; readonly round: number; readonly proposer: Uint8Array }
  /** this node proposes in this round: build a block, make it durable, `propose` it */
  | { readonly type: 'getValue'; readonly round: number }
  /** publish the block's parts again, with the proposal of `round` */
  | { readonly type: 'restream'; readonly round: number; readonly validRound: number; readonly value: Uint8Array }
  /** once per height; the certificate is this node's own, checked, with every extension it holds */
  | { readonly type: 'decide'; readonly certificate: CommitCertificate }
  | { readonly type: 'equivocation'; readonly evidence: Equivocation }

/** What an engine of one height starts from. */
export interface EngineStart {
  /** of the mesh, 36 bytes: in everything that is signed */
  readonly mesh: Uint8Array
  readonly height: number
  /** of this height; the node may be none of them, and then only listens */
  readonly validators: readonly Validator[]
  /** raw ed25519 seed, 32 bytes */
  readonly seed: Uint8Array
  /** records of this height that the log holds, in order: what they signed is never signed differently again */
  readonly log: readonly Uint8Array[]
}

/** What an engine asks while an input is under way; synchronous, and must not throw. */
export interface EngineHost {
  /** what this node's precommit says beside its value, ≤ 64 KiB; never asked twice for one (round, value) of a height */
  extension(round: number, value: Uint8Array): Uint8Array
  /** whether what another's precommit says beside its value is well formed; its signature has been checked */
  isExtension(validator: Uint8Array, bytes: Uint8Array): boolean
}

/**
 * One height of one validator that decides and does nothing else: no clock, no sockets, no disk.
 *
 * @throws EngineRefusal for an input it cannot take; it goes on as if the input had not come
 * @throws whatever else: the instance is poisoned and must be made anew from the log
 */
export interface Engine {
  input(input: EngineInput): EngineEffect[]
  free(): void
}

export type CreateEngine = (start: EngineStart, host: EngineHost) => Engine

/**
 * E_BFT_INPUT: out of range or out of place. Of a message: E_BFT_MESSAGE not decodable; E_BFT_HEIGHT not of this height;
 * E_BFT_ROUND too far ahead; E_BFT_VALIDATOR of nobody in the set; E_BFT_SIGNATURE; E_BFT_CERTIFICATE with an invalid
 * signature, or short of its power; E_BFT_EXTENSION missing, out of place or not well formed.
 */
export type EngineRefusalCode =
  | 'E_BFT_INPUT'
  | 'E_BFT_MESSAGE'
  | 'E_BFT_HEIGHT'
  | 'E_BFT_ROUND'
  | 'E_BFT_VALIDATOR'
  | 'E_BFT_SIGNATURE'
  | 'E_BFT_CERTIFICATE'
  | 'E_BFT_EXTENSION'

/** A refused input; branch on `code`. */
export class EngineRefusal extends Error {
  override name = 'EngineRefusal'
  readonly code: EngineRefusalCode

  constructor(code: EngineRefusalCode, message: string) {
    super(message)
    this.code = code
  }
}
