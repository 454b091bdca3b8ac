import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { bytes, refused } from '../shared/fields.ts'
import {
  MAX_ANSWER_BYTES,
  MAX_BLOCK_BYTES,
  MAX_CERTIFICATE_BYTES,
  MAX_RANGE,
  MAX_REQUEST_BYTES,
  MAX_STATE_BYTES,
  MAX_VALUE_BYTES,
} from './constants.ts'

const height = z.int().min(1)

const request = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('head') }),
  z.strictObject({ type: z.literal('range'), from: height, count: z.int().min(1).max(MAX_RANGE) }),
  z.strictObject({ type: z.literal('follow'), from: height }),
  z.strictObject({ type: z.literal('state'), height }),
])

/** `value`: CID of the last final header, of the genesis at 0. `lowest`: of the first that is kept, height + 1 for none. */
const head = z.strictObject({
  type: z.literal('head'),
  height: z.int().min(0),
  value: bytes(1, MAX_VALUE_BYTES),
  lowest: height,
})
const epoch = z.strictObject({
  type: z.literal('epoch'),
  height,
  block: bytes(1, MAX_BLOCK_BYTES),
  certificate: bytes(1, MAX_CERTIFICATE_BYTES),
})

const answer = z.discriminatedUnion('type', [
  head,
  epoch,
  z.strictObject({ type: z.literal('state'), height, bytes: bytes(1, MAX_STATE_BYTES) }),
  /** of a range: nothing was cut off */
  z.strictObject({ type: z.literal('end') }),
  refused,
])

export type SyncRequest = z.infer<typeof request>
export type SyncAnswer = z.infer<typeof answer>

export const requestCodec = defineCodec<SyncRequest>('sync request', MAX_REQUEST_BYTES, request)
export const answerCodec = defineCodec<SyncAnswer>('sync answer', MAX_ANSWER_BYTES, answer)

export const syncCodecs = [requestCodec, answerCodec] as const
