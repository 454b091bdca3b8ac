import { createSyncHandler, type SyncHandler } from '../../protocols/sync/index.ts'
import type { EpochRecord } from './epoch-record.ts'
import type { MeshServiceInit } from './init.ts'
import type { MeshTally } from './tally.ts'

export interface ServingInit extends Pick<MeshServiceInit, 'libp2p' | 'membership' | 'judge' | 'log'> {
  record: EpochRecord
  tally: MeshTally
}

/** Hands the epochs that are final here to members who ask. */
export function createServing({ libp2p, membership, judge, log, record, tally }: ServingInit): SyncHandler {
  const { chain } = record
  return createSyncHandler({
    libp2p,
    chain: {
      head: () => ({ height: chain.head.height, value: record.state.head, lowest: chain.head.oldest }),
      epoch: async (height) => {
        const epoch = await chain.epoch(height)
        return epoch && { height, block: epoch.block, certificate: epoch.certificate }
      },
      state: (height) => chain.stateAt(height),
      onHead: (listener) => record.onFinal(() => listener()),
    },
    isMember: (peer) => membership.member(peer) !== undefined,
    refused: (_peer, code) => tally.refused(code),
    judge,
    log: log.forComponent('kairos:sync'),
  })
}
