import { defaultReplication, replicationOf, type Replication } from './allocation.ts'
import { pinRecord, spaceRecord, type PinRecord } from './pin-records.ts'
import { readRecord } from './read-record.ts'
import { counterRecord, KEY, memberRecord, textRecord } from './records.ts'
import { standingSeats, type Seat } from './seats.ts'
import { entries, type Tree } from './tree.ts'

/** A pin, with everything in it resolved. */
export interface AgreedPin {
  readonly cid: string
  /** index of the entry that last changed it: what a move is planned for */
  readonly revision: number
  readonly name: string
  readonly mode: PinRecord['mode']
  /** copies in force now, or EVERYWHERE; the default depends on how many members there are */
  readonly min: number
  readonly max: number
  /** what was asked for; undefined: the default */
  readonly asked: { readonly min: number | undefined; readonly max: number | undefined }
  /** peer ids in order of seats; also of members that were removed or are being drained, until repair has moved them */
  readonly allocations: readonly string[]
  /** Unix milliseconds */
  readonly expires: number | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly origins: readonly string[]
  /** peer id */
  readonly owner: string
  readonly priority: number
  /** Unix milliseconds */
  readonly created: number
}

export function pinOf(tree: Tree, cid: string): AgreedPin | undefined {
  const record = readRecord(tree, KEY.pin(cid), pinRecord)
  return record && resolved(tree, cid, record)
}

/** In the order of their CIDs, as they are asked for. @param after - the last one of the page before */
export function* pins(tree: Tree, after?: string): Generator<AgreedPin> {
  const prefix = KEY.pin('')
  const from = after === undefined ? prefix : `${KEY.pin(after)}\0`
  for (const [key, value] of entries(tree, { prefix, from }))
    yield resolved(tree, key.slice(prefix.length), pinRecord.decode(value))
}

export function pinCount(tree: Tree): number {
  return readRecord(tree, KEY.pinCount, counterRecord) ?? 0
}

/** Who stands in the cell, voter or joining, as allocation sees them; ascending by seat. */
export function seats(tree: Tree): readonly Seat[] {
  return castOf(tree).standing
}

export interface Space {
  readonly freeBytes: number
  readonly totalBytes: number
  /** of the report, Unix milliseconds */
  readonly time: number
}

/** As the member last had it agreed on. */
export function spaceOf(tree: Tree, peerId: string): Space | undefined {
  const seat = readRecord(tree, KEY.member(peerId), memberRecord)?.seat
  const space = seat === undefined ? undefined : readRecord(tree, KEY.seatSpace(seat), spaceRecord)
  return space && { freeBytes: space[0], totalBytes: space[1], time: space[2] }
}

export function isDraining(tree: Tree, peerId: string): boolean {
  return castOf(tree).standing.some((seat) => seat.peerId === peerId && seat.draining)
}

/** @returns how many pins are allocated to a peer; also to one that was removed */
export function pinsHeldBy(tree: Tree, peerId: string): number {
  const seat = readRecord(tree, KEY.member(peerId), memberRecord)?.seat
  return seat === undefined ? 0 : (readRecord(tree, KEY.seatPins(seat), counterRecord) ?? 0)
}

/**
 * Whether a node should have its space agreed on again: when it has changed by a tenth of all, or come to an end.
 *
 * @param agreed - `undefined` before the first time
 */
export function isSpaceNews(
  agreed: Pick<Space, 'freeBytes' | 'totalBytes'> | undefined,
  now: Pick<Space, 'freeBytes' | 'totalBytes'>,
): boolean {
  if (agreed === undefined || agreed.totalBytes !== now.totalBytes) return true
  if ((agreed.freeBytes === 0) !== (now.freeBytes === 0)) return true
  return Math.abs(agreed.freeBytes - now.freeBytes) * 10 >= Math.max(1, now.totalBytes)
}

/** What pins refer to, read once for each tree. */
interface Cast {
  readonly standing: readonly Seat[]
  readonly usual: Replication
  readonly peers: Map<number, string>
}

const casts = new WeakMap<Tree, Cast>()

function castOf(tree: Tree): Cast {
  const known = casts.get(tree)
  if (known !== undefined) return known
  const standing = standingSeats(tree)
  const peers = new Map(standing.map(({ seat, peerId }) => [seat, peerId]))
  const cast = { standing, usual: defaultReplication(standing.filter(({ draining }) => !draining)), peers }
  casts.set(tree, cast)
  return cast
}

function resolved(tree: Tree, cid: string, { seats, owner, min, max, expires, ...rest }: PinRecord): AgreedPin {
  const { usual, peers } = castOf(tree)
  const peerOf = (seat: number): string => peers.get(seat) ?? named(tree, peers, seat)
  return {
    ...rest,
    ...replicationOf({ min, max }, usual),
    cid,
    asked: { min, max },
    allocations: seats.map(peerOf),
    expires,
    owner: typeof owner === 'string' ? owner : peerOf(owner),
  }
}

function named(tree: Tree, peers: Map<number, string>, seat: number): string {
  const peerId = readRecord(tree, KEY.seat(seat), textRecord)!
  peers.set(seat, peerId)
  return peerId
}
