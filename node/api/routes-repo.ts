import { z } from 'zod'
import type { PinRewrite } from '../operations.ts'
import { json, ndjson } from './answer.ts'
import { readPinLines } from './pin-lines.ts'
import { allocations, inQuery, numberInQuery, replication, replicationOrder } from './pin-schema.ts'
import { NDJSON_TYPE, route } from './route.ts'

const nothing = z.strictObject({})

/** The block store of this node, and the pinset as a file. */
export const REPO_ROUTES = [
  route({
    method: 'GET',
    path: '/api/v1/repo',
    policy: 'read',
    summary: 'What the block store of this node holds, and may hold.',
    params: nothing,
    handle: async ({ operations }) => json(await operations.repo.stat()),
  }),
  route({
    method: 'POST',
    path: '/api/v1/repo/gc',
    policy: 'admin',
    summary: 'Removes the blocks that nothing holds, while reads and writes go on.',
    params: nothing,
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.repo.gc(call.signal)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/repo/verify',
    policy: 'admin',
    summary: 'Checks every block of this node against its hash; `repair` fetches from others what is damaged.',
    params: z.strictObject({ repair: z.boolean().default(false) }),
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.repo.verify({ repair: call.params.repair }, call.signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/state/export',
    policy: 'read',
    summary: 'Every pin, oldest first, one per line.',
    params: nothing,
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.pins.export(call.signal)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/state/import',
    policy: 'admin',
    summary: 'Pins what the lines of an export name. A line that is none is a row of its own, and the rest goes on.',
    params: z
      .strictObject({
        replicationMin: numberInQuery(replication.replicationMin),
        replicationMax: numberInQuery(replication.replicationMax),
        allocations: inQuery(allocations)
          .optional()
          .describe('In place of all that the lines name, between commas; empty: allocated anew'),
      })
      .refine(...replicationOrder),
    accepts: [NDJSON_TYPE],
    produces: [NDJSON_TYPE],
    handle: (call) => {
      const rewrite = call.params as PinRewrite
      return ndjson(call, call.operations.pins.import(readPinLines(call.upload()), rewrite, call.signal))
    },
  }),
]
