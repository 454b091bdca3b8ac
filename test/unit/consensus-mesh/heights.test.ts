import { expect } from 'chai'
import { EngineRefusal, type EngineInput } from '../../../consensus/mesh/index.ts'
import { block, heights, started } from './heights.ts'
import { decide, KEYS, proposal, SET, vote } from './scripted.ts'
import { settle } from './ports.ts'

describe('mesh driver: one height after another', () => {
  let { node, seen, note, running, begin, decideHere } = heights()
  beforeEach(() => {
    ;({ node, seen, note, running, begin, decideHere } = heights())
  })
  afterEach(() => node.mesh.stop())

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

  it('whoever validates now is heard at the next height, however many others spoke before', async () => {
    note('onDropped')
    await begin()
    for (let at = 0; at < 200; at++) node.receive(vote(2, undefined), new Uint8Array(32).fill(at, 0, 1).fill(255, 1))
    expect(seen, 'as many as a set has may be new').to.have.length(200 - 64)
    node.receive(vote(2, undefined, 1))
    await decideHere(1)
    await running(2)
    expect(node.engine.inputs.map(({ type }) => type)).to.deep.equal(['start', 'message'])
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
})
