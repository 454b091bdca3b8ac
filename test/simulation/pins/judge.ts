import { EVERYWHERE, type Result, type Seat } from '../../../consensus/state/index.ts'
import { domainsOf } from '../../../consensus/state/allocation.ts'
import type { Request } from '../../../node/cell/commands.ts'
import { nameOf, PIN } from './agreed.ts'
import type { SimulatedMember } from './member.ts'
import type { World } from './world.ts'

export interface Violation {
  readonly invariant: string
  readonly detail: string
}

/** What was seen of other copies may be so old when a copy goes: a question, its answer and a challenge. */
const SIGHT_MS = 15_000

/** Looks at everything that happens, and keeps the first thing that must not. */
export class Judge {
  violation: Violation | undefined
  readonly #world: World
  /** when faults last took a copy of it, or people the pin */
  readonly #lostAt = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  report(invariant: string, detail: string): void {
    this.violation ??= { invariant, detail: `${detail}, at ${Math.round(this.#world.now)} ms` }
  }

  /** A fault, or who has a say, took copies. */
  lost(cids: Iterable<string>): void {
    for (const cid of cids) this.#lostAt.set(cid, this.#world.now)
  }

  proposed(by: SimulatedMember, { type }: Request): void {
    if (type === 'pin-move' && !by.believes)
      this.report('only who leads moves copies', `${nameOf(by.peerId)} proposed a move and does not lead`)
  }

  agreed(index: number, request: Request, result: Result): void {
    const { agreed, profile } = this.#world
    if (request.type === 'pin-move' && profile.calm && result.ok)
      this.report('flapping within the grace period moves nothing', JSON.stringify(request))
    for (const key of agreed.keys[index]!) if (key.startsWith(PIN)) this.#changed(key.slice(PIN.length), index)
  }

  #changed(cid: string, index: number): void {
    const { agreed } = this.#world
    const pin = agreed.pin(cid, index)
    if (pin === undefined) return this.lost([cid])
    const copies = agreed.staying(pin, index).length
    const before = agreed.pin(cid, index - 1)
    if (pin.max === EVERYWHERE || copies <= pin.max || (before && copies <= agreed.staying(before, index).length))
      return
    this.report('never more copies than max', `${cid} has ${copies} of at most ${pin.max}`)
  }

  /** What a member answers of its own copy. */
  answered({ peerId, disk }: SimulatedMember, cid: string, isPinned: boolean): void {
    const pin = disk.pins.get(cid)
    if (!isPinned || (pin !== undefined && disk.isRotten(cid, pin.mode))) return
    this.report('what is said to be pinned is there', `${nameOf(peerId)} says that it has ${cid}`)
  }

  unpins(member: SimulatedMember, cid: string): void {
    const { agreed, now } = this.#world
    const name = nameOf(member.peerId)
    const seen = agreed.pin(cid, member.disk.view)
    if (seen?.allocations.includes(member.peerId) === true)
      return this.report('what is to be held is not dropped', `${name} drops ${cid}`)
    const pin = agreed.pin(cid)
    if (seen === undefined || pin === undefined || !member.disk.holds(cid, pin.mode)) return
    const others = this.#world.holders(pin).filter((other) => other !== member)
    if (others.length > 0 || now - (this.#lostAt.get(cid) ?? -Infinity) < SIGHT_MS) return
    this.report('the last whole copy of a pin stays', `${name} drops ${cid}`)
  }

  /** Nothing is forgotten: what a member knows that it is to hold is held, or on its way. */
  look(): void {
    for (const member of this.#world.up) {
      const { peerId, disk } = member
      for (const { cid, mode } of this.#world.agreed
        .pins(disk.view)
        .filter((pin) => pin.allocations.includes(peerId))) {
        const held = disk.pins.get(cid)
        if ((held?.state === 'pinned' && held.mode === mode) || member.isAtWork(cid)) continue
        this.report('what is to be held is held or under way', `${nameOf(peerId)} does nothing about ${cid}`)
      }
    }
  }

  /** @returns what is not yet as it must be in a mesh that is whole again */
  difference(): string | undefined {
    const { agreed, contents, up } = this.#world
    const standing = agreed.standing()
    const able = standing.filter(({ peerId, draining }) => !draining && this.#world.members.get(peerId)!.isUp)
    for (const cid of contents.cids) {
      const isGood = ({ peerId }: Seat) => !this.#world.bad.has(`${cid} ${peerId}`)
      const why = this.#shortOf(cid, able.filter(isGood))
      if (why !== undefined) return `pin ${contents.cids.indexOf(cid)} ${why}; ${this.#copiesOf(cid)}`
    }
    for (const { peerId, disk, waiting } of up) {
      const name = nameOf(peerId)
      if (disk.view !== agreed.head) return `${name} has not applied all`
      if (waiting !== undefined) return `${name}: ${waiting}`
      for (const cid of disk.pins.keys())
        if (this.#isTooMany(cid, peerId)) return `${name} holds ${this.#copiesOf(cid)}`
    }
    return undefined
  }

  /** A copy that is not allocated stays for as long as others lack theirs. */
  #isTooMany(cid: string, peerId: string): boolean {
    const { agreed, members, bad } = this.#world
    const pin = agreed.pin(cid)
    if (pin === undefined) return true
    if (pin.allocations.includes(peerId)) return false
    const isWhole = (holder: string): boolean =>
      !bad.has(`${cid} ${holder}`) && members.get(holder)!.isUp && members.get(holder)!.disk.holds(cid, pin.mode)
    const whole = agreed.standing().filter((seat) => pin.allocations.includes(seat.peerId) && isWhole(seat.peerId))
    return pin.min === EVERYWHERE ? pin.allocations.every(isWhole) : domainsOf(whole) >= pin.min
  }

  #copiesOf(cid: string): string {
    const { agreed, members } = this.#world
    const held = [...members.values()].flatMap((member) => {
      const pin = member.disk.pins.get(cid)
      return pin === undefined ? [] : `${nameOf(member.peerId)} ${pin.mode} ${pin.state}`
    })
    const { allocations = [], min, max } = agreed.pin(cid) ?? {}
    const standing = agreed.standing().map(({ peerId, draining, domain }) => {
      const up = members.get(peerId)!.isUp ? '' : ' down'
      return `${nameOf(peerId)}${up}${draining ? ' draining' : ''}${domain.startsWith('/') ? '' : ` in ${domain}`}`
    })
    const to = `${min} to ${max} copies at ${allocations.map(nameOf).join('')}`
    return `${to}; held: ${held.join(', ')}; cell: ${standing.join(', ')}`
  }

  #shortOf(cid: string, able: readonly Seat[]): string | undefined {
    const { agreed, members } = this.#world
    const pin = agreed.pin(cid)
    if (pin === undefined) return undefined
    const staying = agreed.staying(pin)
    if (pin.max !== EVERYWHERE && staying.length > pin.max) return `has ${staying.length} copies of at most ${pin.max}`
    const whole = able.filter(
      ({ peerId }) => pin.allocations.includes(peerId) && members.get(peerId)!.disk.holds(cid, pin.mode),
    )
    const least = pin.min === EVERYWHERE ? Math.max(1, domainsOf(able)) : pin.min
    if (domainsOf(able) < least) return undefined
    const has = domainsOf(whole)
    if (has < least) return `is whole in ${has} failure domains, and is to be in ${least}`
    const leaver = pin.allocations.find((peerId) =>
      agreed.standing().some((one) => one.peerId === peerId && one.draining),
    )
    return leaver === undefined ? undefined : `is still at ${nameOf(leaver)}, which is drained`
  }
}
