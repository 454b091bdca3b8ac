import type { AgreedPin, Result } from '../../../consensus/state/index.ts'
import type { Request } from '../../../node/cell/commands.ts'
import { Dice } from '../dice.ts'
import { VirtualTime } from '../time.ts'
import { Trace } from '../trace.ts'
import { Agreed, nameOf, peerIdOf } from './agreed.ts'
import { Contents } from './contents.ts'
import { Judge } from './judge.ts'
import { SimulatedMember } from './member.ts'
import type { PinMutant } from './mutants.ts'
import { pinProfileOf, type PinProfile } from './options.ts'

const ELECTION_POLL_MS = 400

/** A cell, its members and what is between them. */
export class World {
  readonly time = new VirtualTime()
  readonly trace: Trace
  readonly dice: Dice
  readonly profile: PinProfile
  readonly mutant: PinMutant | undefined
  readonly contents: Contents
  readonly agreed: Agreed
  readonly judge: Judge
  readonly members = new Map<string, SimulatedMember>()
  /** sides of a partition */
  readonly sides = new Map<string, number>()
  /** `CID peer`: copies that a challenge has found bad */
  bad = new Set<string>()
  leader: SimulatedMember | undefined
  loss: number
  moves = 0
  lastMoveAt = 0

  constructor(seed: number, mutant: PinMutant | undefined, verbose: boolean) {
    this.profile = pinProfileOf(seed)
    this.dice = new Dice(seed)
    this.trace = new Trace(verbose)
    this.mutant = mutant
    this.loss = this.profile.loss
    this.contents = new Contents(this.profile.contents, this.dice.fork())
    this.judge = new Judge(this)
    this.agreed = new Agreed((index, request, result) => this.#agreedOn(index, request, result), mutant?.spoil)
    for (let number = 0; number < this.profile.members; number++) this.join()
    this.#elections()
  }

  get now(): number {
    return this.time.now
  }

  /** Who owns all pins. */
  get first(): string {
    return peerIdOf(0)
  }

  get up(): SimulatedMember[] {
    return [...this.members.values()].filter(({ isUp }) => isUp)
  }

  /** A member that never was one before. */
  join(): SimulatedMember {
    const member = new SimulatedMember(this, peerIdOf(this.members.size), this.dice.fork())
    this.members.set(member.peerId, member)
    const joined = { type: 'member-join' as const, peerId: member.peerId, incarnation: new Uint8Array(16) }
    const result = this.agreed.append(joined, this.now)
    if (result.ok) this.agreed.promote(result.raftId!, this.now)
    member.start()
    return member
  }

  linked(one: SimulatedMember, other: SimulatedMember): boolean {
    if (one === other) return one.isUp
    return one.isUp && other.isUp && (this.sides.get(one.peerId) ?? 0) === (this.sides.get(other.peerId) ?? 0)
  }

  hasQuorum(member: SimulatedMember): boolean {
    const standing = this.agreed.standing()
    if (!standing.some(({ peerId }) => peerId === member.peerId)) return false
    const linked = standing.filter(({ peerId }) => this.linked(member, this.members.get(peerId)!))
    return linked.length * 2 > standing.length
  }

  canPropose(member: SimulatedMember): boolean {
    const { leader } = this
    return leader !== undefined && this.linked(member, leader) && this.hasQuorum(leader) && this.hasQuorum(member)
  }

  holders({ cid, mode }: Pick<AgreedPin, 'cid' | 'mode'>): SimulatedMember[] {
    return [...this.members.values()].filter(({ disk }) => disk.holds(cid, mode))
  }

  /** Copies that say that they are whole, and are not, are found out. */
  audit(): void {
    this.bad = new Set(
      [...this.members.values()].flatMap(({ peerId, disk }) =>
        [...disk.pins.values()]
          .filter(({ cid, mode, state }) => state === 'pinned' && !disk.hasAll(cid, mode))
          .map(({ cid }) => `${cid} ${peerId}`),
      ),
    )
  }

  elect(next: SimulatedMember | undefined): void {
    if (next === this.leader) return
    const before = this.leader
    this.leader = next
    if (next !== undefined) this.trace.note(`leader ${nameOf(next.peerId)}`, this.now)
    // Who has lost its leadership may learn of it late.
    this.time.after(this.dice.between(0, 3_000), () => {
      if (before !== undefined && this.leader !== before) before.believes = false
    })
    this.time.after(this.dice.between(0, 200), () => {
      if (next !== undefined && this.leader === next) next.believes = true
    })
  }

  /** With members by their letters, and pins by their numbers and who is to hold them. */
  words(request: Request): string {
    const text = JSON.stringify(request, (_, value: unknown) => (value instanceof Uint8Array ? undefined : value))
    const { cids } = this.contents
    return text
      .replaceAll(/12D3\w+/g, nameOf)
      .replaceAll(
        /bafkrei\w+/g,
        (cid) => `${cids.indexOf(cid)}:${this.agreed.pin(cid)?.allocations.map(nameOf).join('')}`,
      )
      .replaceAll('"', '')
  }

  #elections(): void {
    const { leader } = this
    if (leader === undefined || !this.hasQuorum(leader)) {
      const able = this.up.filter((member) => this.hasQuorum(member))
      this.elect(this.dice.chance(0.3) ? this.dice.pick(able) : undefined)
    }
    this.time.after(ELECTION_POLL_MS, () => this.#elections())
  }

  #agreedOn(index: number, request: Request, result: Result): void {
    const told = result.ok ? '' : ` ${result.code}`
    this.trace.note(`${index} ${this.words(request)}${told}`, this.now)
    if (request.type === 'pin-move' && result.ok) {
      this.moves += 1
      this.lastMoveAt = this.now
    }
    this.judge.agreed(index, request, result)
  }
}
