import { getRequestListener } from '@hono/node-server'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { isIPv6, type AddressInfo, type Socket } from 'node:net'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type { Config } from '../config/schema.ts'
import type { Operations } from '../operations.ts'
import type { Service } from '../service.ts'
import type { NodeLog } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { failure } from './answer.ts'
import { createApp } from './app.ts'
import { limitConnections } from './connections.ts'
import { ROUTES } from './routes.ts'

// Hardening §2.2, "HTTP resource use".
const LIMITS = { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5000 }
const TLS_HANDSHAKE_MS = 10_000
const TIMEOUT_CHECK_MS = 1000
const MAX_CONNECTIONS = 512
/** What running answers may still take when the API stops. */
const STOP_GRACE_MS = 1000

export interface ApiInit {
  operations: Operations
  config: Config
  token: string
  metrics: Metrics
  log: Pick<NodeLog, 'forComponent'>
}

export interface Api extends Service {
  /** Where clients of this machine reach it; known once started. */
  readonly url: string
}

/**
 * The HTTP face: health, metrics and `/api/v1` on one port. Whether it may listen to other machines,
 * `checkConfig` has said.
 *
 * @throws {CodedError} on start: E_PORT_TAKEN, E_LISTEN
 */
export function createApi(init: ApiInit): Api {
  const { api } = init.config
  const log = init.log.forComponent('kairos:api')
  const stopping = new AbortController()
  const uploads = new WeakSet<Socket>()
  const expectUpload = ({ socket }: IncomingMessage) => void uploads.add(socket)
  const app = createApp({ ...init, log, routes: ROUTES, signal: stopping.signal, expectUpload })
  const errorHandler = (error: unknown) =>
    failure(new CodedError('E_PARAMETER', `no request that can be read: ${messageOf(error)}`))
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler })
  let server: Server | undefined
  let url = ''
  return {
    name: 'api',
    get url() {
      return url
    },
    async start() {
      const started = await createHttpServer(api, listener)
      limitConnections(started, api.tls === undefined ? 'connection' : 'secureConnection', MAX_CONNECTIONS)
      harden(started, listener, uploads)
      await listen(started, api)
      server = started
      url = urlOf(api, started.address() as AddressInfo)
      log.info('API listening', { url })
    },
    async stop() {
      const running = server
      server = undefined
      stopping.abort(new CodedError('E_STOPPING', 'the node is stopping'))
      if (running !== undefined) await close(running)
    },
  }
}

async function createHttpServer({ tls }: Config['api'], listener: RequestListener): Promise<Server> {
  const options: ServerOptions = { ...LIMITS, connectionsCheckingInterval: TIMEOUT_CHECK_MS }
  if (tls === undefined) return createServer(options, listener)
  const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)])
  return createTlsServer({ ...options, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: TLS_HANDSHAKE_MS }, listener)
}

function harden(server: Server, listener: RequestListener, uploads: WeakSet<Socket>): void {
  // The body is asked for when the request is accepted, so that a refused upload is never sent.
  server.on('checkContinue', listener)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // An upload has its own, idle, limit: it may take longer than a request in all.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && uploads.has(socket)) return
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else socket.destroy()
  })
}

async function listen(server: Server, { host, port }: Config['api']): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen({ port, host, exclusive: true }, resolve)
  try {
    await promise
  } catch (cause) {
    if (codeOf(cause) === 'EADDRINUSE')
      throw new CodedError('E_PORT_TAKEN', `port ${port} of ${host} is in use by another program`, {
        hint: 'choose another one with api.port (0 takes a free one)',
        cause,
      })
    throw new CodedError('E_LISTEN', `the API cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      hint: 'change api.host or api.port',
      cause,
    })
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const force = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS)
  await closed
  clearTimeout(force)
}

function urlOf({ host, tls }: Config['api'], { port }: AddressInfo): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${tls === undefined ? 'http' : 'https'}://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`
}
