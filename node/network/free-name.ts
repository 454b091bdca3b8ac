import { refuse, type Member } from '../../protocols/admission/index.ts'

/**
 * The joiner chooses its name, and people know others by theirs: nobody may pass for somebody else.
 *
 * @throws {CodedError} E_NAME_TAKEN
 */
export function requireFree(name: string, subject: string, holders: Pick<Member, 'peerId' | 'name'>[]): void {
  const taken = holders.some((holder) => holder.peerId !== subject && folded(holder.name) === folded(name))
  if (taken) throw refuse('E_NAME_TAKEN')
}

/** Names that differ in case, width or outer spaces look the same in a table. */
export function folded(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}
