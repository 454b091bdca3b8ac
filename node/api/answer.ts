import { errorBody, kindOf } from '../errors.ts'
import { JSON_TYPE, NDJSON_TYPE, type Call } from './route.ts'

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}
/** Trailer with the error document of an answer of bytes that ends early. */
export const ERROR_TRAILER = 'kairos-error'
const encoder = new TextEncoder()

export function json(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status, headers: headers(JSON_TYPE) })
}

export function text(body: string, type: string): Response {
  return new Response(body, { headers: headers(type) })
}

/** The error's document with its status; see `node/errors.ts`. */
export function failure(error: unknown, extra: Record<string, string> = {}): Response {
  const { status } = kindOf(error)
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer realm="kairos"' } : {}
  const body = `${JSON.stringify(errorBody(error))}\n`
  return new Response(body, { status, headers: { ...headers(JSON_TYPE), ...challenge, ...extra } })
}

type Answered = Pick<Call, 'header' | 'outgoing' | 'brokenOff'>

/**
 * Bytes as they come. An error before the first chunk becomes an error document with its status; a
 * later one a trailer for a client that reads trailers (`TE: trailers`, RFC 9110 §6.5.1), and for
 * any other a cut connection, so that nobody takes a part for the whole.
 */
export async function bytes(call: Answered, chunks: AsyncIterable<Uint8Array>, type: string): Promise<Response> {
  const source = await started(chunks)
  if (!/\btrailers\b/i.test(call.header('te') ?? '')) return stream(endingInCut(source, call), type, (chunk) => chunk)
  // Trailers exist in the chunked coding only; a short answer would else be sent with its length.
  const headers = { 'transfer-encoding': 'chunked', trailer: ERROR_TRAILER }
  return stream(endingInTrailer(source, call), type, (chunk) => chunk, headers)
}

/**
 * One JSON document per line. An error before the first row becomes an error document with its
 * status; a later one is the last line, an object with `error` as its only key.
 *
 * @param options.live - answer at once, without waiting for a first row
 */
export async function ndjson(
  call: Answered,
  rows: AsyncIterable<unknown>,
  options: { live?: boolean } = {},
): Promise<Response> {
  const source = options.live === true ? rows : await started(rows)
  return stream(endingInError(source, call), NDJSON_TYPE, (row) => encoder.encode(`${JSON.stringify(row)}\n`))
}

/** Server-sent events, already formatted. */
export function eventStream(call: Answered, events: AsyncIterable<string>): Response {
  return stream(endingInCut(events, call), 'text/event-stream', (event) => encoder.encode(event))
}

function headers(type: string): Record<string, string> {
  return { ...SECURITY_HEADERS, 'content-type': type }
}

function stream<T>(
  source: AsyncIterable<T>,
  type: string,
  encode: (item: T) => Uint8Array,
  extra: Record<string, string> = {},
): Response {
  const iterator = source[Symbol.asyncIterator]()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(encode(value))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
  return new Response(body, { headers: { ...headers(type), ...extra } })
}

/** Waits for the first item, so that an early error can still choose the status. */
async function started<T>(source: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = source[Symbol.asyncIterator]()
  const first = await iterator.next()
  return (async function* () {
    try {
      for (let item = first; item.done !== true; item = await iterator.next()) yield item.value
    } finally {
      await iterator.return?.()
    }
  })()
}

async function* endingInError(rows: AsyncIterable<unknown>, { brokenOff }: Answered): AsyncIterable<unknown> {
  try {
    yield* rows
  } catch (error) {
    brokenOff(error)
    yield errorBody(error)
  }
}

async function* endingInTrailer<T>(items: AsyncIterable<T>, { outgoing, brokenOff }: Answered): AsyncIterable<T> {
  try {
    yield* items
  } catch (error) {
    brokenOff(error)
    outgoing.addTrailers({ [ERROR_TRAILER]: asciiJson(errorBody(error)) })
  }
}

async function* endingInCut<T>(items: AsyncIterable<T>, { outgoing, brokenOff }: Answered): AsyncIterable<T> {
  try {
    yield* items
  } catch (error) {
    brokenOff(error)
    outgoing.destroy()
  }
}

/** A header field is ASCII without control characters (RFC 9110 §5.5). */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
