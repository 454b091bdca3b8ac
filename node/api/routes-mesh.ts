import { z } from 'zod'
import { cellSchema, MAX_TICKET_SECONDS, MAX_TICKET_USES } from '../../protocols/admission/index.ts'
import { QUERY_TOPICS } from '../../protocols/query/index.ts'
import type { InviteRequest, QueryParams, QueryTarget } from '../operations.ts'
import { json, ndjson } from './answer.ts'
import { NDJSON_TYPE, route } from './route.ts'

const nothing = z.strictObject({})
const peerId = z.string().min(1).max(128)
const role = z.enum(['full', 'light', 'witness', 'relay'])

/** Peers, coherence, and how others come in. */
export const MESH_ROUTES = [
  route({
    method: 'GET',
    path: '/api/v1/peers',
    policy: 'read',
    summary: 'Connected and known members.',
    params: nothing,
    handle: async ({ operations }) => json({ peers: await operations.peers() }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/peers/ping',
    policy: 'read',
    summary: 'Round trips to a peer.',
    params: z.strictObject({ peer: peerId, count: z.coerce.number().int().min(1).max(1000).default(4) }),
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.ping(call.params.peer, call.params.count, call.signal)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/peers/connect',
    policy: 'admin',
    summary: 'Connects to a member by its multiaddr.',
    params: z.strictObject({ address: z.string().min(1).max(1024) }),
    handle: async ({ operations, params, signal }) => json(await operations.connect(params.address, signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/query',
    policy: 'read',
    summary: 'Asks this node, one peer, or the whole mesh; a peer that does not answer is a row with its error.',
    params: z.strictObject({
      what: z.enum(QUERY_TOPICS),
      peer: peerId.optional(),
      all: z.stringbool().default(false),
      history: z.coerce.number().int().min(1).max(100).optional().describe('With coherence: points of the past'),
      cid: z.string().min(1).max(256).optional().describe('With pins: this one'),
      after: z.string().min(1).max(256).optional().describe('With pins: `next` of the answer before'),
      from: z.coerce
        .number()
        .int()
        .min(1)
        .max(Number.MAX_SAFE_INTEGER)
        .optional()
        .describe('With epochs: the first height'),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe('With pins and epochs: rows of each node; at most 100 epochs'),
    }),
    produces: [NDJSON_TYPE],
    handle(call) {
      const { what, peer, all, ...params } = call.params
      return ndjson(call, call.operations.query(what, targetOf(peer, all), call.signal, params as QueryParams))
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/coherence',
    policy: 'read',
    summary: 'T of this node and of the mesh, with the reports that it is computed from.',
    params: nothing,
    handle: ({ operations }) => json(operations.coherence()),
  }),
  route({
    method: 'GET',
    path: '/api/v1/coherence/history',
    policy: 'read',
    summary: 'The past of this node’s coherence and of the mesh’s, oldest first.',
    params: z.strictObject({
      since: z.coerce.number().min(0).optional().describe('Unix milliseconds'),
      limit: z.coerce.number().int().min(1).max(10_000).default(100),
    }),
    handle: ({ operations, params: { since, limit } }) =>
      json({ points: operations.coherenceHistory({ limit, ...(since === undefined ? {} : { since }) }) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/invite',
    policy: 'admin',
    summary: 'Signs a ticket that lets others into the mesh.',
    params: z.strictObject({
      role,
      cell: cellSchema.optional(),
      rights: z
        .array(z.enum(['issue', 'found']))
        .max(2)
        .optional(),
      expiresInSeconds: z.number().int().min(1).max(MAX_TICKET_SECONDS).optional(),
      uses: z.number().int().min(1).max(MAX_TICKET_USES).optional(),
    }),
    // A missing key and an undefined one are the same once they are JSON.
    handle: async ({ operations, params }) => json(await operations.invite(params as InviteRequest)),
  }),
]

function targetOf(peer: string | undefined, all: boolean): QueryTarget {
  if (all) return { all: true }
  return peer === undefined ? { local: true } : { peer }
}
