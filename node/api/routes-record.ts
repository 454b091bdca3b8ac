import { z } from 'zod'
import type { ChangeDocument, MotionOptions } from '../operations.ts'
import { bytes, json, ndjson } from './answer.ts'
import { peer } from './pin-schema.ts'
import { BYTES_TYPE, NDJSON_TYPE, route } from './route.ts'

const nothing = z.strictObject({})
const height = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
const heightInQuery = z.coerce.number().pipe(height)
const oneEpoch = z.strictObject({ height: z.union([z.literal('latest'), heightInQuery]).default('latest') })
const exported = oneEpoch.extend({
  from: heightInQuery.optional().describe('Of a checkpoint that the way is to begin at'),
})

/** An operator's: names of cells, as certificates have them. */
const cell = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a-z, 0-9 and -; at most 32')
const ms = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
const change = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('operator-set'),
    name: z.string().min(1).max(64),
    cell,
    weight: z
      .number()
      .int()
      .min(1)
      .max(2 ** 33 - 1),
    members: z.array(peer).max(64).describe('Of an operator that is new; peer ids, or names where known'),
  }),
  z.strictObject({ type: z.literal('operator-remove'), cell }),
  z.strictObject({
    type: z.literal('policy-set'),
    policy: z
      .strictObject({
        epochMs: ms,
        idleEpochMs: ms,
        trustingMs: ms,
        collapseThreshold: z
          .number()
          .int()
          .min(1)
          .max(2 ** 30 - 1)
          .describe('I_c in units of 2⁻³⁰'),
        maxValidators: z.number().int().min(1).max(16).describe('Of one operator'),
        doubleVote: z.enum(['remove', 'note']),
      })
      .partial()
      .refine((policy) => Object.keys(policy).length > 0, 'give what is to change'),
  }),
])

/** The mesh's record: its epochs, and who decides them. */
export const RECORD_ROUTES = [
  route({
    method: 'GET',
    path: '/api/v1/epochs',
    policy: 'read',
    summary: 'Final epochs, newest first; with `from` from there upward.',
    params: z.strictObject({
      from: heightInQuery.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(20),
    }),
    produces: [NDJSON_TYPE],
    handle(call) {
      const { from, limit } = call.params
      return ndjson(call, call.operations.mesh.epochs({ limit, ...(from === undefined ? {} : { from }) }))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/epochs/show',
    policy: 'read',
    summary: 'One epoch with all that it says, the newest unless told.',
    params: oneEpoch,
    handle: async ({ operations, params }) => json(await operations.mesh.epoch(params.height)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/epochs/export',
    policy: 'read',
    summary: 'One epoch with all that a stranger needs to verify it, as `kairos epoch verify` takes it.',
    params: exported,
    produces: [BYTES_TYPE],
    async handle(call) {
      const { height, from } = call.params
      return bytes(call, whole(await call.operations.mesh.exportEpoch(height, from)), BYTES_TYPE)
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/validators',
    policy: 'read',
    summary: 'The operators with their weights, who of their nodes votes on epochs, and the policy.',
    params: nothing,
    handle: async ({ operations }) => json(await operations.mesh.validators()),
  }),
  route({
    method: 'GET',
    path: '/api/v1/motions',
    policy: 'read',
    summary: 'Changes of the operators or the policy that are voted on, or carried and not in effect yet.',
    params: nothing,
    handle: async ({ operations }) => json({ motions: await operations.mesh.motions() }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/motions/move',
    policy: 'admin',
    summary: 'Moves a change, and votes for it; answers when that is in an epoch.',
    params: z.strictObject({
      change,
      effectiveAt: height.optional().describe('Height from which it is to hold'),
      expiresIn: z.number().int().min(1).max(1_000_000).optional().describe('Epochs in which it may be carried'),
    }),
    handle: async ({ operations, params: { change, ...options } }) =>
      // A missing key and an undefined one are the same once they are JSON.
      json(await operations.mesh.move(change as ChangeDocument, options as MotionOptions)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/motions/vote',
    policy: 'admin',
    summary: 'Votes on a motion with the power of this validator; answers when the vote is in an epoch.',
    params: z.strictObject({
      motion: z
        .string()
        .regex(/^[0-9a-f]{1,64}$/, 'hexadecimal')
        .describe('Its id, or how that begins'),
      yes: z.boolean().default(true),
    }),
    handle: async ({ operations, params: { motion, yes } }) => json(await operations.mesh.vote(motion, yes)),
  }),
]

async function* whole(given: Uint8Array): AsyncIterable<Uint8Array> {
  yield given
}
