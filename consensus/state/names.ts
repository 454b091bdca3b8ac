import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { KEY, textRecord, type Result } from './records.ts'

/** One name for each peer, one peer for each name; a new name frees the old one. */
export function setName(draft: Draft, { name, peerId }: CommandOf<'name-set'>): Result {
  if (draft.has(KEY.revocation(peerId))) return { ok: false, code: 'E_CERT_REVOKED' }
  const holder = draft.get(KEY.name(name), textRecord)
  if (holder === peerId) return { ok: true }
  if (holder !== undefined) return { ok: false, code: 'E_NAME_TAKEN' }
  const earlier = draft.get(KEY.nameOf(peerId), textRecord)
  if (earlier !== undefined) draft.delete(KEY.name(earlier))
  draft.set(KEY.name(name), textRecord, peerId)
  draft.set(KEY.nameOf(peerId), textRecord, name)
  return { ok: true }
}

export function setLabel(draft: Draft, { peerId, key, value }: CommandOf<'label-set'>): Result {
  if (value === null) draft.delete(KEY.label(peerId, key))
  else draft.set(KEY.label(peerId, key), textRecord, value)
  return { ok: true }
}
