import type { Ed25519PrivateKey } from '@libp2p/interface'
import { encode } from '@ipld/dag-cbor'
import { base32 } from 'multiformats/bases/base32'
import { sign, verify } from '../shared/signature.ts'
import { ticketCodec } from './codec.ts'
import { MAX_TICKET_BYTES, TICKET_DOMAIN, TICKET_PREFIX } from './constants.ts'
import { strictKeyFrom } from './keys.ts'
import { refuse } from './refusals.ts'
import type { Ticket } from './types.ts'

/** Five bits a character. */
const MAX_TICKET_CHARS = TICKET_PREFIX.length + Math.ceil((MAX_TICKET_BYTES * 8) / 5)

/** Signs what it is given; `Membership.invite` checks that the issuer has it to give. */
export async function issueTicket(key: Ed25519PrivateKey, body: Omit<Ticket, 'signature'>): Promise<Ticket> {
  return { ...body, signature: await sign(key, TICKET_DOMAIN, encode(body)) }
}

/** @returns `kairos1` and the ticket's bytes in lower-case base32, at most 8 KiB of text */
export function formatTicket(ticket: Ticket): string {
  return TICKET_PREFIX + base32.baseEncode(ticketCodec.encode(ticket))
}

/**
 * Reads what a person pasted. The issuer's signature is also the checksum; whether the issuer is
 * anybody in the mesh shows only when its chain meets the genesis.
 *
 * @throws {CodedError} E_TICKET_ALTERED
 */
export function parseTicket(text: string): Ticket {
  const trimmed = text.length > 2 * MAX_TICKET_CHARS ? '' : text.trim()
  if (trimmed.length > MAX_TICKET_CHARS || !trimmed.startsWith(TICKET_PREFIX)) throw refuse('E_TICKET_ALTERED')
  return decodeTicket(fromBase32(trimmed.slice(TICKET_PREFIX.length)))
}

/** @throws {CodedError} E_TICKET_ALTERED when the bytes are not exactly what their issuer signed */
export function decodeTicket(bytes: Uint8Array): Ticket {
  const ticket = orAltered(() => ticketCodec.decode(bytes))
  const { signature, ...body } = ticket
  const genuine = orAltered(() => verify(strictKeyFrom(body.issuer), TICKET_DOMAIN, encode(body), signature))
  if (!genuine) throw refuse('E_TICKET_ALTERED')
  return ticket
}

/** One spelling a ticket: the decoder alone would also take capitals and padding. */
function fromBase32(text: string): Uint8Array {
  const bytes = orAltered(() => base32.baseDecode(text))
  if (base32.baseEncode(bytes) !== text) throw refuse('E_TICKET_ALTERED')
  return bytes
}

function orAltered<T>(read: () => T): T {
  try {
    return read()
  } catch {
    throw refuse('E_TICKET_ALTERED')
  }
}
