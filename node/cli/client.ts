import { request as httpRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { createInterface } from 'node:readline'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { ERROR_TRAILER } from '../api/answer.ts'
import type { ErrorBody } from '../errors.ts'
import type { Io } from './io.ts'

type Params = Record<string, string | number | boolean | undefined>

/** The running node, as verbs see it: through its HTTP API only. */
export interface Client {
  get<T>(path: string, params?: Params): Promise<T>
  post<T>(path: string, body?: Record<string, unknown>): Promise<T>
  /** Rows of a stream, until it ends or `--timeout` is over. */
  rows<T>(path: string, params?: Params): AsyncIterable<T>
  /** As `rows`, of what changes something. */
  postRows<T>(path: string, body?: Record<string, unknown>): AsyncIterable<T>
  bytes(path: string, params?: Params): AsyncIterable<Uint8Array>
  /** A page outside /api/v1. */
  text(page: string): Promise<string>
  /** Sends a body as it comes; the rows come while it is sent. */
  upload<T>(path: string, params: Params, body: { type: string; chunks: AsyncIterable<Uint8Array> }): AsyncIterable<T>
}

interface Access {
  url: string
  token: string
}

/** Where the node listens: flag, variable, or the files of the node's own directory. */
export function createClient(io: Io): Client {
  let known: Promise<Access> | undefined
  const open = async (method: string, target: string, type?: string): Promise<ClientRequest> => {
    known ??= findNode(io)
    return openRequest(await known, io.signal, { method, target, ...(type === undefined ? {} : { type }) })
  }
  async function json<T>(sent: ClientRequest, body?: string): Promise<T> {
    const response = await answerOf(sent, body)
    return JSON.parse(await textOf(response)) as T
  }
  return {
    get: async (path, params = {}) => json(await open('GET', withQuery(path, params))),
    post: async (path, body = {}) =>
      json(await open('POST', withQuery(path, {}), 'application/json'), JSON.stringify(body)),
    async *rows(path, params = {}) {
      yield* rowsOf(await answerOf(await open('GET', withQuery(path, params))))
    },
    async *postRows(path, body = {}) {
      const sent = await open('POST', withQuery(path, {}), 'application/json')
      yield* rowsOf(await answerOf(sent, JSON.stringify(body)))
    },
    async *bytes(path, params = {}) {
      yield* bytesOf(await answerOf(await open('GET', withQuery(path, params))))
    },
    text: async (page) => textOf(await answerOf(await open('GET', page))),
    async *upload(path, params, { type, chunks }) {
      const sent = await open('POST', withQuery(path, params), type)
      // The node asks for the body once it has accepted the request.
      sent.setHeader('expect', '100-continue')
      const sending = new Promise<void>((resolve, reject) => {
        sent.once('continue', () => void pipeline(chunks, sent).then(resolve, reject))
        sent.once('close', resolve)
      })
      sent.flushHeaders()
      try {
        yield* rowsOf(await Promise.race([responseOf(sent), sending.then(() => responseOf(sent))]))
      } catch (error) {
        // What could not be read here matters more than that the node then missed it.
        await sending
        throw error
      } finally {
        sent.destroy()
      }
    },
  }
}

/** @throws {CodedError} E_TOKEN_NEEDED: the token of this path's node is for its own address only */
async function findNode({ flags, env }: Io): Promise<Access> {
  const url = flags.api === undefined ? undefined : checkedUrl(flags.api)
  if (url !== undefined && flags.token !== undefined) return { url, token: flags.token }
  const [{ resolvePaths }, { readApiFiles }] = await Promise.all([
    import('../config/paths.ts'),
    import('../storage/api-file.ts'),
  ])
  const own = await readApiFiles(resolvePaths({ path: flags.path, env })).catch((error: unknown) => {
    if (url === undefined || codeOf(error) !== 'E_NODE_NOT_RUNNING') throw error
    throw tokenNeeded(url)
  })
  const ownUrl = checkedUrl(own.url)
  if (url !== undefined && new URL(url).origin !== new URL(ownUrl).origin) throw tokenNeeded(url)
  return { url: url ?? ownUrl, token: flags.token ?? own.token }
}

function tokenNeeded(url: string): CodedError {
  return new CodedError(
    'E_TOKEN_NEEDED',
    `${url} is not the API of the node on this path, which gets this path's token`,
    {
      hint: 'give the token of that node with --token or KAIROS_TOKEN, or its directory with --path',
    },
  )
}

function checkedUrl(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '')
  throw new CodedError('E_USAGE', `${url} is no URL of an API`, { hint: 'give one such as http://127.0.0.1:3333' })
}

