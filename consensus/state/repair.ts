import { allocate, domainsOf } from './allocation.ts'
import { EVERYWHERE } from './pin-commands.ts'
import { seats, type AgreedPin } from './pin-readers.ts'
import { copiesOf, type Change, type Copies, type RepairFacts } from './repair-copies.ts'
import { rebalanced } from './repair-balance.ts'
import type { Seat } from './seats.ts'
import type { Tree } from './tree.ts'

const NOTHING: Change = { add: [], drop: [] }

export type RepairReason = 'lost' | 'draining' | 'below_min' | 'above_max' | 'everywhere' | 'rebalance' | 'proof_failed'

/** What `pin-move` is to be asked for; `add` and `drop` are peer ids. */
export interface PinMove {
  readonly cid: string
  readonly name: string
  readonly revision: number
  readonly add: readonly string[]
  readonly drop: readonly string[]
  readonly reason: RepairReason
}

/** Fewer failure domains than min, and nobody to give a copy to. */
export interface PinShort {
  readonly cid: string
  readonly name: string
  readonly wants: number
  readonly has: number
}

export interface RepairPlan {
  readonly moves: readonly PinMove[]
  readonly short: readonly PinShort[]
}

/**
 * What repair would change of some pins, in their order: at most one move of each.
 *
 * A copy is lost when its member is down for longer than the grace period. It is replaced once fewer than min are left,
 * then up to max, and dropped only as far as max demands: who comes back has not lost its copy for nothing. A copy of
 * a member that was removed is replaced at once, one of a member that is drained too, both up to max; the latter is
 * dropped only when min others are seen to be pinned. No copy of who is up is dropped while nobody else is seen to have
 * the content. One of who is down is replaced all the same: nobody can tell whether it ever had the content, and if it
 * has, it keeps it until the others have it, too. What has been carried out is planned no more, so with a stable
 * membership planning comes to an end.
 *
 * @param options.rebalance - whether pins move also for balance: from who holds the most to who holds far fewer
 */
export function planRepair(
  tree: Tree,
  page: Iterable<AgreedPin>,
  facts: RepairFacts,
  options: { rebalance: boolean } = { rebalance: true },
): RepairPlan {
  const standing = seats(tree)
  const held = new Map(standing.map(({ seat, pins }) => [seat, pins]))
  const moves: PinMove[] = []
  const short: PinShort[] = []
  for (const pin of page) {
    const copies = copiesOf(pin, standing, facts)
    const repaired = pin.max === EVERYWHERE ? spread(pin, copies) : repair(pin, copies)
    const has = domainsOf([...copies.sound, ...repaired.add])
    if (has < pin.min) short.push({ cid: pin.cid, name: pin.name, wants: pin.min, has })
    const isRest = repaired.add.length + repaired.drop.length === 0
    const change = isRest && options.rebalance ? rebalanced(pin, copies, held) : repaired
    if (change === undefined || change.add.length + change.drop.length === 0) continue
    moves.push(moveOf(pin, change, isRest ? 'rebalance' : reasonOf(pin, copies, change)))
  }
  return { moves, short }
}

function moveOf({ cid, name, revision }: AgreedPin, { add, drop }: Change, reason: RepairReason): PinMove {
  return { cid, name, revision, add: add.map(({ peerId }) => peerId), drop, reason }
}

/** Who is down keeps its copy: it is to have one as long as it is a member. */
function spread(pin: AgreedPin, copies: Copies): Change {
  return { add: copies.candidates, drop: [...goneOf(copies, copies.candidates), ...leaversOf(pin, copies)] }
}

function repair(pin: AgreedPin, copies: Copies): Change {
  const { gone, leaving, sound, weak, hasSource } = copies
  const isBelow = domainsOf(sound) < pin.min
  const isMoving = isBelow || gone.length > 0 || leaving.length > 0
  // Who is only weak may come back: it is replaced below min alone, and counts until it is.
  const most = pin.max - (isBelow ? 0 : weak.length)
  const filled = isMoving ? refill(pin, copies, isBelow ? most : Math.max(most, sound.length)) : NOTHING
  const over = sound.length + filled.add.length - filled.drop.length + weak.length - pin.max
  const weakest = hasSource || filled.add.length > 0 ? weak.slice(0, Math.max(0, over)) : []
  const drop = [...goneOf(copies, filled.add), ...leaversOf(pin, copies), ...weakest.map(({ peerId }) => peerId)]
  return { add: filled.add, drop: [...drop, ...(isBelow ? filled.drop : surplus(pin, copies))] }
}

/** Up to `most` sound copies; one that shares its failure domain gives way where min cannot be reached otherwise. */
function refill(pin: AgreedPin, { sound, pinned, candidates }: Copies, most: number): Change {
  const places = [...sound, ...candidates].sort((a, b) => a.seat - b.seat)
  const seatsOf = (some: readonly Seat[]) => some.map(({ seat }) => seat)
  const min = Math.min(pin.min, domainsOf(places))
  const wanted = { cid: pin.cid, min, max: most, preferred: seatsOf(pinned), kept: seatsOf(sound) }
  const all = allocate(places, wanted) ?? []
  const add = candidates.filter(({ seat }) => all.includes(seat))
  if (pinned.length === 0) return { add: add.slice(0, Math.max(0, most - sound.length)), drop: [] }
  return { add, drop: sound.filter(({ seat }) => !all.includes(seat)).map(({ peerId }) => peerId) }
}

/** Without any other copy it stays, as a trace of who had the content. */
function goneOf({ gone, sound, weak, leaving }: Copies, add: readonly Seat[]): readonly string[] {
  return sound.length + weak.length + leaving.length + add.length > 0 ? gone : []
}

function leaversOf({ min }: AgreedPin, { leaving, pinned, sound, candidates }: Copies): string[] {
  const least = min === EVERYWHERE ? domainsOf([...sound, ...candidates]) : min
  return domainsOf(pinned) >= Math.max(1, least) ? leaving.map(({ peerId }) => peerId) : []
}

/** Sound copies over max; those that are pinned stay before those that are not. */
function surplus(pin: AgreedPin, { sound, pinned }: Copies): string[] {
  if (sound.length <= pin.max || pinned.length === 0) return []
  const preferred = pinned.map(({ seat }) => seat)
  const min = Math.min(pin.min, domainsOf(pinned), pin.max)
  const first = allocate(pinned, { cid: pin.cid, min, max: pin.max, preferred: [], kept: [] }) ?? preferred
  const keep = allocate(sound, { cid: pin.cid, min: 1, max: pin.max, preferred: first, kept: preferred }) ?? []
  return sound.filter(({ seat }) => !keep.includes(seat)).map(({ peerId }) => peerId)
}

function reasonOf(pin: AgreedPin, { gone, leaving, weak, bad, sound }: Copies, { add, drop }: Change): RepairReason {
  if (pin.max === EVERYWHERE && add.length > 0) return 'everywhere'
  if (
    add.length === 0 &&
    drop.some((peerId) => !gone.includes(peerId) && !leaving.some((one) => one.peerId === peerId))
  )
    return 'above_max'
  const isBelow = domainsOf(sound) < pin.min
  if (isBelow && weak.some(({ peerId }) => bad.has(peerId))) return 'proof_failed'
  if (gone.length > 0 || (isBelow && weak.length > 0)) return 'lost'
  return leaving.length > 0 ? 'draining' : 'below_min'
}
