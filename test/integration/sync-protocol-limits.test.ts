import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import * as varint from 'uint8-varint'
import { writeFrame } from '../../protocols/shared/frames.ts'
import { answerCodec, requestCodec, type SyncAnswer } from '../../protocols/sync/codec.ts'
import * as limits from '../../protocols/sync/constants.ts'
import { collect } from '../helpers/collect.ts'
import { codeThrown } from '../helpers/content-node.ts'
import { FakeChain } from '../helpers/fake-chain.ts'
import { heldBytes } from '../helpers/held-bytes.ts'
import { settled, until } from '../helpers/libp2p-pair.ts'
import { epochAt } from '../helpers/scripted-peers.ts'
import { SyncPeers } from '../helpers/sync-peers.ts'

describe('/kairos/sync/1.0.0: limits', () => {
  let peers: SyncPeers

  beforeEach(() => {
    peers = new SyncPeers()
  })
  afterEach(() => peers.stop())
  const head = () => peers.client.head(peers.server(), peers.signal)
  const isAnswered = (): Promise<boolean> =>
    head().then(
      () => true,
      () => false,
    )

  it('holds back for a slow reader, with no epoch in memory that the stream does not hold', async () => {
    const chain = new FakeChain(24, 1_000_000)
    await peers.start([chain])
    const stream = await peers.asked({ type: 'range', from: 1, count: 64 }, false)
    await until(() => chain.read.length > 0)
    await settled(() => chain.read.length)
    expect(chain.read.length).to.be.within(1, 8)
    const answers = peers.answersOf(stream)
    stream.resume()
    expect((await answers).map(({ type }) => type)).to.deep.equal([...Array.from({ length: 24 }, () => 'epoch'), 'end'])
  })

  it('ends the answer to a peer that takes nothing', async () => {
    await peers.start([new FakeChain(64, 1_000_000)], { stallMs: 50 })
    const stream = await peers.asked({ type: 'follow', from: 1 }, false)
    await until(() => peers.events.includes('refused E_SYNC_STALLED'))
    stream.abort(new Error('enough'))
  })

  it('keeps to its rate', async () => {
    const chain = new FakeChain(64, 10_000)
    await peers.start([chain], { bytesPerSecondPerPeer: 1_000 })
    // The first one is ahead of the rate by ten seconds: the second one is read and waits.
    for await (const { height } of peers.client.range(peers.server(), 1, 64, peers.signal)) {
      expect(height).to.equal(1)
      break
    }
    expect(chain.read.length).to.be.at.most(2)
  })

  it('refuses strangers, and who asks for too much at once', async () => {
    const chain = new FakeChain(64, 1_000_000)
    await peers.start([chain])
    peers.isMember = false
    expect(await codeThrown(head)).to.equal('E_SYNC_STRANGER')
    peers.isMember = true
    const ask = () => peers.asked({ type: 'range', from: 1, count: 64 }, false)
    const hanging = await Promise.all(Array.from({ length: limits.MAX_ANSWERS_PER_PEER }, ask))
    await until(async () => (await codeThrown(head).catch(() => '')) === 'E_SYNC_BUSY')
    expect(peers.events).to.include.members(['refused E_SYNC_STRANGER', 'refused E_SYNC_BUSY'])
    for (const stream of hanging) stream.abort(new Error('enough'))
    await until(isAnswered)
  })

  it('refuses garbage with a code, holds it against the sender, and goes on', async () => {
    await peers.start([new FakeChain(10)])
    for (const [bad, code] of [
      [new Uint8Array(1000), 'E_FRAME_TOO_LARGE'],
      [new TextEncoder().encode('not dag-cbor'), 'E_FRAME_MALFORMED'],
      [requestCodec.encode({ type: 'range', from: 1, count: 65 }), 'E_FRAME_SCHEMA'],
      [requestCodec.encode({ type: 'range', from: 0, count: 1 }), 'E_FRAME_SCHEMA'],
    ] as const) {
      peers.events.length = 0
      const stream = await peers.raw()
      const answers = peers.answersOf(stream).catch(() => [])
      await writeFrame(stream, bad).catch(() => {})
      await stream.close().catch(() => {})
      await until(() => peers.events.length === 2)
      expect(peers.events).to.deep.equal([`refused ${code}`, `reject ${code}`])
      for (const answer of await answers) expect(answer).to.include({ type: 'refused', code })
    }
    const twice = await peers.raw()
    peers.events.length = 0
    for (let i = 0; i < 2; i++) await writeFrame(twice, requestCodec.encode({ type: 'head' }))
    await until(() => peers.events.length === 2)
    expect(peers.events).to.deep.equal(['refused E_SYNC_PROTOCOL', 'reject E_SYNC_PROTOCOL'])
    expect((await head()).height).to.equal(10)
  })

  it('takes no answer that is not what was asked for', async () => {
    await peers.start([new FakeChain(10)])
    const answers: SyncAnswer[][] = [
      [{ type: 'epoch', ...epochAt(3) }],
      [{ type: 'epoch', ...epochAt(2) }],
      [
        { type: 'epoch', ...epochAt(2) },
        { type: 'epoch', ...epochAt(3) },
        { type: 'epoch', ...epochAt(4) },
      ],
      [{ type: 'end' }, { type: 'end' }],
      [{ type: 'head', height: 1, value: Uint8Array.of(1), lowest: 1 }],
    ]
    await peers.lie(async (stream) => {
      for (const answer of answers.shift() ?? []) await writeFrame(stream, answerCodec.encode(answer))
      await stream.close()
    })
    const codes: string[] = []
    while (answers.length > 0) codes.push(await codeThrown(() => peers.range(2, 2)).catch(() => 'none'))
    expect(codes).to.deep.equal(['E_SYNC_PROTOCOL', 'E_STREAM_CLOSED', 'E_SYNC_PROTOCOL', 'none', 'E_SYNC_PROTOCOL'])
    expect(await peers.asked({ type: 'head' }).then((stream) => peers.answersOf(stream))).to.deep.equal([])
  })

  it('ends streams on which a request comes byte by byte, as many as there may be, and answers others meanwhile', async () => {
    await peers.start([new FakeChain(10)])
    const request = requestCodec.encode({ type: 'head' })
    for (let i = 1; i < limits.MAX_SYNC_STREAMS; i++)
      (await peers.raw()).send(Uint8Array.of(request.byteLength, request[0]!))
    expect((await head()).height).to.equal(10)
    await until(() => peers.served.length === 0)
    expect(peers.events, 'slow is nobody to be punished for').to.deep.equal([])
    expect((await head()).height).to.equal(10)
  })

  it('has no more streams of a connection than it may have', async () => {
    await peers.start([new FakeChain(10)])
    for (let i = 0; i < limits.MAX_SYNC_STREAMS; i++) await peers.raw()
    const over = await peers.raw().catch(() => undefined)
    await until(() => over?.status !== 'open')
    expect(peers.served.length).to.be.within(1, limits.MAX_SYNC_STREAMS)
  })

  it('waits for no more of a frame than its sender has to give', async () => {
    await peers.start([new FakeChain(10)])
    const short = await peers.raw()
    short.send(Uint8Array.of(limits.MAX_REQUEST_BYTES - 200, 1, 2, 3))
    await short.close()
    await until(() => peers.events.length === 2)
    expect(peers.events).to.deep.equal(['refused E_FRAME_TRUNCATED', 'reject E_FRAME_TRUNCATED'])
  })

  it('has nothing against who leaves before it has asked, but against who has nothing to ask', async () => {
    await peers.start([new FakeChain(10)])
    for (const [leave, told] of [
      [async (stream) => stream.abort(new Error('cancelled')), []],
      [async () => peers.nodes[0]!.getConnections().forEach((each) => each.abort(new Error('cut'))), []],
      [async (stream) => stream.close(), ['refused E_SYNC_PROTOCOL', 'reject E_SYNC_PROTOCOL']],
    ] satisfies [(stream: Stream) => Promise<unknown>, string[]][]) {
      const stream = await peers.raw()
      await until(() => peers.served.length === 1)
      await leave(stream)
      await until(() => peers.served.length === 0)
      expect((await head()).height).to.equal(10)
      expect(peers.events).to.deep.equal(told)
    }
  })

  it('costs an epoch for each answer that is not read, and after a while nothing', async () => {
    const chain = new FakeChain(64, 1_000_000)
    await peers.start([chain], { stallMs: 2_000 })
    const before = heldBytes()
    const ask = () => peers.asked({ type: 'range', from: 1, count: 64 }, false)
    await Promise.all(Array.from({ length: limits.MAX_ANSWERS_PER_PEER }, ask))
    await until(() => chain.read.length >= limits.MAX_ANSWERS_PER_PEER)
    const most = limits.MAX_ANSWERS_PER_PEER * (limits.MAX_ANSWER_BYTES + 2_097_152)
    expect(heldBytes() - before, 'one epoch here, and what the two ends of a stream hold').to.be.below(2 * most)
    await until(() => peers.events.length === limits.MAX_ANSWERS_PER_PEER)
    expect(new Set(peers.events)).to.deep.equal(new Set(['refused E_SYNC_STALLED']))
    await until(() => peers.served.length === 0)
    expect(chain.read.length, 'what no stream could hold was not read').to.be.below(4 * limits.MAX_ANSWERS_PER_PEER)
    await until(isAnswered)
  })

  it('gives up a frame that comes byte by byte', async () => {
    await peers.start([new FakeChain(10)])
    const ended = new AbortController()
    await peers.lie(async (stream) => {
      const answer = answerCodec.encode({ type: 'epoch', ...epochAt(1, 10_000) })
      stream.send(Uint8Array.from(varint.encode(answer.byteLength)))
      const timer = setInterval(() => stream.status === 'open' && stream.send(Uint8Array.of(1)), 20)
      ended.signal.addEventListener('abort', () => clearInterval(timer))
    })
    const impatient = peers.patient({ rangeSilenceMs: 500 })
    expect(await codeThrown(() => collect(impatient.range(peers.server(), 1, 1, peers.signal)))).to.equal('E_TIMEOUT')
    ended.abort()
  })

  it('leaves a peer that says without a pause where its head is', async () => {
    await peers.start([new FakeChain(10)])
    const sign = answerCodec.encode({ type: 'head', height: 10, value: Uint8Array.of(1), lowest: 1 })
    await peers.lie(async (stream) => {
      while (stream.status === 'open') await writeFrame(stream, sign).catch(() => undefined)
    })
    const said: unknown[] = []
    const listen = async (): Promise<void> => {
      for await (const sign of peers.client.follow(peers.server(), 11, peers.signal)) said.push(sign)
    }
    expect(await codeThrown(listen)).to.equal('E_SYNC_PROTOCOL')
    expect(said.length).to.be.within(limits.MAX_EARLY_HEADS, 4 * limits.MAX_EARLY_HEADS)
  })
})