interface Target {
  method: string
  target: string
  type?: string
}

function openRequest({ url, token }: Access, signal: AbortSignal, { method, target, type }: Target): ClientRequest {
  const headers: OutgoingHttpHeaders = { authorization: `Bearer ${token}`, te: 'trailers' }
  if (type !== undefined) headers['content-type'] = type
  const open = url.startsWith('https:') ? httpsRequest : httpRequest
  return open(`${url}${target}`, { method, headers, signal, agent: false })
}

async function answerOf(sent: ClientRequest, body?: string): Promise<IncomingMessage> {
  const response = responseOf(sent)
  sent.end(body)
  return response
}

/** @throws {CodedError} what the node answered, or E_NODE_UNREACHABLE */
async function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  sent.once('response', resolve)
  sent.on('error', (error) => reject(unreachable(sent, error)))
  const response = await promise
  const { statusCode = 500 } = response
  // Not ready is an answer (503), and its document says why.
  if (statusCode < 400) return response
  throw await refusalOf(response)
}

async function refusalOf(response: IncomingMessage): Promise<CodedError> {
  const unknown = new CodedError('E_NOT_A_NODE', `the API answered ${response.statusCode} without a document`, {
    hint: 'check --api: something else may listen there',
  })
  return errorIn(await textOf(response)) ?? unknown
}

/** @returns the error that a document of the API tells of */
function errorIn(text: string): CodedError | undefined {
  try {
    const { error } = JSON.parse(text) as ErrorBody
    return new CodedError(error.code, error.message, { hint: error.hint })
  } catch {
    return undefined
  }
}

function unreachable(sent: ClientRequest, cause: Error): CodedError {
  return new CodedError(
    'E_NODE_UNREACHABLE',
    `the node does not answer at ${sent.protocol}//${String(sent.getHeader('host'))} (${codeOf(cause)})`,
    {
      hint: 'see if it runs with `kairos doctor`, or start it with `kairos run`',
      cause,
    },
  )
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response as AsyncIterable<string>) text += chunk
  return text
}

/** @throws {CodedError} the error in the trailer of an answer that ends early */
async function* bytesOf(response: IncomingMessage): AsyncIterable<Uint8Array> {
  try {
    yield* response as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw cutShort(cause)
  }
  const trailer = response.trailers[ERROR_TRAILER]
  if (trailer !== undefined) throw errorIn(trailer) ?? cutShort(undefined)
}

/** @throws {CodedError} the error that a stream may end with, a line with `error` as its only key */
async function* rowsOf<T>(response: IncomingMessage): AsyncIterable<T> {
  const failure: { error?: Error } = {}
  response.on('error', (error) => (failure.error = error))
  for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
    const row = JSON.parse(line) as T | ErrorBody
    if (isLastError(row)) throw new CodedError(row.error.code, row.error.message, { hint: row.error.hint })
    yield row
  }
  if (failure.error !== undefined || !response.complete) throw cutShort(failure.error)
}

function isLastError(row: unknown): row is ErrorBody {
  return row !== null && typeof row === 'object' && 'error' in row && Object.keys(row).length === 1
}

function cutShort(cause: unknown): CodedError {
  const why = cause === undefined ? 'connection closed' : messageOf(cause)
  return new CodedError('E_NODE_UNREACHABLE', `the node broke off in the middle of its answer (${why})`, {
    hint: 'its log says more: `kairos log tail`',
    cause,
  })
}

function withQuery(path: string, params: Params): string {
  const given = Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  const query = new URLSearchParams(given as [string, string][]).toString()
  return `/api/v1${path}${query === '' ? '' : `?${query}`}`
}
