import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { dropLabels } from './labels.ts'
import { MAX_MEMBERS } from './limits.ts'
import { configurationRecord, counterRecord, KEY, memberRecord, textRecord, type Result } from './records.ts'
import { takeSeat } from './seats.ts'

/**
 * Gives a peer's incarnation a raft id of its own, never given before. An id of an earlier incarnation of the peer is
 * given up with it: a node that lost its log must not vote under the id that it voted under.
 */
export function joinMember(draft: Draft, { peerId, incarnation }: CommandOf<'member-join'>): Result {
  if (draft.has(KEY.revocation(peerId))) return { ok: false, code: 'E_CERT_REVOKED' }
  const earlier = draft.get(KEY.member(peerId), memberRecord)
  if (earlier !== undefined && Buffer.compare(earlier.incarnation, incarnation) === 0)
    return earlier.status === 'removed' ? { ok: false, code: 'E_MEMBER_REMOVED' } : { ok: true, raftId: earlier.id }
  if (earlier !== undefined && isLastVoter(draft, earlier)) return { ok: false, code: 'E_MEMBER_LAST' }
  const others = [...draft.entries('raft/')].filter(([, holder]) => textRecord.decode(holder) !== peerId)
  if (others.length >= MAX_MEMBERS) return { ok: false, code: 'E_CELL_FULL' }
  if (earlier !== undefined) draft.delete(KEY.raft(earlier.id))
  const id = draft.get(KEY.nextRaftId, counterRecord) ?? 1
  const status = draft.get(KEY.configuration, configurationRecord)?.voters.includes(id) === true ? 'voter' : 'joining'
  draft.set(KEY.nextRaftId, counterRecord, id + 1)
  draft.set(KEY.raft(id), textRecord, peerId)
  const seat = earlier?.seat ?? takeSeat(draft, peerId)
  const isDrained = earlier?.status !== 'removed' && earlier?.draining === true
  const drained = isDrained ? { draining: true as const } : {}
  draft.set(KEY.member(peerId), memberRecord, { id, seat, incarnation, status, since: draft.time, ...drained })
  return { ok: true, raftId: id }
}

/** It has caught up and votes: that the configuration says so decides, not who tells it. */
export function promoteMember(draft: Draft, { raftId }: CommandOf<'member-promoted'>): Result {
  const peerId = draft.get(KEY.raft(raftId), textRecord)
  const member = peerId === undefined ? undefined : draft.get(KEY.member(peerId), memberRecord)
  if (peerId === undefined || member === undefined) return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  const configuration = draft.get(KEY.configuration, configurationRecord)
  if (configuration?.voters.includes(raftId) !== true) return { ok: false, code: 'E_MEMBER_JOINING' }
  if (member.status === 'joining')
    draft.set(KEY.member(peerId), memberRecord, { ...member, status: 'voter', since: draft.time })
  return { ok: true, raftId }
}

/**
 * The record stays, so that the same incarnation never comes back; so does its seat in the pins that are allocated to
 * it, until repair moves them: a removal is one short command however many they are.
 */
export function removeMember(
  draft: Draft,
  { peerId, reason }: Pick<CommandOf<'member-remove'>, 'peerId' | 'reason'>,
): Result {
  const member = draft.get(KEY.member(peerId), memberRecord)
  if (member === undefined) return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  if (member.status === 'removed') return { ok: true, raftId: member.id }
  if (isLastVoter(draft, member)) return { ok: false, code: 'E_MEMBER_LAST' }
  draft.delete(KEY.raft(member.id))
  dropLabels(draft, peerId)
  draft.set(KEY.member(peerId), memberRecord, { ...member, status: 'removed', since: draft.time, reason })
  return { ok: true, raftId: member.id }
}

/**
 * It votes and signs as before, but what the cell says of itself in epochs before `until` is without it: so that the
 * mesh's record does not need it any more when it goes.
 */
export function leaveMember(draft: Draft, { peerId, until }: CommandOf<'member-leaving'>): Result {
  const member = draft.get(KEY.member(peerId), memberRecord)
  if (member === undefined || member.status === 'removed') return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  draft.set(KEY.member(peerId), memberRecord, { ...member, leaving: until })
  return { ok: true }
}

/** Without a voter nothing is ever decided again. */
function isLastVoter(draft: Draft, { id, status }: { id: number; status: string }): boolean {
  if (status !== 'voter') return false
  for (const [key, peerId] of draft.entries('raft/'))
    if (key !== KEY.raft(id) && isVoter(draft, textRecord.decode(peerId))) return false
  return true
}

function isVoter(draft: Draft, peerId: string): boolean {
  return draft.get(KEY.member(peerId), memberRecord)?.status === 'voter'
}
