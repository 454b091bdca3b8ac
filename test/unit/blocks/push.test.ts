import { expect } from 'chai'
import { openPush, type Push } from '../../../protocols/blocks/index.ts'
import { PUSH_WINDOW_BYTES } from '../../../protocols/blocks/constants.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import {
  frame,
  randomBlocks,
  startBlockReader,
  startBlockServer,
  type BlockReader,
  type BlockServer,
  type TestBlock,
} from '../../helpers/block-peers.ts'
import { codeThrown } from '../../helpers/content-node.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import type { BlocksHandlerInit } from '../../../protocols/blocks/index.ts'

const MIB = 2 ** 20
const { signal } = new AbortController()

describe('a push of blocks', function () {
  this.timeout(20_000)
  let server: BlockServer
  let pusher: BlockReader

  const start = async (init: Partial<BlocksHandlerInit> = {}): Promise<void> => {
    server = await startBlockServer(init)
    pusher = await startBlockReader(server)
  }
  const open = (): Promise<Push> => openPush(pusher.open, server.peer, signal)
  const pushAll = (push: Push, blocks: TestBlock[]): Promise<unknown> =>
    Promise.all(blocks.map(({ cid, bytes }) => push.push(cid, bytes)))

  afterEach(async () => {
    await server.handler.stop()
    await Promise.all([server.libp2p.stop(), pusher.libp2p.stop()])
  })

  it('stores blocks there, under a lease that outlives it and ends with the node', async () => {
    await start()
    const blocks = [
      ...(await randomBlocks(500, 300)),
      ...(await randomBlocks(20, MIB)),
      ...(await randomBlocks(1, 2 * MIB)),
    ]
    const push = await open()
    await pushAll(push, blocks)
    expect(server.blocks.size).to.equal(blocks.length)
    await push.finish()
    expect(server.leases).to.have.length(1)
    expect(new Set(server.leases[0]!.held)).to.deep.equal(new Set(blocks.map(({ cid }) => cid.toString())))
    expect(server.leases[0]!.isReleased).to.equal(false)
    await server.handler.stop()
    expect(server.leases[0]!.isReleased).to.equal(true)
    expect(server.verdicts).to.deep.equal([])
  })

  it('holds a block before it is stored, and acknowledges it when it is durable', async () => {
    const durable = Promise.withResolvers<void>()
    let heldAtPut: string[] = []
    await start({
      sink: {
        matches: async () => true,
        put: async () => {
          heldAtPut = [...server.leases[0]!.held]
          await durable.promise
        },
      },
    })
    const [block] = await randomBlocks(1, 10)
    const push = await open()
    let isStored = false
    const stored = push.push(block!.cid, block!.bytes).then(() => (isStored = true))
    await until(() => heldAtPut.length > 0)
    expect([heldAtPut, isStored]).to.deep.equal([[block!.cid.toString()], false])
    durable.resolve()
    await stored
    await push.finish()
  })

  it('has no more under way than the window, and room tells when there is some', async () => {
    let waiting = 0
    const release = Promise.withResolvers<void>()
    await start({
      sink: {
        matches: async () => true,
        put: async (_cid, bytes) => {
          waiting += bytes.byteLength
          await release.promise
        },
      },
    })
    const push = await open()
    const blocks = await randomBlocks(12, MIB)
    const all = pushAll(push, blocks)
    await until(() => waiting === PUSH_WINDOW_BYTES)
    let hasRoom = false
    const room = push.room().then(() => (hasRoom = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect([waiting, hasRoom]).to.deep.equal([PUSH_WINDOW_BYTES, false])
    release.resolve()
    await all
    await room
    await push.finish()
  })

  it('is refused to a stranger, before anything is stored', async () => {
    await start({ mayPush: () => false })
    const [block] = await randomBlocks(1, 10)
    const push = await open()
    expect(await codeThrown(() => push.push(block!.cid, block!.bytes))).to.equal('E_BLOCKS_STRANGER')
    expect([server.blocks.size, server.leases.length, server.refusals]).to.deep.equal([0, 0, ['E_BLOCKS_STRANGER']])
  })

  it('ends with the reason when the quota there is full', async () => {
    await start({
      sink: {
        matches: async () => true,
        put: async () => {
          throw new CodedError('E_QUOTA', 'the block store is full')
        },
      },
    })
    const [block, other] = await randomBlocks(2, 10)
    const push = await open()
    expect(await codeThrown(() => push.push(block!.cid, block!.bytes))).to.equal('E_QUOTA')
    expect(await codeThrown(() => push.push(other!.cid, other!.bytes))).to.equal('E_QUOTA')
    expect(await codeThrown(() => push.finish())).to.equal('E_QUOTA')
    expect(server.verdicts).to.deep.equal([])
  })

  it('of other bytes than the CID says is refused and scored, and not stored', async () => {
    await start()
    const [block, other] = await randomBlocks(2, 100)
    const push = await open()
    expect(await codeThrown(() => push.push(block!.cid, other!.bytes))).to.equal('E_BLOCKS_WRONG')
    expect([server.blocks.size, server.verdicts]).to.deep.equal([0, ['E_BLOCKS_WRONG']])
  })

  it('over the window is refused and scored', async () => {
    await start({ sink: { matches: async () => true, put: () => new Promise(() => {}) } })
    const stream = await pusher.stream(server.peer)
    for (const { cid, bytes } of await randomBlocks(5, MIB)) {
      stream.send(frame({ type: 'push', blocks: [{ cid: cid.bytes, bytes }] }))
    }
    await until(() => server.verdicts.includes('E_BLOCKS_LIMIT'))
  })

  it('ends at once when its signal aborts, or the member goes', async () => {
    await start({ sink: { matches: async () => true, put: () => new Promise(() => {}) } })
    const [block, other] = await randomBlocks(2, 100)
    const cancel = new AbortController()
    const push = await openPush(pusher.open, server.peer, cancel.signal)
    const pushed = codeThrown(() => push.push(block!.cid, block!.bytes))
    cancel.abort()
    expect(await pushed).to.equal('E_ABORTED')
    const second = await open()
    const lost = codeThrown(() => second.push(other!.cid, other!.bytes))
    await until(() => server.leases.length > 0)
    await server.libp2p.stop()
    expect(await lost).to.equal('E_STREAM_CLOSED')
  })
})
