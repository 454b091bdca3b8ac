import { expect } from 'chai'
import { blockOf, KEYS, log, publish, Scripted } from './scripted.ts'
import { settle } from './ports.ts'

describe('mesh driver: blocks that this node proposes', () => {
  let node: Scripted
  const failed: number[] = []
  beforeEach(async () => {
    node = new Scripted()
    failed.length = 0
    node.events.onProposalFailed = (round) => failed.push(round)
    node.start()
    await node.clock.until(() => node.mesh.status.step === 'deciding' && node.engines.length === 1)
    await settle()
  })
  afterEach(() => node.mesh.stop())

  it('a block is durable before it is proposed, and published after its proposal', async () => {
    node.answer = ({ type }) => (type === 'propose' ? [log(), publish('proposal')] : [])
    const durable = node.hold('persist own/0/0')
    node.do({ type: 'getValue', round: 0 })
    await settle()
    expect(node.told).to.deep.equal([])
    durable()
    await settle()
    const own = blockOf(1, 'own/0/0')
    expect(node.told).to.deep.equal([{ type: 'propose', round: 0, value: own.value }])
    const steps = ['persist own/0/0', 'persist own/0/0 durable', 'append 1/1', 'append 1/1 durable']
    expect(node.trace).to.deep.equal([...steps, 'publish 1 proposal', 'block 1/0 own/0/0'])
  })

  it('the round passes without a block that cannot be built', async () => {
    node.application.building = Promise.reject(new Error('no reports'))
    node.do({ type: 'getValue', round: 0 }, { type: 'timeout', timeout: { kind: 'propose', round: 0 } })
    await node.clock.pass(1000)
    expect(failed).to.deep.equal([0])
    expect(node.fatal).to.deep.equal([])
    expect(node.told).to.deep.equal([{ type: 'timeout', timeout: { kind: 'propose', round: 0 } }])
  })

  it('what is still built when its round ends is given up', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    node.application.building = promise
    node.do({ type: 'getValue', round: 0 })
    node.do({ type: 'round', round: 1, proposer: KEYS[2]! })
    expect(node.application.signals[0]!.aborted).to.equal(true)
    resolve()
    await settle()
    expect([...node.told, ...node.trace, ...failed]).to.deep.equal([])
  })

  it('what is durable only when its round is over is not proposed', async () => {
    const durable = node.hold('persist own/0/0')
    node.do({ type: 'getValue', round: 0 })
    await settle()
    node.do({ type: 'round', round: 1, proposer: KEYS[2]! })
    durable()
    await settle()
    expect(node.trace).to.deep.equal(['persist own/0/0', 'persist own/0/0 durable'])
    expect(node.told).to.deep.equal([])
  })

  it('what is still built when the height ends is given up, and stop waits for it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    node.application.building = promise
    node.do({ type: 'getValue', round: 0 })
    let isStopped = false
    const stop = node.mesh.stop().then(() => (isStopped = true))
    expect(node.application.signals[0]!.aborted).to.equal(true)
    await settle()
    expect(isStopped).to.equal(false)
    resolve()
    await stop
    expect(node.trace).to.deep.equal([])
  })
})
