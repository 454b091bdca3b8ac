import { CodedError } from '../shared/errors.ts'

export interface Refusal {
  /** What was wrong, true for both sides. */
  message: string
  /** What the refused side can do. */
  hint: string
  /** What the refusing side can do. */
  refuserHint: string
}

const NEW_TICKET = 'ask a member of the mesh for a new ticket (`kairos invite`) and `kairos join` with it'
const THEIR_TICKET = 'if the peer belongs here, give it a new ticket (`kairos invite`)'
const ATTACK = 'nothing to do, unless the peer is one of yours: then its files are damaged or forged'
const UPDATE = 'run the same release of kairos on both nodes'

const refusal = (message: string, hint: string, refuserHint: string): Refusal => ({ message, hint, refuserHint })

/** Every code with which admission refuses (spec.md, "Refusals"). */
export const REFUSALS = {
  E_MESH_MISMATCH: refusal(
    'the two nodes belong to different meshes',
    'check the address, or join the other mesh with a ticket of it',
    'the peer dials the wrong address or uses another genesis',
  ),
  E_VERSION_UNSUPPORTED: refusal('the two nodes speak different versions of admission', UPDATE, UPDATE),
  E_CERT_MISSING: refusal('the node is neither a founder nor shows a certificate or ticket', NEW_TICKET, THEIR_TICKET),
  E_CERT_REVOKED: refusal(
    "the node's membership was taken back, or its certificate comes from a node whose was",
    'ask the operator of the cell; another key needs another ticket',
    'nothing to do: `kairos members` shows who belongs here',
  ),
  E_CERT_EXPIRED: refusal('a certificate in the chain has expired', NEW_TICKET, THEIR_TICKET),
  E_CERT_SIGNATURE: refusal('a certificate was altered or not signed by its issuer', NEW_TICKET, ATTACK),
  E_CERT_DEPTH: refusal(
    'the certificate chain is longer than 4',
    'ask a node nearer to a founder for a ticket',
    'invite the peer from a node nearer to a founder',
  ),
  E_CERT_CROSSES_CELLS: refusal(
    'a certificate was issued for a cell that its issuer may not issue for',
    'ask a full node of your own cell for a ticket',
    ATTACK,
  ),
  E_CERT_NOT_FROM_GENESIS: refusal(
    'the certificate chain does not start at a founder of this mesh',
    NEW_TICKET,
    ATTACK,
  ),
  E_CERT_RIGHTS: refusal('a certificate gives more than its issuer has', 'ask a node that has the right', ATTACK),
  E_CERT_SUBJECT: refusal(
    'the certificate belongs to another key',
    'use the key that the certificate was issued for, or join again with this one',
    ATTACK,
  ),
  E_KEY_WEAK: refusal(
    'the key is not a strictly valid ed25519 key',
    'make a new identity with `kairos init`; only ed25519 keys are admitted',
    'nothing to do: such keys are never admitted',
  ),
  E_TICKET_USED: refusal('the ticket has been used up', NEW_TICKET, THEIR_TICKET),
  E_TICKET_EXPIRED: refusal('the ticket has expired', NEW_TICKET, THEIR_TICKET),
  E_TICKET_MESH: refusal(
    'the ticket is for another mesh',
    'use a ticket of this mesh',
    'the peer holds a ticket of another mesh',
  ),
  E_TICKET_ALTERED: refusal(
    'the ticket is damaged or was altered',
    'copy the whole ticket again, from `kairos1` to its last character',
    ATTACK,
  ),
  E_TICKET_RIGHTS: refusal(
    'the ticket gives more than its issuer has',
    'ask a node that has the right for a ticket',
    'only a full node with the right `issue` invites, for its own cell; a new cell needs the right `found`',
  ),
  E_TICKET_NOT_ISSUER: refusal(
    'only the node that signed a ticket redeems it, or a full node of its cell that may give the same',
    'dial the issuer that the ticket names, or such a node of its cell',
    'the ticket is for its issuer, and for full nodes of its cell that may give the same',
  ),
  E_NAME_TAKEN: refusal(
    'another node of the mesh has this name',
    'choose another one: `kairos join TICKET --name NAME`; the ticket is not used up',
    'nothing to do: the peer can join under another name',
  ),
  E_ADMISSION_TIMEOUT: refusal(
    'the admission exchange took too long',
    'check that the other node is alive and reachable, then try again',
    'nothing to do, unless honest peers are cut: then the network or this machine is overloaded',
  ),
  E_ADMISSION_MALFORMED: refusal('the other node does not speak the admission exchange', UPDATE, UPDATE),
  E_ADMISSION_UNAVAILABLE: refusal(
    'the node cannot admit at the moment',
    'try again later: the ticket is not lost',
    "see this node's log: its own storage failed, or it keeps as many redeemed tickets as it may",
  ),
} as const satisfies Record<string, Refusal>

export type RefusalCode = keyof typeof REFUSALS

/** An error of our own check, before it is known which side reads it. */
export function refuse(code: RefusalCode, detail?: string): CodedError {
  const { message, hint } = REFUSALS[code]
  return new CodedError(code, detail === undefined ? message : `${message}: ${detail}`, { hint })
}

const UNKNOWN = refusal('the other node refused for a reason that this release does not know', UPDATE, UPDATE)
const BY_PEER = 'the peer refused this node'
const BY_US = 'this node refused the peer'
// The upgrader of libp2p rethrows only the message, so code and side must stand in it.
const MARKED = new RegExp(`\\[(E_[A-Z0-9_]+)\\] (${BY_PEER}|${BY_US}): ([^\\n]*)`)

/** The error that an encrypter throws: survives libp2p's rewrapping, `refusalFrom` reads it back. */
export function refusalError(code: string, side: 'local' | 'remote', detail?: string, cause?: unknown): CodedError {
  const { message, hint, refuserHint } = lookUp(code)
  const by = side === 'local' ? BY_US : BY_PEER
  const text = `[${code}] ${by}: ${detail ?? message}`
  return new CodedError(code, text, { hint: side === 'local' ? refuserHint : hint, cause })
}

/**
 * @param error - whatever a dial threw, AggregateErrors and causes included
 * @returns the refusal with its code, message and hint for this side; undefined when there was none
 */
export function refusalFrom(error: unknown, depth = 0): CodedError | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined
  const [, code, by, message] = MARKED.exec(error.message) ?? []
  if (code !== undefined && by !== undefined) {
    const { hint, refuserHint } = lookUp(code)
    return new CodedError(code, `${by}: ${message}`, { hint: by === BY_US ? refuserHint : hint, cause: error })
  }
  const inner = error instanceof AggregateError ? [...error.errors, error.cause] : [error.cause]
  for (const each of inner) {
    const found = refusalFrom(each, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function lookUp(code: string): Refusal {
  return Object.hasOwn(REFUSALS, code) ? REFUSALS[code as RefusalCode] : UNKNOWN
}
