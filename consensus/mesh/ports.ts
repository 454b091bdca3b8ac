import type { CommitCertificate, Equivocation, Validator } from './engine.ts'

/** The durable write-ahead log of what this validator has decided to say. A failed write is never tried again. */
export interface Wal {
  /** records of this height in order; those of other heights are forgotten. @throws when damaged before its tail */
  read(height: number): Promise<Uint8Array[]>
  /** Durable when it resolves. One at a time. @throws on any failure of the disk */
  append(height: number, records: readonly Uint8Array[]): Promise<void>
}

/** A proposed epoch: its value is the CID of its header. */
export interface ProposedBlock {
  /** CID bytes */
  readonly value: Uint8Array
  /** the whole epoch, header and lists, ≤ MAX_BLOCK_BYTES */
  readonly bytes: Uint8Array
}

/** What validators agree on. Validity follows from the bytes and the epoch before, never from what one node holds. */
export interface Application {
  /** of the last epoch that is final here, 0 for the genesis */
  readonly height: number
  /** who decides `height + 1` */
  readonly validators: readonly Validator[]
  /** Whether there is anything new to agree on, so that the idle pace does not apply. */
  readonly isBusy: boolean
  /** Builds the block of `height + 1`; fetches what it must contain and does not hold yet. */
  propose(round: number, signal: AbortSignal): Promise<ProposedBlock>
  /** Checks a block of `height + 1` by its bytes alone. Never throws: @returns a code when it is not valid */
  check(block: ProposedBlock, proposer: Uint8Array): Promise<string | undefined>
  /** This node's extension of its precommit at `height + 1`. */
  extension(round: number, value: Uint8Array): Uint8Array
  isExtension(validator: Uint8Array, bytes: Uint8Array): boolean
  /** Durable when it resolves: before the precommit of it. */
  persist(block: ProposedBlock): Promise<void>
  /** A block of `height + 1` persisted earlier, after a restart. */
  read(value: Uint8Array): Promise<ProposedBlock | undefined>
  /** Takes a decided block in: state, certificate and height in one durable step; then `height` has counted up. */
  commit(block: ProposedBlock, certificate: CommitCertificate): Promise<void>
  /** Two contradicting messages of one validator, signatures checked: proposed as evidence later. */
  evidence(equivocation: Equivocation): void
}

/** To the other validators of the next height. Never blocks and never throws; bounded: what does not fit is lost. */
export interface Transport {
  /** an engine's message to every other validator */
  publish(height: number, bytes: Uint8Array): void
  /** the block of a proposal, cut into parts, to every other validator */
  publishBlock(height: number, round: number, block: ProposedBlock): void
  /** asks validators for a block that a proposal or a quorum names and that never came */
  requestBlock(height: number, value: Uint8Array): void
}

/** Time from outside, so that a whole mesh can run under a virtual clock. */
export interface Clock {
  /** milliseconds, monotonic */
  now(): number
  /** Runs once after `ms`, 0 for as soon as what is already due has run. @returns what cancels it */
  after(ms: number, run: () => void): () => void
}
