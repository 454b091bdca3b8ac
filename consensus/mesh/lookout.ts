import { Ahead } from './ahead.ts'
import type { Validator } from './engine.ts'
import type { MeshOptions } from './init.ts'
import type { Clock } from './ports.ts'

export interface LookoutInit {
  readonly clock: Clock
  readonly options: Pick<MeshOptions, 'behindMs' | 'stuckMs'>
  onBehind(height: number): void
}

/** Notices that others have gone on without this node. They are ahead for a moment at every height. */
export class Lookout {
  readonly #init: LookoutInit
  readonly #ahead = new Ahead()
  #height = 0
  #validators: readonly Validator[] = []
  #cancel: (() => void) | undefined

  constructor(init: LookoutInit) {
    this.#init = init
  }

  /** Greatest height that more than a third of the power was heard of at, 0 when none beyond this node's. */
  get behind(): number {
    return this.#ahead.ofThird(this.#validators)
  }

  enter(height: number, validators: readonly Validator[]): void {
    this.#height = height
    this.#validators = validators
    this.#ahead.enter(height, validators)
  }

  /** A validator of the present set is at a greater height. */
  note(validator: Uint8Array, height: number): void {
    this.#ahead.note(validator, height)
    if (this.#cancel === undefined) this.#lookLater(this.#height, 0)
  }

  stop(): void {
    this.#cancel?.()
  }

  /** @param since - height of this node, and for how long it was behind at it, ms */
  #lookLater(since: number, waitedMs: number): void {
    const { clock, options } = this.#init
    this.#cancel = clock.after(options.behindMs, () => {
      this.#cancel = undefined
      this.#look(since === this.#height ? waitedMs + options.behindMs : 0)
    })
  }

  #look(waitedMs: number): void {
    const { behind } = this
    // Who decided with a vote that nobody else got is alone ahead, and the others may never get on without its epoch.
    const height = behind === 0 && waitedMs >= this.#init.options.stuckMs ? this.#ahead.ofAnybody : behind
    if (height > 0) this.#init.onBehind(height)
    else if (this.#ahead.ofAnybody > 0) this.#lookLater(this.#height, waitedMs)
  }
}
