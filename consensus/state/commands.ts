import { z } from 'zod'
import { defineCodec } from '../../protocols/shared/codec.ts'
import { bytesOf, peerIdSchema, text, whole } from './fields.ts'
import { MAX_CERTIFICATE_BYTES, MAX_COMMAND_BYTES, MAX_TICKET_USES } from './limits.ts'
import { PIN_COMMANDS } from './pin-commands.ts'

/**
 * The newest version of the commands that this release knows.
 *
 * Every replica must do the same with every entry, whatever its release. So `version` names the whole of types, fields
 * and rules: a release that adds or changes any of them writes the commands in question under the next number, and
 * commands that have not changed under the old one. Bytes that claim version 1 and are not a command of version 1 are
 * so for every release: all refuse them alike, and go on. Bytes of a version that a release does not know may mean
 * something to its neighbours: to refuse or to skip them would let the states drift apart, so that node stops until it
 * is updated. Texts are checked by rules that do not depend on the Unicode tables of the runtime, which differ between
 * versions of Node; rules of taste (printable names) are the proposer's.
 */
const COMMAND_VERSION = 2

export const incarnationSchema = bytesOf(16, 16)
export const certificateSchema = bytesOf(1, MAX_CERTIFICATE_BYTES)
export const nonceSchema = bytesOf(16, 16)
export const reasonSchema = text(256)
export const rootSchema = bytesOf(36, 36)
const part = z
  .int()
  .min(-(2 ** 30))
  .max(2 ** 30)
/** A complex number whose parts are Q1.30 integers. */
export const complexSchema = z.tuple([part, part])

/**
 * Who asks. `client` is made anew and at random by each process that proposes, `opened` is an index that it had applied
 * when it made it, `sequence` counts its commands from 1.
 */
const sessionSchema = z.strictObject({
  client: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  opened: whole,
  sequence: whole,
})

/** `id`: unique to the command, and the same when it is tried again. `time`: the proposer's, Unix milliseconds. */
const head = {
  v: z.literal(1),
  id: z.string().regex(/^[\x21-\x7e]{1,64}$/),
  session: sessionSchema,
  time: whole,
}

/**
 * `issuer`: who signed the ticket, not who redeems it; `expires`: its end, Unix milliseconds; the state machine's own time
 * decides.
 */
const ticketSchema = z.strictObject({
  issuer: peerIdSchema,
  nonce: nonceSchema,
  uses: z.int().min(1).max(MAX_TICKET_USES),
  expires: whole,
})

const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...head, type: z.literal('noop') }),
  z.strictObject({ ...head, type: z.literal('member-join'), peerId: peerIdSchema, incarnation: incarnationSchema }),
  z.strictObject({ ...head, type: z.literal('member-promoted'), raftId: z.int().min(1) }),
  z.strictObject({ ...head, type: z.literal('member-remove'), peerId: peerIdSchema, reason: reasonSchema }),
  z.strictObject({
    ...head,
    type: z.literal('certificate-issue'),
    ticket: ticketSchema,
    subject: peerIdSchema,
    issuer: peerIdSchema,
    certificate: certificateSchema,
    name: text(64).min(1),
  }),
  z.strictObject({
    ...head,
    type: z.literal('certificate-revoke'),
    peerId: peerIdSchema,
    by: peerIdSchema,
    reason: reasonSchema,
  }),
  z.strictObject({
    ...head,
    type: z.literal('label-set'),
    peerId: peerIdSchema,
    key: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
    value: text(1024).nullable(),
  }),
  z.strictObject({ ...head, ...PIN_COMMANDS.set }),
  z.strictObject({ ...head, ...PIN_COMMANDS.unset }),
  z.strictObject({ ...head, ...PIN_COMMANDS.replace }),
  z.strictObject({ ...head, ...PIN_COMMANDS.move }),
  z.strictObject({ ...head, ...PIN_COMMANDS.expire }),
  z.strictObject({ ...head, ...PIN_COMMANDS.space }),
  z.strictObject({ ...head, ...PIN_COMMANDS.drain }),
  z.strictObject({ ...head, type: z.literal('checkpoint'), index: whole, root: rootSchema }),
  z.strictObject({
    ...head,
    v: z.literal(2),
    type: z.literal('epoch-attest'),
    epoch: whole,
    t: complexSchema.nullable(),
  }),
  z.strictObject({ ...head, v: z.literal(2), type: z.literal('member-leaving'), peerId: peerIdSchema, until: whole }),
])

export type Command = z.infer<typeof commandSchema>
export type CommandOf<Type extends Command['type']> = Extract<Command, { type: Type }>

/** The first version that has the command: under which all releases since then write it. */
export function versionOf(type: Command['type']): Command['v'] {
  return type === 'epoch-attest' || type === 'member-leaving' ? 2 : 1
}

/** ≤ 64 KiB. @throws {CodedError} E_FRAME_TOO_LARGE | E_FRAME_MALFORMED | E_FRAME_SCHEMA */
export const commandCodec = defineCodec<Command>('cell command', MAX_COMMAND_BYTES, commandSchema)

export type Read = { readonly command: Command } | { readonly refused: 'E_COMMAND_MALFORMED' | 'E_COMMAND_VERSION' }

/** Never throws: what an entry holds is decided by its bytes alone. */
export function readCommand(data: Uint8Array): Read {
  try {
    return { command: commandCodec.decode(data) }
  } catch {
    return { refused: isOfLaterVersion(data) ? 'E_COMMAND_VERSION' : 'E_COMMAND_MALFORMED' }
  }
}

const timed = defineCodec('time of a command', MAX_COMMAND_BYTES, z.looseObject({ time: whole }))

/** Of a command of any version, Unix milliseconds; 0 when it has none: the state's time does not go back for it. */
export function timeOfCommand(data: Uint8Array): number {
  try {
    return timed.decode(data).time
  } catch {
    return 0
  }
}

const anyVersion = defineCodec('command of any version', MAX_COMMAND_BYTES, z.looseObject({ v: whole }))

function isOfLaterVersion(data: Uint8Array): boolean {
  try {
    return anyVersion.decode(data).v > COMMAND_VERSION
  } catch {
    return false
  }
}
