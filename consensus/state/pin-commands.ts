import { z } from 'zod'
import { peerIdSchema, text, whole } from './fields.ts'
import {
  MAX_EXPIRED_AT_ONCE,
  MAX_MEMBERS,
  MAX_METADATA_BYTES,
  MAX_METADATA_KEYS,
  MAX_ORIGINS,
  MAX_ORIGINS_CHARS,
  MAX_PINS_AT_ONCE,
} from './limits.ts'
import { isPinCid } from './pin-cid.ts'

/** Of a pin: as many copies as there are members, and one more for each that joins. */
export const EVERYWHERE = -1

export const pinCidSchema = z.string().refine(isPinCid, 'must be a CID, version 0 or version 1 in base32')
/** 1–64 copies, or EVERYWHERE. */
export const copiesSchema = z
  .int()
  .min(EVERYWHERE)
  .max(MAX_MEMBERS)
  .refine((value) => value !== 0, 'must not be 0')
export const metadataSchema = z
  .record(text(64).min(1), text(MAX_METADATA_BYTES))
  .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA_KEYS, `has over ${MAX_METADATA_KEYS} keys`)
  .refine((metadata) => bytesIn(metadata) <= MAX_METADATA_BYTES, `has over ${MAX_METADATA_BYTES} bytes`)
/** As text; whether they are multiaddresses is for whoever proposes and dials them. */
export const originsSchema = z
  .array(z.string().regex(/^\/[\x21-\x7e]{1,255}$/, 'must be a multiaddress'))
  .max(MAX_ORIGINS)
  .refine((origins) => origins.join('').length <= MAX_ORIGINS_CHARS, `has over ${MAX_ORIGINS_CHARS} characters`)
export const pinNameSchema = text(255)
export const pinModeSchema = z.enum(['recursive', 'direct'])
export const prioritySchema = z.int().min(0).max(9)

function bytesIn(metadata: Record<string, string>): number {
  return Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
}

/**
 * What is asked of one pin. What is absent stays as the pin has it, or becomes the default: no name, recursive, min 2
 * and max 3 copies or what the cell has for as long as it has less, no end, priority 0.
 *
 * `min`, `max`: copies, failure domains count once towards min; `allocations`: peer ids that come first; `expires`:
 * Unix milliseconds, null for never; `owner`: peer id of the node that was asked; `created`: for a pin that is brought
 * over from elsewhere, and never later than the state's time.
 */
export const pinSpecSchema = z
  .strictObject({
    cid: pinCidSchema,
    name: pinNameSchema.exactOptional(),
    mode: pinModeSchema.exactOptional(),
    min: copiesSchema.exactOptional(),
    max: copiesSchema.exactOptional(),
    allocations: z.array(peerIdSchema).max(MAX_MEMBERS).exactOptional(),
    expires: whole.nullable().exactOptional(),
    metadata: metadataSchema.exactOptional(),
    origins: originsSchema.exactOptional(),
    owner: peerIdSchema,
    priority: prioritySchema.exactOptional(),
    created: whole.exactOptional(),
  })
  .refine(({ min, max }) => min === undefined || max === undefined || isAtMost(min, max), 'has min over max')
export type PinSpec = z.infer<typeof pinSpecSchema>

function isAtMost(min: number, max: number): boolean {
  return max === EVERYWHERE || (min !== EVERYWHERE && min <= max)
}

const somePeers = z.array(peerIdSchema).max(MAX_MEMBERS)

/** Fields of the commands of the pinset, without what all commands have. */
export const PIN_COMMANDS = {
  /** All or nothing. */
  set: { type: z.literal('pin-set'), pins: z.array(pinSpecSchema).min(1).max(MAX_PINS_AT_ONCE) },
  unset: { type: z.literal('pin-unset'), cid: pinCidSchema },
  /** Pins `to` with the options of `from`, and unpins that unless `keep`. */
  replace: {
    type: z.literal('pin-replace'),
    from: pinCidSchema,
    to: pinCidSchema,
    keep: z.boolean(),
    owner: peerIdSchema,
  },
  /** `revision`: of the pin that the move was planned for. */
  move: { type: z.literal('pin-move'), cid: pinCidSchema, revision: whole, add: somePeers, drop: somePeers },
  /** Of these, the ones whose end has come by the time of the state. */
  expire: { type: z.literal('pins-expire'), cids: z.array(pinCidSchema).min(1).max(MAX_EXPIRED_AT_ONCE) },
  space: { type: z.literal('space-set'), peerId: peerIdSchema, freeBytes: whole, totalBytes: whole },
  /** Who is drained gets no copies any more, and keeps those that it has until repair has moved them. */
  drain: { type: z.literal('member-drain'), peerId: peerIdSchema, on: z.boolean() },
} as const
