import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { bytes, refused } from '../shared/fields.ts'
import {
  DIGEST_BYTES,
  MAX_ANSWER_BYTES,
  MAX_BLOCKS,
  MAX_MULTIHASH_BYTES,
  MAX_REQUEST_BYTES,
  MAX_ROWS,
  SALT_BYTES,
} from './constants.ts'

const multihash = bytes(3, MAX_MULTIHASH_BYTES)
const cid = z.string().min(1).max(128)

const challenge = z.strictObject({
  type: z.literal('challenge'),
  /** CID as text, as it is agreed on. */
  pin: cid,
  salt: bytes(SALT_BYTES),
  blocks: z.array(multihash).min(1).max(MAX_BLOCKS),
})
const resultsRequest = z.strictObject({
  type: z.literal('results'),
  /** `next` of the page before, 0 for the first. */
  after: z.int().min(0),
})

/** [cid, peer id of the copy, whether it was proven, milliseconds ago]: no clock but the reader's is needed. */
const row = z.tuple([cid, z.string().min(1).max(64), z.boolean(), z.int().min(0)])
const results = z.strictObject({
  type: z.literal('results'),
  rows: z.array(row).max(MAX_ROWS),
  next: z.int().min(0),
})
const proof = z.strictObject({ type: z.literal('proof'), digest: bytes(DIGEST_BYTES) })
const missing = z.strictObject({ type: z.literal('missing'), block: multihash })
const unclaimed = z.strictObject({ type: z.literal('unclaimed') })

export type Challenge = Omit<z.infer<typeof challenge>, 'type'>
export type Results = Omit<z.infer<typeof results>, 'type'>
export type Row = z.infer<typeof row>
export type AuditRequest = z.infer<typeof challenge> | z.infer<typeof resultsRequest>
/** What a challenge is answered with. */
export type ProofAnswer = z.infer<typeof proof> | z.infer<typeof missing> | z.infer<typeof unclaimed>
export type AuditAnswer = ProofAnswer | z.infer<typeof results> | z.infer<typeof refused>

export const requestCodec = defineCodec<AuditRequest>(
  'audit request',
  MAX_REQUEST_BYTES,
  z.discriminatedUnion('type', [challenge, resultsRequest]),
)
export const answerCodec = defineCodec<AuditAnswer>(
  'audit answer',
  MAX_ANSWER_BYTES,
  z.discriminatedUnion('type', [proof, missing, unclaimed, results, refused]),
)

export const auditCodecs = [requestCodec, answerCodec] as const
