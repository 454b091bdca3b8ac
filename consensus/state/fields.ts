import { z } from 'zod'

/** What the fields of commands are made of; all decided by the bytes alone. */
export const whole = z.int().min(0)

export const bytesOf = (min: number, max: number) =>
  z
    .instanceof(Uint8Array)
    .refine(({ byteLength }) => byteLength >= min && byteLength <= max, `must be ${min}–${max} bytes`)

export const text = (max: number) =>
  z
    .string()
    .max(max)
    // oxlint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'has control characters')
    .refine((value) => value.isWellFormed(), 'is not well-formed Unicode')

export const peerIdSchema = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{40,64}$/, 'must be a base58 peer id')
