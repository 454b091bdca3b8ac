export interface OutboxInit<T> {
  /** Durable when it resolves. */
  append(records: readonly Uint8Array[]): Promise<void>
  /** everything logged before it is durable */
  release(effect: T): void
  /** nothing waits any more */
  onEmpty(): void
  onFail(cause: unknown): void
}

/** Records that nothing waits for yet, after which they are written anyway. */
const MAX_IDLE_RECORDS = 256

/**
 * Effects in their order, each held until every record logged before it is durable. Records that come while the disk is
 * at work are written together afterwards: that is the group commit. Those that nothing waits for are written with the
 * next that something does: what others say binds nobody here before something is said on it.
 */
export class Outbox<T> {
  readonly #init: OutboxInit<T>
  #records: Uint8Array[] = []
  readonly #held: { readonly after: number; readonly effect: T }[] = []
  /** records ever taken, and of these durable */
  #logged = 0
  #durable = 0
  /** never rejects */
  #writing: Promise<void> | undefined
  #isReleasing = false
  #isClosed = false

  constructor(init: OutboxInit<T>) {
    this.#init = init
  }

  log(record: Uint8Array): void {
    if (this.#isClosed) return
    this.#logged += 1
    this.#records.push(record)
  }

  hold(effect: T): void {
    if (this.#isClosed) return
    this.#held.push({ after: this.#logged, effect })
  }

  /** Lets go what may go, and has the disk write what it has not. */
  pump(): void {
    this.#release()
    if (this.#isClosed) return
    this.#flush()
    if (this.#held.length === 0 && this.#writing === undefined) this.#init.onEmpty()
  }

  /** What is held is forgotten, as if the process had died here. */
  close(): void {
    this.#isClosed = true
    this.#records = []
    this.#held.length = 0
  }

  /** Resolves when the disk is not at work for it. */
  async settled(): Promise<void> {
    await this.#writing
  }

  #release(): void {
    if (this.#isReleasing) return
    this.#isReleasing = true
    while (this.#held.length > 0 && this.#held[0]!.after <= this.#durable)
      this.#init.release(this.#held.shift()!.effect)
    this.#isReleasing = false
  }

  #flush(): void {
    if (this.#writing !== undefined || this.#records.length === 0) return
    if (this.#held.length === 0 && this.#records.length < MAX_IDLE_RECORDS) return
    const records = this.#records.splice(0)
    this.#writing = this.#write(records)
  }

  async #write(records: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#init.append(records)
    } catch (cause) {
      this.#writing = undefined
      return this.#init.onFail(cause)
    }
    this.#writing = undefined
    this.#durable += records.length
    this.pump()
  }
}
