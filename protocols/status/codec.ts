import { z } from 'zod'
import { defineCodec } from '../shared/codec.ts'
import { refused } from '../shared/fields.ts'
import { MAX_HEADS, MAX_STATUS_BYTES } from './constants.ts'

const status = z.strictObject({
  type: z.literal('status'),
  role: z.enum(['full', 'light', 'witness', 'relay']),
  cell: z.string().min(1).max(64),
  name: z.string().min(1).max(64),
  /** Of the software, for people. */
  version: z.string().min(1).max(64),
  protocolVersion: z.int().min(1).max(65_535),
  /** What the sender's planes have reached, by name: CIDs as text. */
  heads: z
    .record(z.string().min(1).max(32), z.string().max(128))
    .refine((heads) => Object.keys(heads).length <= MAX_HEADS, {
      error: 'too many heads',
    }),
  /** The sender's clock, Unix milliseconds. */
  time: z.int().nonnegative(),
})

const accepted = z.strictObject({ type: z.literal('accepted') })

export type PeerStatus = Omit<z.infer<typeof status>, 'type'>
export type StatusRefusal = Omit<z.infer<typeof refused>, 'type'>
export type StatusMessage = z.infer<typeof status> | z.infer<typeof refused> | z.infer<typeof accepted>

export const statusCodec = defineCodec<StatusMessage>(
  'status',
  MAX_STATUS_BYTES,
  z.discriminatedUnion('type', [status, refused, accepted]),
)
