import type { ComponentLogger, Libp2p, PeerId } from '@libp2p/interface'
import type { Datastore } from 'interface-datastore'
import type { CID } from 'multiformats/cid'
import type { Push } from '../../protocols/blocks/index.ts'
import type { CodedError } from '../../protocols/shared/errors.ts'
import type { AddEntry, AddOptions, AddRow, ContentOperations } from '../operations.ts'
import type { RepoOperations } from '../operations-repo.ts'
import type { Service } from '../service.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import type { MemberPorts } from './block-service.ts'
import type { GetBlock } from './dag.ts'
import type { FetchOptions } from './fetcher.ts'
import type { Lease, LocalPins } from './pins/index.ts'

export interface ContentInit {
  /** Running, and started again only with this service. */
  libp2p: Libp2p
  datastore: Datastore
  blocksPath: string
  /** Of the index of what is pinned here alone. */
  pinIndex: Sublevel
  limits: ContentLimits
  log: ComponentLogger
  /** The disk of the blocks can no longer be trusted: stop the node. */
  onFatal?: (error: CodedError) => void
  /** What other members may do with the blocks here; nobody pushes when absent. */
  members?: Omit<MemberPorts, 'lease'>
  /** Tells the DHT that this node holds a root. */
  provide?: (root: CID) => void
  /** Peers that the DHT names as holders; libp2p's content routing when absent. */
  findProviders?: (cid: CID, signal: AbortSignal | undefined) => AsyncIterable<PeerId>
}

export interface ContentLimits {
  /** Bytes of blocks that are kept, ≥ 0. */
  quotaBytes: number
  /** ≤ 2 MiB, the default. */
  maxBlockBytes?: number
  /** How long a block may take to come from the mesh; default 30 000. */
  blockTimeoutMs?: number
}

export interface OriginOptions extends Pick<FetchOptions, 'isRemote' | 'onProblem'> {
  /** Peer ids of who is likely to have it: who is connected is asked before it is sought. */
  members?: readonly string[]
}

/** What else becomes of the blocks that an `add` makes. */
export interface AddHooks {
  /** Keeps them from gc for longer than the add takes. */
  lease?: Lease
  /** Of each new one, once it is durable here; the add waits for it. */
  onBlock?: (cid: CID, bytes: Uint8Array) => Promise<void>
}

export interface Content extends Service, ContentOperations {
  /** What is pinned on this node. */
  readonly local: LocalPins
  readonly repo: RepoOperations
  add(
    entries: AsyncIterable<AddEntry>,
    options: AddOptions,
    signal: AbortSignal,
    hooks?: AddHooks,
  ): AsyncGenerator<AddRow>
  /** A block that was made here; durable, and held by the lease, when it resolves. @throws {CodedError} E_QUOTA */
  put(cid: CID, bytes: Uint8Array, lease: Lease): Promise<void>
  /** CID of `CID[/path]`; what is on the way is fetched. */
  resolve(path: string, signal: AbortSignal): Promise<CID>
  /** As `fetching`, from peers whose multiaddresses are given before all others; they are dialled. */
  fetch(origins: readonly string[], options?: OriginOptions): GetBlock
  /** Of the store alone: nothing is fetched. */
  stored(cid: CID): Promise<Uint8Array | undefined>
  /** For blocks that are pinned: within the quota, and on the disk. */
  space(): Promise<{ freeBytes: number; totalBytes: number }>
  /** A way to get blocks for one operation: from the store, else from the mesh, and then they are stored. */
  fetching(options?: FetchOptions): GetBlock
  /**
   * Sends blocks to another full or light member of the cell, which keeps them for ten minutes after the end.
   *
   * @throws {CodedError} E_BLOCKS_DIAL, E_BLOCKS_UNSUPPORTED
   */
  pushTo(peer: PeerId, signal: AbortSignal): Promise<Push>
  usage(): Promise<{ usedBytes: number; quotaBytes: number }>
}
