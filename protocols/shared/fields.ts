import { z } from 'zod'
import { CodedError } from './errors.ts'

const CODE = /^E_[A-Z_]{1,60}$/
const MAX_REFUSAL_CHARS = 512
const MAX_ERROR_CHARS = 1024

/** @param max - exactly `min` when absent */
export function bytes(min: number, max = min): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.byteLength >= min && value.byteLength <= max,
    { error: `not ${min === max ? min : `${min} to ${max}`} bytes` },
  )
}

/** Of an error, as a peer may be told it. */
const errorCode = z.string().regex(CODE)

/** Why nothing more comes. */
export const refused = z.strictObject({
  type: z.literal('refused'),
  code: errorCode,
  message: z.string().max(MAX_REFUSAL_CHARS),
})

/** An error in place of an answer, for a person to read. */
export const failed = z.strictObject({
  type: z.literal('error'),
  code: errorCode,
  message: z.string().max(MAX_ERROR_CHARS),
  hint: z.string().max(MAX_ERROR_CHARS).optional(),
})

export function refusalOf(error: unknown): z.infer<typeof refused> {
  const { code, message } = told(error)
  return { type: 'refused', code, message: message.slice(0, MAX_REFUSAL_CHARS) }
}

export function failureOf(error: unknown): z.infer<typeof failed> {
  const { code, message, hint } = told(error)
  const failure = { type: 'error', code, message: message.slice(0, MAX_ERROR_CHARS) } as const
  return hint === undefined ? failure : { ...failure, hint: hint.slice(0, MAX_ERROR_CHARS) }
}

/** What a peer may know: of an error that is not of our making, only that there was one. */
function told(error: unknown): { code: string; message: string; hint?: string | undefined } {
  const isOurs = error instanceof CodedError && CODE.test(error.code)
  return isOurs ? error : { code: 'E_INTERNAL', message: 'the node failed' }
}
