import type { CellService } from './cell/types.ts'
import type { History } from './coherence/history.ts'
import type { ReportPool } from './coherence/reports.ts'
import type { CoherenceService } from './coherence/service.ts'
import type { Paths } from './config/paths.ts'
import type { Config } from './config/schema.ts'
import type { Content } from './content/index.ts'
import type { EventLog } from './events.ts'
import type { MeshService } from './mesh/types.ts'
import type { Membership } from './network/membership.ts'
import type { Network } from './network/types.ts'
import type { PinService } from './pins/open.ts'
import type { Refusals } from './refusals.ts'
import type { NodeLog } from './telemetry/log.ts'

/** The services of a running node, for those that put answers together from them. */
export interface Parts {
  config: Config
  paths: Paths
  membership: Membership
  network: Network
  coherence: CoherenceService
  pool: ReportPool
  history: History
  refusals: Refusals
  /** Undefined in roles that take no part in a cell. */
  cell: CellService | undefined
  mesh: MeshService
  content: Content
  /** Undefined in roles that keep none. */
  pins: PinService | undefined
  events: EventLog
  log: NodeLog
  stop: () => void
}
