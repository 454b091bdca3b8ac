import { request, type IncomingHttpHeaders } from 'node:http'
import { createApi, type Api } from '../../node/api/server.ts'
import { configSchema, type ConfigInput } from '../../node/config/schema.ts'
import type { Operations } from '../../node/operations.ts'
import { createLog, type NodeLog } from '../../node/telemetry/log.ts'
import { createMetrics } from '../../node/telemetry/metrics.ts'

export const TOKEN = 'A'.repeat(43)

const silent = createLog({ level: 'silent', format: 'structured' })

export function startApi(operations: Operations, api: ConfigInput['api'] = {}, log: NodeLog = silent): Promise<Api> {
  const config = configSchema.parse({ api: { port: 0, ...api } })
  const service = createApi({ operations, config, token: TOKEN, metrics: createMetrics(), log })
  return service.start().then(() => service)
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  trailers: NodeJS.Dict<string>
  body: string
}

export interface Asked {
  method?: string
  headers?: Record<string, string | undefined>
  body?: string | Uint8Array
}

/** One request with exactly these headers: `fetch` would not send a Host of our choice. */
export function ask(
  api: { url: string },
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { hostname, port } = new URL(api.url)
  const given = Object.entries({ authorization: `Bearer ${TOKEN}`, ...headers }).filter(
    ([, value]) => value !== undefined,
  )
  const sent = request({ hostname, port, path, method, headers: Object.fromEntries(given), agent: false })
  sent.on('error', reject).on('response', (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const { statusCode = 0, headers, trailers } = response
      resolve({ status: statusCode, headers, trailers, body: Buffer.concat(chunks).toString() })
    })
  })
  sent.end(body)
  return promise
}
