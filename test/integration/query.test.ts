import { expect } from 'chai'
import { createQueryService } from '../../node/query-service.ts'
import { writeFrame } from '../../protocols/shared/frames.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import {
  createQueryHandler,
  query,
  queryAll,
  QUERY_PROTOCOL,
  type QueryHandler,
  type QueryHandlerInit,
} from '../../protocols/query/index.ts'
import { requestCodec } from '../../protocols/query/codec.ts'
import { codeThrown, collectAll } from '../helpers/content-node.ts'
import { fakeOperations } from '../helpers/fake-operations.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'

type Serve = QueryHandlerInit['serve']
const STATUS = { what: 'status', params: {} }

describe('/kairos/query/1.0.0', () => {
  let asker: TestLibp2p
  let answerer: TestLibp2p
  let handler: QueryHandler
  const { signal } = new AbortController()

  const answerWith = async (serve: Serve, limits: QueryHandlerInit['limits'] = {}): Promise<void> => {
    handler = createQueryHandler({ libp2p: answerer, serve, limits, log: answerer.logger.forComponent('query') })
    await handler.start()
  }
  const ask = (request = STATUS, timeoutMs = 5000): AsyncGenerator<unknown> =>
    query(asker, answerer.peerId, request, { signal, timeoutMs })

  beforeEach(async () => {
    ;[asker, answerer] = await Promise.all([startLibp2p(), startLibp2p()])
    await connect(asker, answerer)
  })
  afterEach(async () => {
    await handler?.stop()
    await Promise.all([asker.stop(), answerer.stop()])
  })

  it('streams the rows of a topic with its parameters', async () => {
    await answerWith(async function* (what, params) {
      yield { what, params }
      yield { list: [1, 2.5, null, 'x'] }
    })
    expect(await collectAll(ask({ what: 'coherence', params: { limit: 3 } }))).to.deep.equal([
      { what: 'coherence', params: { limit: 3 } },
      { list: [1, 2.5, null, 'x'] },
    ])
  })

  it('shows pins to whom the node lets see them, and all else to everybody', async () => {
    const seers = new Set<string>()
    const service = createQueryService({
      libp2p: answerer,
      operations: fakeOperations(),
      maySeePins: (peer) => seers.has(peer.toString()),
      log: answerer.logger,
    })
    await service.start()
    const pins = { what: 'pins', params: {} }
    expect(await codeThrown(() => collectAll(ask(pins)))).to.equal('E_PINS_STRANGER')
    expect(await collectAll(ask(STATUS))).to.have.length(1)
    seers.add(asker.peerId.toString())
    expect(await collectAll(ask(pins))).to.deep.include({ next: 'two' })
    await service.stop()
  })

  it('tells the error that ended an answer, after the rows before it', async () => {
    await answerWith(async function* () {
      yield 1
      throw new CodedError('E_NO_HISTORY', 'nothing is kept', { hint: 'wait' })
    })
    const rows: unknown[] = []
    const failure = (async () => {
      for await (const row of ask()) rows.push(row)
    })().catch((error: unknown) => error)
    expect(await failure).to.include({ code: 'E_NO_HISTORY', message: 'nothing is kept', hint: 'wait' })
    expect(rows).to.deep.equal([1])
  })

  it('names the topics it knows when asked for another', async () => {
    await answerWith(async function* () {})
    const failure = await collectAll(ask({ what: 'weather', params: {} })).catch((error: unknown) => error)
    expect(failure).to.include({ code: 'E_QUERY_UNKNOWN', hint: 'it answers status, peers, coherence, pins, epochs' })
  })

  it('stops serving when the asker leaves in the middle', async () => {
    let stopped = false
    await answerWith(async function* (_what, _params, signal) {
      signal.addEventListener('abort', () => (stopped = true))
      for (let i = 0; ; i++) {
        yield i
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    for await (const row of ask()) if (row === 5) break
    await until(() => stopped)
    expect(stopped).to.equal(true)
  })

  it('stops waiting for a source that never answers when the asker cancels', async () => {
    let reached = false
    await answerWith(async function* () {
      reached = true
      await new Promise(() => {})
      yield 1
    })
    const cancel = new AbortController()
    const asking = codeThrown(() => collectAll(query(asker, answerer.peerId, STATUS, { signal: cancel.signal })))
    await until(() => reached)
    cancel.abort()
    expect(await asking).to.equal('E_ABORTED')
    await until(() => answerer.getConnections().every((connection) => connection.streams.every(notQuery)))
    expect(answerer.getConnections()).to.have.length(1)
  })

  it('holds the source back while the reader is slow', async () => {
    let served = 0
    await answerWith(async function* () {
      const row = 'x'.repeat(60_000)
      for (; served < 10_000; served++) yield row
    })
    const rows = ask(STATUS, 8000)
    await rows.next()
    let before = -1
    // Settled: no further row was produced in 50 polls while nobody read.
    for (let same = 0; same < 50; same = served === before ? same + 1 : 0) {
      before = served
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    // 60 kB each: write buffer 16 MiB at most, the windows and both readers' queues.
    expect(served).to.be.greaterThan(1).and.lessThan(400)
    await rows.return(undefined)
  })

  it('ends an answer of too many rows with its code', async () => {
    await answerWith(
      async function* () {
        for (let i = 0; i < 11; i++) yield i
      },
      { rows: 10 },
    )
    expect(await codeThrown(() => collectAll(ask()))).to.equal('E_QUERY_TOO_LONG')
  })

  it('ends an answer at a row that is too large or no JSON', async () => {
    for (const [row, code] of [
      ['x'.repeat(70_000), 'E_FRAME_TOO_LARGE'],
      [{ a: Number.NaN }, 'E_INTERNAL'],
    ] as const) {
      await answerWith(async function* () {
        yield row
      })
      expect(await codeThrown(() => collectAll(ask()))).to.equal(code)
      await handler.stop()
    }
  })

  it('refuses more queries of one peer than it may run at once', async () => {
    const release = Promise.withResolvers<void>()
    let running = 0
    await answerWith(
      async function* () {
        running++
        await release.promise
        yield 'done'
      },
      { perPeer: 2 },
    )
    const admitted = [collectAll(ask()), collectAll(ask())]
    await until(() => running === 2)
    expect(await codeThrown(() => collectAll(ask()))).to.equal('E_QUERY_BUSY')
    release.resolve()
    expect(await Promise.all(admitted)).to.deep.equal([['done'], ['done']])
    expect(await collectAll(ask())).to.deep.equal(['done'])
  })

  it('ends an answer at its deadline', async () => {
    await answerWith(
      async function* () {
        yield 1
        await new Promise(() => {})
      },
      { timeoutMs: 100 },
    )
    expect(await codeThrown(() => collectAll(ask()))).to.equal('E_QUERY_PROTOCOL')
  })

  it('resets a stream with an oversize, malformed or second request', async () => {
    await answerWith(async function* () {
      yield 1
    })
    const garbage = new TextEncoder().encode('not dag-cbor')
    const request = requestCodec.encode(STATUS)
    for (const frames of [[new Uint8Array(4097)], [garbage], [request, request]]) {
      const stream = await asker.dialProtocol(answerer.peerId, QUERY_PROTOCOL)
      const closed = new Promise<Error | undefined>((resolve) => {
        stream.addEventListener('close', (event) => resolve(event.error))
      })
      for (const frame of frames) await writeFrame(stream, frame).catch(() => {})
      await stream.close().catch(() => {})
      expect(await closed).to.have.property('name', 'StreamResetError')
    }
  })

  it('says that a peer does not answer queries', async () => {
    expect(await codeThrown(() => collectAll(ask()))).to.equal('E_QUERY_UNSUPPORTED')
  })

  it('asks many peers, an unreachable one being a row with its error', async () => {
    await answerWith(async function* () {
      yield 'a'
      yield 'b'
    })
    const gone = await startLibp2p()
    await asker.peerStore.patch(gone.peerId, { multiaddrs: gone.getMultiaddrs() })
    await gone.stop()
    const peers = [
      { peer: answerer.peerId, name: 'here' },
      { peer: gone.peerId, name: 'gone' },
    ]
    const rows = await collectAll(queryAll(asker, peers, STATUS, { signal, timeoutMs: 5000 }))
    const of = (name: string): unknown[] => rows.filter((row) => row.name === name)
    expect(of('here')).to.deep.equal(
      ['a', 'b'].map((data) => ({ peerId: answerer.peerId.toString(), name: 'here', data })),
    )
    expect(of('gone')).to.have.length(1)
    expect(rows.find((row) => row.name === 'gone')?.error).to.include({ code: 'E_PEER_UNREACHABLE' })
  })
})

function notQuery(stream: { protocol?: string }): boolean {
  return stream.protocol !== QUERY_PROTOCOL
}
