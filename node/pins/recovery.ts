import { CID } from 'multiformats/cid'
import { seats } from '../../consensus/state/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type { AgreedPins } from './agreed.ts'
import type { Holding } from './holding.ts'
import type { PinCell, PinMesh } from './ports.ts'
import type { Tracker } from './tracker/index.ts'

export interface Recovering {
  /** Has another full node try again what failed there. @returns how many pins. @throws {CodedError} as `askPins` */
  recoverAt(peerId: string, cid: string | undefined, signal: AbortSignal): Promise<number>
}

export interface RecoveryInit {
  cell: Pick<PinCell, 'tree'>
  mesh: Pick<PinMesh, 'self' | 'nameOf' | 'isConnected'> & Recovering
  agreed: Pick<AgreedPins, 'pin'>
  /** As this node has it. */
  applied: Pick<AgreedPins, 'pin'>
  local: Pick<LocalPins, 'get'>
  tracker: Pick<Tracker, 'recover' | 'statusOf'>
  holding: Pick<Holding, 'follow'>
}

/** Tries again at once what failed, wherever it did: only who is to hold a copy can. */
export class Recovery {
  readonly #init: RecoveryInit

  constructor(init: RecoveryInit) {
    this.#init = init
  }

  /** @returns how many copies are tried again. @throws {CodedError} E_PIN_UNKNOWN, and what a holder refused with */
  async run(path: string | undefined, { local }: { local: boolean }, signal: AbortSignal): Promise<number> {
    const { agreed, applied, cell, mesh } = this.#init
    const pin = path === undefined ? undefined : await (local ? applied : agreed).pin(path, signal)
    const holders = pin?.allocations ?? seats(cell.tree).map(({ peerId }) => peerId)
    const isHere = pin === undefined || holders.includes(mesh.self)
    const here = isHere ? await this.#here(pin?.cid) : 0
    if (local) return here
    // Who is away begins anew when it is back.
    const others = holders.filter((peerId) => peerId !== mesh.self && mesh.isConnected(peerId))
    const elsewhere = await Promise.all(others.map((peerId) => this.#there(peerId, pin?.cid, signal)))
    return elsewhere.reduce((sum, count) => sum + count, here)
  }

  async #here(cid: string | undefined): Promise<number> {
    const { tracker, local, holding } = this.#init
    const recovered = tracker.recover(cid)
    if (cid === undefined || tracker.statusOf(cid) !== undefined) return recovered
    const held = await local.get(CID.parse(cid))
    if (held?.state === 'pinned') return 0
    await holding.follow(cid)
    return 1
  }

  async #there(peerId: string, cid: string | undefined, signal: AbortSignal): Promise<number> {
    try {
      return await this.#init.mesh.recoverAt(peerId, cid, signal)
    } catch (error) {
      // It is agreed on and has not been applied there: it is yet to be tried for the first time.
      if (codeOf(error) === 'E_PIN_UNKNOWN') return 0
      const name = this.#init.mesh.nameOf(peerId)
      throw new CodedError(codeOf(error), `${name} did not try again: ${messageOf(error)}`, { cause: error })
    }
  }
}
