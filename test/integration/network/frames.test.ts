import { expect } from 'chai'
import type { Stream } from '@libp2p/interface'
import * as varint from 'uint8-varint'
import { readFrames, writeFrame } from '../../../protocols/shared/frames.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { connect, startLibp2p, type TestLibp2p } from '../../helpers/libp2p-pair.ts'
import { until } from './mesh.ts'

const PROTOCOL = '/test/frames'
const KIB = 1024
const MIB = 1024 * KIB

describe('bounded frame reader', () => {
  let sender: TestLibp2p
  let receiver: TestLibp2p

  beforeEach(async () => {
    sender = await startLibp2p()
    receiver = await startLibp2p()
    await connect(sender, receiver)
  })

  afterEach(() => Promise.all([sender.stop(), receiver.stop()]))

  async function open(handler: (stream: Stream) => Promise<void>): Promise<{ stream: Stream; handled: Promise<void> }> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    await receiver.handle(PROTOCOL, (stream) => void handler(stream).then(resolve, reject))
    promise.catch(() => undefined)
    const stream = await sender.dialProtocol(receiver.peerId, PROTOCOL)
    return { stream, handled: promise }
  }

  it('gives every frame whole and in order, whatever their sizes', async () => {
    const sizes = [0, 1, 127, 128, 16_383, 16_384, 65_536, 262_144, 3]
    const seen: number[] = []
    const { stream, handled } = await open(async (inbound) => {
      for await (const frame of readFrames(inbound, { maxFrameBytes: 262_144 })) {
        expect(frame.every((byte) => byte === frame.byteLength % 256)).to.equal(true)
        seen.push(frame.byteLength)
      }
    })
    for (const size of sizes) await writeFrame(stream, new Uint8Array(size).fill(size % 256))
    await stream.close()
    await handled
    expect(seen).to.deep.equal(sizes)
  })

  it('gives a slow reader what was sent before the sender closed (nothing is lost while paused)', async () => {
    const gate = Promise.withResolvers<void>()
    let frames = 0
    let paused: Stream | undefined
    const { stream, handled } = await open(async (inbound) => {
      paused = inbound
      for await (const frame of readFrames(inbound, { maxFrameBytes: 64 * KIB })) {
        expect(frame.byteLength).to.equal(64 * KIB)
        frames += 1
        await gate.promise
      }
    })
    for (let i = 0; i < 16; i++) stream.send(withPrefix(new Uint8Array(64 * KIB)))
    void stream.close()
    await until(() => frames === 1 && paused?.readStatus === 'paused')
    gate.resolve()
    await handled
    expect(frames).to.equal(16)
  })

  it('gives what came before the reader was there, the sender closed or both', async () => {
    for (const closeOurs of [false, true]) {
      let frames = 0
      const { stream, handled } = await open(async (inbound) => {
        if (closeOurs) await inbound.close()
        await until(() => inbound.remoteWriteStatus === 'closed')
        for await (const _ of readFrames(inbound, { maxFrameBytes: KIB })) frames += 1
      })
      await writeFrame(stream, new Uint8Array(KIB))
      await stream.close()
      await handled
      expect(frames).to.equal(1)
      await receiver.unhandle(PROTOCOL)
    }
  })

  it('holds a fast sender back (F2, F3): no memory, no reset, and the rest when the reader wakes', async function () {
    this.timeout(30_000)
    const gate = Promise.withResolvers<void>()
    let bytes = 0
    const { stream, handled } = await open(async (inbound) => {
      for await (const frame of readFrames(inbound, { maxFrameBytes: 64 * KIB })) {
        bytes += frame.byteLength
        await gate.promise
      }
    })
    const before = process.memoryUsage().rss
    const total = 64 * MIB
    let sent = 0
    const sending = (async () => {
      const chunk = new Uint8Array(64 * KIB)
      for (; sent < total; sent += chunk.byteLength) await writeFrame(stream, chunk)
      await stream.close()
    })()
    // Line rate would take a tenth of a second: when nothing moved for half of one, the sender is held.
    let last = -1
    let still = 0
    await until(() => {
      still = sent === last ? still + 1 : 0
      last = sent
      return still >= 50
    })
    expect(sent).to.be.below(12 * MIB)
    expect(process.memoryUsage().rss - before).to.be.below(100 * MIB)
    expect(stream.status).to.equal('open')
    gate.resolve()
    await sending
    await handled
    expect(bytes).to.equal(total)
  })

  it('takes a frame of exactly the limit and refuses one byte more before it is buffered', async () => {
    const limit = 64 * KIB
    let accepted = 0
    const { stream, handled } = await open(async (inbound) => {
      for await (const frame of readFrames(inbound, { maxFrameBytes: limit })) accepted = frame.byteLength
    })
    await writeFrame(stream, new Uint8Array(limit))
    await until(() => accepted === limit)
    stream.send(varint.encode(limit + 1))
    expect(await codeOfFailure(handled)).to.equal('E_FRAME_TOO_LARGE')
    await until(() => stream.status !== 'open')
  })

  it('refuses an endless length prefix and a stream that ends inside a frame', async () => {
    for (const [bytes, code] of [
      [Uint8Array.of(0x80, 0x80, 0x80, 0x80), 'E_FRAME_TOO_LARGE'],
      [Uint8Array.of(10, 1, 2, 3), 'E_FRAME_TRUNCATED'],
    ] as const) {
      const { stream, handled } = await open(async (inbound) => {
        for await (const _ of readFrames(inbound, { maxFrameBytes: KIB })) expect.fail('no frame was sent')
      })
      stream.send(bytes)
      if (code === 'E_FRAME_TRUNCATED') await stream.close()
      expect(await codeOfFailure(handled)).to.equal(code)
      await receiver.unhandle(PROTOCOL)
    }
  })

  it('says of a stream that broke inside a frame that it broke: who was cut off is not who sent too little', async () => {
    const breaks: Record<string, (sent: Stream, inbound: Stream) => void> = {
      'reset by its sender': (sent) => sent.abort(new Error('gone')),
      'reset by its reader': (_sent, inbound) => inbound.abort(new Error('replaced')),
      'its connection lost': () => sender.getConnections().forEach((connection) => connection.abort(new Error('cut'))),
    }
    for (const [how, broken] of Object.entries(breaks)) {
      const reading = Promise.withResolvers<Stream>()
      const { stream, handled } = await open(async (inbound) => {
        inbound.addEventListener('message', () => reading.resolve(inbound), { once: true })
        for await (const _ of readFrames(inbound, { maxFrameBytes: KIB })) expect.fail('no frame was sent')
      })
      stream.send(Uint8Array.of(10, 1, 2, 3))
      broken(stream, await reading.promise)
      expect(await codeOfFailure(handled), how).to.equal('E_STREAM_CLOSED')
      await receiver.unhandle(PROTOCOL)
    }
  })

  it('ends at once when it is cancelled or the peer resets', async () => {
    const cancel = new AbortController()
    const reading = Promise.withResolvers<void>()
    const { handled } = await open(async (inbound) => {
      reading.resolve()
      for await (const _ of readFrames(inbound, { maxFrameBytes: KIB, signal: cancel.signal })) expect.fail('no frame')
    })
    await reading.promise
    cancel.abort()
    expect(await codeOfFailure(handled)).to.equal('E_ABORTED')
  })
})

function withPrefix(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint.encode(bytes.byteLength), bytes])
}

async function codeOfFailure(promise: Promise<void>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error)
  }
}
