import type { Ed25519PrivateKey, Libp2p, PeerId } from '@libp2p/interface'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { StateView } from '../cell/state-view.ts'
import type { Config } from '../config/schema.ts'
import type { Membership } from '../network/membership.ts'
import type { RoleServices } from '../roles.ts'
import type { NodeLog } from '../telemetry/log.ts'

export interface MeshServiceInit {
  libp2p: Libp2p
  privateKey: Ed25519PrivateKey
  membership: Membership
  role: RoleServices['meshConsensus']
  config: Config['mesh']
  /** `mesh` beside the node's database */
  directory: string
  /** Of a full node. */
  cell: StateView | undefined
  judge: (peer: PeerId, verdict: Verdict) => void
  log: NodeLog
  /** Disk, engine or state failed: the node stops. */
  onFatal: (error: unknown) => void
}
