import { z } from 'zod'
import { eventStream, json, ndjson, text } from './answer.ts'
import { redact } from './redact.ts'
import { formatEvents } from './events.ts'
import { NDJSON_TYPE, route } from './route.ts'

const nothing = z.strictObject({})

/** Health, and what concerns this one node. */
export const NODE_ROUTES = [
  route({
    method: 'GET',
    path: '/healthz',
    policy: 'none',
    summary: 'Alive: the process answers.',
    params: nothing,
    handle: () => json({ alive: true }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    policy: 'read',
    summary: 'Ready, or 503 with the reasons why not.',
    params: nothing,
    handle({ operations }) {
      const readiness = operations.readiness()
      return json(readiness, readiness.ready ? 200 : 503)
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    policy: 'read',
    summary: 'Metrics in the Prometheus text format.',
    params: nothing,
    produces: ['text/plain'],
    handle: async ({ metrics }) => text(await metrics.scrape(), metrics.registry.contentType),
  }),
  route({
    method: 'GET',
    path: '/api/v1/id',
    policy: 'read',
    summary: 'Who this node is.',
    params: nothing,
    handle: ({ operations }) => json(operations.id()),
  }),
  route({
    method: 'GET',
    path: '/api/v1/version',
    policy: 'read',
    summary: 'What it runs.',
    params: nothing,
    handle: ({ operations }) => json(operations.version()),
  }),
  route({
    method: 'GET',
    path: '/api/v1/status',
    policy: 'read',
    summary: 'The mesh as this node sees it.',
    params: nothing,
    handle: async ({ operations }) => json(await operations.status()),
  }),
  route({
    method: 'GET',
    path: '/api/v1/doctor',
    policy: 'read',
    summary: 'Checks of the running node, each with its remedy.',
    params: nothing,
    handle: async ({ operations }) => json({ findings: await operations.doctor() }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/config',
    policy: 'read',
    summary: 'The configuration in effect, without secrets.',
    params: nothing,
    handle: ({ config }) => json(redact(config)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/stop',
    policy: 'admin',
    summary: 'Stops the node; answers when the stop has begun.',
    params: nothing,
    handle({ operations }) {
      operations.stop()
      return json({ stopping: true })
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/log/level',
    policy: 'admin',
    summary: 'Sets the lowest level that is logged, of one component or of all.',
    params: z.strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
      component: z.string().min(1).max(128).optional(),
    }),
    handle: ({ operations, params: { level, component } }) => json(operations.log.level(level, component)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/log',
    policy: 'admin',
    summary: 'The last log lines.',
    params: nothing,
    handle: ({ operations }) => json({ lines: operations.log.recent() }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/log/tail',
    policy: 'admin',
    summary: 'The last log lines, then each as it is written.',
    params: nothing,
    produces: [NDJSON_TYPE],
    handle: (call) => ndjson(call, call.operations.log.tail(call.signal), { live: true }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/events',
    policy: 'read',
    summary: 'Server-sent events; goes on behind the header Last-Event-ID or the parameter `cursor`.',
    params: z.strictObject({ cursor: z.coerce.number().int().min(0).optional() }),
    produces: ['text/event-stream'],
    handle(call) {
      const cursor = call.params.cursor ?? lastEventId(call.header)
      const watch = (cursor: number | undefined, signal: AbortSignal) => call.operations.events(cursor, signal)
      return eventStream(call, formatEvents(watch, cursor, call.signal))
    },
  }),
]

/** A browser sends back the id of the last event that it has seen; anything else means from now on. */
function lastEventId(header: (name: string) => string | undefined): number | undefined {
  const id = header('last-event-id') ?? ''
  return /^\d{1,15}$/.test(id) ? Number(id) : undefined
}
