import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { MAX_FORGOTTEN_AT_ONCE, REDEMPTION_GRACE_MS } from './limits.ts'
import { removeMember } from './members.ts'
import {
  certificateRecord,
  KEY,
  memberRecord,
  revocationRecord,
  textRecord,
  ticketRecord,
  type Result,
} from './records.ts'

/**
 * Notes a certificate. With a ticket it is a redemption: one that the same subject made before gives the certificate of
 * then, whichever node it asks, and a ticket serves no more subjects than its uses.
 */
export function issueCertificate(draft: Draft, command: CommandOf<'certificate-issue'>): Result {
  const { subject, issuer, certificate, ticket } = command
  forgetTickets(draft)
  if (draft.has(KEY.revocation(subject)) || draft.has(KEY.revocation(issuer)))
    return { ok: false, code: 'E_CERT_REVOKED' }
  const known = ticket && redeem(draft, ticket, command)
  if (known !== undefined) return known
  draft.set(KEY.certificate(subject), certificateRecord, { certificate, issuer, issued: draft.time })
  return { ok: true, certificate }
}

/** @returns the result when nothing is to be issued any more */
function redeem(
  draft: Draft,
  { nonce, uses, expires }: NonNullable<CommandOf<'certificate-issue'>['ticket']>,
  { subject, issuer, certificate }: CommandOf<'certificate-issue'>,
): Result | undefined {
  const before = draft.get(KEY.redemption(nonce, subject), certificateRecord)
  if (before !== undefined) return { ok: true, certificate: before.certificate }
  if (expires <= draft.time) return { ok: false, code: 'E_TICKET_EXPIRED' }
  const ticket = draft.get(KEY.ticket(nonce), ticketRecord) ?? { nonce, used: 0, uses, expires }
  if (ticket.used >= ticket.uses) return { ok: false, code: 'E_TICKET_USED' }
  draft.set(KEY.ticket(nonce), ticketRecord, { ...ticket, used: ticket.used + 1 })
  draft.set(KEY.ticketEnd(ticket.expires, nonce), textRecord, KEY.ticket(nonce))
  draft.set(KEY.redemption(nonce, subject), certificateRecord, { certificate, issuer, issued: draft.time })
  return undefined
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

/** For good: the key of a revoked node is never certified again. With it go its name and its vote. */
export function revokeCertificate(draft: Draft, { peerId, by, reason }: CommandOf<'certificate-revoke'>): Result {
  if (draft.has(KEY.revocation(peerId))) return { ok: true }
  if (draft.get(KEY.member(peerId), memberRecord) !== undefined) {
    const removed = removeMember(draft, { peerId, reason })
    if (!removed.ok) return removed
  }
  draft.set(KEY.revocation(peerId), revocationRecord, { by, reason, time: draft.time })
  draft.delete(KEY.certificate(peerId))
  const name = draft.get(KEY.nameOf(peerId), textRecord)
  if (name === undefined) return { ok: true }
  draft.delete(KEY.name(name))
  draft.delete(KEY.nameOf(peerId))
  return { ok: true }
}
