import { expect } from 'chai'
import type { PeerId } from '@libp2p/interface'
import { MAX_WAITING_BYTES } from '../../../node/mesh/follow-types.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { ScriptedNode, ScriptedPeers, type ScriptedPeer } from '../../helpers/scripted-peers.ts'

describe('a node that follows the record', () => {
  let peers: ScriptedPeers
  let node: ScriptedNode
  const all = (): PeerId[] => [...peers.peers.values()].map(({ peer }) => peer)
  const start = async (options: ConstructorParameters<typeof ScriptedNode>[2] = {}): Promise<void> => {
    node = new ScriptedNode(peers, all, options)
    await node.follow.start()
  }
  const inOrder = (): void => {
    expect(node.taken).to.deep.equal(Array.from({ length: node.taken.length }, (_, i) => node.taken[0]! + i))
  }

  beforeEach(() => {
    peers = new ScriptedPeers()
  })
  afterEach(() => node.follow.stop())

  it('takes 10 000 epochs from three peers at once, in order, and then follows one', async () => {
    const three = await Promise.all([10_000, 10_000, 10_000].map((height) => peers.add(height)))
    await start()
    await until(() => node.follow.progress.state === 'following')
    expect(node.taken).to.have.length(10_000)
    inOrder()
    for (const { ranges } of three) expect(ranges.length).to.be.above(10)
    expect(three.flatMap(({ followed }) => followed)).to.deep.equal([10_001])
    peers.grow(10_003)
    await until(() => node.height === 10_003)
    expect(node.verdicts).to.deep.equal([])
    expect(node.follow.progress).to.include({ height: 10_003, best: 10_003, behind: 0 })
  })

  it('drops a peer that forges an epoch, and takes that range from another', async () => {
    const liar = await peers.add(1000, { lies: (height) => height % 100 === 7 })
    const honest = await peers.add(1000)
    await start()
    await until(() => node.height === 1000)
    inOrder()
    expect(node.codesOf(liar)).to.include('reject E_EPOCH_FORGED')
    expect(node.codesOf(honest)).to.deep.equal([])
  })

  it('holds a liar to account once, whatever else of its is waiting', async () => {
    const liar = await peers.add(2000, { lies: (height) => height > 64 })
    await peers.add(2000, { isSlow: true })
    await start({ pauseMs: 60_000, maxPauseMs: 60_000 })
    await until(() => node.height === 2000)
    inOrder()
    expect(node.codesOf(liar)).to.deep.equal(['reject E_EPOCH_FORGED'])
  })

  it('leaves a peer that stalls in the middle of a range', async () => {
    const stalls = await peers.add(500, { stallsAt: 30 })
    const honest = await peers.add(500)
    await start()
    await until(() => node.height === 500)
    inOrder()
    expect(node.codesOf(stalls)).to.include('ignore E_SYNC_SLOW')
    expect(node.codesOf(honest)).to.deep.equal([])
  })

  it('rejects a peer that gives less than it says it has', async () => {
    const short = await peers.add(500, { endsAt: 20 })
    await peers.add(500)
    await start()
    await until(() => node.height === 500)
    inOrder()
    expect(node.codesOf(short)).to.include('reject E_SYNC_SHORT')
  })

  it('gets on beside a peer that claims a million epochs and has none', async () => {
    const liar = await peers.add(0, { claimed: 1_000_000 })
    await peers.add(300)
    await start()
    await until(() => node.height === 300)
    inOrder()
    expect(node.codesOf(liar)).to.include('reject E_SYNC_SHORT')
  })

  it('is not held up by a peer that answers no head', async () => {
    await peers.add(300, { isMute: true })
    await peers.add(300)
    await start()
    await until(() => node.height === 300)
    inOrder()
  })

  it('asks pruned peers only for what they keep', async () => {
    const pruned = await peers.add(400, { lowest: 200 })
    const whole = await peers.add(400)
    await start()
    await until(() => node.height === 400)
    inOrder()
    expect(Math.min(...pruned.ranges, Infinity)).to.be.at.least(200)
    expect(node.codesOf(pruned)).to.deep.equal([])
    expect(whole.ranges).to.include(1)
  })

  it('says so when nobody keeps what it needs, and gets on when somebody does', async () => {
    await peers.add(400, { lowest: 200 })
    await start()
    await until(() => node.follow.progress.problem === 'E_SYNC_PRUNED')
    expect(node.follow.progress).to.include({ state: 'waiting', height: 0, best: 400, behind: 400 })
    await peers.add(400)
    await until(() => node.height === 400)
    await until(() => node.follow.progress.problem === undefined)
  })

  it('waits while there is nobody, and begins when told of a peer', async () => {
    await start({ retryMs: 60_000 })
    await until(() => node.follow.progress.problem === 'E_SYNC_NOBODY')
    await peers.add(20)
    node.follow.heard(20)
    await until(() => node.height === 20)
  })

  it('is not behind because somebody says so: what a peer has it must bring when it is asked', async () => {
    await peers.add(20)
    await start()
    await until(() => node.follow.progress.state === 'following' && node.height === 20)
    node.follow.heard(10 ** 15)
    expect(node.follow.progress).to.include({ best: 20, behind: 0 })
  })

  it('gets on when every peer but one fails in its own way', async () => {
    await peers.add(2000, { stallsAt: 100 })
    await peers.add(2000, { endsAt: 400 })
    await peers.add(2000, { lies: (height) => height === 700 })
    await peers.add(2000, { lowest: 1500 })
    await peers.add(2000)
    await start()
    await until(() => node.height === 2000)
    inOrder()
  })

  it('keeps what waits for an earlier range within limits', async () => {
    const stalls = await peers.add(300, { stallsAt: 1, size: 1_048_576 })
    const honest = await peers.add(300, { size: 1_048_576 })
    await start({ graceMs: 500 })
    await until(() => honest.given - node.height >= MAX_WAITING_BYTES / 1_048_577)
    while (node.codesOf(stalls).length === 0) {
      expect(honest.given - node.height).to.be.at.most(MAX_WAITING_BYTES / 1_048_576 + 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await until(() => node.height === 300)
    inOrder()
    expect(honest.given, 'nothing is asked for twice').to.be.at.most(301)
  })

  it('goes on with the one peer it has after that failed', async () => {
    const only = await peers.add(300, { stallsAt: 100 })
    await start()
    await until(() => node.height === 99 && node.codesOf(only).length > 2)
    only.stallsAt = Infinity
    await until(() => node.height === 300)
    inOrder()
  })

  describe('and is at its head', () => {
    const follows = (peer: ScriptedPeer): boolean => peer.followed.length > 0
    const pair = async (): Promise<[followed: ScriptedPeer, other: ScriptedPeer]> => {
      const two = [await peers.add(10), await peers.add(10)] as const
      await start()
      await until(() => two.some(follows))
      return follows(two[0]) ? [two[0], two[1]] : [two[1], two[0]]
    }

    it('turns to another peer when the one it follows forges an epoch', async () => {
      const [followed, other] = await pair()
      followed.lies = () => true
      peers.grow(11)
      await until(() => node.height === 11)
      expect(node.codesOf(followed)).to.include('reject E_EPOCH_FORGED')
      expect(node.codesOf(other)).to.deep.equal([])
    })

    it('turns to another when the one it follows holds epochs back', async () => {
      const [followed, other] = await pair()
      peers.grow(11, [other])
      await until(() => node.height === 11)
      expect(node.codesOf(followed)).to.include('ignore E_SYNC_BEHIND')
    })

    it('turns to another when the one it follows is gone', async () => {
      const [followed, other] = await pair()
      peers.peers.delete(followed.peer.toString())
      peers.grow(12, [other])
      await until(() => node.height === 12)
    })

    it('does not hurry to ask again a peer that turns it away', async () => {
      const peer = await peers.add(10, { isBusy: true })
      await start({ retryMs: 60_000 })
      await until(() => peer.followed.length > 0 && node.verdicts.length > 0)
      node.follow.look()
      await until(() => peer.followed.length === 2)
      expect(node.codesOf(peer)).to.include('ignore E_SYNC_BUSY')
      await node.follow.stop()
      expect(peer.followed).to.have.length(2)
    })

    it('stays with a peer while nothing happens anywhere', async () => {
      const [followed, other] = await pair()
      const told = node.progress.length
      const asked = other.heads
      await until(() => {
        node.follow.look()
        return other.heads >= asked + 4
      })
      expect([followed.followed, other.followed]).to.deep.equal([[11], []])
      expect(node.progress).to.have.length(told)
      expect(node.verdicts).to.deep.equal([])
    })
  })

  describe('and is a validator', () => {
    it('asks nobody while consensus keeps it at the head', async () => {
      const peer = await peers.add(100)
      node = new ScriptedNode(peers, all, { height: 5 })
      node.isValidator = true
      await node.follow.start()
      node.follow.behind(6)
      const { looks } = node
      await until(() => node.looks > looks + 4)
      expect([peer.heads, peer.ranges, peer.followed, node.taken]).to.deep.equal([0, [], [], []])
      expect(node.follow.progress.state).to.equal('idle')
    })

    it('is brought to the head when others are ahead, and left alone then', async () => {
      const peer = await peers.add(100)
      node = new ScriptedNode(peers, all, { height: 5 })
      node.isValidator = true
      await node.follow.start()
      node.follow.behind(101)
      await until(() => node.height === 100 && node.follow.progress.state === 'idle')
      inOrder()
      expect(peer.followed).to.deep.equal([])
    })

    it('is not kept busy by a hint that is not true', async () => {
      const peer = await peers.add(5)
      node = new ScriptedNode(peers, all, { height: 5 })
      node.isValidator = true
      await node.follow.start()
      node.follow.behind(1_000)
      await until(() => node.progress.length > 0 && node.follow.progress.state === 'idle')
      expect([peer.ranges, peer.followed]).to.deep.equal([[], []])
    })

    it('stops following when it becomes one', async () => {
      await peers.add(10)
      await start()
      await until(() => node.follow.progress.state === 'following')
      node.isValidator = true
      peers.grow(11)
      await until(() => node.follow.progress.state === 'idle')
      expect(node.height).to.equal(11)
    })
  })

  it('tells when an epoch could not be stored, and does nothing more', async () => {
    const peer = await peers.add(100)
    node = new ScriptedNode(peers, all)
    node.failAt = 50
    await node.follow.start()
    await until(() => node.fatal.length > 0)
    expect(String(node.fatal[0])).to.equal('Error: the disk failed')
    expect([node.height, node.follow.progress.state]).to.deep.equal([49, 'stopped'])
    const asked = peer.ranges.length
    peers.grow(200)
    await node.follow.stop()
    expect([node.taken.length, peer.ranges.length]).to.deep.equal([49, asked])
  })

  it('has stopped when what it took is durable, also when that fails', async () => {
    await peers.add(3)
    await start()
    await until(() => node.height === 3)
    const { promise, reject } = Promise.withResolvers<void>()
    node.writing = promise
    let hasStopped = false
    const stopped = node.follow.stop().then(() => (hasStopped = true))
    await until(() => node.follow.progress.state === 'stopped')
    await new Promise(setImmediate)
    expect(hasStopped).to.equal(false)
    reject(new Error('the disk failed'))
    await stopped
  })
})
