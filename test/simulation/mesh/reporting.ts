import type { ComplexQ30 } from '../../../consensus/epoch/index.ts'
import type { Named } from '../../../consensus/epoch/index.ts'
import { Dice } from '../dice.ts'
import type { Life } from './life.ts'
import type { MeshNode } from './node.ts'
import type { World } from './world.ts'

/** One that was asked has answered within this, or the next is asked; as `node/mesh/report-fetch.ts` has it. */
const PATIENCE_MS = 150
/** A report is said when its epoch begins and again after these, ms. */
const AGAIN_MS = [250, 700]
/** Of 2³⁰. */
const MOST = 0.7

/** What a node says of itself each epoch, what it hears, and how it gets what a block must carry. */
export class Reporting {
  readonly #world: World
  readonly #node: MeshNode
  readonly #life: Life

  constructor(world: World, node: MeshNode, life: Life) {
    this.#world = world
    this.#node = node
    this.#life = life
  }

  /** The epoch after the last final one begins. */
  enter(): void {
    const epoch = this.#life.application.state.height + 1
    this.#tell(epoch)
    for (const ms of AGAIN_MS) {
      this.#node.after(this.#life, ms, () => {
        if (this.#life.application.height + 1 === epoch) this.#tell(epoch)
      })
    }
  }

  take(bytes: Uint8Array): void {
    this.#life.application.reports.put(bytes)
  }

  give(to: MeshNode, epoch: number, digests: readonly Uint8Array[]): void {
    if (this.#node.liar?.does('withhold-reports') === true) return
    for (const bytes of this.#life.application.reports.read(epoch, digests))
      this.#node.say(to, { type: 'report', bytes })
  }

  async fetch(epoch: number, missing: readonly Named[], signal: AbortSignal): Promise<[]> {
    const { reports } = this.#life.application
    for (let turn = 0; !signal.aborted && this.#life.isAlive; turn++) {
      const left = reports.missing(missing)
      if (left.length === 0) break
      this.#ask(epoch, left, turn)
      await this.#untilDone(missing, signal)
    }
    return []
  }

  #tell(epoch: number): void {
    const { identity, liar, id, others } = this.#node
    const own = this.#world.keys.report(identity, epoch, this.#t(epoch, id))
    this.take(own)
    if (liar === undefined) return this.#node.sayToAll(this.#life, { type: 'report', bytes: own })
    const other = this.#world.keys.report(identity, epoch, this.#t(epoch, -id))
    for (const to of others) {
      const bytes = liar.report(epoch, to, own, other)
      if (bytes !== undefined) this.#node.say(to, { type: 'report', bytes })
    }
  }

  /** Changes slowly: some epochs find nothing new. */
  #t(epoch: number, who: number): ComplexQ30 {
    const dice = new Dice(who * 7919 + Math.floor(epoch / 2))
    const part = () => Math.round(dice.between(-MOST, MOST) * 2 ** 30)
    return [part(), part()]
  }

  #ask(epoch: number, left: readonly Named[], turn: number): void {
    for (const { digest, holders } of left) {
      const holder = holders[turn % holders.length]!
      for (const to of this.#node.others.filter(({ identity }) => identity === this.#world.keys.ofKey(holder)))
        this.#node.say(to, { type: 'want-reports', epoch, digests: [digest] })
    }
  }

  async #untilDone(missing: readonly Named[], signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { reports } = this.#life.application
    const until = this.#world.time.now + PATIENCE_MS
    const look = (): void => {
      if (signal.aborted || reports.missing(missing).length === 0 || this.#world.time.now >= until) resolve()
      else this.#node.after(this.#life, 10, look)
    }
    look()
    await promise
  }
}
