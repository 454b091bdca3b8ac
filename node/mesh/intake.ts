import {
  certificateCodec,
  checkFinalAside,
  type Followed,
  type MeshState,
  type VerifyAside,
} from '../../consensus/epoch/index.ts'
import type { CommitCertificate } from '../../consensus/mesh/engine.ts'
import type { ProposedBlock } from '../../consensus/mesh/index.ts'
import type { SyncEpoch } from '../../protocols/sync/index.ts'

/** An honest peer that hands out an epoch without what its signers saw has the next one, too. */
const HOLD_MS = 5_000

export interface IntakeInit {
  /** after the last final epoch here */
  readonly state: () => MeshState
  readonly verify: VerifyAside
  /** Whether this node may have to build the block after an epoch: that block carries what the epoch's signers saw. */
  readonly builds: boolean
  readonly commit: (block: ProposedBlock, certificate: CommitCertificate) => Promise<void>
  /** monotonic, ms */
  readonly now: () => number
}

interface Taken {
  readonly epoch: SyncEpoch
  readonly result: Followed
  readonly isExtended: boolean
  readonly at: number
}

/**
 * Epochs that others decided, one after the other: each checked against the state before it, then made final here. The
 * next one is checked while the disk is at work for the last.
 *
 * One that comes without what its signers saw is held back until its successor is verified, which carries that. A liar
 * who alone has decided an epoch could else give it to all others in that form, and nobody could ever build on it.
 */
export class EpochIntake {
  readonly #init: IntakeInit
  /** taken and not final here yet, oldest first: one or two */
  #ahead: Taken[] = []
  #checked: Taken | undefined
  #writing: Promise<unknown> | undefined

  constructor(init: IntakeInit) {
    this.#init = init
  }

  /** of the last epoch that was taken */
  get height(): number {
    return this.#state.height
  }

  /** @returns a code when the epoch is not the next, or not valid */
  async verify(epoch: SyncEpoch): Promise<string | undefined> {
    const extensions = isExtended(epoch.certificate)
    const final = [epoch.block, epoch.certificate] as const
    const result = await checkFinalAside(this.#state, final, this.#init.verify, { extensions })
    if (typeof result === 'string') return result
    this.#checked = { epoch, result, isExtended: extensions, at: this.#init.now() }
    return undefined
  }

  /**
   * Does nothing with an epoch that was decided here meanwhile.
   *
   * @returns how many become final here by it
   * @throws what the commit of an earlier one threw
   */
  async take(epoch: SyncEpoch): Promise<number> {
    await this.settled()
    if (this.#checked?.epoch !== epoch && (await this.verify(epoch)) !== undefined) return 0
    const taken = this.#checked!
    if (taken.result.header.height !== this.height + 1) return 0
    const isHeld = this.#init.builds && !taken.isExtended
    const due = isHeld ? [...this.#ahead] : [...this.#ahead, taken]
    this.#ahead.push(taken)
    this.#writing = this.#commit(due).then(() => (this.#writing = undefined))
    // Thrown where the next one is taken.
    this.#writing.catch(() => undefined)
    return due.length
  }

  /** Resolves when what was taken, and is not held back, is durable. @throws what the commit threw */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #commit(due: readonly Taken[]): Promise<void> {
    for (const { epoch, result } of due) {
      if (result.header.height !== this.#init.state().height + 1) continue
      await this.#init.commit({ value: result.value, bytes: epoch.block }, result.certificate)
    }
  }

  /** After the last one that was taken, unless that is final here meanwhile or its successor did not come. */
  get #state(): MeshState {
    const { state, now } = this.#init
    const { height } = state()
    this.#ahead = this.#ahead.filter(({ result }) => result.header.height > height)
    const isLate = this.#ahead.some(({ at }) => now() - at > HOLD_MS)
    if (isLate && this.#writing === undefined) this.#ahead = []
    return this.#ahead.at(-1)?.result.state ?? state()
  }
}

function isExtended(certificate: Uint8Array): boolean {
  try {
    return certificateCodec.decode(certificate).signatures.every(({ extension }) => extension !== undefined)
  } catch {
    return false
  }
}
