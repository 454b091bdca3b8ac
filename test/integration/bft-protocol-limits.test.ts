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
import { readFrames } from '../../protocols/shared/frames.ts'
import { BftPeers, blockOf, message, sendRaw, type BftNode } from '../helpers/bft-peers.ts'
import { heldBytes } from '../helpers/held-bytes.ts'
import { connect, startLibp2p, until } from '../helpers/libp2p-pair.ts'

const partsOf = (block: ReturnType<typeof blockOf>, height = 5): BftFrame[] =>
  blockParts(height, 0, block).map(({ frame }) => frame)

describe('/kairos/bft/1.0.0: limits', () => {
  let mesh: BftPeers
  const at = (index: number): BftNode => mesh.at(index)

  beforeEach(() => {
    mesh = new BftPeers()
  })
  afterEach(() => mesh.stop())

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
      const stream = await sendRaw(at(0).libp2p, at(1), [message(1), bad, message(2)])
      await until(() => at(1).events.length > 0 && stream.status !== 'open')
      expect(at(1).events).to.deep.equal([`refused ${code}`, `reject ${code}`])
    }
    expect(at(1).received).to.deep.equal(['0 message 5 10 1', '0 message 5 10 1', '0 message 5 10 1'])
  })

  it('takes blocks of validators alone, of heights that run, that are what they are sent for', async () => {
    await mesh.start(3, 1)
    const wrong = { ...blockOf(1), bytes: blockOf(2).bytes }
    await sendRaw(at(2).libp2p, at(1), partsOf(blockOf(3)))
    const stream = await sendRaw(at(0).libp2p, at(1), [
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

  it('answers one peer with blocks at a bounded rate', async () => {
    await mesh.start(2)
    const block = blockOf(8, MAX_BLOCK_BYTES)
    let asked = 0
    at(1).ports.readBlock = async () => {
      asked++
      return block.bytes
    }
    const want: BftFrame = { type: 'want-block', height: 5, value: block.value }
    await sendRaw(
      at(0).libp2p,
      at(1),
      Array.from({ length: 64 }, () => want),
    )
    const refused = (): number => at(1).events.filter((event) => event.startsWith('refused')).length
    // What is too much is refused before a block is read for it.
    await until(() => asked + refused() === 64)
    // Two seconds' worth at once, and what has come free since.
    expect(refused()).to.be.within(16, 64 - (2 * ANSWER_RATE.bytesPerSecond) / MAX_BLOCK_BYTES)
  })

  it('drops what is over ten times the rate, holds it against the sender, and takes what is within', async () => {
    await mesh.start(3, 0, { bytesPerSecond: 1_000_000, framesPerSecond: 50 })
    const flood = Array.from({ length: 1000 }, () => message(1))
    await sendRaw(at(0).libp2p, at(1), flood)
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
    const before = heldBytes()
    for (let i = 0; i < 1_200; i++) {
      at(0).transport.publish(5, new Uint8Array(60_000).fill(i % 256))
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => at(0).events.includes('lost E_BFT_QUEUE_FULL') && at(2).received.length > 0)
    // 72 MB were said to each: what is kept are the queues, libp2p's windows and what is on its way to the other.
    expect(heldBytes() - before).to.be.below(2 * most + 32 * 1_048_576)
    const seen = at(2).received.length
    at(0).transport.publish(6, Uint8Array.of(77))
    await until(() => at(2).received.includes('0 message 6 1 77'))
    expect(at(2).received.length).to.be.above(seen)
  })
})
