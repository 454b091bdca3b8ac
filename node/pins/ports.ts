import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { CellState } from '../cell/types.ts'
import type { GetBlock } from '../content/dag.ts'
import type { FetchProblem } from '../content/fetch-problem.ts'

/** What pins need of the cell. */
export type PinCell = CellState

/** What pins need of the content service. */
export interface PinContent {
  /** CID of `CID[/path]`; what is on the way is fetched. */
  resolve(path: string, signal: AbortSignal): Promise<CID>
  /**
   * A way to get blocks that remembers who has them.
   *
   * @param origins - multiaddresses to connect first
   * @param options.members - peer ids of who is likely to have it, asked before it is sought
   * @param options.isRemote - the store is left out: for blocks that are damaged there
   * @param options.onProblem - told of what holds up a block, whenever that changes
   */
  fetch(
    origins: readonly string[],
    options?: { isRemote?: boolean; members?: readonly string[]; onProblem?: (problem: FetchProblem) => void },
  ): GetBlock
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
