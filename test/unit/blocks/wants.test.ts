import { once } from 'node:events'
import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { answerCodec, requestCodec } from '../../../protocols/blocks/index.ts'
import { MAX_LOADED_BYTES_PER_PEER, MAX_WANT_STREAMS_PER_PEER, MAX_WANTS } from '../../../protocols/blocks/constants.ts'
import { readFrames } from '../../../protocols/shared/frames.ts'
import {
  blockOf,
  frame,
  handleRaw,
  prefixed,
  randomBlocks,
  startBlockReader,
  startBlockServer,
  type BlockReader,
  type BlockServer,
  type TestBlock,
} from '../../helpers/block-peers.ts'
import { codeThrown } from '../../helpers/content-node.ts'
import { settled, startLibp2p, until } from '../../helpers/libp2p-pair.ts'

const MIB = 2 ** 20
const { signal } = new AbortController()
const take = async (_bytes: Uint8Array): Promise<void> => {}
const never = (): Promise<never> => new Promise(() => {})

async function answersOn(stream: Stream): Promise<ReturnType<typeof answerCodec.decode>[]> {
  const answers = []
  try {
    for await (const bytes of readFrames(stream, { maxFrameBytes: answerCodec.maxBytes })) {
      answers.push(answerCodec.decode(bytes))
    }
  } catch {
    // How the stream ends is for the test to look at.
  }
  return answers
}

