import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { answerCodec, requestCodec, type SyncAnswer, type SyncRequest } from '../../protocols/sync/codec.ts'
import * as limits from '../../protocols/sync/constants.ts'
import {
  createSyncClient,
  createSyncHandler,
  SYNC_PROTOCOL,
  type SyncClient,
  type SyncEpoch,
  type SyncHandler,
  type SyncHandlerInit,
} from '../../protocols/sync/index.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { collect } from '../helpers/collect.ts'
import { codeThrown } from '../helpers/content-node.ts'
import { FakeChain } from '../helpers/fake-chain.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'
import { epochAt, ScriptedNode } from '../helpers/scripted-peers.ts'

const { signal } = new AbortController()

describe('/kairos/sync/1.0.0', () => {
  let nodes: TestLibp2p[]
  let handlers: SyncHandler[]
  let events: string[]
  let isMember: boolean
  let client: SyncClient

  /** The first node asks; each of the others serves its chain. */
  const start = async (chains: FakeChain[], limits: SyncHandlerInit['limits'] = {}): Promise<void> => {
    nodes = await Promise.all(Array.from({ length: chains.length + 1 }, () => startLibp2p()))
    const [asker, ...servers] = nodes as [TestLibp2p, ...TestLibp2p[]]
    handlers = servers.map((libp2p, i) =>
      createSyncHandler({
        libp2p,
        chain: chains[i]!,
        isMember: () => isMember,
        refused: (_peer, code) => void events.push(`refused ${code}`),
        judge: (_peer, verdict) =>
          void events.push(verdict.kind === 'accept' ? 'accept' : `${verdict.kind} ${verdict.code}`),
        log: libp2p.logger.forComponent('sync'),
        limits,
      }),
    )
    for (const handler of handlers) await handler.start()
    for (const server of servers) await connect(asker, server)
    client = createSyncClient((peer, signal) => openStream(asker, peer, SYNC_PROTOCOL, { signal }))
  }
  const server = (i = 0): TestLibp2p['peerId'] => nodes[i + 1]!.peerId
  const range = async (from: number, count: number, i = 0): Promise<SyncEpoch[]> =>
    collect(client.range(server(i), from, count, signal))
  const raw = (): Promise<Stream> => nodes[0]!.dialProtocol(server(), SYNC_PROTOCOL)
  const asked = async (request: SyncRequest): Promise<Stream> => {
    const stream = await raw()
    await writeFrame(stream, requestCodec.encode(request))
    await stream.close()
    return stream
  }
  const answersOf = async (stream: Stream): Promise<SyncAnswer[]> => {
    const answers: SyncAnswer[] = []
    for await (const frame of readFrames(stream, { maxFrameBytes: limits.MAX_ANSWER_BYTES }))
      answers.push(answerCodec.decode(frame))
    return answers
  }

  beforeEach(() => {
    events = []
    isMember = true
  })
  afterEach(async () => {
    await Promise.all(handlers.map((handler) => handler.stop()))
    await Promise.all(nodes.map((node) => node.stop()))
  })

  it('tells the head, and what of the record is kept', async () => {
    const chain = new FakeChain(300)
    chain.lowest = 45
    await start([chain])
    expect(await client.head(server(), signal)).to.deep.equal({ ...chain.head(), height: 300, lowest: 45 })
  })

  it('gives a range in order, and what there is of one that goes past the head', async () => {
    await start([new FakeChain(100)])
    expect(await range(1, 64)).to.deep.equal(Array.from({ length: 64 }, (_, i) => epochAt(i + 1, 200)))
    expect((await range(90, 64)).map(({ height }) => height)).to.deep.equal(
      Array.from({ length: 11 }, (_, i) => i + 90),
    )
    expect(await range(101, 64)).to.deep.equal([])
  })

  it('gives an epoch of the largest size, with the largest certificate', async () => {
    const chain = new FakeChain(1)
    const [block, certificate] = [limits.MAX_BLOCK_BYTES, limits.MAX_CERTIFICATE_BYTES].map((n) => new Uint8Array(n))
    chain.epoch = async (height) => ({ height, block: block!, certificate: certificate! })
    await start([chain])
    const [epoch] = await range(1, 1)
    expect([epoch?.block.byteLength, epoch?.certificate.byteLength]).to.deep.equal([1_048_576, 491_520])
  })

  it('says that an epoch is no longer kept, and that a state is not', async () => {
    const chain = new FakeChain(300)
    chain.lowest = 45
    await start([chain])
    expect(await codeThrown(() => range(44, 10))).to.equal('E_SYNC_PRUNED')
    const followed = client.follow(server(), 44, signal)
    expect(await codeThrown(() => followed.next())).to.equal('E_SYNC_PRUNED')
    expect((await client.state(server(), 256, signal)).byteLength).to.equal(1000)
    expect(await codeThrown(() => client.state(server(), 255, signal))).to.equal('E_SYNC_UNKNOWN')
  })

  it('sends epochs to who follows as they become final, and signs of life between', async () => {
    const chain = new FakeChain(10)
    await start([chain], { heartbeatMs: 20 })
    const followed = client.follow(server(), 9, signal)
    const seen: string[] = []
    for await (const item of followed) {
      seen.push('epoch' in item ? `epoch ${item.epoch.height}` : `head ${item.head.height}`)
      if (seen.length === 4) chain.grow(11)
      if (seen.at(-1) === 'epoch 11') break
    }
    expect(seen.slice(0, 4)).to.deep.equal(['head 10', 'epoch 9', 'epoch 10', 'head 10'])
    await until(() => chain.listeners === 0)
  })

  it('gives up a peer that falls silent while it is followed', async () => {
    await start([new FakeChain(10)], { heartbeatMs: 60_000 })
    const open = (peer: TestLibp2p['peerId'], signal: AbortSignal): Promise<Stream> =>
      openStream(nodes[0]!, peer, SYNC_PROTOCOL, { signal })
    const impatient = createSyncClient(open, { followSilenceMs: 500 })
    const followed = impatient.follow(server(), 11, signal)
    expect((await followed.next()).value).to.have.property('head')
    expect(await codeThrown(() => followed.next())).to.equal('E_TIMEOUT')
  })

  it('serves one stream of a follower: a newer one takes the place of the older', async () => {
    const chain = new FakeChain(10)
    await start([chain])
    const [older, newer] = [client.follow(server(), 11, signal), client.follow(server(), 11, signal)]
    await older.next()
    await newer.next()
    expect(await codeThrown(() => older.next())).to.equal('E_STREAM_CLOSED')
    await until(() => chain.listeners === 1)
    chain.grow(11)
    expect((await newer.next()).value).to.have.nested.property('epoch.height', 11)
    await newer.return(undefined)
  })

  it('holds back for a slow reader, with no epoch in memory that the stream does not hold', async () => {
    const chain = new FakeChain(24, 1_000_000)
    await start([chain])
    const stream = await raw()
    stream.pause()
    await writeFrame(stream, requestCodec.encode({ type: 'range', from: 1, count: 64 }))
    await stream.close()
    let read = -1
    // Until nothing more is read for a while: the stream is full.
    await until(async () => {
      read = chain.read.length
      await new Promise((resolve) => setTimeout(resolve, 200))
      return read === chain.read.length
    })
    expect(read).to.be.within(1, 8)
    const answers = answersOf(stream)
    stream.resume()
    expect((await answers).map(({ type }) => type)).to.deep.equal([...Array.from({ length: 24 }, () => 'epoch'), 'end'])
  })

  it('ends the answer to a peer that takes nothing', async () => {
    await start([new FakeChain(64, 1_000_000)], { stallMs: 50 })
    const stream = await raw()
    stream.pause()
    await writeFrame(stream, requestCodec.encode({ type: 'follow', from: 1 }))
    await stream.close()
    await until(() => events.includes('refused E_SYNC_STALLED'))
    stream.abort(new Error('enough'))
  })

  it('keeps to its rate', async () => {
    const chain = new FakeChain(64, 10_000)
    await start([chain], { bytesPerSecondPerPeer: 1_000 })
    // The first one is ahead of the rate by ten seconds: the second one is read and waits.
    for await (const { height } of client.range(server(), 1, 64, signal)) {
      expect(height).to.equal(1)
      break
    }
    expect(chain.read.length).to.be.at.most(2)
  })

  it('refuses strangers, and who asks for too much at once', async () => {
    const chain = new FakeChain(64, 1_000_000)
    await start([chain])
    isMember = false
    expect(await codeThrown(() => client.head(server(), signal))).to.equal('E_SYNC_STRANGER')
    isMember = true
    const hanging = await Promise.all(Array.from({ length: limits.MAX_ANSWERS_PER_PEER }, () => raw()))
    for (const stream of hanging) {
      stream.pause()
      await writeFrame(stream, requestCodec.encode({ type: 'range', from: 1, count: 64 }))
      await stream.close()
    }
    await until(async () => (await codeThrown(() => client.head(server(), signal)).catch(() => '')) === 'E_SYNC_BUSY')
    expect(events).to.include.members(['refused E_SYNC_STRANGER', 'refused E_SYNC_BUSY'])
    for (const stream of hanging) stream.abort(new Error('enough'))
    await until(() =>
      client.head(server(), signal).then(
        () => true,
        () => false,
      ),
    )
  })

  it('refuses garbage with a code, holds it against the sender, and goes on', async () => {
    await start([new FakeChain(10)])
    for (const [bad, code] of [
      [new Uint8Array(1000), 'E_FRAME_TOO_LARGE'],
      [new TextEncoder().encode('not dag-cbor'), 'E_FRAME_MALFORMED'],
      [requestCodec.encode({ type: 'range', from: 1, count: 65 }), 'E_FRAME_SCHEMA'],
      [requestCodec.encode({ type: 'range', from: 0, count: 1 }), 'E_FRAME_SCHEMA'],
    ] as const) {
      events.length = 0
      const stream = await raw()
      const answers = answersOf(stream).catch(() => [])
      await writeFrame(stream, bad).catch(() => {})
      await stream.close().catch(() => {})
      await until(() => events.length === 2)
      expect(events).to.deep.equal([`refused ${code}`, `reject ${code}`])
      for (const answer of await answers) expect(answer).to.include({ type: 'refused', code })
    }
    const twice = await raw()
    events.length = 0
    for (let i = 0; i < 2; i++) await writeFrame(twice, requestCodec.encode({ type: 'head' }))
    await until(() => events.length === 2)
    expect(events).to.deep.equal(['refused E_SYNC_PROTOCOL', 'reject E_SYNC_PROTOCOL'])
    expect((await client.head(server(), signal)).height).to.equal(10)
  })

  it('takes no answer that is not what was asked for', async () => {
    await start([new FakeChain(10)])
    await handlers[0]!.stop()
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
    await nodes[1]!.handle(SYNC_PROTOCOL, async (stream) => {
      for (const answer of answers.shift() ?? []) await writeFrame(stream, answerCodec.encode(answer))
      await stream.close()
    })
    const codes: string[] = []
    while (answers.length > 0) codes.push(await codeThrown(() => range(2, 2)).catch(() => 'none'))
    expect(codes).to.deep.equal(['E_SYNC_PROTOCOL', 'E_STREAM_CLOSED', 'E_SYNC_PROTOCOL', 'none', 'E_SYNC_PROTOCOL'])
    expect(await asked({ type: 'head' }).then(answersOf)).to.deep.equal([])
  })

  it('brings 10 000 epochs from three nodes, one of which is cut off on the way', async () => {
    const chains = [10_000, 10_000, 10_000].map((height) => new FakeChain(height, 1_000))
    await start(chains)
    const node = new ScriptedNode(client, () => [server(0), server(1), server(2)], { graceMs: 5_000 })
    await node.follow.start()
    try {
      await until(() => node.height > 1_000)
      nodes[0]!.getConnections(server(0)).forEach((connection) => connection.abort(new Error('cut')))
      await nodes[1]!.stop()
      await until(() => node.height === 10_000)
      expect(node.taken).to.deep.equal(Array.from({ length: 10_000 }, (_, i) => i + 1))
      for (const { read } of chains) expect(read.length).to.be.above(100)
      expect(node.verdicts.filter(([, { kind }]) => kind === 'reject')).to.deep.equal([])
    } finally {
      await node.follow.stop()
    }
  })
})
