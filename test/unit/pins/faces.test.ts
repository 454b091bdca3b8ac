import { expect } from 'chai'
import { MAX_REQUEST_BYTES } from '../../../protocols/query/constants.ts'
import { frameCodec, requestCodec } from '../../../protocols/query/codec.ts'
import type { PinningAddOptions } from '../../../node/operations.ts'
import { pinningContent } from '../../../node/pins/add-pinned.ts'
import { answer } from '../../../node/query-service.ts'
import { collect } from '../../helpers/collect.ts'
import { FAKE_CID, fakeOperations } from '../../helpers/fake-operations.ts'
import { fakePins, statusDocument } from '../../helpers/fake-pins.ts'

const { signal } = new AbortController()
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  )

describe('the query for pins', () => {
  const operations = fakeOperations()
  const ask = (params: Record<string, string | number | boolean | null>) =>
    collect(answer(operations, { what: 'pins', params, signal }))
  beforeEach(() => operations.calls.splice(0))

  it('answers with what this node alone observes, a pin per row, and says where more are', async () => {
    expect(await ask({})).to.deep.equal([statusDocument(), { next: 'two' }])
    expect(await ask({ after: 'two', limit: 5 })).to.deep.equal([statusDocument()])
    expect(operations.calls).to.deep.equal([
      'pins.statuses {} {"limit":100,"local":true}',
      'pins.statuses {} {"limit":5,"local":true,"after":"two"}',
    ])
  })

  it('answers for one pin', async () => {
    expect(await ask({ cid: FAKE_CID })).to.deep.equal([statusDocument()])
    expect(operations.calls).to.deep.equal([`pins.status "${FAKE_CID}" {"local":true}`])
  })

  it('never resolves a path for a peer, nor asks for more than a page', async () => {
    for (const cid of [`${FAKE_CID}/docs`, `/ipfs/${FAKE_CID}/docs`, 'nonsense', 7, true, null])
      expect(await codeOf(ask({ cid })), String(cid)).to.equal('E_CID_INVALID')
    for (const limit of [0, -1, 1001, 1.5, 'many', null, true])
      expect(await codeOf(ask({ limit })), String(limit)).to.equal('E_PARAMETER')
    expect(operations.calls).to.deep.equal([])
  })

  it('fits the frames of the protocol', () => {
    const params = { cid: FAKE_CID, after: 'x'.repeat(256), limit: 1000 }
    expect(requestCodec.encode({ what: 'pins', params }).length).to.be.lessThan(MAX_REQUEST_BYTES)
    const row = statusDocument()
    expect(frameCodec.decode(frameCodec.encode({ type: 'row', row: row as never }))).to.deep.equal({ type: 'row', row })
  })
})

describe('adding and pinning in one step', () => {
  const add = async (options: Partial<PinningAddOptions>, files = ['a', 'b']) => {
    const calls: string[] = []
    const { content } = fakeOperations()
    const plain = {
      ...content,
      local: { hold: () => ({ add: async () => undefined, release: () => calls.push('release') }) },
      async *add() {
        for (const path of files) yield { path, cid: `bafk${path}`, size: 1 }
      },
    }
    const pins = { operations: fakePins(calls), placement: () => ['self'] }
    const parts = {
      content: plain,
      pins,
      membership: { self: { peerId: 'self' } },
      log: { forComponent: () => undefined },
    }
    const given = (async function* () {})()
    const rows: object[] = await collect(
      pinningContent(parts as never).add(given, { wrapWithDirectory: false, ...options }, signal),
    )
    return { keys: rows.map((row) => Object.keys(row)[0]), calls }
  }

  const added = (name: string, options: object) => `pins.add "bafk${name}" ${JSON.stringify(options)}`
  const PLACED = { allocations: ['self'] }

  it('pins the root, after its row', async () => {
    const tree = ['docs/a', 'docs/b', 'docs']
    expect(await add({ pin: { name: 'n' } }, tree)).to.deep.equal({
      keys: ['path', 'path', 'path', 'pin'],
      calls: [added('docs', { name: 'n', ...PLACED }), 'release'],
    })
    const wrapped = await add({ pin: {}, wrapWithDirectory: true }, ['a', 'b', ''])
    expect(wrapped.calls).to.deep.equal([added('', PLACED), 'release'])
  })

  it('of several paths pins each, once', async () => {
    expect(await add({ pin: {} }, ['a', 'b', 'b', 'docs/x', 'docs'])).to.deep.equal({
      keys: ['path', 'path', 'path', 'path', 'path', 'pin', 'pin', 'pin'],
      calls: [...['a', 'b', 'docs'].map((name) => added(name, PLACED)), 'release'],
    })
  })

  it('tells how the copies come where it waits, after all is agreed on', async () => {
    const waits = (name: string) => `pins.addAndWait "bafk${name}" {"allocations":["self"]} {"copies":2}`
    expect(await add({ pin: {}, wait: { copies: 2 } })).to.deep.equal({
      keys: ['path', 'path', 'status', 'status', 'status', 'status'],
      calls: [added('a', PLACED), added('b', PLACED), waits('a'), waits('b'), 'release'],
    })
    expect((await add({ pin: {}, wait: { copies: 2 } }, ['a'])).calls).to.deep.equal([waits('a'), 'release'])
  })

  it('pins nothing unless told, nor when nothing was added', async () => {
    expect((await add({})).calls).to.deep.equal([])
    expect((await add({ pin: {} }, [])).calls).to.deep.equal(['release'])
  })
})
