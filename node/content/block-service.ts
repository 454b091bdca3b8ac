import type { ComponentLogger, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  BLOCKS_PROTOCOL,
  BlocksClient,
  createBlocksHandler,
  openPush,
  type Lease,
  type Push,
} from '../../protocols/blocks/index.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { Service } from '../service.ts'
import { collect, matches, type BlockStore } from './blocks/index.ts'

/** What other members may do with the blocks of this node. */
export interface MemberPorts {
  /** Whether the peer may store blocks here: a full or light member of this node's cell. */
  mayPush(peer: PeerId): boolean
  /** Keeps pushed blocks from gc. */
  lease(): Lease
  /** A peer's fault, for the score. */
  judge(peer: PeerId, verdict: Verdict): void
  /** A stream was refused: E_BLOCKS_*, or what storing failed with; for counting. */
  refused?(peer: PeerId, code: string): void
  /** Blocks have come because they were wanted or pushed, or have left because they were wanted; for counting. */
  transferred?(what: Transfer, blocks: number, bytes: number): void
}

export type Transfer = 'fetched' | 'pushed' | 'served'

/** Whoever has no gc to fear, and no cell. */
const NO_MEMBERS: MemberPorts = {
  mayPush: () => false,
  lease: () => ({ add: () => undefined, release: () => undefined }),
  judge: () => undefined,
}

export interface BlockService extends Service {
  readonly client: BlocksClient
  pushTo(peer: PeerId, signal: AbortSignal): Promise<Push>
  /** A pin is whole, or gone. */
  settled(root: CID): void
}

/** Our protocol of blocks on this node's store, both ends. */
export function createBlockService(init: {
  libp2p: Libp2p
  store: BlockStore
  members: MemberPorts | undefined
  log: ComponentLogger
}): BlockService {
  const { libp2p, store, members = NO_MEMBERS } = init
  const log = init.log.forComponent('kairos:blocks')
  const open = (peer: PeerId, signal: AbortSignal): Promise<Stream> =>
    openStream(libp2p, peer, BLOCKS_PROTOCOL, { signal })
  const client = new BlocksClient({ openStream: open, matches, judge: (peer, verdict) => members.judge(peer, verdict) })
  const handler = createBlocksHandler({
    libp2p,
    source: {
      sizeOf: (cid) => store.sizeOf(cid),
      get: (cid) =>
        collect(store.get(cid)).catch((error: unknown) => {
          if (!(error instanceof Error && error.name === 'NotFoundError')) log.error('cannot read %c - %e', cid, error)
          return undefined
        }),
    },
    sink: {
      matches,
      put: async (cid, bytes) => {
        await store.put(cid, bytes)
        members.transferred?.('pushed', 1, bytes.byteLength)
      },
    },
    mayPush: (peer) => members.mayPush(peer),
    lease: () => members.lease(),
    served: (blocks, bytes) => members.transferred?.('served', blocks, bytes),
    refused: (peer, code) => members.refused?.(peer, code),
    judge: (peer, verdict) => members.judge(peer, verdict),
    log,
  })
  return {
    name: 'blocks',
    client,
    pushTo: (peer, signal) => openPush(open, peer, signal),
    settled: (root) => handler.settled(root),
    start: () => handler.start(),
    async stop() {
      client.stop()
      await handler.stop()
    },
  }
}
