import type { Place } from './allocation.ts'
import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { spaceRecord } from './pin-records.ts'
import { readRecord } from './read-record.ts'
import { counterRecord, KEY, memberRecord, textRecord, type Result } from './records.ts'
import { entries, type Tree } from './tree.ts'

/** A standing member, voter or joining, as allocation sees it. */
export interface Seat extends Place {
  readonly peerId: string
  readonly draining: boolean
}

/** For good: pins name a member by its seat, also when it has been removed, and find it again when it comes back. */
export function takeSeat(draft: Draft, peerId: string): number {
  const seat = draft.get(KEY.nextSeat, counterRecord) ?? 0
  draft.set(KEY.nextSeat, counterRecord, seat + 1)
  draft.set(KEY.seat(seat), textRecord, peerId)
  return seat
}

/** @returns ascending by seat */
export function standingSeats(tree: Tree): Seat[] {
  const seats = [...entries(tree, { prefix: 'raft/' })].map(([, peerId]) => seatOf(tree, textRecord.decode(peerId)))
  return seats.sort((a, b) => a.seat - b.seat)
}

function seatOf(tree: Tree, peerId: string): Seat {
  const { seat, draining } = readRecord(tree, KEY.member(peerId), memberRecord)!
  const [freeBytes] = readRecord(tree, KEY.seatSpace(seat), spaceRecord) ?? []
  return {
    seat,
    peerId,
    draining: draining === true,
    // Who has no label shares neither a disk nor a host with anybody.
    domain: readRecord(tree, KEY.label(peerId, 'domain'), textRecord) ?? `/${peerId}`,
    region: readRecord(tree, KEY.label(peerId, 'region'), textRecord) ?? '',
    space: freeBytes?.toString(2).length ?? 0,
    pins: readRecord(tree, KEY.seatPins(seat), counterRecord) ?? 0,
  }
}

export function setSpace(draft: Draft, { peerId, freeBytes, totalBytes }: CommandOf<'space-set'>): Result {
  const member = draft.get(KEY.member(peerId), memberRecord)
  if (member === undefined || member.status === 'removed') return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  draft.set(KEY.seatSpace(member.seat), spaceRecord, [freeBytes, totalBytes, draft.time])
  return { ok: true }
}

export function drainMember(draft: Draft, { peerId, on }: CommandOf<'member-drain'>): Result {
  const member = draft.get(KEY.member(peerId), memberRecord)
  if (member === undefined || member.status === 'removed') return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  const { draining: _, ...rest } = member
  draft.set(KEY.member(peerId), memberRecord, on ? { ...rest, draining: true } : rest)
  return { ok: true }
}
