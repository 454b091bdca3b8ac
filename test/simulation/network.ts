import type { Dice } from './dice.ts'
import type { VirtualTime } from './time.ts'

/** What a schedule's network does to messages (hardening §3.3.4). */
export interface NetworkProfile {
  /** 0 to 0.3 */
  readonly loss: number
  /** 0 to 0.5 */
  readonly duplication: number
  /** mean, 30 to 100 */
  readonly delayMs: number
}

const LEAST_DELAY_MS = 1

/** One-way links between nodes. A link can be cut, or clogged: then what it carries waits. */
export class Network {
  profile: NetworkProfile
  readonly #time: VirtualTime
  readonly #dice: Dice
  readonly #cut = new Set<number>()
  readonly #cloggedUntil = new Map<number, number>()

  constructor(time: VirtualTime, dice: Dice, profile: NetworkProfile) {
    this.#time = time
    this.#dice = dice
    this.profile = profile
  }

  /** Delivers after some time: once, twice or never. */
  send(from: number, to: number, deliver: () => void): void {
    if (this.#dice.chance(this.profile.loss)) return
    this.#later(from, to, deliver)
    if (this.#dice.chance(this.profile.duplication)) this.#later(from, to, deliver)
  }

  cut(from: number, to: number): void {
    this.#cut.add(link(from, to))
  }

  clog(from: number, to: number, ms: number): void {
    this.#cloggedUntil.set(link(from, to), this.#time.now + ms)
  }

  /** Every link is whole again; what was lost stays lost. */
  mend(): void {
    this.#cut.clear()
    this.#cloggedUntil.clear()
  }

  open(from: number, to: number): boolean {
    return !this.#cut.has(link(from, to))
  }

  #later(from: number, to: number, deliver: () => void): void {
    const wait = Math.max(0, (this.#cloggedUntil.get(link(from, to)) ?? 0) - this.#time.now)
    const delay = LEAST_DELAY_MS + this.#dice.exponential(this.profile.delayMs)
    const arrive = () => {
      if (this.open(from, to)) deliver()
    }
    this.#time.later(wait + delay, arrive, true)
  }
}

function link(from: number, to: number): number {
  return from * 1024 + to
}
