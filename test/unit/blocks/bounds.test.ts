import { expect } from 'chai'
import { ByteBudget } from '../../../protocols/blocks/byte-budget.ts'
import { answerCodec, requestCodec } from '../../../protocols/blocks/codec.ts'
import { MAX_BLOCK_BYTES, MAX_LEASES_PER_PEER, MAX_WANTS } from '../../../protocols/blocks/constants.ts'
import { costOf } from '../../../protocols/blocks/cost.ts'
import { Leases } from '../../../protocols/blocks/leases.ts'
import { servePush } from '../../../protocols/blocks/serve-push.ts'
import { Pace } from '../../../protocols/shared/pace.ts'
import { randomBlocks } from '../../helpers/block-peers.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const { signal } = new AbortController()

describe('the frames of blocks', () => {
  it('come back as they were, blocks and all', async () => {
    const blocks = (await randomBlocks(3, 100)).map(({ cid, bytes }) => ({ cid: cid.bytes, bytes }))
    const whole = Buffer.concat(answerCodec.encode({ type: 'blocks', blocks, absent: [blocks[0]!.cid] }))
    const decoded = answerCodec.decode(whole)
    expect(decoded).to.deep.equal({
      type: 'blocks',
      blocks: blocks.map(({ cid, bytes }) => ({ cid, bytes: new Uint8Array(bytes) })),
      absent: [blocks[0]!.cid],
    })
  })

  it('copy no block to be sent', async () => {
    const [block] = await randomBlocks(1, MAX_BLOCK_BYTES)
    const parts = requestCodec.encode({ type: 'push', blocks: [{ cid: block!.cid.bytes, bytes: block!.bytes }] })
    expect(parts.at(-1)).to.equal(block!.bytes)
  })

  it('must be as long as their blocks, and name no more than the limit', async () => {
    const [block] = await randomBlocks(1, 10)
    const { cid, bytes } = { cid: block!.cid.bytes, bytes: block!.bytes }
    const whole = Buffer.concat(requestCodec.encode({ type: 'push', blocks: [{ cid, bytes }] }))
    const decode = (frame: Uint8Array) => codeThrown(async () => requestCodec.decode(frame))
    expect(await decode(whole.subarray(0, -1))).to.equal('E_FRAME_MALFORMED')
    expect(await decode(Buffer.concat([whole, Uint8Array.of(0)]))).to.equal('E_FRAME_MALFORMED')
    const many = requestCodec.encode({ type: 'want', cids: Array<Uint8Array>(MAX_WANTS + 1).fill(cid), cancel: [] })
    expect(await decode(Buffer.concat(many))).to.equal('E_FRAME_SCHEMA')
  })
})

describe('the budget of loaded bytes', () => {
  it('gives each peer its share, and lets one that is over it hold up only itself', async () => {
    const budget = new ByteBudget(10, 4)
    const first = await budget.reserve('a', 4, signal)
    let isAdmitted = false
    const waiting = budget.reserve('a', 1, signal).then((release) => {
      isAdmitted = true
      return release
    })
    const others = [await budget.reserve('b', 4, signal), await budget.reserve('c', 2, signal)]
    expect([isAdmitted, budget.usedBytes]).to.deep.equal([false, 10])
    first()
    ;(await waiting)()
    others.forEach((release) => release())
    expect(budget.usedBytes).to.equal(0)
  })

  it('forgets who left while waiting', async () => {
    const budget = new ByteBudget(4, 4)
    const release = await budget.reserve('a', 4, signal)
    const cancel = new AbortController()
    const left = codeThrown(() => budget.reserve('b', 3, cancel.signal))
    const next = budget.reserve('c', 2, signal)
    cancel.abort()
    expect(await left).to.equal('E_ABORTED')
    release()
    ;(await next)()
    expect(budget.usedBytes).to.equal(0)
  })
})

describe('the pace of a peer', () => {
  it('lets one second go at once, and then keeps the rate', () => {
    const pace = new Pace(100)
    expect(pace.take('a', 100, 5000)).to.equal(0)
    expect(pace.take('a', 50, 5000)).to.equal(0)
    expect(pace.take('a', 50, 5000)).to.equal(500)
    expect(pace.take('b', 50, 5000)).to.equal(0)
    expect(pace.take('a', 50, 9000)).to.equal(0)
  })
})

describe('the leases of pushes', () => {
  it('are few for each peer, whether its pushes have ended or not', async () => {
    let open = 0
    const leases = new Leases(() => {
      open++
      return { add: () => undefined, release: () => void open-- }
    })
    for (let i = 0; i < MAX_LEASES_PER_PEER; i++) await leases.run('a', async () => {})
    expect(await codeThrown(() => leases.run('a', async () => {}))).to.equal('E_BLOCKS_BUSY')
    await leases.run('b', async () => {})
    expect(open).to.equal(MAX_LEASES_PER_PEER + 1)
    leases.stop()
    expect(open).to.equal(0)
  })

  it('end when what was pushed is pinned: who pushes and pins is never kept waiting', async () => {
    let open = 0
    const leases = new Leases(() => {
      open++
      return { add: () => undefined, release: () => void open-- }
    })
    const roots = (await randomBlocks(2 * MAX_LEASES_PER_PEER, 10)).map(({ cid }) => cid)
    for (const root of roots) {
      await leases.run('a', async () => root)
      leases.settled(root)
    }
    expect(open).to.equal(0)
    await leases.run('a', async () => roots[0])
    leases.settled(roots[1]!)
    expect(open).to.equal(1)
    leases.stop()
  })
})

describe('what an answer costs the asker', () => {
  it('is its bytes, and a look into the store also for what is small or absent', () => {
    expect(costOf([2_000_000, 10], 0)).to.equal(2_004_096)
    expect(costOf([], 500)).to.equal(500 * 4_096)
    const pace = new Pace(costOf([], 500))
    expect([pace.take('a', costOf([], 500), 5000), pace.take('a', costOf([], 500), 5000)]).to.deep.equal([0, 0])
    expect(pace.take('a', costOf([], 1), 5000)).to.equal(1000)
  })
})

describe('a push on which nothing comes', () => {
  it('gives its place back', async () => {
    const served = { next: () => new Promise<undefined>(() => {}), peer: 'a', signal, stream: {} as never }
    const sink = { matches: async () => true, put: async () => {} }
    const lease = { add: () => {}, release: () => {} }
    expect(await codeThrown(() => servePush(served, { sink, lease, idleMs: 1 }))).to.equal('E_BLOCKS_STALLED')
  })
})
