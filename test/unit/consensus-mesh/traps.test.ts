import { expect } from 'chai'
import { block, heights } from './heights.ts'
import { log, proposal, publish, vote } from './scripted.ts'
import { settle } from './ports.ts'

describe('mesh driver: an engine that traps', () => {
  let { node, seen, note, running, begin } = heights()
  beforeEach(() => {
    ;({ node, seen, note, running, begin } = heights())
  })
  afterEach(() => node.mesh.stop())

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
