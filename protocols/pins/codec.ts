import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { failed } from '../shared/fields.ts'
import { MAX_ANSWER_BYTES, MAX_REQUEST_BYTES, PIN_OPS } from './constants.ts'

const request = z.strictObject({ op: z.enum(PIN_OPS), args: z.array(z.json()).max(4) })
const done = z.strictObject({ type: z.literal('done'), document: z.json() })

export type PinOp = (typeof PIN_OPS)[number]
export type PinsRequest = z.infer<typeof request>
export type PinsAnswer = z.infer<typeof done> | z.infer<typeof failed>

export const pinsRequestCodec = defineCodec<PinsRequest>('pins request', MAX_REQUEST_BYTES, request)
export const pinsAnswerCodec = defineCodec<PinsAnswer>(
  'pins answer',
  MAX_ANSWER_BYTES,
  z.discriminatedUnion('type', [done, failed]),
)

export const pinsCodecs = [pinsRequestCodec, pinsAnswerCodec] as const
