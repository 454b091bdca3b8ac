import { z } from 'zod'
import type { PinFilter, PinOptions, PinPage, PinStatus, PinWait } from '../operations.ts'
import { STATUSES } from '../pins/statuses.ts'
import { json, ndjson } from './answer.ts'
import {
  cidPath,
  inQuery,
  jsonInQuery,
  metadata,
  mode,
  numberInQuery,
  peer,
  pinName,
  pinOptions,
  replicationOrder,
  wait,
} from './pin-schema.ts'
import { JSON_TYPE, NDJSON_TYPE, route } from './route.ts'

const path = cidPath
const local = z.stringbool().default(false).describe('At this node alone')
const onlyHere = z.boolean().optional().describe('Of a light node: on that node alone, and not in its cell')

const page = {
  limit: numberInQuery(z.number().int().min(1).max(1000).default(100)),
  after: z.string().min(1).max(1024).optional().describe('`next` of the page before'),
  order: z.enum(['cid', 'name', 'created']).optional(),
}
const filter = {
  name: pinName.optional().describe('Names that begin with this'),
  metadata: jsonInQuery(metadata).optional().describe('All of these; a JSON object'),
  mode: mode.optional(),
  allocatedTo: peer.optional(),
  createdAfter: z.iso.datetime({ offset: true }).optional(),
  createdBefore: z.iso.datetime({ offset: true }).optional(),
}

/** The pinset that was agreed on, and what is observed of it. */
export const PIN_ROUTES = [
  route({
    method: 'GET',
    path: '/api/v1/pins',
    policy: 'read',
    summary: 'One page of the pins that were agreed on.',
    params: z.strictObject({ ...filter, local: local.describe('What this node keeps itself'), ...page }),
    handle: async ({ operations, params, signal }) => {
      const { limit, after, order, local, ...filter } = params
      const wanted = local ? { ...filter, local } : filter
      return json(await operations.pins.list(wanted as PinFilter, pageOf({ limit, after, order }), signal))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/pins/get',
    policy: 'read',
    summary: 'One pin, as it was agreed on.',
    params: z.strictObject({ path }),
    handle: async ({ operations, params, signal }) => json(await operations.pins.get(params.path, signal)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/pins/add',
    policy: 'admin',
    summary: 'Agrees on a pin. With `wait` a stream of its status, whenever that changes, until the copies are held.',
    params: z.strictObject({ path, ...pinOptions, local: onlyHere, wait: wait.optional() }).refine(...replicationOrder),
    produces: [JSON_TYPE, NDJSON_TYPE],
    async handle(call) {
      const { path, wait, ...given } = call.params
      const { pins } = call.operations
      // A missing key and an undefined one are the same once they are JSON.
      const options = given as PinOptions
      if (wait === undefined) return json(await pins.add(path, options, call.signal))
      return ndjson(call, pins.addAndWait(path, options, wait as PinWait, call.signal))
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/pins/rm',
    policy: 'admin',
    summary: 'Agrees that something is pinned no more.',
    params: z.strictObject({ path }),
    handle: async ({ operations, params, signal }) => json(await operations.pins.remove(params.path, signal)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/pins/update',
    policy: 'admin',
    summary: 'Pins `to` as `from` is pinned, and unpins `from` in the same step unless `keep`.',
    params: z.strictObject({ from: path, to: path, keep: z.boolean().default(false) }),
    handle: async ({ operations, params: { from, to, keep }, signal }) =>
      json(await operations.pins.update(from, to, { keep }, signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/pins/status',
    policy: 'read',
    summary: 'What is observed of one pin at every node that is to hold it.',
    params: z.strictObject({ path, local }),
    handle: async ({ operations, params: { path, local }, signal }) =>
      json(await operations.pins.status(path, { local }, signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/pins/statuses',
    policy: 'read',
    summary: 'What is observed of one page of pins.',
    params: z.strictObject({
      ...filter,
      statuses: inQuery(z.array(z.enum(STATUSES)))
        .optional()
        .describe('With a copy in one of these; between commas'),
      local,
      ...page,
    }),
    handle: async ({ operations, params, signal }) => {
      const { limit, after, order, local, ...filter } = params
      const page = { ...pageOf({ limit, after, order }), local }
      return json(await operations.pins.statuses(filter as PinFilter & { statuses?: PinStatus[] }, page, signal))
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/pins/recover',
    policy: 'admin',
    summary: 'Tries again at once what failed, of one pin or of all.',
    params: z.strictObject({ path: path.optional(), local: z.boolean().default(false) }),
    handle: async ({ operations, params: { path, local }, signal }) =>
      json(await operations.pins.recover(path, { local }, signal)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/pins/verify',
    policy: 'admin',
    summary: 'Reads every block of a pin here and checks its hash; `repair` fetches what is damaged or missing.',
    params: z.strictObject({ path, repair: z.boolean().default(false) }),
    produces: [NDJSON_TYPE],
    handle: (call) => {
      const { path, repair } = call.params
      return ndjson(call, call.operations.pins.verify(path, { repair }, call.signal))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/pins/plan',
    policy: 'read',
    summary: 'What repair and rebalance would move now; nothing is changed.',
    params: z.strictObject({}),
    handle: async ({ operations }) => json(await operations.pins.plan()),
  }),
]

function pageOf({ limit, after, order }: { [K in keyof PinPage]: PinPage[K] | undefined }): PinPage {
  return {
    limit: limit ?? 100,
    ...(after === undefined ? {} : { after }),
    ...(order === undefined ? {} : { order }),
  }
}
