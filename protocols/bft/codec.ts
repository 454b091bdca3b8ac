import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { bytes, refused } from '../shared/fields.ts'
import {
  DIGEST_BYTES,
  MAX_ATTESTATION_BYTES,
  MAX_DIGESTS,
  MAX_ENVELOPE_BYTES,
  MAX_FRAME_BYTES,
  MAX_GOVERNANCE_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PARTS,
  PART_BYTES,
  VALUE_BYTES,
} from './constants.ts'

const height = z.int().min(1)
const round = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
const value = bytes(VALUE_BYTES)

/** The engine's own, opaque here. */
const message = z.strictObject({ type: z.literal('message'), height, bytes: bytes(1, MAX_MESSAGE_BYTES) })

/** All parts but the last have PART_BYTES. */
const part = z
  .strictObject({
    type: z.literal('part'),
    height,
    round,
    value,
    index: z.int().min(0),
    total: z.int().min(1).max(MAX_PARTS),
    bytes: bytes(1, PART_BYTES),
  })
  .refine(
    ({ index, total, bytes }) => index === total - 1 || (index < total && bytes.byteLength === PART_BYTES),
    'no part of a block that is cut as the protocol cuts',
  )

const wantBlock = z.strictObject({ type: z.literal('want-block'), height, value })
const wantReports = z.strictObject({
  type: z.literal('want-reports'),
  epoch: z.int().min(0),
  digests: z.array(bytes(DIGEST_BYTES)).min(1).max(MAX_DIGESTS),
})
const reports = z.strictObject({
  type: z.literal('reports'),
  envelopes: z.array(bytes(1, MAX_ENVELOPE_BYTES)).max(MAX_DIGESTS),
})
const attestation = z.strictObject({ type: z.literal('attestation'), bytes: bytes(1, MAX_ATTESTATION_BYTES) })
const share = z.strictObject({ type: z.literal('attestation-share'), bytes: bytes(1, MAX_ATTESTATION_BYTES) })
const governance = z.strictObject({ type: z.literal('governance'), bytes: bytes(1, MAX_GOVERNANCE_BYTES) })

export type BftPart = z.infer<typeof part>
export type BftFrame =
  | z.infer<typeof message>
  | BftPart
  | z.infer<typeof wantBlock>
  | z.infer<typeof wantReports>
  | z.infer<typeof reports>
  | z.infer<typeof attestation>
  | z.infer<typeof share>
  | z.infer<typeof governance>
/** The only thing that comes back on a stream. */
export type BftRefusal = z.infer<typeof refused>

export const frameCodec = defineCodec<BftFrame>(
  'bft frame',
  MAX_FRAME_BYTES,
  z.discriminatedUnion('type', [message, part, wantBlock, wantReports, reports, attestation, share, governance]),
)
export const refusalCodec = defineCodec<BftRefusal>('bft refusal', 1_024, refused)

export const bftCodecs = [frameCodec, refusalCodec] as const