describe('wants of blocks', function () {
  this.timeout(20_000)
  let server: BlockServer
  let reader: BlockReader
  let sent: { blocks: number; bytes: number }
  const hold = (blocks: TestBlock[], at = server): void => {
    for (const { cid, bytes } of blocks) at.blocks.set(cid.toString(), bytes)
  }
  const want = (cid: CID, options: { take?: typeof take; signal?: AbortSignal } = {}) =>
    reader.client.want(server.peer, cid, { take, signal, ...options })

  beforeEach(async () => {
    sent = { blocks: 0, bytes: 0 }
    const served = (blocks: number, bytes: number): void => {
      sent = { blocks: sent.blocks + blocks, bytes: sent.bytes + bytes }
    }
    server = await startBlockServer({ served })
    reader = await startBlockReader(server)
  })
  afterEach(async () => {
    reader.client.stop()
    await server.handler.stop()
    await Promise.all([server.libp2p.stop(), reader.libp2p.stop()])
  })

  it('gets many blocks of all sizes on one stream, and says what is not there', async () => {
    const blocks = [
      ...(await randomBlocks(1200, 900)),
      ...(await randomBlocks(6, 2 * MIB)),
      await blockOf(new Uint8Array()),
    ]
    hold(blocks)
    const [absent] = await randomBlocks(1, 32)
    const got = await Promise.all([...blocks, absent!].map(({ cid }) => want(cid)))
    expect(got.pop()).to.equal(undefined)
    expect(got.every((bytes, i) => Buffer.compare(bytes!, blocks[i]!.bytes) === 0)).to.equal(true)
    expect(sent).to.deep.equal({ blocks: 1207, bytes: 1200 * 900 + 12 * MIB })
    const streams = server.libp2p.getConnections().flatMap((connection) => connection.streams)
    expect(streams.filter(({ protocol }) => protocol?.startsWith('/kairos/blocks'))).to.have.length(1)
    expect([server.verdicts, reader.verdicts, server.handler.loadedBytes()]).to.deep.equal([[], [], 0])
  })

  it('has no more than its limit unanswered, and sends the rest as answers come', async () => {
    const blocks = await randomBlocks(2 * MAX_WANTS + 7, 16)
    hold(blocks)
    let most = 0
    const open = { wants: 0 }
    const release = Promise.withResolvers<void>()
    await server.handler.stop()
    await handleRaw(server.libp2p, (stream) => {
      void (async () => {
        for await (const bytes of readFrames(stream, { maxFrameBytes: requestCodec.maxBytes })) {
          const request = requestCodec.decode(bytes)
          if (request.type !== 'want') return
          most = Math.max(most, (open.wants += request.cids.length))
          await release.promise
          open.wants -= request.cids.length
          stream.send(prefixed(...answerCodec.encode({ type: 'blocks', blocks: [], absent: request.cids })))
        }
      })().catch(() => undefined)
    })
    const all = Promise.all(blocks.map(({ cid }) => want(cid)))
    await until(() => open.wants === MAX_WANTS)
    release.resolve()
    await all
    expect(most).to.equal(MAX_WANTS)
  })

  it('takes a want back at the holder when it is cancelled (traps 2), and may want it again at once', async () => {
    const [small] = await randomBlocks(1, 50)
    const large = await randomBlocks(40, MIB)
    hold([small!, ...large])
    const cancel = new AbortController()
    const kept = large.slice(0, 10).map(({ cid }) => want(cid))
    const cancelled = large.slice(10).map(({ cid }) => codeThrown(() => want(cid, { signal: cancel.signal })))
    await kept[0]
    cancel.abort(Object.assign(new Error('left'), { code: 'LEFT' }))
    expect(new Set(await Promise.all(cancelled))).to.deep.equal(new Set(['LEFT']))
    const again = await want(large[39]!.cid)
    expect(Buffer.compare(again!, large[39]!.bytes)).to.equal(0)
    await Promise.all(kept)
    expect(await want(small!.cid)).to.have.length(50)
    expect(server.loaded()).to.be.lessThan(36 * MIB)
    expect(reader.client.pending(server.peer)).to.equal(0)
  })

  it('answers no further when the client closes', async () => {
    const blocks = await randomBlocks(200, MIB)
    hold(blocks)
    const results = blocks.map(({ cid }) => codeThrown(() => want(cid)).catch(() => 'got it'))
    await Promise.race(results)
    reader.client.stop()
    expect(await Promise.all(results)).to.include('E_STOPPING')
    await until(() => server.handler.loadedBytes() === 0)
    expect(server.loaded()).to.be.lessThan(100 * MIB)
  })

  it('loads little for a client that reads nothing, however much it wants (traps 5)', async () => {
    const blocks = await randomBlocks(64, 2 * MIB)
    hold(blocks)
    const streams = await Promise.all(
      Array.from({ length: MAX_WANT_STREAMS_PER_PEER }, () => reader.stream(server.peer)),
    )
    for (const stream of streams) {
      // Only a paused stream lets its sender's window run out.
      stream.pause()
      stream.send(frame({ type: 'want', cids: blocks.map(({ cid }) => cid.bytes), cancel: [] }))
    }
    await until(() => server.handler.loadedBytes() > 0)
    await settled(() => server.loaded())
    expect(server.handler.loadedBytes()).to.be.at.most(MAX_LOADED_BYTES_PER_PEER)
    // What left the budget lies in the window of each stream (1 MiB at most), or is a frame on its way out.
    expect(server.loaded()).to.be.at.most(MAX_LOADED_BYTES_PER_PEER + MAX_WANT_STREAMS_PER_PEER * 4 * MIB)
    for (const stream of streams) stream.abort(new Error('enough'))
    await until(() => server.handler.loadedBytes() === 0)
  })

  it('holds back a holder while its blocks are being stored', async () => {
    const blocks = await randomBlocks(64, MIB)
    hold(blocks)
    let held = 0
    const stuck = async (bytes: Uint8Array): Promise<void> => {
      held += bytes.byteLength
      await never()
    }
    for (const { cid } of blocks) want(cid, { take: stuck }).catch(() => undefined)
    await until(() => held > 16 * MIB)
    await settled(() => server.loaded())
    expect(held).to.be.at.most(17 * MIB)
    expect(server.loaded()).to.be.lessThan(30 * MIB)
  })

  it('refuses, and scores, a client that wants more than the limit at once, or the same twice', async () => {
    const busy = await startBlockServer({ source: { sizeOf: never, get: never } })
    await reader.libp2p.dial(busy.libp2p.getMultiaddrs())
    const cids = (await randomBlocks(MAX_WANTS + 1, 8)).map(({ cid }) => cid.bytes)
    const many = await reader.stream(busy.peer)
    const toMany = answersOn(many)
    many.send(frame({ type: 'want', cids: cids.slice(1), cancel: [] }))
    many.send(frame({ type: 'want', cids: cids.slice(0, 1), cancel: [] }))
    expect((await toMany).at(-1)).to.include({ type: 'refused', code: 'E_BLOCKS_LIMIT' })
    const twice = await reader.stream(busy.peer)
    const toTwice = answersOn(twice)
    twice.send(frame({ type: 'want', cids: [cids[0]!, cids[0]!], cancel: [] }))
    expect((await toTwice).at(-1)).to.include({ type: 'refused', code: 'E_BLOCKS_PROTOCOL' })
    expect(busy.verdicts).to.deep.equal(['E_BLOCKS_LIMIT', 'E_BLOCKS_PROTOCOL'])
    expect(busy.refusals).to.deep.equal(['E_BLOCKS_LIMIT', 'E_BLOCKS_PROTOCOL'])
    await busy.handler.stop()
    await busy.libp2p.stop()
  })

  it('resets the stream of a client that sends garbage, scores it, and goes on serving', async () => {
    const stream = await reader.stream(server.peer)
    const answers = answersOn(stream)
    stream.send(prefixed(Uint8Array.of(0, 0, 0, 3, 0xff, 0xff, 0xff)))
    expect((await answers).at(-1)).to.include({ type: 'refused', code: 'E_FRAME_MALFORMED' })
    const second = await reader.stream(server.peer)
    second.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff))
    await until(() => second.status !== 'open')
    expect(server.verdicts).to.deep.equal(['E_FRAME_MALFORMED', 'E_FRAME_TOO_LARGE'])
    const [block] = await randomBlocks(1, 10)
    hold([block!])
    expect(await want(block!.cid)).to.have.length(10)
  })

  it('serves a few streams of one peer, and refuses more', async () => {
    const streams = []
    for (let i = 0; i < MAX_WANT_STREAMS_PER_PEER; i++) {
      const stream = await reader.stream(server.peer)
      const first = once(stream as unknown as EventTarget, 'message')
      stream.send(frame({ type: 'want', cids: [(await randomBlocks(1, 9))[0]!.cid.bytes], cancel: [] }))
      await first
      streams.push(stream)
    }
    const [block] = await randomBlocks(1, 10)
    expect(await codeThrown(() => want(block!.cid))).to.equal('E_BLOCKS_BUSY')
    expect(server.refusals).to.deep.equal(['E_BLOCKS_BUSY'])
    expect(server.verdicts).to.deep.equal([])
    for (const stream of streams) stream.abort(new Error('enough'))
  })

  it('drops and scores a holder that sends other bytes', async () => {
    const [block, other] = await randomBlocks(2, 100)
    server.blocks.set(block!.cid.toString(), other!.bytes)
    expect(await codeThrown(() => want(block!.cid))).to.equal('E_BLOCKS_WRONG')
    expect(reader.verdicts).to.deep.equal(['E_BLOCKS_WRONG'])
  })

  it('drops and scores a holder that sends what was not asked for', async () => {
    await server.handler.stop()
    const [block, other] = await randomBlocks(2, 100)
    await handleRaw(server.libp2p, (stream) => {
      const blocks = [{ cid: other!.cid.bytes, bytes: other!.bytes }]
      stream.send(prefixed(...answerCodec.encode({ type: 'blocks', blocks, absent: [] })))
    })
    expect(await codeThrown(() => want(block!.cid))).to.equal('E_BLOCKS_PROTOCOL')
    expect(reader.verdicts).to.deep.equal(['E_BLOCKS_PROTOCOL'])
  })

  it('says that a peer cannot be reached, or speaks no such protocol', async () => {
    const other = await startLibp2p()
    await reader.libp2p.dial(other.getMultiaddrs())
    const [block] = await randomBlocks(1, 10)
    const ask = (): Promise<unknown> => reader.client.want(other.peerId, block!.cid, { take, signal })
    expect(await codeThrown(ask)).to.equal('E_BLOCKS_UNSUPPORTED')
    const gone = await startLibp2p()
    await gone.stop()
    const dial = (): Promise<unknown> => reader.client.want(gone.peerId, block!.cid, { take, signal })
    expect(await codeThrown(dial)).to.equal('E_BLOCKS_DIAL')
    await other.stop()
  })

  it('holds each peer to its rate', async () => {
    await server.handler.stop()
    const slow = await startBlockServer({ bytesPerSecondPerPeer: 4 * MIB })
    try {
      await reader.libp2p.dial(slow.libp2p.getMultiaddrs())
      const blocks = await randomBlocks(8, MIB)
      hold(blocks, slow)
      const began = performance.now()
      await Promise.all(blocks.map(({ cid }) => reader.client.want(slow.peer, cid, { take, signal })))
      // One second's worth goes at once, and the last block before its bytes are paid.
      expect(performance.now() - began).to.be.greaterThan(600)
    } finally {
      await slow.handler.stop()
      await slow.libp2p.stop()
    }
  })
})
