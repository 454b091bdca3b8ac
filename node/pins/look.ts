import type { AgreedPin } from '../../consensus/state/index.ts'
import type { PinFilter, PinPage, PinStatus, PinStatusDocument, PinStatusListDocument } from '../operations-pins.ts'
import type { AgreedPins } from './agreed.ts'
import type { Observer } from './observe.ts'
import type { PinMesh } from './ports.ts'

/** Pins of which all holders are asked for one page, and of which this node alone is. */
const MAX_ASKED = 1_000
const MAX_LOOKED_AT = 10_000

export interface LookInit {
  mesh: Pick<PinMesh, 'self' | 'peerIdOf'>
  /** After all that was agreed before. */
  agreed: Pick<AgreedPins, 'pin' | 'page'>
  /** As this node has it: what is asked of it alone, by others too, costs the cell nothing. */
  applied: Pick<AgreedPins, 'pin' | 'page'>
  observer: Pick<Observer, 'status' | 'statuses'>
}

export type StatusFilter = PinFilter & { statuses?: readonly PinStatus[] }

/** What is seen of pins, one or a page of them. */
export class Look {
  readonly #init: LookInit

  constructor(init: LookInit) {
    this.#init = init
  }

  async status(path: string, { local }: { local: boolean }, signal: AbortSignal): Promise<PinStatusDocument> {
    const { agreed, applied, observer } = this.#init
    return observer.status(await (local ? applied : agreed).pin(path, signal), { local }, signal)
  }

  async statuses(
    { statuses, ...given }: StatusFilter,
    { local, ...page }: PinPage & { local: boolean },
    signal: AbortSignal,
  ): Promise<PinStatusListDocument> {
    const isHere = local || given.local === true
    const filter = isHere ? this.#here(given) : given
    if (filter === undefined) return { statuses: [], next: null }
    const seen: PinStatusDocument[] = []
    let { after } = page
    for (let looked = 0; ;) {
      const limit = page.limit - seen.length
      const { found, next } = await this.#page(filter, { ...page, limit, ...(after !== undefined && { after }) }, local)
      const documents = await this.#init.observer.statuses(found, { local }, signal)
      seen.push(...documents.filter((document) => isOneOf(document, statuses)))
      looked += found.length
      // A short page says where the next one begins; only an empty one would look like the end.
      const isEnough = seen.length * 2 > page.limit || looked >= (local ? MAX_LOOKED_AT : MAX_ASKED)
      if (next === null || isEnough || signal.aborted) return { statuses: seen, next }
      after = next
    }
  }

  #page(filter: PinFilter, page: PinPage, local: boolean): Promise<{ found: AgreedPin[]; next: string | null }> {
    const { agreed, applied } = this.#init
    return (local ? applied : agreed).page(filter, page)
  }

  /** @returns undefined where another node's pins were asked for */
  #here({ local: _local, ...filter }: PinFilter): PinFilter | undefined {
    const { self, peerIdOf } = this.#init.mesh
    const isOther = filter.allocatedTo !== undefined && peerIdOf(filter.allocatedTo) !== self
    return isOther ? undefined : { ...filter, allocatedTo: self }
  }
}

function isOneOf({ copies }: PinStatusDocument, wanted: readonly PinStatus[] | undefined): boolean {
  return wanted === undefined || copies.some(({ status }) => wanted.includes(status))
}
