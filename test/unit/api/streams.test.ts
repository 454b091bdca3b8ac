import { expect } from 'chai'
import { once } from 'node:events'
import { request } from 'node:http'
import { ERROR_TRAILER } from '../../../node/api/answer.ts'
import { BYTES_TYPE, TAR_TYPE } from '../../../node/api/route.ts'
import type { Api } from '../../../node/api/server.ts'
import { readTar } from '../../../node/api/tar/read.ts'
import { writeTar } from '../../../node/api/tar/write.ts'
import type { NodeEvent, Operations } from '../../../node/operations.ts'
import { createLog } from '../../../node/telemetry/log.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { FAKE_CID, FAKE_TEXT, fakeOperations } from '../../helpers/fake-operations.ts'
import { ask, startApi, TOKEN } from '../../helpers/start-api.ts'

const rows = (body: string) =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
const bytes = (text: string) => new TextEncoder().encode(text)
const authorization = `Bearer ${TOKEN}`

describe('API streams', () => {
  const started: Api[] = []
  const start = async (overrides: Partial<Operations> = {}) => {
    const operations = fakeOperations(overrides)
    const lines: string[] = []
    const log = createLog({ level: 'warn', format: 'structured', write: (line) => lines.push(line) })
    const api = await startApi(operations, {}, log)
    started.push(api)
    return { api, operations, logged: () => rows(lines.join('')) }
  }
  afterEach(async () => {
    await Promise.all(started.splice(0).map((api) => api.stop()))
  })
  const withContent = (changes: Partial<Operations['content']>) => ({
    content: { ...fakeOperations().content, ...changes },
  })

  it('gives an error before the first row its status', async () => {
    const { api } = await start()
    const answer = await ask(api, '/api/v1/ls?path=nonsense')
    expect([answer.status, JSON.parse(answer.body).error.code]).to.deep.equal([400, 'E_CID_INVALID'])
    expect((await ask(api, `/api/v1/cat?path=${FAKE_CID}/missing`)).status).to.equal(404)
  })

  const lost = new CodedError('E_CONTENT_NOT_FOUND', 'nobody sent "ä"', { hint: 'wait', cause: new Error('timeout') })
  const halfAFile = withContent({
    async *cat() {
      yield bytes('half')
      throw lost
    },
  })

  it('gives an error after the first row as the last line, and logs it', async () => {
    const { api, logged } = await start(
      withContent({
        async *ls() {
          yield { name: 'a', cid: FAKE_CID, type: 'file', size: 1 }
          throw new CodedError('E_CONTENT_NOT_FOUND', 'nobody sent it')
        },
      }),
    )
    const answer = await ask(api, `/api/v1/ls?path=${FAKE_CID}`)
    expect(answer.status).to.equal(200)
    expect(rows(answer.body)[1]).to.deep.equal({ error: { code: 'E_CONTENT_NOT_FOUND', message: 'nobody sent it' } })
    expect(logged()).to.have.nested.property('[0].error.code', 'E_CONTENT_NOT_FOUND')
  })

  it('cuts the connection when bytes cannot be finished, so that a part is never taken for the whole', async () => {
    const { api, logged } = await start(halfAFile)
    const error = await ask(api, `/api/v1/cat?path=${FAKE_CID}`).catch((error: unknown) => error)
    expect(error).to.be.an('error').with.property('code', 'ECONNRESET')
    expect(logged()).to.have.length(1)
    expect(logged()[0]).to.deep.include({ level: 'warn', path: '/api/v1/cat' })
    expect(logged()[0]).to.have.property('error').that.includes({ code: lost.code, cause: 'Error: timeout' })
  })

  it('tells a client that reads trailers why the bytes end, in a trailer', async () => {
    const { api } = await start(halfAFile)
    const answer = await ask(api, `/api/v1/cat?path=${FAKE_CID}`, { headers: { te: 'trailers' } })
    expect(answer.body).to.equal('half')
    expect(JSON.parse(answer.trailers[ERROR_TRAILER]!)).to.deep.equal({
      error: { code: lost.code, message: lost.message, hint: lost.hint },
    })
    const { api: whole } = await start()
    const good = await ask(whole, `/api/v1/cat?path=${FAKE_CID}`, { headers: { te: 'trailers' } })
    expect([good.body, good.trailers]).to.deep.equal([FAKE_TEXT, {}])
  })

  it('logs a failure of its own, and no refusal', async () => {
    const { api, logged } = await start({ status: () => Promise.reject(new TypeError('boom')) })
    expect((await ask(api, '/api/v1/status')).status).to.equal(500)
    await ask(api, '/api/v1/ls?path=nonsense')
    await ask(api, '/nowhere')
    expect(logged()).to.have.length(1)
    expect(logged()[0]).to.deep.include({ level: 'error', path: '/api/v1/status' })
    expect(logged()[0]).to.have.nested.property('error.message', 'boom')
  })

  it('reads a range of a file', async () => {
    const { api } = await start()
    expect((await ask(api, `/api/v1/cat?path=${FAKE_CID}&offset=6&length=5`)).body).to.equal('world')
  })

  it('stops the work when the client has gone', async () => {
    const aborted = Promise.withResolvers<void>()
    const { api } = await start({
      async *query(_what, _target, signal) {
        signal.addEventListener('abort', () => aborted.resolve())
        yield { peerId: 'a', name: 'a', data: {} }
        await aborted.promise
      },
    })
    const sent = request(`${api.url}/api/v1/query?what=status`, { headers: { authorization } }).end()
    const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
    await once(response, 'data')
    sent.destroy()
    await aborted.promise
  })

  it('adds one file from its bytes, as curl sends them', async () => {
    const { api, operations } = await start()
    const answer = await ask(api, '/api/v1/add?name=hello.txt', {
      method: 'POST',
      headers: { 'content-type': BYTES_TYPE },
      body: FAKE_TEXT,
    })
    expect(rows(answer.body)).to.deep.equal([{ path: 'hello.txt', cid: FAKE_CID, size: 12 }])
    expect(operations.calls).to.deep.equal(['add hello.txt 12'])
  })

  it('adds a tree from a tar archive, over the limit of other bodies', async () => {
    const { api, operations } = await start()
    const large = new Uint8Array(3_000_000)
    async function* entries() {
      yield { path: 'docs', type: 'directory' as const, size: 0 }
      yield { path: 'docs/large', type: 'file' as const, size: large.length, content: single(large) }
    }
    const archive = Buffer.concat(await collect(writeTar(entries())))
    const asked = { method: 'POST', headers: { 'content-type': TAR_TYPE }, body: archive }
    expect((await ask(api, '/api/v1/add', asked)).status).to.equal(200)
    expect(operations.calls).to.deep.equal(['add docs/ 0', 'add docs/large 3000000'])
  })

  it('answers 400 to an archive that is none', async () => {
    const { api } = await start()
    const asked = { method: 'POST', headers: { 'content-type': TAR_TYPE }, body: 'x'.repeat(1024) }
    const answer = await ask(api, '/api/v1/add', asked)
    expect([answer.status, JSON.parse(answer.body).error.code]).to.deep.equal([400, 'E_TAR'])
  })

  it('gives a directory as a tar archive under the name that was asked for', async () => {
    const { api } = await start()
    const answer = await ask(api, `/api/v1/get?path=${FAKE_CID}`)
    const paths: string[] = []
    for await (const { path } of readTar(single(bytes(answer.body)))) paths.push(path)
    expect(paths).to.deep.equal([FAKE_CID, `${FAKE_CID}/docs`, `${FAKE_CID}/docs/hello.txt`])
    expect((await ask(api, `/api/v1/get?path=${FAKE_CID}&car=true`)).body).to.equal(FAKE_TEXT)
  })

  it('gives /ipfs/CID under the name CID', async () => {
    const { walk } = fakeOperations().content
    const { api } = await start(withContent({ walk: (path, signal) => walk(path.replace('/ipfs/', ''), signal) }))
    const answer = await ask(api, `/api/v1/get?path=/ipfs/${FAKE_CID}`)
    const entries = await collect(readTar(single(bytes(answer.body))))
    expect([answer.status, entries[0]?.path]).to.deep.equal([200, FAKE_CID])
  })

  it('refuses a JSON body over 1 MiB, announced or not', async () => {
    const { api, operations } = await start()
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ address: 'x'.repeat(1_048_577) })
    const announced = await ask(api, '/api/v1/peers/connect', { method: 'POST', headers, body })
    const chunked = { ...headers, 'transfer-encoding': 'chunked' }
    const unannounced = await ask(api, '/api/v1/peers/connect', { method: 'POST', headers: chunked, body })
    expect([announced.status, unannounced.status]).to.deep.equal([413, 413])
    expect(operations.calls).to.deep.equal([])
  })

  it('refuses headers over 16 KiB and what is no HTTP, and goes on', async () => {
    const { api } = await start()
    expect((await ask(api, '/healthz', { headers: { 'x-long': 'x'.repeat(20_000) } })).status).to.be.oneOf([400, 431])
    expect((await ask(api, '/healthz')).status).to.equal(200)
  })

  it('answers a body that is no JSON, and a repeated parameter, with 400', async () => {
    const { api } = await start()
    const headers = { 'content-type': 'application/json' }
    const answer = await ask(api, '/api/v1/invite', { method: 'POST', headers, body: '{"role":' })
    expect([answer.status, JSON.parse(answer.body).error.code]).to.deep.equal([400, 'E_JSON'])
    expect((await ask(api, `/api/v1/ls?path=${FAKE_CID}&path=x`)).status).to.equal(400)
  })

  it('says 503 with the reasons while it is not ready', async () => {
    const { api } = await start({ readiness: () => ({ ready: false, reasons: ['no peer is connected'] }) })
    const answer = await ask(api, '/readyz')
    expect([answer.status, answer.body]).to.deep.equal([503, '{"ready":false,"reasons":["no peer is connected"]}\n'])
    expect((await ask(api, '/healthz', { headers: { authorization: undefined } })).status).to.equal(200)
  })

  it('hides secrets of the configuration', async () => {
    const { api } = await start()
    const { body } = await ask(api, '/api/v1/config')
    expect(JSON.parse(body)).to.have.nested.property('kairos.omega', 2)
    expect(body).not.to.contain(TOKEN)
  })

  describe('events', () => {
    const cursors = (body: string) => [...body.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

    it('go on behind Last-Event-ID, and behind the parameter cursor', async () => {
      const { api } = await start()
      const all = await ask(api, '/api/v1/events')
      expect(all.headers['content-type']).to.equal('text/event-stream')
      expect(cursors(all.body)).to.deep.equal([1, 2, 3])
      expect(cursors((await ask(api, '/api/v1/events', { headers: { 'last-event-id': '1' } })).body)).to.deep.equal([
        2, 3,
      ])
      expect(cursors((await ask(api, '/api/v1/events?cursor=2')).body)).to.deep.equal([3])
    })

    it('come one by one, and lose nothing over a broken connection', async () => {
      const log: NodeEvent[] = []
      let wake = Promise.withResolvers<void>()
      const publish = () => {
        log.push({ cursor: log.length + 1, time: 0, type: 'node', data: {} })
        wake.resolve()
        wake = Promise.withResolvers()
      }
      const { api } = await start({
        async *events(cursor = 0, signal) {
          for (let next = cursor; !signal.aborted; next++) {
            while (log[next] === undefined) await wake.promise
            yield log[next]!
          }
        },
      })
      const listen = async (after: number, count: number) => {
        const headers = { authorization, 'last-event-id': String(after) }
        const sent = request(`${api.url}/api/v1/events`, { headers, agent: false }).end()
        const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
        let text = ''
        for await (const chunk of response) {
          text += String(chunk)
          if (cursors(text).length < count) publish()
          else break
        }
        sent.destroy()
        return cursors(text)
      }
      expect(await listen(0, 3)).to.deep.equal([1, 2, 3])
      publish()
      expect(await listen(3, 2)).to.deep.equal([4, 5])
    })
  })
})

async function* single<T>(value: T): AsyncIterable<T> {
  yield value
}
