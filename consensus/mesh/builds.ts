import type { Application, ProposedBlock } from './ports.ts'

export interface BuildsInit {
  readonly application: Pick<Application, 'propose' | 'persist'>
  /** it is durable, and its round not over */
  onBuilt(round: number, block: ProposedBlock): void
  /** there will be none */
  onFailed(round: number, cause: unknown): void
  /** the disk failed */
  onFail(cause: unknown): void
}

/** Blocks that this node builds to propose them: one at a time, given up when its round is over. */
export class Builds {
  readonly #init: BuildsInit
  #round = -1
  #controller = new AbortController()
  /** neither ever rejects */
  #building: Promise<unknown> = Promise.resolve()
  #persisting: Promise<void> = Promise.resolve()

  constructor(init: BuildsInit) {
    this.#init = init
  }

  begin(round: number): void {
    this.end()
    this.#round = round
    this.#controller = new AbortController()
    this.#building = Promise.all([this.#building, this.#build(round, this.#controller.signal)])
  }

  /** @param before - only what is built for an earlier round */
  end(before = Infinity): void {
    if (this.#round < before) this.#controller.abort()
  }

  /** Resolves when the disk is not at work for any. */
  async persisted(): Promise<void> {
    await this.#persisting
  }

  /** Resolves when the application has given up all. */
  async settled(): Promise<void> {
    await this.#building
  }

  async #build(round: number, signal: AbortSignal): Promise<void> {
    let block: ProposedBlock
    try {
      block = await this.#init.application.propose(round, signal)
    } catch (cause) {
      return signal.aborted ? undefined : this.#init.onFailed(round, cause)
    }
    if (signal.aborted) return
    this.#persisting = this.#persist(block)
    await this.#persisting
    if (!signal.aborted) this.#init.onBuilt(round, block)
  }

  async #persist(block: ProposedBlock): Promise<void> {
    try {
      await this.#init.application.persist(block)
    } catch (cause) {
      this.end()
      this.#init.onFail(cause)
    }
  }
}
