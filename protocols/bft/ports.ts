import type { PeerId } from '@libp2p/interface'
import type { Verdict } from '../shared/verdict.ts'

/** A promise holds back the stream of the peer until it settles; a rejected one is this node's own fault, and logged. */
export type Said = Verdict | Promise<Verdict>

export interface ReceivedBlock {
  readonly height: number
  /** of the proposal that it was sent for; of no meaning where it was asked for */
  readonly round: number
  /** the bytes match it; nothing else was checked */
  readonly value: Uint8Array
  readonly bytes: Uint8Array
}

/** What comes from peers, and what they are answered from. */
export interface BftPorts {
  /** An engine's message, of any height. */
  message(peer: PeerId, height: number, bytes: Uint8Array): Said
  /** Of the running height or the next, from a validator; nothing says that a proposal names it. */
  block(peer: PeerId, block: ReceivedBlock): Said
  /** Whether the bytes are the block that the value names, header and lists. Never throws */
  matches(block: { readonly value: Uint8Array; readonly bytes: Uint8Array }): boolean
  /** A block that was proposed here, final or not. */
  readBlock(height: number, value: Uint8Array): Promise<Uint8Array | undefined>
  /** A report that this node asked for, by its digest. */
  report(peer: PeerId, epoch: number, envelope: Uint8Array): Said
  /** Those that are here, by the sha-256 of their envelopes. */
  readReports(epoch: number, digests: readonly Uint8Array[]): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** Accepted ones are passed on to all peers, once. */
  attestation(peer: PeerId, bytes: Uint8Array): Said
  /** Accepted ones are passed on to all peers, once. */
  governance(peer: PeerId, bytes: Uint8Array): Said
  /** What a member of a cell says to the others of it; whether the peer is one is for the port to see. */
  attestationShare(peer: PeerId, bytes: Uint8Array): Said
}
