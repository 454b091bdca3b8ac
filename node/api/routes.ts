import { z } from 'zod'
import { version } from '../version.ts'
import { json } from './answer.ts'
import { describeApi } from './openapi.ts'
import { route, type Route } from './route.ts'
import { CELL_ROUTES } from './routes-cell.ts'
import { CONTENT_ROUTES } from './routes-content.ts'
import { MESH_ROUTES } from './routes-mesh.ts'
import { NODE_ROUTES } from './routes-node.ts'
import { PIN_ROUTES } from './routes-pins.ts'
import { RECORD_ROUTES } from './routes-record.ts'
import { REPO_ROUTES } from './routes-repo.ts'

/**
 * The HTTP API: one route for every verb that asks a running node. Verbs that work on files of a
 * node that does not run (`init`, `genesis`, `join`, `config set`, `key`) have none.
 */
export const ROUTES: readonly Route[] = [
  ...NODE_ROUTES,
  ...MESH_ROUTES,
  ...RECORD_ROUTES,
  ...CELL_ROUTES,
  ...CONTENT_ROUTES,
  ...PIN_ROUTES,
  ...REPO_ROUTES,
  route({
    method: 'GET',
    path: '/api/v1/openapi.json',
    policy: 'read',
    summary: 'This description.',
    params: z.strictObject({}),
    handle: () => json(describeApi(ROUTES, version().version)),
  }),
]
