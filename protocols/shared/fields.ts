import { z } from 'zod'

const CODE = /^E_[A-Z_]{1,60}$/

/** @param max - exactly `min` when absent */
export function bytes(min: number, max = min): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.byteLength >= min && value.byteLength <= max,
    { error: `not ${min === max ? min : `${min} to ${max}`} bytes` },
  )
}

/** Of an error, as a peer may be told it. */
export const errorCode = z.string().regex(CODE)

/** Why nothing more comes. */
export const refused = z.strictObject({ type: z.literal('refused'), code: errorCode, message: z.string().max(512) })

/** @returns the code, or E_INTERNAL in place of what is not of our making */
export function toldCode(code: string): string {
  return CODE.test(code) ? code : 'E_INTERNAL'
}
