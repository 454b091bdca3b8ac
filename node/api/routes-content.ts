import { z } from 'zod'
import type { AddEntry, WalkEntry } from '../operations.ts'
import { addOptionsOf, PIN_PARAMS } from './add-params.ts'
import { bytes, json, ndjson } from './answer.ts'
import { replicationOrder } from './pin-schema.ts'
import { BYTES_TYPE, CAR_TYPE, NDJSON_TYPE, route, TAR_TYPE, type Call } from './route.ts'
import { cleanPath, readTar } from './tar/read.ts'
import { writeTar, type TarEntry } from './tar/write.ts'

const path = z.string().min(1).max(4096).describe('CID[/path]')
const onePath = z.strictObject({ path })
const byteCount = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** UnixFS content. */
export const CONTENT_ROUTES = [
  route({
    method: 'POST',
    path: '/api/v1/add',
    policy: 'admin',
    summary:
      'Adds one file (its bytes as application/octet-stream) or a tree (application/x-tar), and pins it where `pin` is set.',
    params: z
      .strictObject({
        name: z.string().min(1).max(255).default('file').describe('Name of the one file'),
        wrap: z.stringbool().default(false).describe('Wrap in a directory'),
        ...PIN_PARAMS,
      })
      .refine(...replicationOrder),
    accepts: [BYTES_TYPE, TAR_TYPE],
    produces: [NDJSON_TYPE],
    handle: (call) =>
      ndjson(call, call.operations.content.add(entriesOf(call), addOptionsOf(call.params), call.signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/cat',
    policy: 'read',
    summary: 'The bytes of a file.',
    params: z.strictObject({ path, offset: byteCount.optional(), length: byteCount.optional() }),
    produces: [BYTES_TYPE],
    handle(call) {
      const { path, offset, length } = call.params
      const range = { ...(offset === undefined ? {} : { offset }), ...(length === undefined ? {} : { length }) }
      return bytes(call, call.operations.content.cat(path, range, call.signal), BYTES_TYPE)
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/get',
    policy: 'read',
    summary: 'A file or a directory with all that it holds, as a tar archive or, with `car`, as a CARv1.',
    params: z.strictObject({ path, car: z.stringbool().default(false) }),
    produces: [TAR_TYPE, CAR_TYPE],
    handle(call) {
      const { content } = call.operations
      const { path, car } = call.params
      if (car) return bytes(call, content.car(path, call.signal), CAR_TYPE)
      return bytes(call, writeTar(asTarEntries(content.walk(path, call.signal), path)), TAR_TYPE)
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/ls',
    policy: 'read',
    summary: 'What a directory holds.',
    params: onePath,
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.content.ls(call.params.path, call.signal)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/stat',
    policy: 'read',
    summary: 'Size and kind of what a CID names.',
    params: onePath,
    handle: async ({ operations, params, signal }) => json(await operations.content.stat(params.path, signal)),
  }),
]

type AddCall = Call<{ name: string }>

function entriesOf(call: AddCall): AsyncIterable<AddEntry> {
  return call.header('content-type')?.startsWith(TAR_TYPE) ? readTar(call.upload()) : oneFile(call)
}

async function* oneFile(call: AddCall): AsyncIterable<AddEntry> {
  yield { path: cleanPath(call.params.name), content: call.upload() }
}

/** Names start with the root's own, as in kubo: the last part of what was asked for. */
async function* asTarEntries(entries: AsyncIterable<WalkEntry>, asked: string): AsyncIterable<TarEntry> {
  const name = asked.split('/').findLast((part) => part !== '') ?? asked
  let root: string | undefined
  for await (const entry of entries) {
    root ??= entry.path
    const below = entry.path.slice(root.length).replace(/^\//, '')
    yield { ...entry, path: below === '' ? name : `${name}/${below}` }
  }
}
