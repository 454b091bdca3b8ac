import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { CodedError } from '../../protocols/shared/errors.ts'
import { failure } from './answer.ts'
import { kindOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { checkNames, checkToken } from './guard.ts'
import { checkContentType, readParams, readUpload } from './request.ts'
import type { ApiContext, Call, Route } from './route.ts'

type Env = { Bindings: HttpBindings }

export interface AppInit extends ApiContext {
  routes: readonly Route[]
  token: string
  log: Log
  /** Aborts when the API stops. */
  signal: AbortSignal
  /** Tells the server that this request's body may take its time. */
  expectUpload(request: HttpBindings['incoming']): void
}

/**
 * Puts the route table behind its checks, in this order: names, route, method, token, content
 * type, parameters. What fails is refused before a handler runs.
 */
export function createApp(init: AppInit): Hono<Env> {
  const app = new Hono<Env>()
  app.use(measured(init))
  app.use(async (c, next) => {
    const { api } = init.config
    const { host, origin } = c.env.incoming.headers
    const allowed = [api.host, ...api.allow_hosts]
    checkNames(host, origin, { allowed, localAddress: c.env.incoming.socket.localAddress })
    await next()
  })
  for (const route of init.routes) app.on(route.method, route.path, (c) => answer(route, c, init))
  app.notFound((c) => refuseUnknown(c, init.routes))
  app.onError((error, c) => {
    if (kindOf(error).status === 500) init.log.error('request failed', { path: pathOf(c, init.routes), error })
    return failure(error)
  })
  return app
}

async function answer(route: Route, c: Context<Env>, init: AppInit): Promise<Response> {
  const { incoming, outgoing } = c.env
  if (route.policy !== 'none') checkToken(c.req.header('authorization'), init.token)
  checkContentType(route, c.req.header('content-type'))
  const proceed = () => {
    init.expectUpload(incoming)
    if (incoming.headers.expect !== undefined) outgoing.writeContinue()
  }
  const gone = new AbortController()
  // It closes after every answer, too.
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(new CodedError('E_CLIENT_GONE', 'the client has hung up'))
  })
  const signal = AbortSignal.any([gone.signal, init.signal])
  const call: Call = {
    operations: init.operations,
    config: init.config,
    metrics: init.metrics,
    params: (await readParams(route, new URL(c.req.url).searchParams, incoming)) as Record<string, unknown>,
    header: (name) => c.req.header(name),
    upload: () => readUpload(incoming, proceed),
    signal,
    outgoing,
    brokenOff(error) {
      if (!signal.aborted) init.log.warn('answer broken off', { path: route.path, error })
    },
  }
  return route.handle(call)
}

function refuseUnknown(c: Context<Env>, routes: readonly Route[]): Response {
  const methods = routes.filter(({ path }) => path === c.req.path).map(({ method }) => method)
  if (methods.length === 0)
    return failure(
      new CodedError('E_NO_ROUTE', 'there is nothing at this path', {
        hint: 'see /api/v1/openapi.json for what there is',
      }),
    )
  const allow = methods.join(', ')
  const error = new CodedError('E_METHOD', `${c.req.path} takes ${allow}, not ${c.req.method.slice(0, 20)}`)
  return failure(error, { allow })
}

/** A declared path, so that nobody can make logs and labels grow with paths of their own. */
function pathOf(c: Context<Env>, routes: readonly Route[]): string {
  return routes.some(({ path }) => path === c.req.path) ? c.req.path : 'other'
}

function measured({ metrics: { counter, histogram }, routes }: AppInit): MiddlewareHandler<Env> {
  const requests = counter('kairos_api_requests_total', 'Answered HTTP requests', ['path', 'status'])
  const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10]
  const duration = histogram({ name: 'kairos_api_request_seconds', help: 'Time to the first byte', buckets })
  return async (c, next) => {
    const end = duration.startTimer()
    await next()
    end()
    requests.inc({ path: pathOf(c, routes), status: String(c.res.status) })
  }
}
