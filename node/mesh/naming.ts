import type { MeshState } from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { strictKeyOf } from '../../protocols/admission/index.ts'
import type { Naming } from './documents.ts'
import type { MeshServiceInit } from './init.ts'
import { peerIdOf, peerOf } from './named.ts'

/** Keys as this node knows them. */
export function createNaming(
  { libp2p, membership }: Pick<MeshServiceInit, 'libp2p' | 'membership'>,
  state: () => MeshState,
): Naming {
  const own = strictKeyOf(libp2p.peerId)
  const isSelf = (key: Uint8Array): boolean => equalBytes(key, own)
  return {
    isSelf,
    isConnected: (key) => isSelf(key) || libp2p.getConnections(peerOf(key)).length > 0,
    named: (key) => {
      const peerId = peerIdOf(key)
      return { peerId, name: membership.member(peerId)?.name ?? peerId }
    },
    cellOf: (key) => state().operators.find(({ members }) => members.some((one) => equalBytes(one, key)))?.cell ?? '',
  }
}
