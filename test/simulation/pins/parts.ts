import type { Catalog } from '../../../node/pins/catalog.ts'
import type { Holding } from '../../../node/pins/holding.ts'
import type { Observer } from '../../../node/pins/observe.ts'
import type { Repairer } from '../../../node/pins/repairer.ts'
import type { Tracker } from '../../../node/pins/tracker/index.ts'

/** What of the product runs in one process. */
export interface Parts {
  readonly catalog: Catalog
  readonly tracker: Tracker
  readonly observer: Observer
  readonly holding: Holding
  readonly repairer: Repairer
  readonly stopping: AbortController
}
