import type { Command } from './commands.ts'
import type { Draft } from './draft.ts'
import { MAX_SESSIONS, RECENCY_STEP, SESSION_WINDOW } from './limits.ts'
import { KEY, resultRecord, sessionRecord, sessionsRecord, textRecord, type Result } from './records.ts'

/**
 * Exactly once (Ongaro, "Consensus", §6.3). Each session has SESSION_WINDOW slots, and `sequence` names the slot that
 * keeps the result: a retried command finds it there. A slot that a later command has taken over makes an earlier one
 * stale, and nothing else does, so commands of one session may come in any order.
 *
 * @returns the result that is known without applying the command, `undefined` when it is to be applied
 */
export function knownResult(draft: Draft, { id, session }: Command): Result | undefined {
  const { client, opened, sequence } = session
  if (!draft.has(KEY.session(client))) return refusalToOpen(draft, opened)
  const kept = draft.get(slotOf(client, sequence), resultRecord)
  if (kept === undefined) return undefined
  const [, keptSequence, keptId, result] = kept
  if (keptSequence < sequence) return undefined
  if (keptSequence > sequence) return { ok: false, code: 'E_COMMAND_STALE' }
  return keptId === id ? result : { ok: false, code: 'E_COMMAND_ID' }
}

/** A session that was forgotten was opened before its last command, and so before `forgotten`: it never begins again. */
function refusalToOpen(draft: Draft, opened: number): Result | undefined {
  const { forgotten } = sessionsOf(draft)
  if (opened >= draft.index) return { ok: false, code: 'E_COMMAND_MALFORMED' }
  return opened < forgotten ? { ok: false, code: 'E_COMMAND_STALE' } : undefined
}

export function rememberResult(draft: Draft, { id, session }: Command, result: Result): void {
  const { client, sequence } = session
  noteUse(draft, client)
  draft.set(slotOf(client, sequence), resultRecord, [draft.index, sequence, id, result])
}

function noteUse(draft: Draft, client: string): void {
  const { index } = draft
  const stamp = draft.get(KEY.session(client), sessionRecord)
  if (stamp === undefined) makeRoom(draft)
  else if (index - stamp < RECENCY_STEP) return
  else draft.delete(KEY.sessionUse(stamp, client))
  draft.set(KEY.session(client), sessionRecord, index)
  draft.set(KEY.sessionUse(index, client), textRecord, client)
}

function makeRoom(draft: Draft): void {
  const { count, forgotten } = sessionsOf(draft)
  if (count < MAX_SESSIONS) draft.set(KEY.sessions, sessionsRecord, { count: count + 1, forgotten })
  else draft.set(KEY.sessions, sessionsRecord, { count, forgotten: Math.max(forgotten, forgetOldest(draft)) })
}

/** @returns the index of the last command of the session that it forgets */
function forgetOldest(draft: Draft): number {
  const [use] = draft.entries('session-use/')
  if (use === undefined) return 0
  const client = textRecord.decode(use[1])
  let last = 0
  for (const [key, value] of draft.entries(`${KEY.session(client)}/`)) {
    last = Math.max(last, resultRecord.decode(value)[0])
    draft.delete(key)
  }
  draft.delete(KEY.session(client))
  draft.delete(use[0])
  return last
}

function sessionsOf(draft: Draft): { count: number; forgotten: number } {
  return draft.get(KEY.sessions, sessionsRecord) ?? { count: 0, forgotten: 0 }
}

function slotOf(client: string, sequence: number): string {
  return KEY.result(client, sequence % SESSION_WINDOW)
}
