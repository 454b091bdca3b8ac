import { expect } from 'chai'
import { block, certificate, heights, started } from './heights.ts'
import { decide, KEYS, log, publish, SET, vote } from './scripted.ts'
import { settle } from './ports.ts'

describe('mesh driver: epochs decided elsewhere', () => {
  let { node, seen, note, running, begin, decideHere } = heights()
  beforeEach(() => {
    ;({ node, seen, note, running, begin, decideHere } = heights())
  })
  afterEach(() => node.mesh.stop())

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
