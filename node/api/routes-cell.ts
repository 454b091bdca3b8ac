import { z } from 'zod'
import { json, ndjson } from './answer.ts'
import type { LeaveOptions } from '../operations.ts'
import { NDJSON_TYPE, route } from './route.ts'

const nothing = z.strictObject({})
const member = z.string().min(1).max(128).describe('Peer id or name')
const removal = z.strictObject({ peer: member, reason: z.string().max(256).default('removed by its operator') })

/** What the cell agrees on, and its members. */
export const CELL_ROUTES = [
  route({
    method: 'GET',
    path: '/api/v1/members',
    policy: 'read',
    summary: 'Members of the cell, after all that was acknowledged before; with `stale` as this node has them.',
    params: z.strictObject({ stale: z.stringbool().default(false) }),
    handle: async ({ operations, params }) => json({ members: await operations.cell.members(params) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/members/rm',
    policy: 'admin',
    summary: 'Takes a member’s vote and revokes its certificate, for good.',
    params: removal,
    handle: async ({ operations, params: { peer, reason } }) => json(await operations.cell.remove(peer, reason)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/peers/rm',
    policy: 'admin',
    summary: 'Revokes the certificate of a node of the mesh, member of the cell or not, for good.',
    params: removal,
    handle: async ({ operations, params: { peer, reason } }) => json(await operations.cell.remove(peer, reason)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/members/label',
    policy: 'admin',
    summary: 'Sets a label of a member, or drops it with null.',
    params: z.strictObject({
      peer: member,
      key: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'begins with a-z or 0-9; then also . _ and -; at most 63'),
      value: z.string().max(1024).nullable(),
    }),
    handle: async ({ operations, params: { peer, key, value } }) => json(await operations.cell.label(peer, key, value)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/members/drain',
    policy: 'admin',
    summary: 'Gives a member no more copies, and has repair move elsewhere those that it has.',
    params: z.strictObject({ peer: member }),
    handle: async ({ operations, params: { peer } }) => json(await operations.cell.drain(peer, true)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/members/undrain',
    policy: 'admin',
    summary: 'Takes draining back.',
    params: z.strictObject({ peer: member }),
    handle: async ({ operations, params: { peer } }) => json(await operations.cell.drain(peer, false)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/cell',
    policy: 'read',
    summary: 'The cell as this node sees it.',
    params: nothing,
    handle: ({ operations }) => json(operations.cell.status()),
  }),
  route({
    method: 'POST',
    path: '/api/v1/cell/transfer',
    policy: 'admin',
    summary: 'Hands leadership over, to the fittest member unless told.',
    params: z.strictObject({ peer: member.optional() }),
    handle: async ({ operations, params }) => json(await operations.cell.transfer(params.peer)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/cell/snapshot',
    policy: 'admin',
    summary: 'Takes a snapshot of the agreed state now.',
    params: nothing,
    handle: async ({ operations }) => json(await operations.cell.snapshot()),
  }),
  route({
    method: 'POST',
    path: '/api/v1/leave',
    policy: 'admin',
    summary:
      'Has the copies of this node moved elsewhere, hands leadership and vote over and stops the node: rows with the ' +
      'copies that are left, the last one when the stop begins. To hang up before takes the draining back.',
    params: z.strictObject({
      drain: z.boolean().default(true).describe('Wait until no copy is left here'),
      drainTimeoutMs: z.number().int().min(1).max(2_147_483_647).optional().describe('Without a copy that has moved'),
    }),
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.cell.leave(call.params as LeaveOptions, call.signal)),
  }),
]
