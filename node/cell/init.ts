import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { CellRecord } from '../network/cell-record.ts'
import type { Membership } from '../network/membership.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import type { NodeLog } from '../telemetry/log.ts'

export interface CellServiceInit {
  libp2p: Libp2p
  membership: Pick<Membership, 'meshId' | 'self' | 'genesis' | 'member' | 'members'>
  /** `<data>/cell` */
  directory: string
  /** Remembers that this node once founded its cell: a log that is new then was lost. */
  store: Pick<Sublevel, 'get' | 'put'>
  log: NodeLog
  judge: (peer: PeerId, verdict: Verdict) => unknown
  /** The state is agreed on from here on: admission asks it. */
  onRecord: (record: CellRecord) => void
  /** A key whose membership was taken back: hang up. */
  onRevoked: (peerId: string) => void
  /** The disk failed or the state diverged: the node stops. */
  onFatal: (error: unknown) => void
}
