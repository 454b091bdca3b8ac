import type { Request } from '../../../node/cell/commands.ts'
import type { SimulatedMember } from './member.ts'
import type { PinFault } from './options.ts'
import type { World } from './world.ts'

const MOST_MEMBERS = 8
const LEAST_STANDING = 3
/** A member that flaps is back so long before it would be lost. */
const MARGIN_MS = 4_000
/** In a calm schedule everybody is there for so long between two faults. */
const REST_MS = 6_000

/** Makes one fault after the other, each of which ends by itself, until it is told to stop. */
export class Nemesis {
  active = true
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    this.#next(world.profile.calm ? 20_000 : 0)
  }

  /** No more faults: links whole, disks good, all there that have not died. */
  heal(): void {
    this.active = false
    this.#world.trace.note('heal', this.#world.now)
    this.#world.sides.clear()
    this.#world.loss = 0
    for (const member of this.#world.members.values()) {
      member.disk.isFull = false
      member.start()
    }
  }

  #next(afterMs: number): void {
    const { time, dice, profile } = this.#world
    time.after(afterMs + dice.exponential(profile.faultEveryMs), () => {
      const fault = dice.pick(profile.faults)
      if (!this.active || fault === undefined) return
      const ms = this.#strike(fault)
      this.#next(profile.calm ? ms + REST_MS : 0)
    })
  }

  /** @returns how long it lasts, where somebody is away */
  #strike(fault: PinFault): number {
    const { dice, members, trace, now, profile } = this.#world
    const member = dice.pick([...members.values()].filter(({ isDead }) => !isDead))!
    trace.note(`${fault} ${[...members.values()].indexOf(member)}`, now)
    const shortMs = dice.between(500, profile.graceMs - MARGIN_MS)
    if (fault === 'flap') this.#away(member, shortMs)
    else if (fault === 'partition') this.#partition(profile.calm ? shortMs : dice.between(500, 2 * profile.graceMs))
    else this.#other(fault, member)
    return shortMs
  }

  #other(fault: Exclude<PinFault, 'flap' | 'partition'>, member: SimulatedMember): void {
    const { dice, agreed, profile } = this.#world
    const peerId = member.peerId
    switch (fault) {
      case 'away':
        return this.#away(member, dice.between(profile.graceMs, 3 * profile.graceMs))
      case 'disk-loss':
        return this.#loseDisk(member)
      case 'rot':
        return this.#rot(member)
      case 'quota':
        member.disk.isFull = true
        return this.#later(dice.between(1_000, 20_000), () => (member.disk.isFull = false))
      case 'election':
        return this.#world.elect(dice.pick(this.#world.up.filter((one) => this.#world.hasQuorum(one))))
      case 'join':
        if (agreed.standing().length < MOST_MEMBERS && this.#world.members.size < 12) this.#world.join()
        return
      case 'drain':
        return this.#ask({ type: 'member-drain', peerId, on: dice.chance(0.6) })
      case 'remove':
        return this.#remove(member)
      case 'death':
        return this.#die(member)
      case 'label': {
        const value = profile.domains === 0 || dice.chance(0.3) ? null : `d${dice.whole(1, profile.domains)}`
        return this.#ask({ type: 'label-set', peerId, key: 'domain', value })
      }
    }
  }

  #ask(request: Request): void {
    void this.#world.dice
      .pick(this.#world.up)
      ?.submit(request)
      .catch(() => {})
  }

  #later(ms: number, run: () => void): void {
    this.#world.time.after(ms, () => {
      if (this.active) run()
    })
  }

  #away(member: SimulatedMember, ms: number): void {
    member.crash()
    this.#later(ms, () => member.start())
  }

  #partition(ms: number): void {
    const { members, sides, dice } = this.#world
    for (const peerId of members.keys()) sides.set(peerId, Number(dice.chance(0.4)))
    this.#later(ms, () => sides.clear())
  }

  #loseDisk(member: SimulatedMember): void {
    const { judge, dice } = this.#world
    member.crash()
    judge.lost(member.disk.pins.keys())
    member.disk.lose()
    this.#later(dice.between(100, 20_000), () => member.start())
  }

  #rot({ disk }: SimulatedMember): void {
    const { judge, dice, contents } = this.#world
    const pin = dice.pick([...disk.pins.values()].filter(({ state }) => state === 'pinned'))
    if (pin === undefined) return
    disk.rot(dice.pick(contents.blocksOf(pin.cid, pin.mode))!)
    judge.lost([...disk.pins.values()].filter(({ cid, mode }) => !disk.hasAll(cid, mode)).map(({ cid }) => cid))
  }

  #remove(member: SimulatedMember): void {
    if (!this.#canLose(member)) return
    const { agreed, now } = this.#world
    agreed.append({ type: 'member-remove', peerId: member.peerId, reason: '' }, now)
    this.#bury(member)
  }

  #die(member: SimulatedMember): void {
    if (this.#canLose(member)) this.#bury(member)
  }

  #bury(member: SimulatedMember): void {
    member.crash()
    member.isDead = true
    this.#world.judge.lost(member.disk.pins.keys())
    member.disk.lose()
  }

  /** A cell without a majority is nobody's to repair. */
  #canLose(member: SimulatedMember): boolean {
    const standing = this.#world.agreed.standing()
    const left = standing.filter(({ peerId }) => !this.#world.members.get(peerId)!.isDead && peerId !== member.peerId)
    return left.length >= LEAST_STANDING && left.length * 2 > standing.length
  }
}
