import { expect } from 'chai'
import { EngineRefusal, type EngineInput, type MeshEvents } from '../../../consensus/mesh/index.ts'
import { blockOf, decide, KEYS, log, proposal, publish, Scripted, SET, vote } from './scripted.ts'
import { settle } from './ports.ts'

const block = (height: number) => blockOf(height, `b${height}`)
const certificate = (height: number) => ({ height, round: 0, value: block(height).value, signatures: [] })
const started = (node: Scripted) => node.engines.map(({ start }) => start.height)

describe('mesh driver: one height after another', () => {
  let node: Scripted
  const seen: unknown[] = []
  beforeEach(() => {
    seen.length = 0
    node = new Scripted()
    for (const height of [1, 2, 3, 4]) node.disk.blocks.set(String(block(height).value), block(height))
  })
  afterEach(() => node.mesh.stop())

  const note = <K extends keyof MeshEvents>(event: K) => {
    node.events = { ...node.events, [event]: (...what: unknown[]) => seen.push(what) }
  }

  const begin = async () => {
    node.start()
    await running(1)
  }

  /** The engine of a height takes inputs. */
  const running = async (height: number) => {
    await node.clock.until(() => node.engines.at(-1)?.start.height === height && node.mesh.status.step === 'deciding')
    await settle()
  }

  const decideHere = async (height: number) => {
    node.do(decide(height, block(height)))
    await node.clock.until(() => node.disk.chain.length === height)
    await settle()
  }

  it('the next height starts one epoch after the decision', async () => {
    node.pace = { epochMs: 1000, idleEpochMs: 1000 }
    await begin()
    expect(node.clock.now()).to.equal(0)
    await node.clock.pass(300)
    await decideHere(1)
    expect(node.mesh.status).to.include({ height: 2, step: 'waiting', round: -1 })
    await node.clock.pass(999)
    expect(started(node)).to.deep.equal([1])
    await node.clock.pass(1)
    expect(started(node)).to.deep.equal([1, 2])
  })

  it('it starts an idle epoch after it while nothing is new, and soon after something is', async () => {
    node.pace = { epochMs: 100, idleEpochMs: 5000 }
    node.application.isBusy = false
    await begin()
    await decideHere(1)
    await node.clock.pass(4999)
    expect(started(node)).to.deep.equal([1])
    await node.clock.pass(1)
    expect(started(node)).to.deep.equal([1, 2])
    await settle()
    await decideHere(2)
    await node.clock.pass(1000)
    node.application.isBusy = true
    await node.clock.pass(100)
    expect(started(node)).to.deep.equal([1, 2, 3])
  })

  it('a proposal of the next height by its proposer ends the wait, and the engine gets it', async () => {
    node.pace = { epochMs: 1000, idleEpochMs: 9000 }
    await begin()
    await decideHere(1)
    node.receive(proposal(2, block(2), 0, -1, 3))
    node.receive(proposal(2, block(2)), KEYS[1])
    await node.clock.pass(0)
    expect(started(node)).to.deep.equal([1])
    node.receive(proposal(2, block(2)))
    await node.clock.pass(0)
    await settle()
    expect(started(node)).to.deep.equal([1, 2])
    expect(node.engine.inputs.filter(({ type }) => type === 'message')).to.have.length(3)
  })

  it('a proposal that came while the height before was decided ends the wait too', async () => {
    node.pace = { epochMs: 1000, idleEpochMs: 9000 }
    await begin()
    node.receive(proposal(2, block(2)))
    await decideHere(1)
    await node.clock.pass(0)
    expect(started(node)).to.deep.equal([1, 2])
  })

  it('who hears others vote on the next height is idle no longer, but waits for its epoch', async () => {
    node.pace = { epochMs: 1000, idleEpochMs: 9000 }
    node.application.isBusy = false
    await begin()
    await decideHere(1)
    node.receive(vote(2, undefined))
    await node.clock.pass(999)
    expect(started(node)).to.deep.equal([1])
    await node.clock.pass(1)
    expect(started(node)).to.deep.equal([1, 2])
  })

  it('messages of the next height wait, a few of each sender and kind, the newest; those further off do not', async () => {
    note('onDropped')
    await begin()
    for (let round = 0; round < 6; round++) node.receive(vote(2, undefined, 1, round))
    node.receive(vote(2, undefined, 2, 0))
    node.receive(vote(3, undefined, 1, 0))
    expect(seen).to.deep.equal([[KEYS[1]], [KEYS[1]], [KEYS[1]]])
    expect(node.engine.inputs).to.have.length(1)
    await decideHere(1)
    await running(2)
    const messages = node.engine.inputs.slice(1) as Extract<EngineInput, { type: 'message' }>[]
    expect(messages.map(({ bytes }) => String.fromCharCode(...bytes))).to.deep.equal(['2', '3', '4', '5', '6'])
  })

  it('who is no validator of the height is not heard, and of the next one only if it is one by then', async () => {
    note('onDropped')
    node.validators = (height) => (height === 1 ? SET.slice(0, 3) : SET.slice(1).concat(SET[0]!))
    await begin()
    node.receive(vote(1, undefined, 3))
    expect(seen).to.deep.equal([[KEYS[3]]])
    node.receive(vote(2, undefined), KEYS[3])
    node.receive(vote(2, undefined, 1), new Uint8Array(32).fill(9))
    await decideHere(1)
    await running(2)
    expect(node.engine.inputs).to.have.length(2)
  })

  it('what cannot be decoded, is refused or of another height than said, is told with its code and sender', async () => {
    note('onRefused')
    await begin()
    node.mesh.receive(KEYS[1]!, 2, Uint8Array.of(1))
    node.answer = () => {
      throw new EngineRefusal('E_BFT_SIGNATURE', 'no')
    }
    node.receive(vote(1, undefined, 2))
    expect(seen).to.deep.equal([
      ['E_BFT_MESSAGE', KEYS[1]],
      ['E_BFT_SIGNATURE', KEYS[2]],
    ])
  })

  it('a decision is told with its round and how long it took, rounds as they begin', async () => {
    note('onDecided')
    note('onRound')
    await begin()
    await node.clock.pass(250)
    node.do({ type: 'round', round: 2, proposer: KEYS[3]! })
    expect(node.mesh.status).to.include({ round: 2, step: 'deciding', proposer: KEYS[3] })
    node.do(decide(1, block(1), 2))
    await node.clock.until(() => seen.length === 2)
    expect(seen).to.deep.equal([
      [1, 2, KEYS[3]],
      [1, { round: 2, ms: 250 }],
    ])
  })

  it('a round without the block of its proposer is told when the next begins', async () => {
    note('onMissedProposal')
    await begin()
    const round = (round: number) => node.do({ type: 'round', round, proposer: KEYS[(1 + round) % 4]! })
    round(0)
    node.receive(proposal(1, block(1)))
    node.mesh.receiveBlock(1, 0, block(1))
    await settle()
    round(1)
    expect(seen).to.deep.equal([])
    round(3)
    expect(seen).to.deep.equal([[KEYS[2]]])
  })

  it('an equivocation is told, and given to the application', async () => {
    note('onEquivocation')
    await begin()
    const [first, second] = [vote(1, undefined), vote(1, block(1))]
    if (first.type !== 'vote' || second.type !== 'vote') throw new Error('no votes')
    node.do({ type: 'equivocation', evidence: { type: 'votes', first, second } })
    expect(seen).to.deep.equal([[{ type: 'votes', first, second }]])
    expect(node.application.evidences).to.have.length(1)
  })

  describe('behind', () => {
    it('more than a third at a greater height for a while is told, and again while it is so', async () => {
      note('onBehind')
      await begin()
      node.receive(vote(7, undefined, 1))
      node.receive(vote(4, undefined, 2))
      expect(node.mesh.status.behind).to.equal(4)
      await node.clock.pass(499)
      expect(seen).to.deep.equal([])
      await node.clock.pass(1)
      expect(seen).to.deep.equal([[4]])
      await node.clock.pass(5000)
      expect(seen).to.deep.equal([[4]])
      for (let times = 0; times < 10; times++) node.receive(vote(8, undefined, 3))
      await node.clock.pass(500)
      expect(seen).to.deep.equal([[4], [7]])
    })

    it('who has gone on with the others meanwhile is not', async () => {
      note('onBehind')
      await begin()
      for (const by of [1, 2, 3]) node.receive(vote(2, undefined, by))
      await decideHere(1)
      await node.clock.pass(10_000)
      expect(seen).to.deep.equal([])
    })

    it('one alone is told only when this height does not end for long: it may have a vote that nobody else has', async () => {
      note('onBehind')
      await begin()
      node.receive(vote(2, undefined, 1))
      await node.clock.pass(4999)
      expect(seen).to.deep.equal([])
      await node.clock.pass(1)
      expect(seen).to.deep.equal([[2]])
    })

    it('strangers cannot have it told', async () => {
      note('onBehind')
      await begin()
      for (const fill of [5, 6, 7]) node.receive(vote(9, undefined), new Uint8Array(32).fill(fill))
      await node.clock.pass(20_000)
      expect(seen).to.deep.equal([])
    })
  })

  describe('synced', () => {
    it('an epoch decided elsewhere takes the place of the running height', async () => {
      note('onSynced')
      await begin()
      node.do({ type: 'timeout', timeout: { kind: 'propose', round: 0 } })
      expect(await node.mesh.synced(block(1), certificate(1))).to.equal(true)
      expect(node.disk.chain).to.have.length(1)
      expect(node.engine.isFreed).to.equal(true)
      await running(2)
      await node.clock.pass(3000)
      expect(node.told).to.deep.equal([])
      expect(seen).to.deep.equal([[1]])
    })

    it('it waits until what the disk does for the height is done', async () => {
      await begin()
      const durable = node.hold('append 1/1')
      node.do(log(), publish('a'))
      const synced = node.mesh.synced(block(1), certificate(1))
      await settle()
      expect(node.disk.chain).to.have.length(0)
      durable()
      expect(await synced).to.equal(true)
      expect(node.trace).to.not.include('publish 1 a')
    })

    it('one that is final already is that, one of a later height is not', async () => {
      await begin()
      await decideHere(1)
      expect(await node.mesh.synced(block(1), certificate(1))).to.equal(true)
      expect(await node.mesh.synced(block(3), certificate(3))).to.equal(false)
      expect(node.disk.chain).to.have.length(1)
    })

    it('one that comes while the same is decided here is committed once', async () => {
      await begin()
      const durable = node.hold('commit 1')
      node.do(decide(1, block(1)))
      await node.clock.until(() => node.mesh.status.step === 'committing')
      const synced = node.mesh.synced(block(1), certificate(1))
      durable()
      expect(await synced).to.equal(true)
      await running(2)
      expect(node.trace.filter((step) => step === 'commit 1')).to.have.length(1)
      expect(node.fatal).to.deep.equal([])
    })

    it('who is no validator runs no engine and is moved on by it alone, until it is one, and again when it is none', async () => {
      note('onDropped')
      node.validators = (height) => (height === 3 ? SET : SET.slice(1))
      node.start()
      await node.clock.pass(10_000)
      expect(node.mesh.status).to.include({ height: 1, step: 'following' })
      node.receive(vote(1, undefined))
      for (const height of [1, 2]) expect(await node.mesh.synced(block(height), certificate(height))).to.equal(true)
      expect(node.engines).to.have.length(0)
      await running(3)
      await decideHere(3)
      await node.clock.pass(10_000)
      expect(node.mesh.status).to.include({ height: 4, step: 'following' })
      expect(await node.mesh.synced(block(4), certificate(4))).to.equal(true)
      expect(started(node)).to.deep.equal([3])
      expect(seen).to.deep.equal([[KEYS[1]]])
    })

    it('a failed commit of one stops everything', async () => {
      await begin()
      node.fail('commit 1')
      expect(await node.mesh.synced(block(1), certificate(1))).to.equal(false)
      expect(node.fatal).to.have.length(1)
    })
  })

  describe('a trap', () => {
    const trap = () => {
      throw new Error('unreachable')
    }

    it('has the engine made anew from what is durable; what was not is never sent', async () => {
      note('onTrap')
      await begin()
      node.do(log('one'), publish('a'), { type: 'timeout', timeout: { kind: 'propose', round: 0 } })
      await settle()
      const durable = node.hold('append 1/1')
      node.do(log('two'), publish('b'))
      node.do(log('three'), publish('c'))
      node.answer = trap
      node.receive(vote(1, undefined))
      node.answer = () => []
      await settle()
      expect(node.engines).to.have.length(1)
      node.receive(vote(1, undefined, 2))
      durable()
      await running(1)
      await node.clock.pass(5000)
      expect(node.engines).to.have.length(2)
      expect(node.loads).to.equal(2)
      expect(node.engine.start.log.map((record) => String.fromCharCode(...record))).to.deep.equal(['one', 'two'])
      expect(node.trace.filter((step) => step.startsWith('publish'))).to.deep.equal(['publish 1 a'])
      expect(node.engine.inputs.map(({ type }) => type)).to.deep.equal(['start', 'message'])
      expect(seen).to.have.length(1)
    })

    it('leaves the blocks that were checked: the next engine hears of them', async () => {
      await begin()
      node.receive(proposal(1, block(1)))
      node.mesh.receiveBlock(1, 0, block(1))
      await settle()
      node.answer = trap
      node.receive(vote(1, undefined))
      node.answer = () => []
      await settle()
      expect(node.engines).to.have.length(2)
      expect(node.told.map(({ type }) => type)).to.deep.equal(['block'])
    })

    it('soon after another one costs a pause', async () => {
      await begin()
      for (let times = 0; times < 2; times++) {
        node.answer = trap
        node.receive(vote(1, undefined))
        node.answer = () => []
        await settle()
      }
      expect(node.engines).to.have.length(2)
      await node.clock.pass(1000)
      expect(node.engines).to.have.length(3)
      expect(node.fatal).to.deep.equal([])
    })

    it('in that pause is no obstacle to a stop', async () => {
      await begin()
      for (let times = 0; times < 2; times++) {
        node.answer = trap
        node.receive(vote(1, undefined))
        await settle()
        node.answer = () => []
      }
      await node.mesh.stop()
      expect(node.engines.length).to.be.lessThan(4)
    })

    it('on its own log, twice, stops everything', async () => {
      node.answer = trap
      node.start()
      await node.clock.pass(5000)
      expect(node.fatal).to.have.length(1)
      expect(node.engines).to.have.length(2)
    })
  })
})
