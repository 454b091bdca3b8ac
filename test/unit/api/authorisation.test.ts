import { expect } from 'chai'
import { BYTES_TYPE, JSON_TYPE, type Route } from '../../../node/api/route.ts'
import { ROUTES } from '../../../node/api/routes.ts'
import type { Api } from '../../../node/api/server.ts'
import { FAKE_CID, FAKE_PEER, fakeOperations } from '../../helpers/fake-operations.ts'
import { ask, startApi, TOKEN, type Asked } from '../../helpers/start-api.ts'

const TOKENS = [
  ['no token', undefined],
  ['an empty token', 'Bearer '],
  ['a wrong token', `Bearer ${'B'.repeat(43)}`],
  ['a token that begins right', `Bearer ${TOKEN.slice(0, -1)}`],
  ['a token with more behind it', `Bearer ${TOKEN}x`],
  ['another scheme', `Basic ${TOKEN}`],
] as const

const HOSTS = [
  'evil.example',
  'evil.example:3333',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '10.1.2.3',
  '[::2]',
]
const ORIGINS = ['http://evil.example', 'null', 'http://localhost:1', 'https://127.0.0.1.evil.example', 'file://']
const FORM_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', undefined]

/** What each route needs to succeed. */
const PARAMETERS: Record<string, Record<string, unknown>> = {
  '/api/v1/log/level': { level: 'debug' },
  '/api/v1/peers/ping': { peer: FAKE_PEER, count: 2 },
  '/api/v1/peers/connect': { address: '/ip4/127.0.0.1/tcp/1' },
  '/api/v1/query': { what: 'status', all: 'true' },
  '/api/v1/invite': { role: 'light' },
  '/api/v1/epochs': { from: 7, limit: 2 },
  '/api/v1/motions/move': { change: { type: 'operator-remove', cell: 'delta' } },
  '/api/v1/motions/vote': { motion: '7f3a' },
  '/api/v1/members/rm': { peer: 'alpha-2' },
  '/api/v1/peers/rm': { peer: FAKE_PEER, reason: 'stolen' },
  '/api/v1/members/label': { peer: 'alpha-2', key: 'rack', value: null },
  '/api/v1/members/drain': { peer: 'alpha-2' },
  '/api/v1/members/undrain': { peer: FAKE_PEER },
  '/api/v1/cat': { path: FAKE_CID },
  '/api/v1/get': { path: FAKE_CID },
  '/api/v1/ls': { path: FAKE_CID },
  '/api/v1/stat': { path: FAKE_CID },
  '/api/v1/pins': { name: 'p', metadata: '{"team":"a"}', limit: 5, order: 'name' },
  '/api/v1/pins/get': { path: FAKE_CID },
  '/api/v1/pins/add': { path: FAKE_CID, name: 'photos', replicationMin: 2, metadata: { team: 'a' } },
  '/api/v1/pins/rm': { path: FAKE_CID },
  '/api/v1/pins/update': { from: FAKE_CID, to: FAKE_CID },
  '/api/v1/pins/status': { path: FAKE_CID, local: 'true' },
  '/api/v1/pins/statuses': { statuses: 'pinning,pin_error' },
  '/api/v1/pins/verify': { path: FAKE_CID },
  '/api/v1/state/import': { replicationMin: 1, allocations: 'alpha-1,alpha-2' },
}

/** A request that the route answers with 200. */
function good(route: Route): { path: string } & Required<Pick<Asked, 'method' | 'headers'>> & Pick<Asked, 'body'> {
  const parameters = PARAMETERS[route.path] ?? {}
  const json = route.accepts.includes(JSON_TYPE)
  const query = new URLSearchParams(json ? {} : (parameters as Record<string, string>)).toString()
  return {
    method: route.method,
    path: query === '' ? route.path : `${route.path}?${query}`,
    headers: route.accepts[0] === undefined ? {} : { 'content-type': route.accepts[0] },
    ...(route.method === 'POST' ? { body: json ? JSON.stringify(parameters) : 'bytes' } : {}),
  }
}

