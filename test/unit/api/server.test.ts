import { expect } from 'chai'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { MAX_TICKET_SECONDS, MAX_TICKET_USES } from '../../../protocols/admission/index.ts'
import { describeApi } from '../../../node/api/openapi.ts'
import { ROUTES } from '../../../node/api/routes.ts'
import { collect } from '../../helpers/collect.ts'
import { fakeOperations } from '../../helpers/fake-operations.ts'
import { ask, startApi, TOKEN } from '../../helpers/start-api.ts'

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error as { code: string; message: string; hint: string },
  )

describe('API server', () => {
  it('names the key to change when its port is taken', async () => {
    const first = await startApi(fakeOperations())
    try {
      const error = await refusal(startApi(fakeOperations(), { port: Number(new URL(first.url).port) }))
      expect(error.code).to.equal('E_PORT_TAKEN')
      expect(error.hint).to.contain('api.port')
    } finally {
      await first.stop()
    }
  })

  it('stops twice, before a start too, and ends streams that never end by themselves', async () => {
    const api = await startApi(
      fakeOperations({
        async *events(_cursor, signal) {
          yield { cursor: 1, time: 0, type: 'node', data: {} }
          await once(signal, 'abort')
        },
      }),
    )
    const headers = { authorization: `Bearer ${TOKEN}` }
    const sent = request(`${api.url}/api/v1/events`, { headers, agent: false }).end()
    const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
    const ended = once(response.resume(), 'close')
    await Promise.all([api.stop(), api.stop()])
    await ended
    expect(await ask(api, '/healthz').catch((error: { code: string }) => error.code)).to.equal('ECONNREFUSED')
  })

  it('answers while a thousand slow clients hold connections that they do not use', async () => {
    const api = await startApi(fakeOperations())
    const slow = Array.from({ length: 1000 }, () => connect(Number(new URL(api.url).port), '127.0.0.1'))
    try {
      await Promise.all(
        slow.map(async (socket) => {
          socket.on('error', () => undefined)
          await once(socket, 'connect')
          socket.write('GET /healthz HTTP/1.1\r\nHost: loc')
        }),
      )
      const times: number[] = []
      for (let i = 0; i < 100; i++) {
        const start = performance.now()
        expect((await ask(api, '/healthz')).status).to.equal(200)
        times.push(performance.now() - start)
      }
      expect(times.sort((a, b) => a - b)[98]).to.be.lessThan(200)
    } finally {
      for (const socket of slow) socket.destroy()
      await api.stop()
    }
  })

  it('answers what is no HTTP with 400 and hangs up', async () => {
    const api = await startApi(fakeOperations())
    try {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
      socket.end('\u0016\u0003\u0001 this is TLS, say\r\n\r\n')
      expect(String(Buffer.concat(await collect(socket as AsyncIterable<Buffer>)))).to.match(/^HTTP\/1\.1 400 /)
    } finally {
      await api.stop()
    }
  })

  it('counts requests by declared path only, whoever sends them', async () => {
    const api = await startApi(fakeOperations())
    try {
      await ask(api, '/made-up-1', { headers: { host: 'evil.example' } })
      await ask(api, '/made-up-2')
      await ask(api, '/healthz', { headers: { host: 'evil.example' } })
      const { body } = await ask(api, '/metrics')
      const paths = [...body.matchAll(/^kairos_api_requests_total\{path="([^"]*)",status="(\d+)"/gm)]
      expect(paths.map(([, path, status]) => `${path} ${status}`)).to.have.members([
        'other 403',
        'other 404',
        '/healthz 403',
      ])
    } finally {
      await api.stop()
    }
  })

  it('describes in OpenAPI 3.1 exactly the routes that it has', () => {
    const document = describeApi(ROUTES, '0.1.0') as { openapi: string; paths: Record<string, Record<string, unknown>> }
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(document.openapi).to.equal('3.1.0')
    expect(described.sort()).to.deep.equal(ROUTES.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('describes parameters, bodies and who may call', () => {
    const { paths } = describeApi(ROUTES, '0.1.0') as { paths: Record<string, Record<string, Record<string, unknown>>> }
    expect(paths['/api/v1/peers/ping']?.['get']?.['parameters']).to.deep.equal([
      { name: 'peer', in: 'query', required: true, schema: { type: 'string', minLength: 1, maxLength: 128 } },
      {
        name: 'count',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 4 },
      },
    ])
    expect(paths['/api/v1/invite']?.['post']).to.have.nested.property(
      'requestBody.content.application/json.schema.required[0]',
      'role',
    )
    expect(paths['/api/v1/invite']?.['post'])
      .to.have.nested.property('requestBody.content.application/json.schema.properties')
      .that.deep.includes({
        cell: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,31}$' },
        uses: { type: 'integer', minimum: 1, maximum: MAX_TICKET_USES },
        expiresInSeconds: { type: 'integer', minimum: 1, maximum: MAX_TICKET_SECONDS },
      })
    expect(paths['/api/v1/add']?.['post'])
      .to.have.nested.property('requestBody.content')
      .with.all.keys('application/octet-stream', 'application/x-tar')
    expect(paths['/api/v1/state/import']?.['post'])
      .to.have.nested.property('requestBody.content')
      .with.all.keys('application/x-ndjson')
    expect(paths['/api/v1/pins/add']?.['post'])
      .to.have.nested.property('responses.200.content')
      .with.all.keys('application/json', 'application/x-ndjson')
    const { parameters } = paths['/api/v1/pins']!['get'] as { parameters: { name: string; schema: object }[] }
    expect(parameters.find(({ name }) => name === 'limit')).to.deep.equal({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    })
    expect(parameters.find(({ name }) => name === 'metadata')?.schema).to.deep.include({ type: 'object' })
    expect(paths['/healthz']?.['get']).to.deep.include({ security: [], 'x-kairos-policy': 'none' })
    expect(paths['/api/v1/stop']?.['post']).to.deep.include({ security: [{ token: [] }], 'x-kairos-policy': 'admin' })
  })
})

describe('API paths that lead elsewhere', () => {
  const climbs = [
    '..',
    '%2e%2e',
    '%252e%252e',
    '.%2e',
    '%2e.',
    '..%00',
    '%c0%ae%c0%ae',
    '%e0%80%ae',
    '..;',
    '....',
    '\\..',
  ]
  const slashes = ['/', '%2f', '%252f', '\\', '%5c', '%255c', '//', '/./', '%c0%af']
  const targets = ['etc/passwd', 'api.token', 'node.key', 'package.json', 'proc/self/environ']
  const corpus = [
    ...climbs.flatMap((climb) =>
      slashes.flatMap((slash) => targets.map((target) => `/${climb}${slash}${climb}${slash}${target}`)),
    ),
    ...targets.flatMap((target) => [
      `//${target}`,
      `/file:///${target}`,
      `/\\\\host\\share\\${target}`,
      `/api/v1/${target}`,
    ]),
    `/${'a'.repeat(8000)}`,
    `/${'../'.repeat(2000)}etc/passwd`,
    '/api/v1/id/',
    '/API/V1/ID',
    '/api/v1/id%00',
    '/api/v1/../v1/idx',
  ]

  it(`answers each of ${corpus.length} with 400 or 404 and an error document`, async () => {
    const operations = fakeOperations()
    const api = await startApi(operations)
    try {
      for (const path of corpus) {
        const { status, body } = await ask(api, path)
        expect(status, path).to.be.oneOf([400, 404])
        expect(JSON.parse(body), path).to.have.nested.property('error.code')
      }
      expect(corpus.length).to.be.greaterThan(500)
      expect(operations.calls).to.deep.equal([])
    } finally {
      await api.stop()
    }
  })
})
