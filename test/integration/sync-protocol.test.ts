import { expect } from 'chai'
import * as limits from '../../protocols/sync/constants.ts'
import { codeThrown } from '../helpers/content-node.ts'
import { FakeChain } from '../helpers/fake-chain.ts'
import { until } from '../helpers/libp2p-pair.ts'
import { epochAt, ScriptedNode } from '../helpers/scripted-peers.ts'
import { SyncPeers } from '../helpers/sync-peers.ts'

describe('/kairos/sync/1.0.0', () => {
  let peers: SyncPeers

  beforeEach(() => {
    peers = new SyncPeers()
  })
  afterEach(() => peers.stop())

  it('tells the head, and what of the record is kept', async () => {
    const chain = new FakeChain(300)
    chain.lowest = 45
    await peers.start([chain])
    expect(await peers.client.head(peers.server(), peers.signal)).to.deep.equal({
      ...chain.head(),
      height: 300,
      lowest: 45,
    })
  })

  it('gives a range in order, and what there is of one that goes past the head', async () => {
    await peers.start([new FakeChain(100)])
    expect(await peers.range(1, 64)).to.deep.equal(Array.from({ length: 64 }, (_, i) => epochAt(i + 1, 200)))
    expect((await peers.range(90, 64)).map(({ height }) => height)).to.deep.equal(
      Array.from({ length: 11 }, (_, i) => i + 90),
    )
    expect(await peers.range(101, 64)).to.deep.equal([])
  })

  it('gives an epoch of the largest size, with the largest certificate', async () => {
    const chain = new FakeChain(1)
    const [block, certificate] = [limits.MAX_BLOCK_BYTES, limits.MAX_CERTIFICATE_BYTES].map((n) => new Uint8Array(n))
    chain.epoch = async (height) => ({ height, block: block!, certificate: certificate! })
    await peers.start([chain])
    const [epoch] = await peers.range(1, 1)
    expect([epoch?.block.byteLength, epoch?.certificate.byteLength]).to.deep.equal([1_048_576, 491_520])
  })

  it('says that an epoch is no longer kept, and that a state is not', async () => {
    const chain = new FakeChain(300)
    chain.lowest = 45
    await peers.start([chain])
    expect(await codeThrown(() => peers.range(44, 10))).to.equal('E_SYNC_PRUNED')
    const followed = peers.client.follow(peers.server(), 44, peers.signal)
    expect(await codeThrown(() => followed.next())).to.equal('E_SYNC_PRUNED')
    expect((await peers.client.state(peers.server(), 256, peers.signal)).byteLength).to.equal(1000)
    expect(await codeThrown(() => peers.client.state(peers.server(), 255, peers.signal))).to.equal('E_SYNC_UNKNOWN')
  })

  it('sends epochs to who follows as they become final, and signs of life between', async () => {
    const chain = new FakeChain(10)
    await peers.start([chain], { heartbeatMs: 20 })
    const followed = peers.client.follow(peers.server(), 9, peers.signal)
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
    await peers.start([new FakeChain(10)], { heartbeatMs: 60_000 })
    const impatient = peers.patient({ followSilenceMs: 500 })
    const followed = impatient.follow(peers.server(), 11, peers.signal)
    expect((await followed.next()).value).to.have.property('head')
    expect(await codeThrown(() => followed.next())).to.equal('E_TIMEOUT')
  })

  it('serves one stream of a follower: a newer one takes the place of the older', async () => {
    const chain = new FakeChain(10)
    await peers.start([chain])
    const [older, newer] = [
      peers.client.follow(peers.server(), 11, peers.signal),
      peers.client.follow(peers.server(), 11, peers.signal),
    ]
    await older.next()
    await newer.next()
    expect(await codeThrown(() => older.next())).to.equal('E_STREAM_CLOSED')
    await until(() => chain.listeners === 1)
    chain.grow(11)
    expect((await newer.next()).value).to.have.nested.property('epoch.height', 11)
    await newer.return(undefined)
  })

  it('brings 10 000 epochs from three nodes, one of which is cut off on the way', async () => {
    const chains = [10_000, 10_000, 10_000].map((height) => new FakeChain(height, 1_000))
    await peers.start(chains)
    const node = new ScriptedNode(peers.client, () => [peers.server(0), peers.server(1), peers.server(2)], {
      graceMs: 5_000,
    })
    await node.follow.start()
    try {
      await until(() => node.height > 1_000)
      peers.nodes[0]!.getConnections(peers.server(0)).forEach((connection) => connection.abort(new Error('cut')))
      await peers.nodes[1]!.stop()
      await until(() => node.height === 10_000)
      expect(node.taken).to.deep.equal(Array.from({ length: 10_000 }, (_, i) => i + 1))
      for (const { read } of chains) expect(read.length).to.be.above(100)
      expect(node.verdicts.filter(([, { kind }]) => kind === 'reject')).to.deep.equal([])
    } finally {
      await node.follow.stop()
    }
  })
})
