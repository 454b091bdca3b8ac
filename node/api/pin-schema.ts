import { z } from 'zod'

/** Bounds of what a caller may send; what the state takes of it is for the cell to say. */
export const cidPath = z.string().min(1).max(4096).describe('CID[/path]')
export const peer = z.string().min(1).max(128).describe('Peer id or name')
export const pinName = z.string().max(255)
export const copies = z
  .number()
  .int()
  .min(-1)
  .max(64)
  .refine((count) => count !== 0, 'give 1 or more, or -1 for every member')
  .describe('Copies; -1 for every member')
export const mode = z.enum(['recursive', 'direct'])
export const priority = z.number().int().min(0).max(9).describe('Higher is fetched first')
export const allocations = z.array(peer).max(64).describe('To hold it, before all others')
export const metadata = z
  .record(z.string().min(1).max(64), z.string().max(1024))
  .refine((given) => Object.keys(given).length <= 16, 'at most 16 keys')
const origins = z.array(z.string().startsWith('/').max(256)).max(8).describe('Multiaddresses of peers that have it')
const expiresInSeconds = z.number().int().min(1).max(3_155_760_000).describe('From now; at most 100 years')
const waitTimeoutMs = z.number().int().min(1).max(2_147_483_647)

export const replication = { replicationMin: copies.optional(), replicationMax: copies.optional() }

export const pinOptions = {
  name: pinName.optional(),
  mode: mode.optional(),
  ...replication,
  allocations: allocations.optional(),
  expiresInSeconds: expiresInSeconds.optional(),
  metadata: metadata.optional(),
  origins: origins.optional(),
  priority: priority.optional(),
}

export const wait = z.strictObject({
  copies: z.number().int().min(1).max(64).optional().describe('All allocations unless told'),
  timeoutMs: waitTimeoutMs.optional(),
})

interface Replication {
  replicationMin?: number | undefined
  replicationMax?: number | undefined
}

/** For a schema with both: min above max is a mistake that no cell is needed to see. */
export const replicationOrder = [
  ({ replicationMin: min, replicationMax: max }: Replication) =>
    min === undefined || max === undefined || max === -1 || (min !== -1 && min <= max),
  { path: ['replicationMin'] as string[], error: 'is above replicationMax' },
] as const

/** Of one line of `state export`. */
export const exportRow = z
  .strictObject({
    cid: z.string().min(1).max(256),
    name: pinName.optional(),
    mode: mode.optional(),
    ...replication,
    allocations: allocations.optional(),
    expires: z.iso.datetime({ offset: true }).nullable().optional(),
    metadata: metadata.optional(),
    origins: origins.optional(),
    priority: priority.optional(),
    created: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(...replicationOrder)

/** A list in a query: parts between commas. */
export function inQuery<T extends z.ZodType>(schema: T) {
  return z.preprocess(
    (given) => (typeof given === 'string' ? given.split(',').filter((part) => part !== '') : given),
    schema,
  )
}

/** An object in a query: JSON. */
export function jsonInQuery<T extends z.ZodType>(schema: T) {
  return z.preprocess((given, context) => {
    try {
      return typeof given === 'string' ? JSON.parse(given) : given
    } catch {
      context.addIssue({ code: 'custom', message: 'give a JSON object' })
      return z.NEVER
    }
  }, schema)
}

/** A number in a query. */
export function numberInQuery<T extends z.ZodType>(schema: T) {
  return z.preprocess((given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given), schema)
}
