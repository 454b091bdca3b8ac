import { z } from 'zod'
import { defineCodec, type Codec } from '../shared/codec.ts'
import {
  MAX_ADDRESS_CHARS,
  MAX_CERTIFICATE_BYTES,
  MAX_DECODED_CHAIN,
  MAX_FOUNDERS_PER_OPERATOR,
  MAX_GENESIS_BYTES,
  MAX_HELLO_BYTES,
  MAX_OPERATORS,
  MAX_TICKET_ADDRESSES,
  MAX_TICKET_BYTES,
  MAX_TICKET_USES,
  MAX_TOTAL_WEIGHT,
  MAX_WELCOME_BYTES,
  TICKET_NONCE_BYTES,
} from './constants.ts'
import { SIGNATURE_BYTES } from '../shared/signature.ts'
import type { Certificate, Founder, Genesis, Hello, Ticket } from './types.ts'

const exactly = (length: number) =>
  z.instanceof(Uint8Array).refine((bytes) => bytes.byteLength === length, `must be ${length} bytes`)

/** Shown to people everywhere: no control, format or line characters. */
export const nameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'has unprintable characters')
export const cellSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1–32 of a–z, 0–9 and -')
export const roleSchema = z.enum(['full', 'light', 'witness', 'relay'])
export const rightsSchema = z
  .array(z.enum(['issue', 'found']))
  .max(2)
  .refine(isSet, 'names a right twice')

/** Base58 of an ed25519 peer id; whether it is one, and a strict key, `strictKeyOf` decides. */
const peerIdSchema = z.string().min(40).max(64)
const meshIdSchema = z.string().min(50).max(72)
const timeSchema = z.int().min(0)

const certificateSchema = z.strictObject({
  mesh: meshIdSchema,
  subject: peerIdSchema,
  name: nameSchema,
  cell: cellSchema,
  role: roleSchema,
  rights: rightsSchema,
  issuer: peerIdSchema,
  issued: timeSchema,
  expires: timeSchema.exactOptional(),
  signature: exactly(SIGNATURE_BYTES),
}) satisfies z.ZodType<Certificate>

const chainSchema = z.array(certificateSchema).max(MAX_DECODED_CHAIN)

const ticketSchema = z.strictObject({
  mesh: meshIdSchema,
  issuer: peerIdSchema,
  cell: cellSchema,
  role: roleSchema,
  rights: rightsSchema,
  expires: timeSchema,
  uses: z.int().min(1).max(MAX_TICKET_USES),
  nonce: exactly(TICKET_NONCE_BYTES),
  addresses: z.array(z.string().min(1).max(MAX_ADDRESS_CHARS)).max(MAX_TICKET_ADDRESSES),
  chain: chainSchema,
  signature: exactly(SIGNATURE_BYTES),
}) satisfies z.ZodType<Ticket>

/** An entry comes from somebody's file; further keys in it are nobody's business. */
export const foundersSchema = z.array(
  z.object({ peerId: peerIdSchema, name: nameSchema, role: roleSchema, cell: cellSchema }),
) satisfies z.ZodType<Founder[]>

export const genesisSchema = z.strictObject({
  version: z.literal(1),
  name: nameSchema,
  created: timeSchema,
  open: z.boolean(),
  omega: z.number().positive(),
  collapseThreshold: z.number().gt(0).lt(1),
  epochMs: z.int().min(1).max(86_400_000),
  operators: z
    .array(
      z.strictObject({
        name: nameSchema,
        cell: cellSchema,
        weight: z.int().min(1).lt(MAX_TOTAL_WEIGHT),
        founders: z
          .array(z.strictObject({ peerId: peerIdSchema, name: nameSchema, role: roleSchema }))
          .min(1)
          .max(MAX_FOUNDERS_PER_OPERATOR),
      }),
    )
    .min(1)
    .max(MAX_OPERATORS),
}) satisfies z.ZodType<Genesis>

// Unknown keys are dropped, not refused: a hello of a later version must still reach the version check.
const helloSchema = z.object({
  mesh: meshIdSchema,
  version: z.int().min(1),
  name: nameSchema,
  chain: chainSchema.exactOptional(),
  ticket: z.instanceof(Uint8Array).exactOptional(),
  welcome: z.strictObject({ certificate: chainSchema, genesis: genesisSchema }).exactOptional(),
}) satisfies z.ZodType<Hello>

/** One frame of the exchange. A refusal carries its code and nothing else: the refused is a stranger. */
export type AdmissionMessage = { hello: Hello } | { accepted: true } | { refused: string }

const messageSchema: z.ZodType<AdmissionMessage> = z.union([
  z.strictObject({ hello: helloSchema }),
  z.strictObject({ accepted: z.literal(true) }),
  z.strictObject({ refused: z.string().regex(/^E_[A-Z0-9_]{1,40}$/) }),
])

export const certificateCodec = defineCodec<Certificate>('certificate', MAX_CERTIFICATE_BYTES, certificateSchema)
/** A member's own certificate with those above it, as it is kept on disk. */
export const chainCodec = defineCodec<Certificate[]>('certificate chain', MAX_HELLO_BYTES, chainSchema)
export const ticketCodec = defineCodec<Ticket>('ticket', MAX_TICKET_BYTES, ticketSchema)
export const genesisCodec = defineCodec<Genesis>('genesis', MAX_GENESIS_BYTES, genesisSchema)
export const messageCodec = defineCodec<AdmissionMessage>('admission message', MAX_HELLO_BYTES, messageSchema)
/** The same messages, read from a node whose ticket this one holds. */
export const welcomeCodec = defineCodec<AdmissionMessage>('admission welcome', MAX_WELCOME_BYTES, messageSchema)

/** For the registry of decoders that are fuzzed. */
export const admissionCodecs: readonly Codec<never>[] = [
  certificateCodec,
  chainCodec,
  ticketCodec,
  genesisCodec,
  messageCodec,
  welcomeCodec,
] as unknown as readonly Codec<never>[]

function isSet(values: string[]): boolean {
  return new Set(values).size === values.length
}
