import type { Certificate, Ticket } from '../../protocols/admission/index.ts'

/** What the cell has agreed on, as far as admission asks: it counts more than what a node knows alone. */
export interface CellRecord {
  isRevoked(peerId: string): boolean
  /** The one that the cell committed for this key last. */
  certificateOf(peerId: string): Certificate | undefined
  /** Whether the cell committed just this certificate: one of an issuer that was revoked counts only then. */
  isCommitted(certificate: Certificate): boolean
  /**
   * Commits a certificate for a ticket's use.
   *
   * @param name - folded, as nobody else may have it
   * @returns the one that counts: the first that was committed for this ticket and key
   * @throws {CodedError} E_TICKET_USED, E_TICKET_EXPIRED, E_TICKET_RIGHTS, E_NAME_TAKEN, E_CERT_REVOKED, E_ADMISSION_UNAVAILABLE
   */
  issue(ticket: Ticket, certificate: Certificate, name: string): Promise<Certificate>
}
