import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { Tree } from '../../consensus/state/index.ts'
import type { Request } from '../cell/commands.ts'
import type { GetBlock } from '../content/dag.ts'

/** What pins need of the cell. */
export interface PinCell {
  /** as applied here */
  readonly tree: Tree
  readonly applied: number
  readonly isLeader: boolean
  /** Resolves when the tree holds all that was agreed at the call. @throws {CodedError} E_NO_QUORUM */
  read(): Promise<void>
  /** @throws {CodedError} E_NO_QUORUM, E_OUTCOME_UNKNOWN, E_CELL_BUSY, or the code of a refusal */
  submit(request: Request): Promise<unknown>
  /** Told the keys of the state that changed, after each turn. @returns what ends it */
  subscribe(listener: (keys: readonly string[]) => void): () => void
}

/** What pins need of the content service. */
export interface PinContent {
  /** CID of `CID[/path]`; what is on the way is fetched. */
  resolve(path: string, signal: AbortSignal): Promise<CID>
  /**
   * A way to get blocks that remembers who has them.
   *
   * @param origins - multiaddresses to connect first
   * @param options.isRemote - the store is left out: for blocks that are damaged there
   */
  fetch(origins: readonly string[], options?: { isRemote: boolean }): GetBlock
}

/** What pins need of the mesh. */
export interface PinMesh {
  readonly self: string
  /** @returns undefined for a peer that is not known */
  nameOf(peerId: string): string
  /** Of a peer id or a name. @throws {CodedError} E_MEMBER_UNKNOWN */
  peerIdOf(member: string): string
  isConnected(peerId: string): boolean
  /** Rows of the topic `pins` of a peer. @throws {CodedError} as the query */
  ask(peer: PeerId, params: Record<string, string | number>, signal: AbortSignal): AsyncIterable<unknown>
}
