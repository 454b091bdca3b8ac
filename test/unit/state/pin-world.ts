import {
  pinOf,
  pins,
  planRepair,
  type AgreedPin,
  type RepairFacts,
  type RepairPlan,
} from '../../../consensus/state/index.ts'
import { domainsOf } from '../../../consensus/state/allocation.ts'
import { seats, type Seat } from '../../../consensus/state/index.ts'
import { cellOf, cidOf, pin } from './pins.ts'
import { peer, type Replica } from './cell.ts'

export const nameOf = (peerId: string): string => peerId['12D3KooW'.length]!
export const namesOf = (peerIds: readonly string[]): string => peerIds.map(nameOf).join('')

/** A cell with what can be observed of it, and no time but that which is told. */
export class PinWorld implements RepairFacts {
  readonly replica: Replica
  /** name of a member → since when */
  readonly down = new Map<string, number>()
  /** CID → names of who has it whole */
  readonly whole = new Map<string, Set<string>>()
  /** CID → names of who could not prove it */
  readonly bad = new Map<string, Set<string>>()
  readonly graceMs: number
  now = 0

  constructor(names: string, domains: Readonly<Record<string, string>> = {}, graceMs = 0) {
    this.replica = cellOf(names, domains)
    this.graceMs = graceMs
  }

  get tree() {
    return this.replica.tree
  }

  isDown(peerId: string): number | undefined {
    const since = this.down.get(nameOf(peerId))
    return since !== undefined && this.now - since >= this.graceMs ? since : undefined
  }

  badCopies(cid: string): string[] {
    return [...(this.bad.get(cid) ?? [])].map(peer)
  }

  pinnedCopies(cid: string): string[] {
    return [...(this.whole.get(cid) ?? [])].filter((name) => !this.down.has(name)).map(peer)
  }

  /** Every pin is held by all that are to hold it. */
  pinAll(count: number, options: Parameters<typeof pin>[2] = {}): this {
    for (let at = 0; at < count; at++) pin(this.replica, at, options)
    for (const { cid, allocations } of pins(this.tree)) this.whole.set(cid, new Set(allocations.map(nameOf)))
    return this
  }

  /** Who is up and is to hold a pin fetches it when somebody who is up has it; who is not to hold it gives it up. */
  fetch(): void {
    for (const { cid, allocations } of pins(this.tree)) {
      const whole = this.whole.get(cid)!
      const isThere = [...whole].some((name) => !this.down.has(name))
      for (const name of allocations.map(nameOf)) if (isThere && !this.down.has(name)) whole.add(name)
      for (const name of whole) if (!this.down.has(name) && !allocations.includes(peer(name))) whole.delete(name)
    }
  }

  plan(options?: { rebalance: boolean }): RepairPlan {
    return planRepair(this.tree, pins(this.tree), this, options)
  }

  /** @returns codes of the moves that the cell refused */
  carryOut({ moves }: RepairPlan): string[] {
    return moves.flatMap(({ cid, revision, add, drop }) => {
      const result = this.replica.run({ type: 'pin-move', cid, revision, add: [...add], drop: [...drop] })
      return result?.ok === false ? [result.code] : []
    })
  }

  /** Plans, moves and fetches until nothing is planned. @returns how often; `rounds` and more when it does not end */
  settle(rounds = 60): number {
    for (let round = 0; round < rounds; round++) {
      this.fetch()
      const plan = this.plan()
      if (plan.moves.length === 0) return round
      const refused = this.carryOut(plan)
      if (refused.length > 0) throw new Error(`a planned move was refused: ${refused[0]}`)
    }
    return rounds
  }

  holders(number: number): string {
    return namesOf(pinOf(this.tree, cidOf(number))!.allocations)
  }

  /** Copies whose members stand and stay. */
  staying({ allocations }: AgreedPin): Seat[] {
    return seats(this.tree).filter(({ peerId, draining }) => !draining && allocations.includes(peerId))
  }

  /** Failure domains of the copies that are whole, of members that are up. */
  safe(pin: AgreedPin): number {
    const seen = this.pinnedCopies(pin.cid)
    return domainsOf(this.staying(pin).filter(({ peerId }) => seen.includes(peerId)))
  }
}
