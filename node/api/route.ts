import type { ServerResponse } from 'node:http'
import type { z } from 'zod'
import type { Config } from '../config/schema.ts'
import type { Operations } from '../operations.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Who may call a route: anybody, or whoever has a token that reads, or one that changes things. */
export type Policy = 'none' | 'read' | 'admin'

export interface ApiContext {
  operations: Operations
  config: Config
  metrics: Metrics
}

/** One request, checked. */
export interface Call<P = Record<string, unknown>> extends ApiContext {
  /** From the query of a GET, the JSON body of a POST, the query of an upload. */
  params: P
  header(name: string): string | undefined
  /** The bytes of an upload; ends with an error when the sender stalls. */
  upload(): AsyncIterable<Uint8Array>
  /** Aborts when the client has gone or the API stops. */
  signal: AbortSignal
  /** For an answer that cannot be finished: to say so in a trailer, or to cut the connection. */
  outgoing: Pick<ServerResponse, 'addTrailers' | 'destroy'>
  /** Told why an answer that had begun could not be finished. */
  brokenOff(error: unknown): void
}

/** One row of the table that routing, authorisation, OpenAPI and the tests are made from. */
export interface Route {
  method: 'GET' | 'POST'
  /** Without parameters: what a caller chooses stands in the query or the body, never in the path. */
  path: string
  policy: Policy
  summary: string
  /** Strict: a parameter that is not here is refused. */
  params: z.ZodObject
  /** Content types that a POST takes; JSON carries the parameters, the others the bytes of an upload. */
  accepts: readonly string[]
  /** Content types of the answer. */
  produces: readonly string[]
  handle(call: Call): Response | Promise<Response>
}

interface RouteInit<S extends z.ZodObject> {
  method: Route['method']
  path: string
  policy: Policy
  summary: string
  params: S
  accepts?: readonly string[]
  produces?: readonly string[]
  handle(call: Call<z.output<S>>): Response | Promise<Response>
}

export const JSON_TYPE = 'application/json'
export const NDJSON_TYPE = 'application/x-ndjson'
export const BYTES_TYPE = 'application/octet-stream'
export const TAR_TYPE = 'application/x-tar'
export const CAR_TYPE = 'application/vnd.ipld.car'

/** Ties a handler to the type of its own parameters; the table holds all of them as one type. */
export function route<S extends z.ZodObject>(init: RouteInit<S>): Route {
  const handle = init.handle as unknown as Route['handle']
  return { accepts: init.method === 'POST' ? [JSON_TYPE] : [], produces: [JSON_TYPE], ...init, handle }
}
