import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { failed } from '../shared/fields.ts'
import { MAX_REQUEST_BYTES, MAX_ROW_BYTES, MAX_ROWS } from './constants.ts'

const value = z.union([z.string().max(256), z.number(), z.boolean(), z.null()])

const request = z.strictObject({
  /** Chosen by the asker, for its and the other's logs. */
  id: z.string().max(64).optional(),
  /** Any name: that it is unknown is said in an answer, not by a reset. */
  what: z.string().regex(/^[a-z][a-z-]{0,31}$/),
  params: z
    .record(z.string().max(32), value)
    .refine((params) => Object.keys(params).length <= 16, { error: 'too many parameters' }),
})

const row = z.strictObject({ type: z.literal('row'), row: z.json() })
const end = z.strictObject({ type: z.literal('end'), rows: z.int().min(0).max(MAX_ROWS) })

export type QueryRequest = z.infer<typeof request>
export type QueryParams = QueryRequest['params']
export type QueryFrame = z.infer<typeof row> | z.infer<typeof end> | z.infer<typeof failed>

export const requestCodec = defineCodec<QueryRequest>('query request', MAX_REQUEST_BYTES, request)
export const frameCodec = defineCodec<QueryFrame>(
  'query answer',
  MAX_ROW_BYTES,
  z.discriminatedUnion('type', [row, end, failed]),
)

export const queryCodecs = [requestCodec, frameCodec] as const
