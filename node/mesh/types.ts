import type { FinalEpoch, MeshState } from '../../consensus/epoch/types.ts'
import type { MeshOperations } from '../operations-mesh.ts'
import type { Service } from '../service.ts'

/** The mesh's record on this node, as the rest of it sees it. */
export interface MeshService extends Service, MeshOperations {
  /** after the last final epoch here; of the genesis before the first */
  readonly state: MeshState
  /** CID of the head, for status heads */
  readonly head: Uint8Array
  /** Told of each epoch that becomes final here, in order; by consensus or by sync. */
  onFinal(listener: (final: FinalEpoch, state: MeshState) => void): () => void
  /** Whoever counts what happens here sets these. */
  readonly observe: MeshObserver
}

export interface MeshObserver {
  /** Of each epoch that this validator decides itself: from the start of its height here, ms. */
  onDecided?: (ms: number) => void
  /** Of each message of a peer that is refused. */
  onRefused?: (code: string) => void
}
