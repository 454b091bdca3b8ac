import { z } from 'zod'
import { defineCodec, type Codec } from '../../protocols/shared/codec.ts'
import { peerIdSchema, whole } from './fields.ts'
import { MAX_VALUE_BYTES } from './limits.ts'
import {
  copiesSchema,
  metadataSchema,
  originsSchema,
  pinModeSchema,
  pinNameSchema,
  prioritySchema,
} from './pin-commands.ts'

/** A pin as it is agreed on. */
export interface PinRecord {
  /** index of the entry that last changed it */
  readonly revision: number
  /** Unix milliseconds */
  readonly created: number
  /** seat, or the peer id of one that has none */
  readonly owner: number | string
  /** who is to hold a copy; a seat whose member was removed stays until repair moves the copy */
  readonly seats: readonly number[]
  readonly name: string
  readonly mode: z.infer<typeof pinModeSchema>
  /** absent: the cell's default */
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** Unix milliseconds */
  readonly expires?: number | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly origins: readonly string[]
  readonly priority: number
}

/** What is not the default, under short names: there may be a million of these. */
const wireOptions = z.strictObject({
  n: pinNameSchema.exactOptional(),
  d: z.literal(true).exactOptional(),
  l: copiesSchema.exactOptional(),
  h: copiesSchema.exactOptional(),
  e: whole.exactOptional(),
  m: metadataSchema.exactOptional(),
  o: originsSchema.exactOptional(),
  p: prioritySchema.exactOptional(),
})
/** [revision, created, owner, seats, options] */
const wire = defineCodec(
  'state pin',
  MAX_VALUE_BYTES,
  z.tuple([whole, whole, z.union([whole, peerIdSchema]), z.array(whole), wireOptions]),
)

export const pinRecord: Codec<PinRecord> = {
  name: wire.name,
  maxBytes: wire.maxBytes,
  encode: (pin) => wire.encode([pin.revision, pin.created, pin.owner, [...pin.seats], optionsOf(pin)]),
  decode: (bytes) => {
    const [revision, created, owner, seats, { n, d, l, h, e, m, o, p }] = wire.decode(bytes)
    return {
      revision,
      created,
      owner,
      seats,
      name: n ?? '',
      mode: d === true ? 'direct' : 'recursive',
      ...(l !== undefined && { min: l }),
      ...(h !== undefined && { max: h }),
      ...(e !== undefined && { expires: e }),
      metadata: m ?? {},
      origins: o ?? [],
      priority: p ?? 0,
    }
  },
}

function optionsOf(pin: PinRecord): z.infer<typeof wireOptions> {
  return {
    ...(pin.name !== '' && { n: pin.name }),
    ...(pin.mode === 'direct' && { d: true as const }),
    ...(pin.min !== undefined && { l: pin.min }),
    ...(pin.max !== undefined && { h: pin.max }),
    ...(pin.expires !== undefined && { e: pin.expires }),
    ...(Object.keys(pin.metadata).length > 0 && { m: { ...pin.metadata } }),
    ...(pin.origins.length > 0 && { o: [...pin.origins] }),
    ...(pin.priority !== 0 && { p: pin.priority }),
  }
}

/** [free bytes, all bytes, Unix milliseconds of the report] */
export const spaceRecord = defineCodec('state space', MAX_VALUE_BYTES, z.tuple([whole, whole, whole]))
