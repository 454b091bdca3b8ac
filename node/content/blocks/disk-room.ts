import { CodedError } from '../../../protocols/shared/errors.ts'

/** Left for the databases of this node: what content does not fill, they need to go on. */
const RESERVE_BYTES = 64 * 1_048_576
/** Of a small disk this part is enough. */
const RESERVE_SHARE = 1 / 4
/** Others use the disk, too. */
const LOOK_AGAIN_MS = 1_000

/** Refuses a block before it is written when the disk is nearly full. */
export class DiskRoom {
  readonly #path: string
  readonly #look: () => Promise<{ free: number; total: number }>
  #left = 0
  /** Taken by writes that have not ended: the disk may not show them yet. */
  #underWay = 0
  #lookedAt = -Infinity
  #looking: Promise<void> | undefined

  constructor(path: string, look: () => Promise<{ free: number; total: number }>) {
    this.#path = path
    this.#look = look
  }

  /** @throws {CodedError} E_DISK_FULL, without a call of `write` */
  async write<T>(bytes: number, write: () => Promise<T>): Promise<T> {
    if (this.#left < bytes || performance.now() - this.#lookedAt > LOOK_AGAIN_MS) await this.#lookAgain()
    if (this.#left < bytes) throw full(this.#path)
    this.#left -= bytes
    this.#underWay += bytes
    try {
      return await write()
    } finally {
      this.#underWay -= bytes
    }
  }

  /** Whether a database that found no space can be opened again: for that it writes its log anew. */
  async isEnoughToReopen(): Promise<boolean> {
    const { free, reserve } = await this.#measure()
    return free >= reserve / 4
  }

  /** One look for all that wait for it. */
  #lookAgain(): Promise<void> {
    this.#looking ??= this.#measure()
      .then(({ free, reserve }) => {
        this.#left = free - reserve - this.#underWay
        this.#lookedAt = performance.now()
      })
      .finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #measure(): Promise<{ free: number; reserve: number }> {
    const { free, total } = await this.#look()
    return { free, reserve: Math.min(RESERVE_BYTES, total * RESERVE_SHARE) }
  }
}

function full(path: string): CodedError {
  return new CodedError('E_DISK_FULL', `the disk of ${path} is full but for what the node itself needs`, {
    hint: 'free some space, also with `kairos repo gc`, or choose another place with content.path in the configuration',
  })
}
