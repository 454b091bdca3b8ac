import { createHash } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { frameCodec, refusalCodec, type BftFrame } from '../../protocols/bft/codec.ts'
import {
  ANSWER_RATE,
  MAX_BLOCK_BYTES,
  MAX_FRAME_BYTES,
  MESSAGE_QUEUE,
  OTHER_QUEUE,
  PART_BYTES,
  PART_QUEUE,
} from '../../protocols/bft/constants.ts'
import { blockParts } from '../../protocols/bft/envelopes.ts'
import { BFT_PROTOCOL } from '../../protocols/bft/index.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { ignore, reject } from '../../protocols/shared/verdict.ts'
import { BftPeers, blockOf, type BftNode } from '../helpers/bft-peers.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'

describe('/kairos/bft/1.0.0', () => {
  let mesh: BftPeers
  const at = (index: number): BftNode => mesh.at(index)
  const raw = async (from: TestLibp2p, to: BftNode, frames: Iterable<BftFrame | Uint8Array>): Promise<Stream> => {
    const stream = await from.dialProtocol(to.libp2p.peerId, BFT_PROTOCOL)
    for (const frame of frames) {
      await writeFrame(stream, frame instanceof Uint8Array ? frame : frameCodec.encode(frame)).catch(() => {})
    }
    return stream
  }
  const message = (mark: number, size = 10, height = 5): BftFrame => ({
    type: 'message',
    height,
    bytes: new Uint8Array(size).fill(mark),
  })
  const partsOf = (block: ReturnType<typeof blockOf>, height = 5): BftFrame[] =>
    blockParts(height, 0, block).map(({ frame }) => frame)
  const streamsFrom = ({ libp2p }: BftNode): number =>
    libp2p
      .getConnections()
      .flatMap(({ streams }) => streams)
      .filter(({ protocol, direction }) => protocol === BFT_PROTOCOL && direction === 'outbound').length
  const cut = (a: number, b: number): void =>
    at(a)
      .libp2p.getConnections(mesh.id(b))
      .forEach((connection) => connection.abort(new Error('cut')))

  beforeEach(() => {
    mesh = new BftPeers()
  })
  afterEach(() => mesh.stop())

  it('brings messages and blocks to every other validator and to no one else, but no block that is too large', async () => {
    await mesh.start(4, 1)
    at(0).transport.publishBlock(5, 0, blockOf(1, MAX_BLOCK_BYTES + 1))
    at(0).transport.publish(5, new Uint8Array(10).fill(7))
    at(1).transport.publishBlock(5, 2, blockOf(9, MAX_BLOCK_BYTES))
    await until(() => [0, 1, 2].every((i) => at(i).received.length === (i === 2 ? 2 : 1)))
    expect(at(2).received).to.have.members(['0 message 5 10 7', `1 block 5 2 ${MAX_BLOCK_BYTES} 9`])
    expect([at(0).received, at(1).received]).to.deep.equal([[`1 block 5 2 ${MAX_BLOCK_BYTES} 9`], ['0 message 5 10 7']])
    expect(at(3).received).to.deep.equal([])
    expect(mesh.nodes.flatMap(({ events }) => events)).to.deep.equal([])
  })

  it('keeps the order of messages, on one stream to each', async () => {
    await mesh.start(2)
    for (let i = 0; i < 1000; i++) at(0).transport.publish(5, Uint8Array.from([i % 256]))
    await until(() => at(1).received.length === 1000)
    expect(at(1).received).to.deep.equal(Array.from({ length: 1000 }, (_, i) => `0 message 5 1 ${i % 256}`))
    expect(streamsFrom(at(0))).to.equal(1)
  })

  it('lets a message overtake a block that waits', async () => {
    await mesh.start(2)
    for (const mark of [1, 2, 3]) at(0).transport.publishBlock(5, 0, blockOf(mark, MAX_BLOCK_BYTES))
    at(0).transport.publish(5, Uint8Array.of(9))
    await until(() => at(1).received.length === 4)
    expect(at(1).received[0]).to.equal('0 message 5 1 9')
  })

  it('flows again after a connection was lost, and at once after the peer came back', async () => {
    await mesh.start(2)
    at(0).transport.publish(5, Uint8Array.of(1))
    await until(() => at(1).received.length === 1)
    cut(0, 1)
    await until(() => at(0).events.length > 0)
    await until(() => {
      at(0).transport.publish(5, Uint8Array.of(2))
      return at(1).received.length > 1
    })
    const events = at(0).events.length
    cut(0, 1)
    await until(() => at(0).libp2p.getConnections(mesh.id(1)).length === 0 && at(0).events.length > events)
    await connect(at(1).libp2p, at(0).libp2p)
    await until(() => {
      at(0).transport.publish(5, Uint8Array.of(3))
      return at(1).received.at(-1) === '0 message 5 1 3'
    })
  })

  it('follows the set: nothing goes to who left it, and what it says is refused', async () => {
    await mesh.start(3)
    at(0).transport.publish(5, Uint8Array.of(1))
    at(2).transport.publish(5, Uint8Array.of(1))
    await until(() => at(2).received.length === 1 && at(0).received.length === 1)
    mesh.peers = mesh.peers.slice(0, 2)
    at(0).transport.publish(5, Uint8Array.of(2))
    await until(() => at(1).received.length === 3)
    expect(at(2).received).to.have.length(1)
    expect(streamsFrom(at(0))).to.equal(1)
    await raw(at(2).libp2p, at(0), [message(3)])
    await until(() => at(0).events.includes('refused E_BFT_STRANGER'))
    expect(at(0).received).to.deep.equal(['2 message 5 1 1'])
  })

  it('refuses a stranger with a code before it reads a frame', async () => {
    await mesh.start(2)
    const stranger = await startLibp2p()
    try {
      await connect(stranger, at(1).libp2p)
      const stream = await stranger.dialProtocol(mesh.id(1), BFT_PROTOCOL)
      const answers: unknown[] = []
      // Nothing is sent: the refusal waits for no frame.
      for await (const bytes of readFrames(stream, { maxFrameBytes: 4096 })) {
        answers.push(refusalCodec.decode(bytes))
        break
      }
      expect(answers).to.have.length(1)
      expect(answers[0]).to.include({ type: 'refused', code: 'E_BFT_STRANGER' })
      expect(at(1).events).to.deep.equal(['refused E_BFT_STRANGER'])
    } finally {
      await stranger.stop()
    }
  })

  it('ends a stream with garbage, holds it against its sender, and takes the next one', async () => {
    await mesh.start(2)
    const over = { ...message(1), bytes: new Uint8Array(140_000) }
    for (const [bad, code] of [
      [frameCodec.encode(over), 'E_FRAME_SCHEMA'],
      [new Uint8Array(MAX_FRAME_BYTES + 1), 'E_FRAME_TOO_LARGE'],
      [new TextEncoder().encode('not dag-cbor'), 'E_FRAME_MALFORMED'],
    ] as const) {
      at(1).events.length = 0
      const stream = await raw(at(0).libp2p, at(1), [message(1), bad, message(2)])
      await until(() => at(1).events.length > 0 && stream.status !== 'open')
      expect(at(1).events).to.deep.equal([`refused ${code}`, `reject ${code}`])
    }
    expect(at(1).received).to.deep.equal(['0 message 5 10 1', '0 message 5 10 1', '0 message 5 10 1'])
  })

  it('hands on what is thought of a message, and goes on', async () => {
    await mesh.start(2)
    const verdicts = [reject('E_BFT_SIGNATURE'), ignore('E_BFT_HEIGHT')]
    const { message: take } = at(1).ports
    at(1).ports.message = (...args) => verdicts.shift() ?? take(...args)
    for (const mark of [1, 2, 3]) at(0).transport.publish(5, Uint8Array.of(mark))
    await until(() => at(1).received.length === 1)
    expect(at(1).received).to.deep.equal(['0 message 5 1 3'])
    expect(at(1).events.filter((event) => !event.startsWith('refused'))).to.deep.equal([
      'reject E_BFT_SIGNATURE',
      'ignore E_BFT_HEIGHT',
    ])
  })

  it('takes blocks of validators alone, of heights that run, that are what they are sent for', async () => {
    await mesh.start(3, 1)
    const wrong = { ...blockOf(1), bytes: blockOf(2).bytes }
    await raw(at(2).libp2p, at(1), partsOf(blockOf(3)))
    const stream = await raw(at(0).libp2p, at(1), [
      ...partsOf(blockOf(4), 4),
      ...partsOf(blockOf(4), 7),
      ...partsOf(wrong),
      ...partsOf(blockOf(5), 6),
      ...partsOf(blockOf(5), 6),
      ...partsOf(blockOf(6, 2 * PART_BYTES)),
    ])
    await until(() => at(1).received.length === 2)
    expect(at(1).received).to.deep.equal(['0 block 6 0 100 5', `0 block 5 0 ${2 * PART_BYTES} 6`])
    await until(() => at(1).events.length === 10)
    expect(at(1).events.filter((event) => !event.startsWith('refused'))).to.have.members([
      'ignore E_BFT_NOT_VALIDATOR',
      'ignore E_BFT_FAR',
      'ignore E_BFT_FAR',
      'reject E_BFT_BLOCK_WRONG',
      'ignore E_BFT_DUPLICATE',
    ])
    expect(stream.status).to.equal('open')
  })

  it('brings a block that is asked for, from whoever has it', async () => {
    await mesh.start(4)
    const block = blockOf(8, 300_000)
    at(3).ports.readBlock = async (height, value) => (height === 5 && value[0] === 8 ? block.bytes : undefined)
    await until(() => {
      at(0).transport.requestBlock(5, block.value)
      return at(0).received.length > 0
    })
    expect(at(0).received[0]).to.equal('3 block 5 0 300000 8')
  })

  it('answers one peer with blocks at a bounded rate', async () => {
    await mesh.start(2)
    const block = blockOf(8, MAX_BLOCK_BYTES)
    let asked = 0
    at(1).ports.readBlock = async () => {
      asked++
      return block.bytes
    }
    const want: BftFrame = { type: 'want-block', height: 5, value: block.value }
    await raw(
      at(0).libp2p,
      at(1),
      Array.from({ length: 64 }, () => want),
    )
    await until(() => asked === 64 && at(1).events.length > 0)
    const refused = at(1).events.filter((event) => event.startsWith('refused')).length
    // Two seconds' worth at once, and what has come free since.
    expect(refused).to.be.within(16, 64 - (2 * ANSWER_RATE.bytesPerSecond) / MAX_BLOCK_BYTES)
  })

  it('brings reports that are asked for, of who was asked, and no others', async () => {
    await mesh.start(2)
    const envelopes = Array.from({ length: 100 }, (_, i) => new Uint8Array(260).fill(i))
    const digests = envelopes.map((envelope) => createHash('sha256').update(envelope).digest())
    at(1).ports.readReports = (_epoch, wanted) =>
      envelopes.filter((_, i) => wanted.some((digest) => digests[i]!.equals(digest)))
    at(0).transport.requestReports(4, digests.slice(0, 70), [mesh.id(1)])
    await until(() => at(0).received.length === 70)
    expect(at(0).received).to.deep.equal(Array.from({ length: 70 }, (_, i) => `1 report 4 ${i}`))
    await raw(at(1).libp2p, at(0), [{ type: 'reports', envelopes: [envelopes[0]!, envelopes[99]!] }])
    await until(() => at(0).events.includes('ignore E_BFT_UNASKED'))
    expect(at(0).received).to.have.length(70)
  })

  it('passes attestations and governance on, once, and only what is accepted', async () => {
    await mesh.start(4, 2)
    // Whom the first one reaches: only the second.
    at(0).init.peers = () => [{ peer: mesh.id(1), isValidator: true }]
    at(0).transport.publishGovernance(Uint8Array.of(1))
    at(0).transport.publishAttestation(Uint8Array.of(2))
    await until(() => [1, 2, 3].every((i) => at(i).received.length === 2))
    at(0).transport.publishGovernance(Uint8Array.of(1))
    at(0).transport.publishGovernance(Uint8Array.of(3))
    await until(() => [1, 2, 3].every((i) => at(i).received.length === 3))
    expect(at(1).received).to.deep.equal(['0 governance 1', '0 attestation 2', '0 governance 3'])
    expect(at(0).received).to.deep.equal([])
    at(1).ports.governance = () => reject('E_GOVERNANCE_SIGNATURE')
    at(0).transport.publishGovernance(Uint8Array.of(4))
    at(0).transport.publishGovernance(Uint8Array.of(4))
    at(0).transport.publishAttestation(Uint8Array.of(5))
    await until(() => [1, 2, 3].every((i) => at(i).received.length === 4))
    expect(at(1).events.filter((event) => event === 'reject E_GOVERNANCE_SIGNATURE')).to.have.length(2)
    for (const i of [2, 3]) expect(at(i).received.join()).to.not.include('governance 4')
  })

  it('brings a share of an attestation to those that it is meant for', async () => {
    await mesh.start(3)
    at(0).transport.shareAttestation(Uint8Array.of(6), [mesh.id(2)])
    await until(() => at(2).received.length === 1)
    expect([at(2).received, at(1).received]).to.deep.equal([['0 share 6'], []])
  })

  it('drops what is over ten times the rate, holds it against the sender, and takes what is within', async () => {
    await mesh.start(3, 0, { bytesPerSecond: 1_000_000, framesPerSecond: 50 })
    const flood = Array.from({ length: 1000 }, () => message(1))
    await raw(at(0).libp2p, at(1), flood)
    at(2).transport.publish(5, Uint8Array.of(2))
    await until(() => at(1).received.includes('2 message 5 1 2'))
    await until(() => at(1).events.includes('reject E_BFT_FLOOD'))
    await until(() => at(1).events.length / 2 + at(1).received.length === 1001)
    const taken = at(1).received.filter((line) => line.startsWith('0')).length
    expect(taken).to.be.within(100, 900)
    expect(at(1).events).to.include('ignore E_BFT_RATE')
  })

  it('keeps what waits for a peer that takes nothing within limits, and serves the others', async () => {
    await mesh.start(3)
    const hung = Promise.withResolvers<never>()
    at(1).ports.message = () => hung.promise
    const most = MESSAGE_QUEUE.bytes + OTHER_QUEUE.bytes + PART_QUEUE.bytes
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 1_200; i++) {
      at(0).transport.publish(5, new Uint8Array(60_000).fill(i % 256))
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => at(0).events.includes('lost E_BFT_QUEUE_FULL') && at(2).received.length > 0)
    // 72 MB were said to each: what is kept are the queues, libp2p's windows and what is on its way to the other.
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(2 * most + 32 * 1_048_576)
    const seen = at(2).received.length
    at(0).transport.publish(6, Uint8Array.of(77))
    await until(() => at(2).received.includes('0 message 6 1 77'))
    expect(at(2).received.length).to.be.above(seen)
  })
})
