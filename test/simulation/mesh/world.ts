import type { EpochPorts } from '../../../consensus/epoch/index.ts'
import type { checkFinal, MeshState } from '../../../consensus/epoch/index.ts'
import type { Application, CreateEngine, Wal } from '../../../consensus/mesh/index.ts'
import type { Network } from '../network.ts'
import type { VirtualTime } from '../time.ts'
import type { Trace } from '../trace.ts'
import type { Keys } from './keys.ts'
import type { MeshNode } from './node.ts'
import type { MeshObserver } from './observer.ts'
import type { Lie, MeshProfile } from './options.ts'

/** A planted defect: what of every honest node is another than the product's own. */
export interface MeshMutant {
  readonly name: string
  readonly what: string
  readonly engine?: (create: CreateEngine) => CreateEngine
  readonly wal?: (honest: Wal) => Wal
  readonly application?: (honest: Application) => Application
  readonly ports?: (honest: EpochPorts) => EpochPorts
  readonly checkFinal?: typeof checkFinal
  /** that shows it soonest */
  readonly lie?: Lie
}

export interface World {
  readonly time: VirtualTime
  readonly trace: Trace
  readonly network: Network
  readonly profile: MeshProfile
  readonly keys: Keys
  readonly genesis: MeshState
  readonly observer: MeshObserver
  readonly mutant: MeshMutant | undefined
  /** in the order of their ids, which begin at 1 */
  readonly nodes: readonly MeshNode[]
}
