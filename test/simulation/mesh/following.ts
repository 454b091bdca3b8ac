import { certificateCodec, type checkFinal } from '../../../consensus/epoch/index.ts'
import type { Life } from './life.ts'
import type { MeshNode } from './node.ts'
import type { SyncedEpoch } from './packets.ts'
import type { World } from './world.ts'

const PATIENCE_MS = 400
const LOOK_MS = 300
const AT_ONCE = 8
/** Peers that had nothing new, one after the other, before it rests. */
const TRIES = 4

/** Brings epochs that others decided: each checked by the product's own rules against the state here, then taken. */
export class Following {
  readonly #world: World
  readonly #node: MeshNode
  readonly #life: Life
  readonly #check: typeof checkFinal
  /** who lied */
  readonly #distrusted = new Set<number>()
  readonly #waiting = new Map<number, (epochs: readonly SyncedEpoch[]) => void>()
  #ticket = 0
  #isRunning = false

  constructor(world: World, node: MeshNode, life: Life, check: typeof checkFinal) {
    this.#world = world
    this.#node = node
    this.#life = life
    this.#check = check
  }

  begin(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run().finally(() => (this.#isRunning = false))
  }

  /** Who decides nothing takes all from others. */
  watch(): void {
    const { step } = this.#life.mesh.status
    if (step === 'following') this.begin()
    if (step !== 'stopped') this.#node.after(this.#life, LOOK_MS, () => this.watch())
  }

  give(to: MeshNode, from: number, ticket: number): void {
    const found = this.#node.disk.image.chain.slice(from - 1, from - 1 + AT_ONCE)
    const epochs = found.map(({ block, certificate }) => ({ block, certificate }))
    this.#node.say(to, { type: 'epochs', ticket, epochs: this.#node.liar?.sync(this.#node, from, epochs) ?? epochs })
  }

  take(epochs: readonly SyncedEpoch[], ticket: number): void {
    this.#waiting.get(ticket)?.(epochs)
  }

  async #run(): Promise<void> {
    for (let tries = 0; tries < TRIES && this.#life.isAlive;) {
      const from = this.#peer()
      const epochs = await this.#ask(from)
      const taken = await this.#accept(from, epochs)
      tries = taken > 0 ? 0 : tries + 1
    }
  }

  #peer(): MeshNode {
    const { others } = this.#node
    const trusted = others.filter(({ id }) => !this.#distrusted.has(id))
    return this.#node.dice.pick(trusted.length > 0 ? trusted : others)!
  }

  #ask(from: MeshNode): Promise<readonly SyncedEpoch[]> {
    const ticket = ++this.#ticket
    const { promise, resolve } = Promise.withResolvers<readonly SyncedEpoch[]>()
    this.#waiting.set(ticket, resolve)
    this.#node.after(this.#life, PATIENCE_MS, () => resolve([]))
    this.#node.say(from, { type: 'want-epochs', from: this.#life.application.height + 1, ticket })
    return promise.finally(() => this.#waiting.delete(ticket))
  }

  /** @returns how many were of use */
  async #accept(from: MeshNode, epochs: readonly SyncedEpoch[]): Promise<number> {
    let taken = 0
    for (const epoch of epochs) {
      if (!this.#life.isAlive) break
      const { state } = this.#life.application
      const { verify } = this.#world.keys.ports
      const result = this.#check(state, [epoch.block, epoch.certificate], verify, { extensions: isExtended(epoch) })
      if (typeof result === 'string') {
        // It may be final here by now.
        if (result === 'E_EPOCH_HEIGHT') continue
        this.#distrusted.add(from.id)
        this.#world.observer.distrusted(this.#node, from, result)
        break
      }
      const block = { value: result.value, bytes: epoch.block }
      if (await this.#life.mesh.synced(block, result.certificate)) taken++
    }
    return taken
  }
}

function isExtended({ certificate }: SyncedEpoch): boolean {
  try {
    return certificateCodec.decode(certificate).signatures.every(({ extension }) => extension !== undefined)
  } catch {
    return false
  }
}
