import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import { JSON_TYPE, type Route } from './route.ts'

export const MAX_BODY_BYTES = 1_048_576
/** An upload that sends nothing for this long is given up. */
export const UPLOAD_IDLE_MS = 30_000

/** @throws {CodedError} E_CONTENT_TYPE: a form that another site's page can post has none of these types */
export function checkContentType(route: Route, header: string | undefined): void {
  if (route.method === 'GET') return
  const type = header?.split(';')[0]?.trim().toLowerCase()
  if (type !== undefined && route.accepts.includes(type)) return
  throw new CodedError(
    'E_CONTENT_TYPE',
    `${route.path} takes ${route.accepts.join(' or ')}, not ${type ?? 'nothing'}`,
    {
      hint: `send the header "Content-Type: ${route.accepts[0]}"`,
    },
  )
}

/**
 * @param query - of the request's URL
 * @throws {CodedError} E_PARAMETER, E_JSON, E_BODY_TOO_LARGE
 */
export async function readParams(route: Route, query: URLSearchParams, incoming: IncomingMessage): Promise<unknown> {
  if (route.accepts.includes(JSON_TYPE)) {
    checkParams(route.path, { success: query.size === 0, names: [...query.keys()] })
    return check(route.params, parseJson(await readBody(incoming)))
  }
  const repeated = [...query.keys()].filter((key, index, keys) => keys.indexOf(key) !== index)
  checkParams(route.path, { success: repeated.length === 0, names: repeated })
  return check(route.params, Object.fromEntries(query))
}

/** The bytes of an upload, as fast as they are taken. */
export async function* readUpload(incoming: IncomingMessage, proceed: () => void): AsyncIterable<Uint8Array> {
  proceed()
  incoming.setTimeout(UPLOAD_IDLE_MS, () => incoming.destroy(new CodedError('E_TIMEOUT', 'the upload has stalled')))
  yield* incoming as AsyncIterable<Uint8Array>
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const tooLarge = () => new CodedError('E_BODY_TOO_LARGE', `the body is over the limit of ${MAX_BODY_BYTES} bytes`)
  if (Number(incoming.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw new CodedError('E_JSON', `the body is no JSON: ${messageOf(cause)}`, { cause })
  }
}

function check(schema: z.ZodObject, input: unknown): unknown {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.')
  throw new CodedError('E_PARAMETER', `${where === '' ? '' : `${where}: `}${issue?.message ?? 'not valid'}`, {
    hint: `parameters: ${Object.keys(schema.shape).join(', ') || 'none'}; see /api/v1/openapi.json`,
  })
}

function checkParams(path: string, { success, names }: { success: boolean; names: string[] }): void {
  if (success) return
  throw new CodedError('E_PARAMETER', `${path} does not take ${names.join(', ')} in the query, or only once`)
}
