import { isOpen, type Change } from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import type { Dice } from '../dice.ts'
import type { Life } from './life.ts'
import type { MeshNode } from './node.ts'
import type { World } from './world.ts'

const ACT_MS = 700
const VOTE_MS = 250

/** Who runs the honest nodes attests cells, moves changes of set and policy, and votes on them. */
export function govern(world: World, dice: Dice): void {
  new People(world, dice).begin()
}

class People {
  readonly #world: World
  readonly #dice: Dice
  #index = 0

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
  }

  begin(): void {
    this.#act()
    this.#vote()
  }

  #act(): void {
    this.#world.time.after(this.#dice.exponential(ACT_MS), () => {
      const node = this.#dice.pick(this.#up())
      if (node !== undefined) this.#do(node, node.life!)
      this.#act()
    })
  }

  #vote(): void {
    this.#world.time.after(VOTE_MS, () => {
      for (const node of this.#up()) this.#voteOn(node, node.life!)
      this.#vote()
    })
  }

  #do(node: MeshNode, life: Life): void {
    const { keys } = this.#world
    const { state, pending } = life.application
    if (this.#dice.chance(0.5)) {
      const own = [node.identity.key]
      const about = { epoch: state.height, index: ++this.#index, root: state.head, t: null, revoked: [] }
      const bytes = keys.attestation(node.identity, { ...about, members: own, validators: own })
      if (pending.putAttestation(bytes) === undefined) node.sayToAll(life, { type: 'attestation', bytes })
      return
    }
    const expires = state.height + this.#dice.whole(2, 20)
    const effectiveAt = this.#dice.chance(0.5) ? 0 : state.height + this.#dice.whole(1, 8)
    const move = { kind: 'move', at: state.height, change: this.#change(), expires, effectiveAt }
    this.#submit(node, life, keys.command(node.identity, move))
  }

  /** Nothing that gives those at fault a third. */
  #change(): Change {
    const { keys, nodes } = this.#world
    const spare = keys.identities.at(-1)!
    const honest = this.#dice.pick(nodes.filter(({ isHonest, identity }) => isHonest && identity !== spare))!.identity
    const epochMs = this.#dice.whole(100, 500)
    return this.#dice.pick<Change>([
      { type: 'policy-set', policy: { epochMs, idleEpochMs: 2 * epochMs } },
      { type: 'operator-set', name: spare.cell, cell: spare.cell, weight: 1, members: [spare.key] },
      { type: 'operator-set', name: spare.cell, cell: spare.cell, weight: 1, members: [spare.key] },
      { type: 'operator-remove', cell: spare.cell },
      { type: 'operator-set', name: honest.cell, cell: honest.cell, weight: this.#dice.whole(1, 2), members: [] },
    ])!
  }

  #voteOn(node: MeshNode, life: Life): void {
    const { state } = life.application
    const { key } = node.identity
    const has = (keys: readonly Uint8Array[]) => keys.some((one) => equalBytes(one, key))
    for (const { id, yes, no, ...motion } of state.motions) {
      if (!isOpen({ id, yes, no, ...motion }, state.height + 1) || has(yes) || has(no)) continue
      const ballot = { kind: 'vote', motion: id, yes: this.#dice.chance(0.9) }
      this.#submit(node, life, this.#world.keys.command(node.identity, ballot))
    }
  }

  #submit(node: MeshNode, life: Life, bytes: Uint8Array): void {
    if (life.application.pending.putGovernance(bytes) === undefined) node.sayToAll(life, { type: 'governance', bytes })
  }

  #up(): MeshNode[] {
    return this.#world.nodes.filter(({ isHonest, isPaused, life }) => isHonest && !isPaused && life !== undefined)
  }
}
