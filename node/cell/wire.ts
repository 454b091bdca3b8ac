import type { Libp2p, PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { MAX_MEMBERS } from '../../consensus/state/index.ts'
import type { Cell, SnapshotMeta } from '../../consensus/cell/index.ts'
import {
  createRaftTransport,
  fetchSnapshot,
  RAFT_PROTOCOL,
  type OpenStream,
  type RaftTransport,
} from '../../protocols/raft/index.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import { isCommitNotice, isForwarded, isUrgent } from '../../wasm/raft/urgent.ts'
import type { NodeLog } from '../telemetry/log.ts'
import { linksOf } from './block-store.ts'
import { aheadBy } from './clocks.ts'
import type { CellStores } from './open.ts'

export interface WireInit {
  libp2p: Libp2p
  log: NodeLog
  judge: (peer: PeerId, verdict: Verdict) => unknown
  stores: CellStores
  /** Undefined while this node has no raft id. */
  cell: () => Cell | undefined
  /** The raft id of a full node of this cell, 0 while it has none; undefined for strangers. */
  raftIdOf: (peer: PeerId) => number | undefined
  /** The blocks of a leader's snapshot are here, and held. */
  offered: (index: number, release: () => void) => void
  /** A member's command was refused, for its clock is that far ahead of this one. */
  clockAhead: (raftId: number, aheadMs: number) => void
  /** Lets a node into the cell. @returns its raft id and those of all */
  admit: (peer: PeerId, incarnation: Uint8Array) => Promise<{ raftId: number; members: Addressee[] }>
}

export interface Addressee {
  raftId: number
  peerId: string
}

export function cellStreams(libp2p: Libp2p): OpenStream {
  return (peer, signal) => openStream(libp2p, peer, RAFT_PROTOCOL, { signal })
}

/** Who handed something on within this is told at once what was committed: its own clients wait for it. */
const ASKING_MS = 1_000

/** The cell's messages, snapshots and requests over `/kairos/raft/1.0.0`. */
export function createWire(init: WireInit): RaftTransport {
  const { libp2p, log, judge, stores, cell } = init
  const refusals = log.forComponent('kairos:cell')
  const askedAt = new Map<number, number>()
  const isAsking = (raftId: number): boolean => performance.now() - (askedAt.get(raftId) ?? -Infinity) < ASKING_MS
  return createRaftTransport({
    libp2p,
    openStream: cellStreams(libp2p),
    self: () => stores.log.raftId,
    isUrgent,
    memberOf: (peer) => {
      const raftId = init.raftIdOf(peer)
      return raftId === undefined ? undefined : { raftId }
    },
    isLazy: (to, message) => isCommitNotice(message) && !isAsking(to),
    deliver(message) {
      // Ids that were learned and forgotten since are no loss.
      if (askedAt.size > MAX_MEMBERS) askedAt.clear()
      if (isForwarded(message.bytes)) {
        const aheadMs = aheadBy(message.bytes, Date.now())
        if (aheadMs > 0) return init.clockAhead(message.from, aheadMs)
        askedAt.set(message.from, performance.now())
      }
      return cell()?.receive([message])
    },
    beforeSnapshot: (meta, from, signal) => fetchBlocks(init, meta, from, signal),
    unreachable: (raftId) => cell()?.unreachable(raftId),
    snapshotSent: (raftId, ok) => cell()?.snapshotSent(raftId, ok),
    join: async (peer, incarnation) => ({ type: 'joined', ...(await init.admit(peer, incarnation)) }),
    block: (cid) => stores.blocks.get(cid),
    refused: (peer, code) => refusals.debug('refused a stream of the cell', { peer: peer.toString(), code }),
    judge,
    log: log.forComponent('kairos:raft'),
  })
}

async function fetchBlocks(init: WireInit, meta: SnapshotMeta, peer: PeerId, signal: AbortSignal): Promise<void> {
  const { libp2p, judge } = init
  const { blocks } = init.stores
  const root = CID.decode(meta.root)
  const release = await blocks.hold()
  try {
    await fetchSnapshot(root, {
      open: cellStreams(libp2p),
      peer,
      signal,
      judge,
      get: (cid) => blocks.get(cid),
      put: (fetched) => blocks.put(fetched),
      links: ({ bytes }) => linksOf(bytes),
    })
  } catch (error) {
    release()
    throw error
  }
  init.offered(meta.index, release)
}
