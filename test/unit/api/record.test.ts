import { expect } from 'chai'
import type { Api } from '../../../node/api/server.ts'
import { fakeOperations } from '../../helpers/fake-operations.ts'
import { MOTION } from '../../helpers/fake-record.ts'
import { ask, startApi, type Answer } from '../../helpers/start-api.ts'

const PEER = '12D3KooWMTXVjEgmuQ5RFg3QYFYSWuSk5k7fttSa4RjbAeXhEqd9'
const heights = ({ body }: Answer) =>
  body
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { height: number }).height)
const codeOf = ({ status, body }: Answer) => [status, (JSON.parse(body) as { error: { code: string } }).error.code]

describe("API of the mesh's record", () => {
  const operations = fakeOperations()
  let api: Api
  before(async () => {
    api = await startApi(operations)
  })
  after(() => api.stop())
  beforeEach(() => operations.calls.splice(0))

  const get = (path: string) => ask(api, `/api/v1${path}`)
  const post = (path: string, body: unknown) =>
    ask(api, `/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  it('streams epochs newest first, twenty unless told, and from a height upward', async () => {
    expect(heights(await get('/epochs'))).to.deep.equal([1234, 1233])
    expect(heights(await get('/epochs?from=7&limit=2'))).to.deep.equal([7, 8])
    expect(operations.calls).to.deep.equal(['mesh.epochs - 20', 'mesh.epochs 7 2'])
  })

  it('shows and exports the newest epoch unless told', async () => {
    expect(JSON.parse((await get('/epochs/show')).body)).to.include({ height: 1234 })
    expect(JSON.parse((await get('/epochs/show?height=7')).body)).to.include({ height: 7 })
    const exported = await get('/epochs/export?height=latest')
    expect([exported.headers['content-type'], exported.body]).to.deep.equal(['application/octet-stream', 'an epoch'])
    expect(operations.calls).to.deep.equal(['mesh.epoch latest', 'mesh.epoch 7', 'mesh.export latest'])
  })

  it('exports for who has a checkpoint, from its height', async () => {
    expect((await get('/epochs/export?height=9&from=7')).status).to.equal(200)
    expect(operations.calls).to.deep.equal(['mesh.export 9 from 7'])
    expect(codeOf(await get('/epochs/export?height=9&from=0'))).to.deep.equal([400, 'E_PARAMETER'])
  })

  it('404 for an epoch that is not final yet, shown or exported', async () => {
    for (const path of ['show', 'export'])
      expect(codeOf(await get(`/epochs/${path}?height=9999`)), path).to.deep.equal([404, 'E_EPOCH_UNKNOWN'])
  })

  it('400 for a height or a number of rows out of bounds', async () => {
    for (const query of ['from=0', 'from=-1', 'from=1.5', 'from=x', 'limit=0', 'limit=1001', 'height=7'])
      expect(codeOf(await get(`/epochs?${query}`)), query).to.deep.equal([400, 'E_PARAMETER'])
    for (const height of ['0', '1e999', 'newest', '9007199254740993'])
      expect(codeOf(await get(`/epochs/show?height=${height}`)), height).to.deep.equal([400, 'E_PARAMETER'])
    expect(operations.calls).to.deep.equal([])
  })

  const operator = { type: 'operator-set', name: 'Delta', cell: 'delta', weight: 3, members: [PEER] }

  it('moves each kind of change as it was given', async () => {
    const changes = [
      operator,
      { type: 'operator-remove', cell: 'delta' },
      { type: 'policy-set', policy: { epochMs: 500, doubleVote: 'note' } },
    ]
    for (const change of changes) {
      const answer = await post('/motions/move', { change, effectiveAt: 90, expiresIn: 10 })
      expect(answer.status, answer.body).to.equal(200)
    }
    const when = '{"effectiveAt":90,"expiresIn":10}'
    expect(operations.calls).to.deep.equal(changes.map((change) => `mesh.move ${JSON.stringify(change)} ${when}`))
  })

  it('moves nothing that is out of bounds or of no kind', async () => {
    const changes: unknown[] = [
      undefined,
      { type: 'set-all', cell: 'delta' },
      { ...operator, weight: 0 },
      { ...operator, weight: 1.5 },
      { ...operator, weight: 2 ** 33 },
      { ...operator, cell: 'Delta!' },
      { ...operator, name: '' },
      { ...operator, members: Array.from({ length: 65 }, () => PEER) },
      { ...operator, key: 'k' },
      { type: 'policy-set', policy: {} },
      { type: 'policy-set', policy: { epochMs: 0 } },
      { type: 'policy-set', policy: { collapseThreshold: 0.95 } },
      { type: 'policy-set', policy: { maxValidators: 17 } },
      { type: 'policy-set', policy: { doubleVote: 'forgive' } },
      { type: 'policy-set', policy: { speed: 1 } },
    ]
    for (const change of changes)
      expect(codeOf(await post('/motions/move', { change })), JSON.stringify(change)).to.deep.equal([
        400,
        'E_PARAMETER',
      ])
    const change = { type: 'operator-remove', cell: 'delta' }
    for (const when of [{ effectiveAt: 0 }, { expiresIn: 0 }, { expiresIn: 1_000_001 }, { expiresIn: '9' }])
      expect(codeOf(await post('/motions/move', { change, ...when }))).to.deep.equal([400, 'E_PARAMETER'])
    expect(operations.calls).to.deep.equal([])
  })

  it('votes by how the id of a motion begins, for it unless told', async () => {
    await post('/motions/vote', { motion: '7f3a' })
    await post('/motions/vote', { motion: MOTION, yes: false })
    expect(operations.calls).to.deep.equal(['mesh.vote 7f3a true', `mesh.vote ${MOTION} false`])
    expect(codeOf(await post('/motions/vote', { motion: 'aa' }))).to.deep.equal([404, 'E_MOTION_UNKNOWN'])
    for (const motion of ['', '7F3A', 'zz', '7'.repeat(65)])
      expect(codeOf(await post('/motions/vote', { motion })), motion).to.deep.equal([400, 'E_PARAMETER'])
  })

  it('lists validators and motions', async () => {
    expect(JSON.parse((await get('/validators')).body)).to.include({ height: 1234, total: 6 })
    expect(JSON.parse((await get('/motions')).body)).to.have.nested.property('motions[0].id', MOTION)
  })
})