describe('API authorisation: every route of the table', () => {
  const operations = fakeOperations()
  let api: Api

  before(async () => {
    api = await startApi(operations)
  })
  after(() => api.stop())
  beforeEach(() => operations.calls.splice(0))

  async function refused(path: string, asked: Asked, status: number, code: string): Promise<void> {
    const answer = await ask(api, path, asked)
    expect(answer.status).to.equal(status)
    expect(JSON.parse(answer.body)).to.have.nested.property('error.code', code)
    expect(operations.calls).to.deep.equal([])
  }

  for (const route of ROUTES) {
    const { path, ...asked } = good(route)
    const name = `${route.method} ${route.path}`

    it(`${name} answers the right token`, async () => {
      const answer = await ask(api, path, asked)
      expect(answer.status, answer.body).to.equal(200)
      expect(answer.headers['content-type']).to.satisfy((type: string) =>
        route.produces.some((declared) => type.startsWith(declared)),
      )
      expect(answer.headers).not.to.have.property('access-control-allow-origin')
    })

    it(`${name} answers a page of its own`, async () => {
      const origin = api.url
      expect((await ask(api, path, { ...asked, headers: { ...asked.headers, origin } })).status).to.equal(200)
    })

    for (const [what, authorization] of TOKENS)
      it(`${name} with ${what}`, async () => {
        const headers = { ...asked.headers, authorization }
        if (route.policy === 'none') expect((await ask(api, path, { ...asked, headers })).status).to.equal(200)
        else await refused(path, { ...asked, headers }, 401, 'E_UNAUTHORIZED')
      })

    for (const host of HOSTS)
      it(`${name} refuses the Host ${host}`, () =>
        refused(path, { ...asked, headers: { ...asked.headers, host } }, 403, 'E_HOST_REFUSED'))

    for (const origin of ORIGINS)
      it(`${name} refuses the Origin ${origin}`, () =>
        refused(path, { ...asked, headers: { ...asked.headers, origin } }, 403, 'E_ORIGIN_REFUSED'))

    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', route.method === 'GET' ? 'POST' : 'GET'])
      it(`${name} refuses ${method}`, async () => {
        await refused(path, { method }, 405, 'E_METHOD')
        expect((await ask(api, path, { method })).headers.allow).to.equal(route.method)
      })

    if (route.method === 'POST')
      for (const type of FORM_TYPES)
        it(`${name} refuses the content type ${type}, which a page of another site can send`, () =>
          refused(path, { ...asked, headers: { 'content-type': type } }, 415, 'E_CONTENT_TYPE'))

    it(`${name} refuses a parameter that it does not have`, async () => {
      if (route.accepts.includes(JSON_TYPE)) {
        const body = JSON.stringify({ ...PARAMETERS[route.path], bogus: 1 })
        await refused(path, { ...asked, body }, 400, 'E_PARAMETER')
      } else await refused(`${path}${path.includes('?') ? '&' : '?'}bogus=1`, asked, 400, 'E_PARAMETER')
    })
  }

  it('has a policy on every route, and lets only /healthz be called without a token', () => {
    expect(ROUTES.filter(({ policy }) => policy === 'none').map(({ path }) => path)).to.deep.equal(['/healthz'])
    expect(ROUTES.filter(({ method, policy }) => method === 'POST' && policy !== 'admin')).to.deep.equal([])
  })

  it('takes a name from api.allow_hosts, as Host and as Origin', async () => {
    const named = await startApi(fakeOperations(), { allow_hosts: ['node.example'] })
    try {
      const headers = { host: 'node.example:3333', origin: 'https://node.example' }
      expect((await ask(named, '/api/v1/id', { headers })).status).to.equal(200)
      expect((await ask(named, '/api/v1/id', { headers: { ...headers, host: 'x.node.example' } })).status).to.equal(403)
    } finally {
      await named.stop()
    }
  })

  it('refuses an upload before it is sent', async () => {
    const headers = { 'content-type': BYTES_TYPE, authorization: undefined, expect: '100-continue' }
    await refused('/api/v1/add', { method: 'POST', headers, body: 'bytes' }, 401, 'E_UNAUTHORIZED')
  })
})
