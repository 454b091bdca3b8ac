import {
  checkFinal,
  certificateCodec,
  type Followed,
  type MeshState,
  type Verify,
} from '../../consensus/epoch/index.ts'
import type { CommitCertificate } from '../../consensus/mesh/engine.ts'
import type { ProposedBlock } from '../../consensus/mesh/index.ts'
import type { SyncEpoch } from '../../protocols/sync/index.ts'

/** An honest peer that hands out an epoch without what its signers saw has the next one, too. */
const HOLD_MS = 5_000

export interface IntakeInit {
  /** after the last final epoch here */
  readonly state: () => MeshState
  readonly verify: Verify
  /** Whether this node may have to build the block after an epoch: that block carries what the epoch's signers saw. */
  readonly builds: boolean
  readonly commit: (block: ProposedBlock, certificate: CommitCertificate) => Promise<void>
  /** monotonic, ms */
  readonly now: () => number
}

interface Taken {
  readonly epoch: SyncEpoch
  readonly result: Followed
  readonly at: number
}

/**
 * Epochs that others decided, one after the other: each checked against the state before it, then made final here.
 *
 * One that comes without what its signers saw is held back until its successor is verified, which carries that. A liar
 * who alone has decided an epoch could else give it to all others in that form, and nobody could ever build on it.
 */
export class EpochIntake {
  readonly #init: IntakeInit
  #held: Taken | undefined
  #checked: Taken | undefined

  constructor(init: IntakeInit) {
    this.#init = init
  }

  /** of the last epoch that is final or held here */
  get height(): number {
    return this.#state.height
  }

  /** @returns a code when the epoch is not the next, or not valid */
  verify(epoch: SyncEpoch): string | undefined {
    const extensions = isExtended(epoch.certificate)
    const result = checkFinal(this.#state, [epoch.block, epoch.certificate], this.#init.verify, { extensions })
    if (typeof result === 'string') return result
    this.#checked = { epoch, result, at: this.#init.now() }
    return undefined
  }

  /** Does nothing with an epoch that was decided here meanwhile. @returns how many are final here by it */
  async take(epoch: SyncEpoch): Promise<number> {
    if (this.#checked?.epoch !== epoch && this.verify(epoch) !== undefined) return 0
    const taken = this.#checked!
    const { height } = taken.result.header
    const before = this.#current
    this.#held = undefined
    const isHeld = this.#init.builds && !isExtended(epoch.certificate)
    const due = [before, isHeld ? undefined : taken].filter((one) => one !== undefined)
    for (const one of due) await this.#commit(one)
    if (isHeld && this.#init.state().height === height - 1) this.#held = taken
    return due.length
  }

  #commit({ epoch, result }: Taken): Promise<void> {
    return this.#init.commit({ value: result.value, bytes: epoch.block }, result.certificate)
  }

  get #state(): MeshState {
    return this.#current?.result.state ?? this.#init.state()
  }

  /** What is held, unless it is final here meanwhile or its successor did not come. */
  get #current(): Taken | undefined {
    const { state, now } = this.#init
    const isNext = this.#held?.result.header.height === state().height + 1
    if (this.#held !== undefined && (!isNext || now() - this.#held.at > HOLD_MS)) this.#held = undefined
    return this.#held
  }
}

function isExtended(certificate: Uint8Array): boolean {
  try {
    return certificateCodec.decode(certificate).signatures.every(({ extension }) => extension !== undefined)
  } catch {
    return false
  }
}
