import type { Draft } from './draft.ts'
import { KEY, textRecord } from './records.ts'

/** One name for each peer, one peer for each name; a new name frees the old one. @returns whether it is the peer's now */
export function takeName(draft: Draft, name: string, peerId: string): boolean {
  const holder = draft.get(KEY.name(name), textRecord)
  if (holder !== undefined) return holder === peerId
  freeName(draft, peerId)
  draft.set(KEY.name(name), textRecord, peerId)
  draft.set(KEY.nameOf(peerId), textRecord, name)
  return true
}

export function freeName(draft: Draft, peerId: string): void {
  const name = draft.get(KEY.nameOf(peerId), textRecord)
  if (name === undefined) return
  draft.delete(KEY.name(name))
  draft.delete(KEY.nameOf(peerId))
}
