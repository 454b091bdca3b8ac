import type { AgreedPin } from './pin-readers.ts'
import type { Seat } from './seats.ts'

/** What was observed of members and copies; none of it is agreed. */
export interface RepairFacts {
  /** @returns since when, Unix milliseconds, of a member that is down for longer than the grace period */
  isDown(peerId: string): number | undefined
  /** @returns peer ids of those that could not prove their copy */
  badCopies(cid: string): readonly string[]
  /** @returns peer ids of those that were seen to have it whole */
  pinnedCopies(cid: string): readonly string[]
}

/** The copies of a pin, each in one of these. */
export interface Copies {
  /** whose member was removed; peer ids */
  readonly gone: readonly string[]
  readonly leaving: readonly Seat[]
  /** down too long, or without proof; who is to be dropped first comes first */
  readonly weak: readonly Seat[]
  readonly bad: ReadonlySet<string>
  readonly sound: readonly Seat[]
  /** of the sound ones */
  readonly pinned: readonly Seat[]
  /** whether somebody who stays or is leaving has it whole */
  readonly hasSource: boolean
  /** who has no copy and could be given one */
  readonly candidates: readonly Seat[]
}

/** `drop`: peer ids */
export interface Change {
  readonly add: readonly Seat[]
  readonly drop: readonly string[]
}

export function copiesOf(pin: AgreedPin, standing: readonly Seat[], facts: RepairFacts): Copies {
  const bad = new Set(facts.badCopies(pin.cid))
  const seen = new Set(facts.pinnedCopies(pin.cid))
  const isUp = ({ peerId }: Seat) => facts.isDown(peerId) === undefined
  const isWeak = (seat: Seat) => bad.has(seat.peerId) || !isUp(seat)
  const held = standing.filter(({ peerId }) => pin.allocations.includes(peerId))
  const staying = held.filter(({ draining }) => !draining)
  const leaving = held.filter(({ draining }) => draining)
  const sound = staying.filter((seat) => !isWeak(seat))
  const pinned = sound.filter(({ peerId }) => seen.has(peerId))
  const downSince = ({ peerId }: Seat) => (bad.has(peerId) ? 0 : (facts.isDown(peerId) ?? Infinity))
  return {
    gone: pin.allocations.filter((peerId) => !held.some((seat) => seat.peerId === peerId)),
    leaving,
    weak: staying.filter(isWeak).sort((a, b) => downSince(a) - downSince(b) || a.seat - b.seat),
    bad,
    sound,
    pinned,
    hasSource: pinned.length > 0 || leaving.some((seat) => seen.has(seat.peerId) && !isWeak(seat)),
    candidates: standing.filter((seat) => !seat.draining && !isWeak(seat) && !held.includes(seat)),
  }
}
