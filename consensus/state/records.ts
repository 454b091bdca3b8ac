import { z } from 'zod'
import { defineCodec, type Codec } from '../../protocols/shared/codec.ts'
import { certificateSchema, complexSchema, incarnationSchema, nonceSchema, reasonSchema } from './commands.ts'
import { peerIdSchema, whole } from './fields.ts'
import { MAX_VALUE_BYTES } from './limits.ts'

/** Version of the layout below; a state of another one is refused. */
export const STATE_FORMAT = 1

const record = <T>(name: string, schema: z.ZodType<T>): Codec<T> => defineCodec(name, MAX_VALUE_BYTES, schema)

/** Keys of the state. Numbers in them are padded, so that their order is the order of the keys. */
export const KEY = {
  format: 'meta/format',
  applied: 'meta/applied',
  configuration: 'meta/configuration',
  nextRaftId: 'meta/next-raft-id',
  sessions: 'meta/sessions',
  nextSeat: 'meta/next-seat',
  /** what the cell last said of itself to the mesh */
  attested: 'meta/attested',
  /** of all pins */
  pinCount: 'meta/pins',
  member: (peerId: string) => `member/${peerId}`,
  /** peer id of a member as UTF-8; gone as soon as the member is to leave the configuration */
  raft: (id: number) => `raft/${padded(id)}`,
  certificate: (subject: string) => `cert/${subject}`,
  revocation: (peerId: string) => `revoked/${peerId}`,
  ticket: (nonce: Uint8Array) => `ticket/${hex(nonce)}`,
  redemption: (nonce: Uint8Array, subject: string) => `ticket/${hex(nonce)}/${subject}`,
  ticketEnd: (time: number, nonce: Uint8Array) => `ticket-end/${padded(time)}/${hex(nonce)}`,
  /** Escaped, since keys are ASCII. */
  name: (name: string) => `name/${encodeURIComponent(name)}`,
  nameOf: (peerId: string) => `named/${peerId}`,
  label: (peerId: string, key: string) => `label/${peerId}/${key}`,
  pin: (cid: string) => `pin/${cid}`,
  /** peer id of whoever has the seat, for good */
  seat: (seat: number) => `seat/${padded(seat)}`,
  /** how many pins are allocated to it */
  seatPins: (seat: number) => `seat-pins/${padded(seat)}`,
  seatSpace: (seat: number) => `seat-space/${padded(seat)}`,
  session: (client: string) => `session/${client}`,
  sessionUse: (index: number, client: string) => `session-use/${padded(index)}/${client}`,
  result: (client: string, slot: number) => `session/${client}/${String(slot).padStart(4, '0')}`,
} as const

/** The greatest whole number has 16 digits. */
function padded(value: number): string {
  return String(value).padStart(16, '0')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** `time`: the latest that any command up to there has told, Unix milliseconds. */
export interface AppliedMark {
  readonly index: number
  readonly term: number
  readonly time: number
}

const ids = z.array(z.int().min(1))
export const formatRecord = record('state format', whole)
export const textRecord = record('state text', z.string())
export const counterRecord = record('state counter', whole)
/** [index, term, time]: a list, since every command writes it, and maps take four times as long. */
export const appliedRecord = record('state applied', z.tuple([whole, whole, whole]))
export const configurationRecord = record(
  'state configuration',
  z.strictObject({ voters: ids, learners: ids, votersOutgoing: ids, learnersNext: ids }),
)

/**
 * A member of the cell, or one that was. `seat`: small number under which the pins name it, the same for all
 * incarnations of the peer, never another's; `joining` until it has caught up, then `voter`; `since`: time of the last
 * change, Unix milliseconds; `draining`: gets no copies; `leaving`: the mesh is told before that epoch that the cell does
 * without it; `reason`: of the removal.
 */
export const memberRecord = record(
  'state member',
  z.strictObject({
    id: z.int().min(1),
    seat: whole,
    incarnation: incarnationSchema,
    status: z.enum(['joining', 'voter', 'removed']),
    since: whole,
    draining: z.literal(true).exactOptional(),
    leaving: whole.exactOptional(),
    reason: reasonSchema.exactOptional(),
  }),
)
export type MemberRecord = ReturnType<typeof memberRecord.decode>

export const certificateRecord = record(
  'state certificate',
  z.strictObject({ certificate: certificateSchema, issuer: peerIdSchema, issued: whole }),
)
export type CertificateRecord = ReturnType<typeof certificateRecord.decode>

export const revocationRecord = record(
  'state revocation',
  z.strictObject({ by: peerIdSchema, reason: reasonSchema, time: whole }),
)
export type RevocationRecord = ReturnType<typeof revocationRecord.decode>

/** `epoch`: whose T_cell `t` is, Q1.30; null when no member reported. `index`: of the entry. */
export const attestedRecord = record(
  'state attested',
  z.strictObject({ epoch: whole, index: whole, t: complexSchema.nullable() }),
)
export type AttestedRecord = ReturnType<typeof attestedRecord.decode>

/** `used`: by how many subjects, of `uses`. */
export const ticketRecord = record(
  'state ticket',
  z.strictObject({ nonce: nonceSchema, used: whole, uses: whole, expires: whole }),
)

/**
 * What became of a command. Of a refusal, branch on `code`; `at`: which pin of the command it is about, from 0; with
 * E_PIN_SHORT, `wants`: the copies that it must have at least, `has`: the failure domains that there are for them.
 */
export type Result =
  | { readonly ok: true; readonly raftId?: number; readonly certificate?: Uint8Array }
  | { readonly ok: false; readonly code: string; readonly at?: number; readonly wants?: number; readonly has?: number }

const resultSchema: z.ZodType<Result> = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    raftId: z.int().exactOptional(),
    certificate: certificateSchema.exactOptional(),
  }),
  z.strictObject({
    ok: z.literal(false),
    code: z.string(),
    at: whole.exactOptional(),
    wants: whole.exactOptional(),
    has: whole.exactOptional(),
  }),
])

/** An index at which the session was in use, at most RECENCY_STEP behind its last. */
export const sessionRecord = record('state session', whole)
/** `forgotten`: no session opened before this index may begin any more. */
export const sessionsRecord = record('state sessions', z.strictObject({ count: whole, forgotten: whole }))
/** [index, sequence, id, result] */
export const resultRecord = record('state result', z.tuple([whole, whole, z.string(), resultSchema]))
