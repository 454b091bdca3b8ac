import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { MAX_LABELS } from './limits.ts'
import { KEY, memberRecord, textRecord, type Result } from './records.ts'

/** Only members have labels, so that their number has an end. */
export function setLabel(draft: Draft, { peerId, key, value }: CommandOf<'label-set'>): Result {
  const member = draft.get(KEY.member(peerId), memberRecord)
  if (member === undefined || member.status === 'removed') return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  const label = KEY.label(peerId, key)
  if (value === null) draft.delete(label)
  else if (!draft.has(label) && labels(draft, peerId).length >= MAX_LABELS) return { ok: false, code: 'E_LABELS_FULL' }
  else draft.set(label, textRecord, value)
  return { ok: true }
}

export function dropLabels(draft: Draft, peerId: string): void {
  for (const key of labels(draft, peerId)) draft.delete(key)
}

function labels(draft: Draft, peerId: string): string[] {
  return [...draft.entries(KEY.label(peerId, ''))].map(([key]) => key)
}
