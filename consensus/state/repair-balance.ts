import { EVERYWHERE } from './pin-commands.ts'
import type { AgreedPin } from './pin-readers.ts'
import type { Change, Copies } from './repair-copies.ts'
import type { Seat } from './seats.ts'

/** Pins by which two members must differ, beside a quarter of the mean, before one is moved. */
const MIN_GAP = 16

/**
 * Moves a pin from who holds the most to who holds far fewer. Each move makes the difference smaller and never turns it
 * round, so that moving ends. The copy that goes is dropped in the same step: what is left must be pinned, min copies
 * or one fewer but never under two, so that a pin of one copy stays where it is.
 *
 * @param held - pins of each seat; kept up with what is planned
 */
export function rebalanced(pin: AgreedPin, copies: Copies, held: Map<number, number>): Change | undefined {
  const { sound, pinned, candidates } = copies
  if (pin.max === EVERYWHERE || sound.length < pin.allocations.length || pinned.length - 1 < leastLeft(pin.min))
    return undefined
  const pinsOf = ({ seat }: Seat) => held.get(seat) ?? 0
  const full = [...pinned].sort((a, b) => pinsOf(b) - pinsOf(a) || a.seat - b.seat)[0]
  if (full === undefined) return undefined
  const others = sound.filter((seat) => seat !== full)
  const fit = candidates.filter((seat) => isAsGood(seat, full, others))
  const empty = fit.sort((a, b) => pinsOf(a) - pinsOf(b) || a.seat - b.seat)[0]
  if (empty === undefined || (pinsOf(full) - pinsOf(empty) - MIN_GAP) * 4 <= meanOf(held)) return undefined
  held.set(full.seat, pinsOf(full) - 1)
  held.set(empty.seat, pinsOf(empty) + 1)
  return { add: [empty], drop: [full.peerId] }
}

function leastLeft(min: number): number {
  return Math.max(Math.min(min, 2), min - 1)
}

/** No failure domain or region is given up, and there is as much room. */
function isAsGood(seat: Seat, full: Seat, others: readonly Seat[]): boolean {
  const isOf = (key: 'domain' | 'region', one: Seat) => others.some((other) => other[key] === one[key])
  const keeps = (key: 'domain' | 'region') => seat[key] === full[key] || !isOf(key, seat) || isOf(key, full)
  return seat.space >= full.space && keeps('domain') && keeps('region')
}

function meanOf(held: ReadonlyMap<number, number>): number {
  let sum = 0
  for (const pins of held.values()) sum += pins
  return Math.floor(sum / Math.max(1, held.size))
}
