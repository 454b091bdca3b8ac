import { CID } from 'multiformats/cid'
import type { Configuration, DesiredMember } from '../../consensus/cell/index.ts'
import {
  certificateOf,
  memberOf,
  members,
  revocationOf,
  root,
  type CellMember,
  type Tree,
} from '../../consensus/state/index.ts'
import { certificateCodec, refuse, type Certificate, type Ticket } from '../../protocols/admission/index.ts'
import { codeOf } from '../../protocols/shared/errors.ts'
import type { CellRecord } from '../network/cell-record.ts'
import type { Commands } from './commands.ts'

/** Within the handshake's own limit of 10 s. */
const REDEEM_TIMEOUT_MS = 6_000
/** Refusals of the state machine that admission knows. */
const TICKET_CODES = new Set([
  'E_TICKET_USED',
  'E_TICKET_EXPIRED',
  'E_TICKET_RIGHTS',
  'E_NAME_TAKEN',
  'E_CERT_REVOKED',
] as const)

/** What admission asks of the cell's agreed state. */
export function cellRecord(tree: () => Tree, commands: Commands, issuer: string): CellRecord {
  const committedFor = (peerId: string): Uint8Array | undefined => certificateOf(tree(), peerId)?.certificate
  return {
    isRevoked: (peerId) => revocationOf(tree(), peerId) !== undefined,
    certificateOf(peerId) {
      const committed = committedFor(peerId)
      return committed && certificateCodec.decode(committed)
    },
    isCommitted(certificate) {
      const committed = committedFor(certificate.subject)
      return committed !== undefined && Buffer.from(certificateCodec.encode(certificate)).equals(committed)
    },
    async issue(ticket, certificate, name) {
      try {
        return await commit(commands, { ticket, certificate, issuer, name })
      } catch (error) {
        const code = codeOf(error)
        throw refuse(isTicketCode(code) ? code : 'E_ADMISSION_UNAVAILABLE')
      }
    },
  }
}

async function commit(
  commands: Commands,
  { ticket, certificate, issuer, name }: { ticket: Ticket; certificate: Certificate; issuer: string; name: string },
): Promise<Certificate> {
  const { certificate: committed } = await commands.submit(
    {
      type: 'certificate-issue',
      ticket: { issuer: ticket.issuer, nonce: ticket.nonce, uses: ticket.uses, expires: ticket.expires },
      subject: certificate.subject,
      issuer,
      certificate: certificateCodec.encode(certificate),
      name,
    },
    REDEEM_TIMEOUT_MS,
  )
  return committed === undefined ? certificate : certificateCodec.decode(committed)
}

type TicketCode = typeof TICKET_CODES extends Set<infer Code> ? Code : never

function isTicketCode(code: string): code is TicketCode {
  return TICKET_CODES.has(code as TicketCode)
}

/** Those who are or become members; who was removed has no part in it any more. */
export function standing(tree: Tree): (CellMember & { status: 'joining' | 'voter' })[] {
  return [...members(tree)].filter(
    (member): member is CellMember & { status: 'joining' | 'voter' } => member.status !== 'removed',
  )
}

/** Whom messages are for: those who stand, and those who were removed until the configuration is without them. */
export function addressees(tree: Tree, configuration: Configuration): CellMember[] {
  return [...members(tree)].filter(({ id, status }) => status !== 'removed' || counts(configuration, id))
}

/**
 * The least raft id that a peer may speak as: an id that was removed has no say once the configuration is without it,
 * another incarnation of the peer gets a greater one.
 */
export function leastId(tree: Tree, configuration: Configuration, peerId: string): number {
  const member = memberOf(tree, peerId)
  if (member === undefined) return 0
  return member.status === 'removed' && !counts(configuration, member.id) ? member.id + 1 : member.id
}

function counts({ voters, learners, votersOutgoing, learnersNext }: Configuration, id: number): boolean {
  return [voters, learners, votersOutgoing, learnersNext].some((ids) => ids.includes(id))
}

export function hasVote({ voters, votersOutgoing }: Configuration, id: number): boolean {
  return voters.includes(id) || votersOutgoing.includes(id)
}

/** As its committed certificate has it; empty for whoever came in without one. */
export function certifiedName(tree: Tree, peerId: string): string {
  const committed = certificateOf(tree, peerId)?.certificate
  return committed === undefined ? '' : certificateCodec.decode(committed).name
}

/** Who is to be in the configuration, and who is in it though nobody holds the id any more. */
export function desiredMembers(tree: Tree, configuration: Configuration | undefined): DesiredMember[] {
  const held = standing(tree)
  // Before its founder has joined, a cell has no member, and the founder's vote.
  if (held.length === 0) return []
  const { voters = [], learners = [] } = configuration ?? {}
  const gone = [...voters, ...learners].filter((id) => !held.some((member) => member.id === id))
  return [...held.map(({ id }) => ({ id, isRemoved: false })), ...gone.map((id) => ({ id, isRemoved: true }))]
}

export function rootOf(tree: Tree): string {
  return CID.asCID(root(tree))!.toString()
}
