import { expect } from 'chai'
import { blockOf, decide, log, proposal, publish, Scripted, vote } from './scripted.ts'
import { settle } from './ports.ts'

const index = (node: Scripted, step: string) => node.trace.indexOf(step)

describe('mesh driver: records are durable before anything is sent', () => {
  let node: Scripted
  beforeEach(() => (node = new Scripted()))
  afterEach(() => node.mesh.stop())

  const begin = async () => {
    node.start()
    await node.clock.until(() => node.engines.length === 1 && node.mesh.status.step === 'deciding')
    await settle()
  }

  it('what follows a record waits for the disk, in order; what is before it does not', async () => {
    await begin()
    const durable = node.hold('append 1/2')
    node.do(publish('a'), log(), publish('b'), log(), { type: 'round', round: 3, proposer: node.engine.start.seed })
    node.do(publish('c'))
    await settle()
    expect(node.trace).to.deep.equal(['publish 1 a'])
    expect(node.mesh.status.round).to.equal(-1)
    durable()
    await settle()
    expect(node.trace.slice(1)).to.deep.equal(['append 1/2', 'append 1/2 durable', 'publish 1 b', 'publish 1 c'])
    expect(node.mesh.status.round).to.equal(3)
  })

  it('timers start at once and end at once, whatever the disk does', async () => {
    await begin()
    const durable = node.hold('append 1/1')
    node.do(log(), { type: 'timeout', timeout: { kind: 'propose', round: 2 } })
    node.do({ type: 'timeout', timeout: { kind: 'prevote', round: 0 } })
    await node.clock.pass(500)
    expect(node.told).to.deep.equal([{ type: 'timeout', timeout: { kind: 'prevote', round: 0 } }])
    node.do({ type: 'cancelTimeouts' }, { type: 'timeout', timeout: { kind: 'precommit', round: 1 } })
    await node.clock.pass(10_000)
    expect(node.told.slice(1)).to.deep.equal([{ type: 'timeout', timeout: { kind: 'precommit', round: 1 } }])
    expect(node.trace).to.deep.equal([])
    durable()
  })

  it('inputs go on while the disk is at work, and their records are written together', async () => {
    await begin()
    const durable = node.hold('append 1/1')
    node.do(log(), publish('a'))
    for (const name of ['b', 'c', 'd']) node.do(log(), publish(name))
    await settle()
    expect(node.engine.inputs.filter(({ type }) => type === 'message')).to.have.length(4)
    expect(node.trace).to.deep.equal([])
    durable()
    await settle()
    const written = ['append 1/1', 'append 1/1 durable', 'publish 1 a', 'append 1/3', 'append 1/3 durable']
    expect(node.trace).to.deep.equal([...written, 'publish 1 b', 'publish 1 c', 'publish 1 d'])
  })

  it('a failed append stops everything: nothing is sent after it and it is not tried again', async () => {
    await begin()
    node.fail('append 1/1')
    node.do(publish('a'), log(), publish('b'), { type: 'timeout', timeout: { kind: 'propose', round: 0 } })
    await settle()
    expect(node.fatal).to.have.length(1)
    expect(node.mesh.status.step).to.equal('stopped')
    node.receive(vote(1, undefined))
    await node.clock.pass(60_000)
    expect(node.trace).to.deep.equal(['publish 1 a'])
    expect(node.wal.appends).to.equal(1)
    expect(node.told).to.deep.equal([])
    expect(node.engine.isFreed).to.equal(true)
    expect(
      await node.mesh.synced(blockOf(1, 'x'), { height: 1, round: 0, value: blockOf(1, 'x').value, signatures: [] }),
    ).to.equal(false)
  })

  it('a failed persist of a block stops everything, and the engine never hears of the block', async () => {
    await begin()
    const block = blockOf(1, 'x')
    node.fail('persist x')
    node.receive(proposal(1, block))
    node.mesh.receiveBlock(1, 0, block)
    await settle()
    expect(node.fatal).to.have.length(1)
    expect(node.told).to.deep.equal([])
  })

  it('a failed persist of its own block stops everything: it is not proposed', async () => {
    await begin()
    node.fail('persist own/0/0')
    node.do({ type: 'getValue', round: 0 })
    await node.clock.pass(5000)
    expect(node.fatal).to.have.length(1)
    expect([...node.told, ...node.trace]).to.deep.equal([])
  })

  it('a failed commit stops everything: the next height never begins', async () => {
    const block = blockOf(1, 'x')
    node.disk.blocks.set(String(block.value), block)
    await begin()
    node.fail('commit 1')
    node.do(decide(1, block))
    await node.clock.pass(5000)
    expect(node.fatal).to.have.length(1)
    expect(node.engines).to.have.length(1)
  })

  it('a decided block that is not there stops everything', async () => {
    await begin()
    node.do(decide(1, blockOf(1, 'x')))
    await settle()
    expect(String(node.fatal[0])).to.match(/height 1 .* not there/)
  })

  it('the own precommit that comes with a decision is sent before the decision is taken in', async () => {
    const block = blockOf(1, 'x')
    node.disk.blocks.set(String(block.value), block)
    await begin()
    node.do(log(), decide(1, block), publish('precommit'))
    await node.clock.until(() => node.disk.chain.length === 1)
    const order = ['append 1/1 durable', 'publish 1 precommit', 'commit 1']
    expect(order.map((step) => index(node, step))).to.deep.equal([1, 2, 3])
  })

  it('an engine that has decided gets nothing more', async () => {
    const block = blockOf(1, 'x')
    node.disk.blocks.set(String(block.value), block)
    await begin()
    const durable = node.hold('append 1/1')
    node.do({ type: 'timeout', timeout: { kind: 'rebroadcast', round: 0 } }, log(), decide(1, block))
    const [first] = node.engines
    const given = first!.inputs.length
    node.receive(vote(1, undefined, 2))
    await node.clock.pass(3000)
    durable()
    await node.clock.until(() => node.engines.length === 2)
    expect(first!.inputs).to.have.length(given)
    expect(first!.isFreed).to.equal(true)
  })

  it('stop is idempotent, waits for the disk, and sends nothing more', async () => {
    await begin()
    const durable = node.hold('append 1/1')
    node.do(log(), publish('a'))
    let stopped = 0
    const stops = [node.mesh.stop(), node.mesh.stop()].map((stop) => stop.then(() => (stopped += 1)))
    await settle()
    expect(stopped).to.equal(0)
    durable()
    await Promise.all(stops)
    await node.mesh.stop()
    expect(node.trace).to.deep.equal(['append 1/1', 'append 1/1 durable'])
    expect(node.fatal).to.deep.equal([])
  })
})
