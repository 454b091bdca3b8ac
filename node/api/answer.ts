import { errorBody, kindOf } from '../errors.ts'
import { JSON_TYPE, NDJSON_TYPE, type Call } from './route.ts'

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}
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

/**
 * Bytes as they come. An error before the first chunk becomes an error document with its status;
 * a later one cuts the connection, so that nobody takes a part for the whole.
 */
export async function bytes(
  { cut }: Pick<Call, 'cut'>,
  chunks: AsyncIterable<Uint8Array>,
  type: string,
): Promise<Response> {
  return stream(endingInCut(await started(chunks), cut), type, (chunk) => chunk)
}

/**
 * One JSON document per line. An error before the first row becomes an error document with its
 * status; a later one is the last line, an object with `error` as its only key.
 *
 * @param options.live - answer at once, without waiting for a first row
 */
export async function ndjson(rows: AsyncIterable<unknown>, options: { live?: boolean } = {}): Promise<Response> {
  const source = options.live === true ? rows : await started(rows)
  return stream(endingInError(source), NDJSON_TYPE, (row) => encoder.encode(`${JSON.stringify(row)}\n`))
}

/** Server-sent events, already formatted. */
export function eventStream(events: AsyncIterable<string>): Response {
  return stream(events, 'text/event-stream', (event) => encoder.encode(event))
}

function headers(type: string): Record<string, string> {
  return { ...SECURITY_HEADERS, 'content-type': type }
}

function stream<T>(source: AsyncIterable<T>, type: string, encode: (item: T) => Uint8Array): Response {
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
  return new Response(body, { headers: headers(type) })
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

async function* endingInError(rows: AsyncIterable<unknown>): AsyncIterable<unknown> {
  try {
    yield* rows
  } catch (error) {
    yield errorBody(error)
  }
}

async function* endingInCut(chunks: AsyncIterable<Uint8Array>, cut: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* chunks
  } catch {
    cut()
  }
}
