import type { CreateEngine } from './engine.ts'
import { type Clock } from './ports.ts'

/** Traps closer together than this are a peer's or a defect's doing, and each new instance costs milliseconds. */
const TRAP_AGAIN_MS = 10_000
const TRAP_PAUSE_MS = 1_000

/** The engines' instance, which serves height after height until a trap spoils it. */
export class Engines {
  readonly #load: () => Promise<CreateEngine>
  readonly #clock: Clock
  #loading: Promise<CreateEngine> | undefined
  #trappedAt = -Infinity

  constructor(load: () => Promise<CreateEngine>, clock: Clock) {
    this.#load = load
    this.#clock = clock
  }

  get(): Promise<CreateEngine> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** After a trap. @returns ms to wait before the next instance */
  spoil(): number {
    const now = this.#clock.now()
    const isAgain = now - this.#trappedAt < TRAP_AGAIN_MS
    this.#trappedAt = now
    this.#loading = undefined
    return isAgain ? TRAP_PAUSE_MS : 0
  }
}
