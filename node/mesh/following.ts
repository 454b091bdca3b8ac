import type { Libp2p, PeerId } from '@libp2p/interface'
import { CodedError } from '../../protocols/shared/errors.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { verifyAside } from '../../protocols/shared/signature.ts'
import { createSyncClient, SYNC_PROTOCOL, type SyncClient } from '../../protocols/sync/index.ts'
import type { EpochRecord } from './epoch-record.ts'
import { createFollow, type Follow } from './follow.ts'
import type { FollowProgress } from './follow-types.ts'
import type { MeshServiceInit } from './init.ts'
import { EpochIntake } from './intake.ts'
import type { MeshTally } from './tally.ts'
import type { Validating } from './validating.ts'

export interface FollowingInit extends Pick<MeshServiceInit, 'libp2p' | 'membership' | 'judge' | 'log' | 'onFatal'> {
  record: EpochRecord
  /** Of a full node. */
  validating: Validating | undefined
  isValidator: () => boolean
  tally: MeshTally
}

/** Brings epochs that others decided: checked against the state here, then through the driver where there is one. */
export function createFollowing(init: FollowingInit): Follow {
  const { libp2p, record, validating, tally } = init
  const intake = new EpochIntake({
    state: () => record.state,
    verify: verifyAside,
    builds: validating !== undefined,
    async commit(block, certificate) {
      if (validating !== undefined) await validating.synced(block, certificate)
      else await record.application.commit(block, certificate)
    },
    now: () => performance.now(),
  })
  return createFollow({
    client: syncClient(libp2p),
    peers: () => keepers(init),
    chain: intake,
    verify: (epoch) => intake.verify(epoch),
    async take(epoch) {
      tally.counters.syncedEpochs += await intake.take(epoch)
    },
    isValidator: () => validating?.isRunning === true && init.isValidator(),
    judge(peer, verdict) {
      if (verdict.kind === 'reject') tally.refused(verdict.code)
      init.judge(peer, verdict)
    },
    onFatal: init.onFatal,
    log: init.log.forComponent('kairos:follow'),
  })
}

/** @returns connected nodes that keep epochs */
export function keepers({ libp2p, membership }: Pick<MeshServiceInit, 'libp2p' | 'membership'>): PeerId[] {
  return libp2p.getPeers().filter((peer) => {
    const role = membership.member(peer)?.role
    return role === 'full' || role === 'witness'
  })
}

export function syncClient(libp2p: Libp2p): SyncClient {
  return createSyncClient((peer, signal) => openStream(libp2p, peer, SYNC_PROTOCOL, { signal }))
}

/** Why nothing is followed; undefined when it is. */
export function followProblem({ problem, height }: FollowProgress): CodedError | undefined {
  if (problem === 'E_SYNC_NOBODY') {
    return new CodedError(problem, 'no connected node tells its epochs', {
      hint: 'see kairos peers: a full node or a witness of the mesh must be connected',
    })
  }
  if (problem === 'E_SYNC_PRUNED') {
    return new CodedError(problem, `no connected node keeps epoch ${height + 1}, which is next here`, {
      hint: 'connect to a witness, which keeps all; or let this node begin later, with mesh.checkpoint',
    })
  }
  return undefined
}
