import { expect } from 'chai'
import type { Api } from '../../../node/api/server.ts'
import type { Operations, PinExportRow } from '../../../node/operations.ts'
import { NO_PINS, NO_REPO } from '../../../node/pins/unavailable.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { FAKE_CID, fakeOperations } from '../../helpers/fake-operations.ts'
import { statusDocument } from '../../helpers/fake-pins.ts'
import { ask, startApi, type Answer } from '../../helpers/start-api.ts'

const rows = ({ body }: Answer) =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
const problem = ({ status, body }: Answer) => {
  const { code, message } = (JSON.parse(body) as { error: { code: string; message: string } }).error
  return [status, code, message]
}

describe('API of pins', () => {
  const started: Api[] = []
  const start = async (overrides: Partial<Operations> = {}) => {
    const operations = fakeOperations(overrides)
    const api = await startApi(operations)
    started.push(api)
    const post = (path: string, body: unknown) =>
      ask(api, `/api/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const get = (path: string) => ask(api, `/api/v1${path}`)
    return { api, operations, post, get }
  }
  afterEach(async () => {
    await Promise.all(started.splice(0).map((api) => api.stop()))
  })

  it('agrees on a pin with what was said, and nothing more', async () => {
    const { post, operations } = await start()
    const options = { name: 'a', replicationMin: 1, replicationMax: -1, allocations: ['b'], metadata: { k: 'v' } }
    const answer = await post('/pins/add', { path: FAKE_CID, ...options })
    expect([answer.status, JSON.parse(answer.body).name]).to.deep.equal([200, 'a'])
    expect(operations.calls).to.deep.equal([`pins.add "${FAKE_CID}" ${JSON.stringify(options)}`])
  })

  it('streams the status of a pin that is waited for', async () => {
    const { post, operations } = await start()
    const answer = await post('/pins/add', { path: FAKE_CID, wait: { copies: 2, timeoutMs: 1000 } })
    expect(answer.headers['content-type']).to.equal('application/x-ndjson')
    expect(rows(answer).map(({ pinned }) => pinned)).to.deep.equal([1, 2])
    expect(operations.calls).to.deep.equal([`pins.addAndWait "${FAKE_CID}" {} {"copies":2,"timeoutMs":1000}`])
  })

  it('says at the end of the stream that waiting took too long', async () => {
    const { post } = await start({
      pins: {
        ...fakeOperations().pins,
        async *addAndWait() {
          yield statusDocument()
          throw new CodedError('E_TIMEOUT', '1 of 2 copies after 1 s')
        },
      },
    })
    const [first, last] = rows(await post('/pins/add', { path: FAKE_CID, wait: {} }))
    expect([first?.['pinned'], last]).to.deep.equal([
      1,
      { error: { code: 'E_TIMEOUT', message: '1 of 2 copies after 1 s' } },
    ])
  })

  for (const [wrong, message] of [
    [{ replicationMin: 0 }, 'replicationMin: give 1 or more, or -1 for every member'],
    [{ replicationMin: 3, replicationMax: 2 }, 'replicationMin: is above replicationMax'],
    [{ replicationMin: -1, replicationMax: 2 }, 'replicationMin: is above replicationMax'],
    [{ priority: 10 }, /^priority: .*9/],
    [{ mode: 'all' }, /^mode: .*recursive/],
    [{ expiresInSeconds: 0 }, /^expiresInSeconds: /],
    [{ origins: ['alpha-1'] }, /^origins\.0: /],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])) }, 'metadata: at most 16 keys'],
    [{ wait: { copies: 0 } }, /^wait\.copies: /],
  ] as const)
    it(`refuses ${JSON.stringify(wrong).slice(0, 60)} by name`, async () => {
      const { post, operations } = await start()
      const [status, code, said] = problem(await post('/pins/add', { path: FAKE_CID, ...wrong }))
      expect([status, code]).to.deep.equal([400, 'E_PARAMETER'])
      if (typeof message === 'string') expect(said).to.equal(message)
      else expect(said).to.match(message)
      expect(operations.calls).to.deep.equal([])
    })

  it('lists page by page, with what a query spells as text', async () => {
    const { get, operations } = await start()
    const query = new URLSearchParams({ metadata: '{"team":"a"}', mode: 'direct', limit: '7', order: 'created' })
    const first = JSON.parse((await get(`/pins?${query}`)).body) as { next: string }
    expect(first.next).to.equal('two')
    expect(JSON.parse((await get(`/pins?after=${first.next}`)).body).next).to.equal(null)
    expect(operations.calls).to.deep.equal([
      'pins.list {"metadata":{"team":"a"},"mode":"direct"} {"limit":7,"order":"created"}',
      'pins.list {} {"limit":100,"after":"two"}',
    ])
  })

  it('asks for statuses of some kinds, and refuses one that is none', async () => {
    const { get, operations } = await start()
    expect((await get('/pins/statuses?statuses=pinning,pin_error&local=true')).status).to.equal(200)
    expect(operations.calls).to.deep.equal([
      'pins.statuses {"statuses":["pinning","pin_error"]} {"limit":100,"local":true}',
    ])
    for (const query of ['statuses=bogus', 'limit=0', 'limit=1001', 'limit=x', 'metadata=%7B', 'metadata=%5B%5D'])
      expect(problem(await get(`/pins/statuses?${query}`)).slice(0, 2), query).to.deep.equal([400, 'E_PARAMETER'])
  })

  it('gives what an operation refuses its status', async () => {
    const { get } = await start()
    expect(problem(await get('/pins/get?path=nonsense')).slice(0, 2)).to.deep.equal([400, 'E_CID_INVALID'])
    const refusing = await start({ pins: NO_PINS, repo: NO_REPO })
    for (const path of ['/pins', `/pins/status?path=${FAKE_CID}`, '/pins/plan', '/state/export', '/repo'])
      expect(problem(await refusing.get(path)).slice(0, 2), path).to.deep.equal([409, 'E_NOT_IN_ROLE'])
    expect(problem(await refusing.post('/repo/gc', {})).slice(0, 2)).to.deep.equal([409, 'E_NOT_IN_ROLE'])
    const headless = await start({
      pins: {
        ...fakeOperations().pins,
        remove: () => Promise.reject(new CodedError('E_NO_QUORUM', 'nobody leads')),
      },
    })
    expect(problem(await headless.post('/pins/rm', { path: FAKE_CID }))).to.deep.equal([
      503,
      'E_NO_QUORUM',
      'nobody leads',
    ])
  })

  it('passes on what else a pin can be asked', async () => {
    const { post, get, operations } = await start()
    await post('/pins/rm', { path: FAKE_CID })
    await post('/pins/update', { from: FAKE_CID, to: FAKE_CID, keep: true })
    await post('/pins/recover', { local: true })
    await post('/pins/verify', { path: FAKE_CID, repair: true })
    await get(`/pins/status?path=${FAKE_CID}&local=true`)
    expect(operations.calls).to.deep.equal([
      `pins.remove "${FAKE_CID}"`,
      `pins.update "${FAKE_CID}" "${FAKE_CID}" {"keep":true}`,
      'pins.recover  {"local":true}',
      `pins.verify "${FAKE_CID}" {"repair":true}`,
      `pins.status "${FAKE_CID}" {"local":true}`,
    ])
  })

  describe('add', () => {
    const upload = (api: Api, query: string) =>
      ask(api, `/api/v1/add?${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: 'bytes',
      })

    it('pins what was added, and tells of the pin after the last row', async () => {
      const { api, operations } = await start()
      const added = rows(await upload(api, 'pin=true&pinName=a&replicationMin=2&metadata={"k":"v"}'))
      expect(added.map((row) => Object.keys(row)[0])).to.deep.equal(['path', 'pin'])
      expect(operations.calls.at(-1)).to.equal('pin {"name":"a","replicationMin":2,"metadata":{"k":"v"}}')
    })

    it('waits for the copies where it is told to', async () => {
      const { api, operations } = await start()
      const query = 'pin=true&allocations=a,b&wait=true&waitCopies=1&waitTimeoutMs=5000'
      expect(rows(await upload(api, query)).at(-1)).to.have.nested.property('status.pinned', 1)
      expect(operations.calls.at(-1)).to.equal('pin {"allocations":["a","b"]} {"copies":1,"timeoutMs":5000}')
    })

    it('pins nothing unless told, and refuses more than there may be', async () => {
      const { api, operations } = await start()
      await upload(api, 'replicationMin=2')
      expect(operations.calls).to.deep.equal(['add file 5'])
      expect(problem(await upload(api, 'pin=true&replicationMin=3&replicationMax=1')).slice(0, 2)).to.deep.equal([
        400,
        'E_PARAMETER',
      ])
    })
  })

  describe('state', () => {
    const importing = async (body: string | Uint8Array, query = '') => {
      const { api, operations } = await start()
      const headers = { 'content-type': 'application/x-ndjson' }
      const answer = await ask(api, `/api/v1/state/import${query}`, { method: 'POST', headers, body })
      return { answer, calls: operations.calls }
    }

    it('is exported as lines that can be imported as they are', async () => {
      const { get } = await start()
      const exported = await get('/state/export')
      const { answer, calls } = await importing(exported.body)
      expect(rows(answer).at(-1)).to.deep.equal({ type: 'end', imported: 2, refused: 0 })
      expect(calls.slice(1)).to.deep.equal(
        rows(exported).map((row, i) => `pins.import line ${i + 1} ${JSON.stringify(row)} ${i + 1}`),
      )
    })

    it('refuses a bad line by its number and goes on with the rest', async () => {
      const whole: PinExportRow = { cid: FAKE_CID, expires: '2030-01-01T00:00:00.000Z', replicationMin: 2 }
      const lines = [
        JSON.stringify(whole),
        '{"cid":',
        '',
        JSON.stringify({ cid: FAKE_CID, replicationMin: 0 }),
        '[]',
        JSON.stringify({ cid: FAKE_CID, bogus: 1 }),
        'null',
        JSON.stringify({ cid: FAKE_CID, created: 'yesterday' }),
        JSON.stringify({ cid: FAKE_CID, name: 'last' }),
      ]
      const { answer, calls } = await importing(lines.join('\r\n'))
      const refused = rows(answer).filter(({ type }) => type === 'refused')
      expect(refused.map(({ line, code, cid }) => [line, code, cid])).to.deep.equal([
        [2, 'E_JSON', ''],
        [4, 'E_PARAMETER', FAKE_CID],
        [5, 'E_PARAMETER', ''],
        [6, 'E_PARAMETER', FAKE_CID],
        [7, 'E_PARAMETER', ''],
        [8, 'E_PARAMETER', FAKE_CID],
      ])
      expect(refused[1]?.['message']).to.equal('replicationMin: give 1 or more, or -1 for every member')
      expect(rows(answer).at(-1)).to.deep.equal({ type: 'end', imported: 2, refused: 6 })
      expect(calls.slice(1)).to.deep.equal([
        `pins.import line 1 ${JSON.stringify({ cid: whole.cid, replicationMin: 2, expires: whole.expires })} 1`,
        `pins.import line 9 ${JSON.stringify({ cid: FAKE_CID, name: 'last' })} 2`,
      ])
    })

    it('drops a line of 1 MiB and a byte, and takes the one behind it', async () => {
      const long = JSON.stringify({ cid: FAKE_CID, name: 'x'.repeat(1_048_577) })
      const { answer } = await importing(`${long}\n${JSON.stringify({ cid: FAKE_CID })}\n`)
      expect(rows(answer).map(({ type, line, code }) => [type, line, code])).to.deep.equal([
        ['refused', 1, 'E_INPUT_LINE'],
        ['progress', undefined, undefined],
        ['end', undefined, undefined],
      ])
      expect(rows(answer).at(-1)).to.deep.include({ imported: 1, refused: 1 })
    })

    it('takes more than 1 MiB of lines', async () => {
      const line = `${JSON.stringify({ cid: FAKE_CID, name: 'x'.repeat(200) })}\n`
      const { answer } = await importing(line.repeat(5000))
      expect(rows(answer).at(-1)).to.deep.equal({ type: 'end', imported: 5000, refused: 0 })
    })

    it('rewrites replication and allocations, also to none', async () => {
      const line = JSON.stringify({ cid: FAKE_CID })
      const given = await importing(line, '?replicationMin=1&replicationMax=2&allocations=a,b')
      expect(given.calls[0]).to.equal('pins.import {"replicationMin":1,"replicationMax":2,"allocations":["a","b"]}')
      expect((await importing(line, '?allocations=')).calls[0]).to.equal('pins.import {"allocations":[]}')
      expect((await importing(line)).calls[0]).to.equal('pins.import {}')
      expect(problem((await importing(line, '?replicationMin=2&replicationMax=1')).answer)[1]).to.equal('E_PARAMETER')
    })
  })
})
