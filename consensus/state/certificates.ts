import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { MAX_FORGOTTEN_AT_ONCE, REDEMPTION_GRACE_MS } from './limits.ts'
import { removeMember } from './members.ts'
import { freeName, takeName } from './names.ts'
import {
  certificateRecord,
  KEY,
  memberRecord,
  revocationRecord,
  textRecord,
  ticketRecord,
  type Result,
} from './records.ts'

type Ticket = CommandOf<'certificate-issue'>['ticket']

/**
 * Notes a certificate and the name in it. With a ticket it is a redemption: one that the same subject made before gives
 * the certificate of then, whichever node it asks, and a ticket serves no more subjects than its uses. Whoever has no
 * use of a ticket left takes no name, and whose name is taken spends no use. The tickets of a node end with its membership.
 */
export function issueCertificate(draft: Draft, command: CommandOf<'certificate-issue'>): Result {
  const { subject, issuer, certificate, ticket, name } = command
  forgetTickets(draft)
  if (draft.has(KEY.revocation(subject)) || draft.has(KEY.revocation(issuer)))
    return { ok: false, code: 'E_CERT_REVOKED' }
  const known = redeemed(draft, ticket, subject)
  if (known !== undefined) return known
  if (draft.has(KEY.revocation(ticket.issuer))) return { ok: false, code: 'E_TICKET_RIGHTS' }
  if (!takeName(draft, name, subject)) return { ok: false, code: 'E_NAME_TAKEN' }
  const record = { certificate, issuer, issued: draft.time }
  spend(draft, ticket)
  draft.set(KEY.redemption(ticket.nonce, subject), certificateRecord, record)
  draft.set(KEY.certificate(subject), certificateRecord, record)
  return { ok: true, certificate }
}

/** @returns the result when nothing is to be issued any more */
function redeemed(draft: Draft, ticket: Ticket, subject: string): Result | undefined {
  const before = draft.get(KEY.redemption(ticket.nonce, subject), certificateRecord)
  if (before !== undefined) return { ok: true, certificate: before.certificate }
  if (ticket.expires <= draft.time) return { ok: false, code: 'E_TICKET_EXPIRED' }
  const { used, uses } = usesOf(draft, ticket)
  return used < uses ? undefined : { ok: false, code: 'E_TICKET_USED' }
}

function spend(draft: Draft, ticket: Ticket): void {
  const { nonce } = ticket
  const before = usesOf(draft, ticket)
  draft.set(KEY.ticket(nonce), ticketRecord, { ...before, used: before.used + 1 })
  draft.set(KEY.ticketEnd(before.expires, nonce), textRecord, KEY.ticket(nonce))
}

/** What the first redemption told of the ticket counts. */
function usesOf(draft: Draft, ticket: Ticket) {
  const { nonce, uses, expires } = ticket
  return draft.get(KEY.ticket(nonce), ticketRecord) ?? { nonce, uses, expires, used: 0 }
}

/** Time never goes back, so a ticket that is forgotten stays void. */
function forgetTickets(draft: Draft): void {
  let left = MAX_FORGOTTEN_AT_ONCE
  for (const [end, bytes] of draft.entries('ticket-end/')) {
    if (Number(end.split('/')[1]) + REDEMPTION_GRACE_MS > draft.time) return
    const ticket = textRecord.decode(bytes)
    for (const [key] of draft.entries(`${ticket}/`)) {
      if (left-- === 0) return
      draft.delete(key)
    }
    draft.delete(ticket)
    draft.delete(end)
  }
}

/** For good: the key of a revoked node is never certified again. With it go its name, its labels and its vote. */
export function revokeCertificate(draft: Draft, { peerId, by, reason }: CommandOf<'certificate-revoke'>): Result {
  if (draft.has(KEY.revocation(peerId))) return { ok: true }
  if (draft.get(KEY.member(peerId), memberRecord) !== undefined) {
    const removed = removeMember(draft, { peerId, reason })
    if (!removed.ok) return removed
  }
  draft.set(KEY.revocation(peerId), revocationRecord, { by, reason, time: draft.time })
  draft.delete(KEY.certificate(peerId))
  freeName(draft, peerId)
  return { ok: true }
}
